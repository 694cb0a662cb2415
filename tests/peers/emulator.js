// Talks to the emulator that this group runs in.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** Puts a key where both tools look for it, and takes the agent away. */
function useKeyFile(file = process.env.SDC_KEY_FILE) {
    const copy = path.join(process.env.HOME, '.ssh', path.basename(file));
    fs.copyFileSync(file, copy);
    fs.copyFileSync(`${file}.pub`, `${copy}.pub`);
    fs.chmodSync(copy, 0o600);
    delete process.env.SSH_AUTH_SOCK;
}

/** What it was asked so far. */
async function requests() {
    return (await fetch(`${process.env.SDC_URL}/--emulator/requests`)).json();
}

/** Forgets what it was asked. */
async function forget() {
    await fetch(`${process.env.SDC_URL}/--emulator/requests`, { method: 'DELETE' });
}

module.exports = { useKeyFile, requests, forget };
