// What the clients sign with other keys than the emulator's own, and as a sub-user, the emulator verifies.
// Called without an argument it makes the keys, starts the emulator and calls itself inside.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { withAgent } = require('./agent.js');
const demo = require('./demo.js');
const { run, output, json, lines, table, check, cases, sorted } = require('./cases.js');
const { requests, forget } = require('./emulator.js');

const KEYS = {
    rsa: ['-t', 'rsa', '-b', '3072'],
    p256: ['-t', 'ecdsa', '-b', '256'],
    p384: ['-t', 'ecdsa', '-b', '384'],
    p521: ['-t', 'ecdsa', '-b', '521'],
    ed25519: ['-t', 'ed25519'],
    'ed25519-high': ['-t', 'ed25519'],
};
const FOLDER = path.join(process.env.HOME, '.ssh');
const file = name => path.join(FOLDER, name);

async function id(name) {
    const said = await output(['ssh-keygen', '-l', '-E', 'md5', '-f', `${file(name)}.pub`]);
    return /MD5:([0-9a-f:]+)/.exec(said)[1];
}

/** Whether an Ed25519 key begins with a high bit: half of them do, and smartdc misreads the files of these. */
function high(name) {
    const [, blob] = fs.readFileSync(`${file(name)}.pub`, 'utf8').split(' ');
    return Buffer.from(blob, 'base64').at(-32) >= 0x80;
}

function make() {
    for (const [name, options] of Object.entries({ ...KEYS, sub: KEYS.p256, unknown: KEYS.rsa })) {
        do {
            fs.rmSync(file(name), { force: true });
            spawnSync('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', file(name), ...options]);
        } while (name.startsWith('ed25519') && high(name) !== (name === 'ed25519-high'));
    }
    const authorized = Object.keys(KEYS).flatMap(name => ['--authorize', `${file(name)}.pub`]);
    const argv = [
        'emulator', 'exec', '--pace', '10', ...authorized, '--authorize-user', `${file('sub')}.pub`,
        '--', 'node', __filename, 'inside',
    ];
    process.exitCode = spawnSync('sdc', argv, { stdio: 'inherit' }).status;
}

/** Both clients with every key that they can use, and sdc beside them. */
async function each(from, env) {
    for (const name of Object.keys(KEYS)) {
        const key = await id(name);
        const signed = async argv => {
            await forget();
            assert.ok((await output(argv, { env })).includes(key), 'the list lacks the key itself');
            const [one] = await requests();
            assert.deepStrictEqual([one.status, one.signed_by], [200, `/acme/keys/${key}`]);
        };
        const refuses = async (argv, pattern) => {
            await forget();
            const ended = await run(argv, { env });
            assert.notStrictEqual(ended.code, 0);
            assert.match(ended.err, pattern);
            assert.deepStrictEqual(await requests(), []);
        };
        if (name === 'p384') {
            // If these fail, the clients have learnt it, and our documentation should say so.
            await check(`p384, ${from}: neither client can sign with it`, async () => {
                await refuses(['triton', '-k', key, 'key', 'list'], /SHA384 is not a supported hash/);
                await refuses(['sdc-listkeys', '--keyId', key], /SHA384 is not a supported hash/);
            });
            if (from === 'file') {
                await check('p384, file: sdc can', () => signed(['sdc', 'keys', 'list', '--json', '--key-id', key]));
            }
            continue;
        }
        await check(`${name}, ${from}: triton's signature verifies`, () => signed(['triton', '-k', key, 'key', 'list']));
        if (name === 'ed25519-high' && from === 'file') {
            await check('ed25519-high, file: smartdc cannot read it', () => refuses(
                ['sdc-listkeys', '--keyId', key], /could not be located/,
            ));
        } else {
            await check(`${name}, ${from}: smartdc's signature verifies`, () => signed(['sdc-listkeys', '--keyId', key]));
        }
        await check(`${name}, ${from}: sdc's verifies beside them`, () => signed(
            ['sdc', 'keys', 'list', '--json', '--key-id', key],
        ));
    }
}

async function subUser() {
    const key = await id('sub');
    const triton = (...args) => ['triton', '-u', 'ci', '-k', key, ...args];
    const by = `/acme/users/ci/keys/${key}`;
    await check('a sub-user lists machines with triton, smartdc and sdc', async () => {
        await forget();
        assert.deepStrictEqual(sorted(await lines(triton('inst', 'ls', '-j')), 'name'), demo.MACHINES);
        assert.deepStrictEqual(sorted(await json(['sdc-listmachines', '--user', 'ci', '--keyId', key]), 'name'), demo.MACHINES);
        const ours = await json(['sdc', 'machines', 'list', '--json', '--user', 'ci', '--key-id', key]);
        assert.deepStrictEqual(sorted(ours, 'name'), demo.MACHINES);
        for (const one of await requests()) assert.deepStrictEqual([one.status, one.signed_by], [200, by]);
    });
    await check('a sub-user may add a key in its role only', async () => {
        await output(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file('added')]);
        const add = ['key', 'add', '-n', 'added', `${file('added')}.pub`];
        const ended = await run(triton(...add));
        assert.notStrictEqual(ended.code, 0);
        assert.match(ended.err, /NotAuthorized/);
        await output(triton('-r', 'keyadmin', ...add));
        const keys = await table(['triton', 'key', 'list']);
        assert.ok(keys.some(row => row.NAME === 'added'), JSON.stringify(keys));
        await output(['sdc-deletekey', '--user', 'ci', '--keyId', key, '--role', 'keyadmin', 'added']);
        assert.ok((await table(['triton', 'key', 'list'])).every(row => row.NAME !== 'added'));
    });
    await check('a role that there is not is refused', async () => {
        const ended = await run(triton('-r', 'nope', 'inst', 'ls'));
        assert.notStrictEqual(ended.code, 0);
        assert.match(ended.err, /NotAuthorized/);
    });
}

async function unknown() {
    await check('a key that the account does not have is refused by name of the error', async () => {
        const key = await id('unknown');
        for (const argv of [['triton', '-k', key, 'inst', 'ls'], ['sdc-listmachines', '--keyId', key]]) {
            const ended = await run(argv);
            assert.notStrictEqual(ended.code, 0);
            assert.match(ended.err, /InvalidCredentials/);
            assert.strictEqual(ended.out.trim(), '');
        }
    });
}

if (process.argv[2] === 'inside') {
    cases(async () => {
        fs.copyFileSync(process.env.SDC_KEY_FILE, file('id_rsa'));
        fs.copyFileSync(`${process.env.SDC_KEY_FILE}.pub`, file('id_rsa.pub'));
        fs.chmodSync(file('id_rsa'), 0o600);
        // The file that the emulator names would come before a key id.
        delete process.env.SDC_KEY_FILE;
        delete process.env.TRITON_KEY_FILE;
        await each('file', {});
        await subUser();
        await unknown();
        const empty = path.join(process.env.HOME, 'empty');
        fs.mkdirSync(path.join(empty, '.ssh'), { recursive: true, mode: 0o700 });
        await withAgent(process.env.HOME, Object.keys(KEYS).map(file), socket => each(
            'agent', { HOME: empty, SSH_AUTH_SOCK: socket },
        ));
    });
} else {
    make();
}
