// An ssh-agent of our own, ended with its group.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { output } = require('./cases.js');

/** Starts one that holds these keys, calls the body with its socket, and ends it. */
async function withAgent(folder, files, body) {
    const socket = path.join(folder, 'agent');
    const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    const end = () => child.kill();
    process.once('exit', end);
    process.once('SIGTERM', () => process.exit(143));
    try {
        for (let tries = 0; !fs.existsSync(socket) && tries < 100; tries += 1) {
            await new Promise(resolve => setTimeout(resolve, 50));
        }
        for (const file of files) await output(['ssh-add', '-q', file], { env: { SSH_AUTH_SOCK: socket } });
        await body(socket);
    } finally {
        end();
    }
}

module.exports = { withAgent };
