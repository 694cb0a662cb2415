// Both clients over HTTPS: they trust the emulator's certificate by NODE_EXTRA_CA_CERTS, and nothing else.
'use strict';

const assert = require('node:assert');
const demo = require('./demo.js');
const { run, output, json, lines, until, check, cases, sorted } = require('./cases.js');

const BARE = { NODE_EXTRA_CA_CERTS: undefined };

cases(async () => {
    const ids = await demo.ids();
    await check('the address is an HTTPS one', async () => {
        assert.match(process.env.SDC_URL, /^https:/);
        assert.strictEqual(process.env.SDC_URL, process.env.TRITON_URL);
    });
    await check('triton inst ls agrees with sdc and sdc-listmachines', async () => {
        const theirs = await lines(['triton', 'inst', 'ls', '-j']);
        assert.deepStrictEqual(sorted(theirs, 'name'), demo.MACHINES);
        assert.deepStrictEqual(sorted(theirs, 'id'), sorted(await json(['sdc', 'machines', 'list', '--json']), 'id'));
        assert.deepStrictEqual(sorted(theirs, 'id'), sorted(await json(['sdc-listmachines']), 'id'));
    });
    await check('triton key list, image list', async () => {
        assert.strictEqual((await lines(['triton', 'key', 'list', '-j']))[0].fingerprint, process.env.SDC_KEY_ID);
        assert.strictEqual((await lines(['triton', 'image', 'list', '-j'])).length, demo.IMAGES.length);
    });
    await check('triton create -w, stop -w, delete -w', async () => {
        await output(['triton', 'create', '-w', '-n', 'tls1', 'base-64', 'g1-small']);
        await output(['triton', 'inst', 'stop', '-w', 'tls1']);
        assert.strictEqual((await json(['triton', 'inst', 'get', 'tls1'])).state, 'stopped');
        await output(['triton', 'inst', 'delete', '-w', '-f', 'tls1']);
        assert.deepStrictEqual(sorted(await json(['sdc-listmachines']), 'name'), demo.MACHINES);
    });
    await check('sdc-listkeys, sdc-getmachine, sdc-createmachine, sdc-deletemachine', async () => {
        assert.strictEqual((await json(['sdc-listkeys']))[0].fingerprint, process.env.SDC_KEY_ID);
        assert.strictEqual((await json(['sdc-getmachine', ids.web1])).name, 'web1');
        const made = await json(['sdc-createmachine', '--image', ids.base, '--package', 'g1-small', '--name', 'tls2']);
        assert.strictEqual(made.state, 'provisioning');
        await until(async () => (await json(['sdc-getmachine', made.id])).state, state => state === 'running');
        await output(['sdc-deletemachine', made.id]);
    });
    await check('without the certificate both refuse', async () => {
        for (const argv of [['triton', 'key', 'list'], ['sdc-listkeys']]) {
            const ended = await run(argv, { env: BARE });
            assert.notStrictEqual(ended.code, 0, argv.join(' '));
            assert.match(ended.err, /self-signed certificate/i);
        }
    });
    await check('SDC_TESTING=1 makes both take any certificate, and sdc too', async () => {
        const env = { ...BARE, SDC_TESTING: '1', SDC_CACERT: undefined, SSL_CERT_FILE: undefined };
        assert.strictEqual((await lines(['triton', 'key', 'list', '-j'], { env })).length, 1);
        assert.strictEqual((await json(['sdc-listkeys'], { env })).length, 1);
        assert.strictEqual((await json(['sdc', 'keys', 'list', '--json'], { env })).length, 1);
    });
});
