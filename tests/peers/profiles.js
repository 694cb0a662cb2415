// sdc and node-triton keep their profiles in the same files, and neither chokes on what the other wrote.
'use strict';

const assert = require('node:assert');
const { run, output, json, lines, check, cases } = require('./cases.js');

const { SDC_URL: url, SDC_ACCOUNT: account, SDC_KEY_ID: keyId } = process.env;

// Only profiles say where to go.
const env = { SDC_KEY_FILE: undefined, TRITON_KEY_FILE: undefined, TRITON_PROFILE: undefined };
for (const name of ['URL', 'ACCOUNT', 'KEY_ID']) env[`SDC_${name}`] = env[`TRITON_${name}`] = undefined;

cases(async () => {
    await check('without profile and environment neither knows where to go', async () => {
        assert.notStrictEqual((await run(['triton', 'key', 'list'], { env })).code, 0);
        assert.strictEqual((await run(['sdc', 'keys', 'list'], { env })).code, 2);
    });
    await check('triton uses a profile that sdc made', async () => {
        const said = ['--url', url, '--account', account, '--key-id', keyId];
        await output(['sdc', 'profile', 'create', 'ours', '--use', ...said], { env });
        const profiles = await lines(['triton', 'profile', 'list', '-j'], { env });
        const ours = profiles.find(one => one.name === 'ours');
        assert.deepStrictEqual([ours.url, ours.account, ours.keyId, ours.curr], [url, account, keyId, true]);
        assert.strictEqual((await lines(['triton', 'key', 'list', '-j'], { env }))[0].fingerprint, keyId);
        assert.strictEqual((await lines(['triton', '-p', 'ours', 'key', 'list', '-j'], { env })).length, 1);
    });
    await check('sdc uses a profile that triton made', async () => {
        const input = JSON.stringify({ name: 'theirs', url, account, keyId });
        const made = await run(['triton', 'profile', 'create', '-f', '-', '--no-docker'], { env, input });
        assert.strictEqual(made.code, 0, made.err);
        await output(['triton', 'profile', 'set-current', 'theirs'], { env });
        const profiles = await json(['sdc', 'profile', 'list', '--json'], { env });
        assert.ok(profiles.some(one => one.name === 'theirs' && one.account === account), JSON.stringify(profiles));
        assert.strictEqual((await json(['sdc', 'keys', 'list', '--json'], { env }))[0].fingerprint, keyId);
        assert.strictEqual((await json(['sdc', '-p', 'theirs', 'keys', 'list', '--json'], { env })).length, 1);
    });
    await check('each changes to the other\'s profile and back', async () => {
        const current = async () => (await lines(['triton', 'profile', 'list', '-j'], { env })).find(one => one.curr).name;
        await output(['sdc', 'profile', 'use', 'ours'], { env });
        assert.strictEqual(await current(), 'ours');
        await output(['triton', 'profile', 'set-current', '-'], { env });
        assert.strictEqual(await current(), 'theirs');
        await output(['sdc', 'profile', 'use', '-'], { env });
        assert.strictEqual(await current(), 'ours');
    });
});
