// npm's http-signature verifies what sdc signs: every kind of key, every form, from files and from an agent,
// in what --curl prints and on the wire.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const now = require('http-signature');
const legacy = require('http-signature-legacy');
const { withAgent } = require('./agent.js');
const { run, output, check, cases } = require('./cases.js');

const NOWHERE = 'http://127.0.0.1:1';
const TARGET = '/acme/machines?limit=1000&tag.role=web%20front';
const BODY = JSON.stringify({ name: "it's \"new\"", 'tag.role': 'web front', 'metadata.motd': '€ $HOME `id` \\' });

const KEYS = [
    { name: 'RSA-2048 in PKCS#1', make: ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], head: 'RSA PRIVATE KEY', algorithm: 'rsa-sha256' },
    { name: 'RSA-2048 in OpenSSH', make: ['-t', 'rsa', '-b', '2048'], head: 'OPENSSH PRIVATE KEY', algorithm: 'rsa-sha256', agent: true },
    { name: 'RSA-3072', make: ['-t', 'rsa', '-b', '3072', '-m', 'PKCS8'], head: 'PRIVATE KEY', algorithm: 'rsa-sha256' },
    { name: 'ECDSA P-256', make: ['-t', 'ecdsa', '-b', '256'], head: 'OPENSSH PRIVATE KEY', algorithm: 'ecdsa-sha256', agent: true },
    { name: 'ECDSA P-256 in SEC1', make: ['-t', 'ecdsa', '-b', '256', '-m', 'PEM'], head: 'EC PRIVATE KEY', algorithm: 'ecdsa-sha256' },
    { name: 'ECDSA P-384', make: ['-t', 'ecdsa', '-b', '384'], head: 'OPENSSH PRIVATE KEY', algorithm: 'ecdsa-sha512', agent: false },
    { name: 'ECDSA P-521', make: ['-t', 'ecdsa', '-b', '521'], head: 'OPENSSH PRIVATE KEY', algorithm: 'ecdsa-sha512', agent: true },
    { name: 'Ed25519', make: ['-t', 'ed25519'], head: 'OPENSSH PRIVATE KEY', algorithm: 'ed25519-sha512', agent: true },
];

const rsa = key => key.algorithm.startsWith('rsa');

/** The words of a printed curl line, as a real shell splits them. */
async function words(line) {
    const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
    return (await output(['sh', '-c', script])).split('\0').slice(0, -1);
}

/** The request that a printed curl line sends. */
async function curl(args, env) {
    const line = await output(['sdc', 'api', ...args, '--curl', '--url', NOWHERE, '--account', 'acme'], { env });
    const request = { method: 'GET', headers: {}, httpVersion: '1.1', body: undefined };
    const list = await words(line);
    while (list.length > 0) {
        const word = list.shift();
        if (word === '-sSg') continue;
        if (word === '-X') request.method = list.shift();
        else if (word === '--data-raw') request.body = list.shift();
        else if (word === '-H') {
            const [, name, value] = /^([^:]+): (.*)$/s.exec(list.shift());
            request.headers[name.toLowerCase()] = value;
        } else {
            assert.ok(word.startsWith(`${NOWHERE}/`), `an unknown word in the curl line: ${word}`);
            request.url = word.slice(NOWHERE.length);
        }
    }
    return request;
}

/** Whether the library of our days takes the request. */
function verifies(request, publicKey) {
    return now.verifySignature(now.parseRequest(request), publicKey);
}

/** Whether the library that had the oldest form takes it. */
function legacyVerifies(request, publicKey) {
    return legacy.verifySignature(legacy.parseRequest(request), now.sshKeyToPEM(publicKey));
}

function expectations(request, key, form, { user, algorithm = key.algorithm } = {}) {
    const parsed = form === 'legacy' ? legacy.parseRequest(request) : now.parseRequest(request);
    const owner = user ? `/acme/users/${user}/keys/` : '/acme/keys/';
    assert.strictEqual(parsed.params.keyId, owner + now.sshKeyFingerprint(key.public));
    assert.strictEqual(parsed.params.algorithm, algorithm);
    assert.deepStrictEqual(parsed.params.headers, form === 'request' ? ['date', '(request-target)'] : ['date']);
    const ok = form === 'legacy' ? legacyVerifies(request, key.public) : verifies(request, key.public);
    assert.ok(ok, `the signature is refused: ${request.headers.authorization}`);
}

async function file(key, form) {
    const from = ['--key-file', key.file, '--signing', form];
    await check(`${key.name}, ${form}: verifies`, async () => {
        const request = await curl(['GET', TARGET, ...from]);
        assert.strictEqual(request.url, TARGET);
        expectations(request, key, form);
    });
    await check(`${key.name}, ${form}: a POST with a body, by a sub-user, verifies`, async () => {
        const request = await curl(['POST', '/acme/machines', '--data', BODY, '--user', 'builder', ...from]);
        assert.strictEqual(request.method, 'POST');
        assert.strictEqual(request.body, BODY);
        expectations(request, key, form, { user: 'builder' });
    });
    await check(`${key.name}, ${form}: what was changed does not verify`, async () => {
        const request = await curl(['GET', TARGET, ...from]);
        const test = form === 'legacy' ? legacyVerifies : verifies;
        const later = new Date(Date.parse(request.headers.date) + 1000).toUTCString();
        assert.strictEqual(test({ ...request, headers: { ...request.headers, date: later } }, key.public), false);
        // The two other forms leave the path alone, and who chooses them should know.
        const elsewhere = { ...request, url: request.url.replace('1000', '1') };
        assert.strictEqual(test(elsewhere, key.public), form !== 'request');
        assert.strictEqual(test({ ...request, method: 'DELETE' }, key.public), form !== 'request');
        assert.strictEqual(test(request, KEYS.find(other => other !== key && rsa(other) === rsa(key)).public), false);
    });
}

async function hashes(key) {
    for (const form of ['request', 'date', 'legacy']) {
        for (const hash of ['sha1', 'sha512']) {
            await check(`${key.name}, ${form}, --rsa-hash ${hash}: verifies`, async () => {
                const request = await curl([
                    'GET', TARGET, '--key-file', key.file, '--signing', form, '--rsa-hash', hash,
                ]);
                expectations(request, key, form, { algorithm: `rsa-${hash}` });
            });
        }
    }
}

/** A service that only verifies, as CloudAPI does; and what it saw. */
function service() {
    const seen = [];
    const server = http.createServer((request, response) => {
        let body = '';
        request.on('data', data => { body += data; });
        request.on('end', () => {
            seen.push({ method: request.method, url: request.url, headers: request.headers, httpVersion: '1.1', body });
            response.setHeader('content-type', 'application/json');
            response.end('[]');
        });
    });
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve({ server, seen })));
}

async function wire(key) {
    await check(`${key.name}: verifies as it comes over the wire`, async () => {
        const { server, seen } = await service();
        const to = [
            '--url', `http://127.0.0.1:${server.address().port}`, '--account', 'acme', '--key-file', key.file,
        ];
        try {
            await output(['sdc', 'machines', 'list', '--json', ...to]);
            await output(['sdc', 'api', 'GET', TARGET, ...to]);
            await output(['sdc', 'api', 'POST', '/acme/machines', '--data', BODY, ...to]);
        } finally {
            server.close();
        }
        assert.deepStrictEqual(seen.map(one => one.method), ['GET', 'GET', 'POST']);
        assert.ok(seen[0].url.startsWith('/acme/machines'), seen[0].url);
        assert.strictEqual(seen[1].url, TARGET);
        assert.strictEqual(seen[2].body, BODY);
        for (const request of seen) expectations(request, key, 'request');
    });
}

async function agent(env) {
    for (const key of KEYS.filter(one => one.agent !== undefined)) {
        const from = ['--key-id', now.sshKeyFingerprint(key.public)];
        if (!key.agent) {
            await check(`${key.name} from ssh-agent: is refused, and its file asked for`, async () => {
                const ended = await run(
                    ['sdc', 'api', 'GET', TARGET, '--curl', '--url', NOWHERE, '--account', 'acme', ...from], { env },
                );
                assert.strictEqual(ended.code, 4, ended.err);
                assert.match(ended.err, /--key-file/);
            });
            continue;
        }
        for (const form of rsa(key) ? ['request', 'date', 'legacy'] : ['request', 'date']) {
            await check(`${key.name} from ssh-agent, ${form}: verifies`, async () => {
                expectations(await curl(['GET', TARGET, ...from, '--signing', form], env), key, form);
            });
        }
        if (!rsa(key)) continue;
        await check(`${key.name} from ssh-agent, --rsa-hash sha512: verifies`, async () => {
            const request = await curl(['GET', TARGET, ...from, '--rsa-hash', 'sha512'], env);
            expectations(request, key, 'request', { algorithm: 'rsa-sha512' });
        });
    }
}

cases(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'v-'));
    await Promise.all(KEYS.map(async (key, at) => {
        key.file = path.join(folder, `key${at}`);
        await output(['ssh-keygen', '-q', '-N', '', '-C', key.name, '-f', key.file, ...key.make]);
        key.public = fs.readFileSync(`${key.file}.pub`, 'utf8').trim();
    }));
    for (const key of KEYS) {
        await check(`${key.name}: its file is what the case says`, async () => {
            assert.ok(fs.readFileSync(key.file, 'utf8').startsWith(`-----BEGIN ${key.head}-----`));
        });
        for (const form of rsa(key) ? ['request', 'date', 'legacy'] : ['request', 'date']) await file(key, form);
        if (rsa(key)) await hashes(key);
        await wire(key);
    }
    for (const key of KEYS.filter(one => !rsa(one))) {
        await check(`${key.name}, legacy: is refused, since that form knows RSA only`, async () => {
            const ended = await run([
                'sdc', 'api', 'GET', TARGET, '--curl', '--url', NOWHERE, '--account', 'acme',
                '--key-file', key.file, '--signing', 'legacy',
            ]);
            assert.strictEqual(ended.code, 2, ended.err);
            assert.strictEqual(ended.out, '');
        });
    }
    const held = KEYS.filter(key => key.agent !== undefined).map(key => key.file);
    await withAgent(folder, held, socket => agent({ SSH_AUTH_SOCK: socket }));
});
