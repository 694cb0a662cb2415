// What can be seen only while it lasts, hence against an emulator in real time.
'use strict';

const assert = require('node:assert');
const { output, json, lines, check, cases } = require('./cases.js');

const triton = (...args) => ['triton', ...args];

cases(async () => {
    await check('instance wait waits until it runs', async () => {
        const [{ state }] = await lines(triton('create', '-j', '-n', 'slow', 'base-64', 'g1-small'));
        assert.strictEqual(state, 'provisioning');
        assert.match(await output(triton('instance', 'wait', 'slow')), /^1\/1: Instance slow .* moved to state running$/m);
    });
    await check('instance migration pause stops a sync, which sync takes up again', async () => {
        const migration = (word, ...args) => triton('instance', 'migration', word, ...args);
        const state = async () => {
            const { phase, state } = await json(['sdc', 'machines', 'migrate', 'get', 'slow', '--json']);
            return [phase, state];
        };
        await output(migration('begin', '-w', 'slow'));
        await output(['sdc', 'machines', 'migrate', 'sync', 'slow']);
        assert.deepStrictEqual(await state(), ['sync', 'running']);
        await output(migration('pause', '-w', 'slow'));
        assert.deepStrictEqual(await state(), ['sync', 'paused']);
        await output(migration('sync', '-w', 'slow'));
        assert.deepStrictEqual(await state(), ['sync', 'paused']);
        assert.strictEqual((await json(migration('get', '-j', 'slow'))).progress_history.at(-1).state, 'successful');
        await output(migration('abort', '-w', 'slow'));
    });
    await check('image wait waits until it is active', async () => {
        await output(triton('image', 'create', 'build', 'later', '1.0.0'));
        assert.strictEqual((await json(triton('image', 'get', '-a', 'later'))).state, 'creating');
        assert.match(await output(triton('image', 'wait', 'later@1.0.0')), /^1\/1: Image .* moved to state active$/m);
    });
});
