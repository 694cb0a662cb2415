// Runs the groups of cases, two at a time, each with a HOME and an emulator of its own; prints what each of them
// said in one piece, the sum, and how many of the peers' commands took part.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const AT_ONCE = 2;
const LONGEST = 150_000;
// Fewer distinct commands of the peers than this, and something was lost.
const COMMANDS = 200;
// And of the methods of the clients of the internal services.
const METHODS = 80;
// Ten times real time: a machine is provisioned in 0.2 s.
const exec = (...options) => ['sdc', 'emulator', 'exec', '--pace', '10', ...options, '--'];
const python = file => [
    'sdc', 'emulator', 'exec', '--admin', '--seed', 'sdcadmin', '--pace', '4', '--', process.env.PEER_PYTHON, file,
];

// The longest first.
const GROUPS = [
    { name: 'triton parts', argv: [...exec('--agent'), 'node', 'triton-parts.js'] },
    { name: 'triton (agent)', argv: [...exec('--agent'), 'node', 'triton.js', 'agent'] },
    { name: 'triton (key file)', argv: [...exec(), 'node', 'triton.js', 'file'] },
    { name: 'triton more', argv: [...exec('--agent'), 'node', 'triton-more.js'] },
    { name: 'smartdc more', argv: [...exec(), 'node', 'smartdc-more.js'] },
    { name: 'smartdc (agent)', argv: [...exec('--agent'), 'node', 'smartdc.js', 'agent'] },
    { name: 'smartdc (key file)', argv: [...exec(), 'node', 'smartdc.js', 'file'] },
    { name: 'internal services', argv: [...exec('--admin'), 'node', 'internal.js'] },
    { name: 'sdcadmin', python: true, argv: python('sdcadmin_peer.py') },
    { name: "sdcadmin's tests", python: true, argv: python('sdcadmin_tests.py') },
    { name: 'keys', argv: ['node', 'keys.js'] },
    { name: 'rbac', argv: [...exec(), 'node', 'rbac.js'] },
    { name: 'triton slow', argv: ['sdc', 'emulator', 'exec', '--agent', '--pace', '0.5', '--', 'node', 'triton-slow.js'] },
    { name: 'profiles', argv: [...exec('--agent'), 'node', 'profiles.js'] },
    { name: 'https', argv: [...exec('--agent', '--https'), 'node', 'https.js'] },
    { name: 'verify', argv: ['node', 'verify.js'] },
];

const used = new Set();

function run(group, folder) {
    return new Promise(resolve => {
        const home = fs.mkdtempSync(path.join(folder, 'home-'));
        // node-triton reads this folder even when the key is in an agent, and fails if there is none.
        fs.mkdirSync(path.join(home, '.ssh'), { mode: 0o700 });
        const env = { ...process.env, HOME: home, TMPDIR: home, PEER_GROUP: group.name };
        const child = spawn(group.argv[0], group.argv.slice(1), {
            cwd: __dirname, env, stdio: ['ignore', 'pipe', 'pipe'],
        });
        let said = '';
        let late = false;
        child.stdout.on('data', data => { said += data; });
        child.stderr.on('data', data => { said += data; });
        const timer = setTimeout(() => { late = true; child.kill(); }, LONGEST);
        child.on('error', error => resolve(`FAIL ${group.name}: it does not start: ${error.message}\n`));
        child.on('close', code => {
            clearTimeout(timer);
            if (late) said += `FAIL ${group.name}: stopped after ${LONGEST / 1000} s\n`;
            else if (!/^(done$|FAIL )/m.test(said)) said += `FAIL ${group.name}: it ended early, with code ${code}\n`;
            for (const [, name] of said.matchAll(/^used (.*)$/gm)) used.add(name);
            resolve(said.replace(/^(done|used .*)\n/gm, ''));
        });
    });
}

async function main() {
    // Short, since a socket's path has little room.
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'peers-'));
    process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
    process.once('SIGINT', () => process.exit(130));
    const only = process.env.PEER_ONLY;
    const there = GROUPS.filter(group => !group.python || process.env.PEER_PYTHON);
    const waiting = there.filter(group => !only || group.name.includes(only));
    let passed = 0;
    let failed = 0;
    const lane = async () => {
        for (let group = waiting.shift(); group; group = waiting.shift()) {
            const said = await run(group, folder);
            passed += (said.match(/^ok /gm) || []).length;
            failed += (said.match(/^FAIL /gm) || []).length;
            process.stdout.write(said);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const count = word => [...used].filter(name => name.startsWith(word)).length;
    const [triton, methods] = [count('triton '), count('method ')];
    console.log(`peers: ${triton} triton commands, ${used.size - triton - methods} sdc-* commands, ${methods} methods`);
    const enough = only || used.size - methods >= COMMANDS && methods >= METHODS;
    if (!enough) console.log(`FAIL peers: fewer than ${COMMANDS} distinct commands, or ${METHODS} methods`);
    console.log(`${passed} passed, ${failed + (enough ? 0 : 1)} failed`);
    process.exitCode = failed === 0 && passed > 0 && enough ? 0 : 1;
}

main();
