// smartdc's sdc-* commands against an emulator. One argument: where the key is, 'agent' or 'file'.
'use strict';

const assert = require('node:assert');
const demo = require('./demo.js');
const { run, output, json, until, check, cases, sorted } = require('./cases.js');
const { useKeyFile, requests } = require('./emulator.js');

let ids;
const names = rows => sorted(rows, 'name');
const machine = id => json(['sdc-getmachine', id]);
const ours = id => json(['sdc', 'machines', 'get', id, '--json']);

async function catalogue() {
    await check('sdc-listkeys, sdc-getkey', async () => {
        const keys = await json(['sdc-listkeys']);
        assert.deepStrictEqual(keys.map(key => [key.name, key.fingerprint]), [['emulator', process.env.SDC_KEY_ID]]);
        assert.deepStrictEqual(await json(['sdc-getkey', 'emulator']), keys[0]);
    });
    await check('sdc-listimages, sdc-getimage', async () => {
        const images = await json(['sdc-listimages']);
        assert.deepStrictEqual(images.map(one => `${one.name}@${one.version}`).sort(), demo.IMAGES);
        assert.deepStrictEqual(await json(['sdc-getimage', ids.base]), images.find(one => one.id === ids.base));
    });
    await check('sdc-listpackages, sdc-getpackage by name', async () => {
        const packages = await json(['sdc-listpackages']);
        assert.deepStrictEqual(names(packages), demo.PACKAGES);
        assert.deepStrictEqual(await json(['sdc-getpackage', 'g1-small']), packages.find(one => one.name === 'g1-small'));
    });
    await check('sdc-listnetworks, sdc-getnetwork', async () => {
        const networks = await json(['sdc-listnetworks']);
        assert.deepStrictEqual(names(networks), demo.NETWORKS);
        assert.deepStrictEqual(await json(['sdc-getnetwork', ids.public]), networks.find(one => one.id === ids.public));
    });
    await check('sdc-listdatacenters leads back to the emulator', async () => {
        assert.strictEqual((await json(['sdc-listdatacenters']))['local-1'], process.env.SDC_URL);
    });
    await check('sdc-getaccount agrees with sdc', async () => {
        const account = await json(['sdc-getaccount']);
        assert.deepStrictEqual([account.login, account.email], ['acme', 'ops@acme.example.com']);
        assert.deepStrictEqual(account, await json(['sdc', 'account', 'get', '--json']));
    });
}

async function machines() {
    await check('sdc-listmachines agrees with sdc machines list and triton inst ls', async () => {
        const theirs = await json(['sdc-listmachines']);
        assert.deepStrictEqual(names(theirs), demo.MACHINES);
        assert.deepStrictEqual(sorted(theirs, 'id'), sorted(await json(['sdc', 'machines', 'list', '--json']), 'id'));
        const triton = (await output(['triton', 'inst', 'ls', '-j'])).split('\n').filter(Boolean);
        assert.strictEqual(theirs.length, triton.length);
    });
    await check('sdc-listmachines: filters', async () => {
        const filtered = async (...filters) => names(await json(['sdc-listmachines', ...filters]));
        assert.deepStrictEqual(await filtered('--state', 'stopped'), demo.STOPPED);
        assert.deepStrictEqual(await filtered('--tag', 'role=web'), ['web1', 'web10']);
        assert.deepStrictEqual(await filtered('--brand', 'bhyve'), ['db0', 'db1']);
        assert.deepStrictEqual(await filtered('--memory', '1024'), ['cache', 'web1', 'web10']);
        assert.deepStrictEqual(await filtered('--image', ids.web), ['web1', 'web10']);
        assert.deepStrictEqual(await filtered('--tag', 'role=web', '--tag', 'stage=test'), []);
    });
    await check('sdc-listmachines --name takes a prefix, as the service does', async () => {
        assert.deepStrictEqual(names(await json(['sdc-listmachines', '--name', 'web1'])), ['web1', 'web10']);
    });
    await check('sdc-listmachines --limit and --offset page through all', async () => {
        const seen = [];
        for (const offset of ['0', '3', '6']) {
            const ended = await run(['sdc-listmachines', '--limit', '3', '--offset', offset]);
            assert.strictEqual(ended.code, 0, ended.err);
            // It takes the length of the page, which is what the service counts, for the sum of all; so it warns
            // on the first page only.
            assert.strictEqual(/Partial listing/.test(ended.err), offset === '0', `at ${offset}: ${ended.err}`);
            seen.push(...JSON.parse(ended.out));
        }
        assert.deepStrictEqual(names(seen), demo.MACHINES);
    });
    await check('sdc-getmachine agrees with sdc', async () => {
        const theirs = await machine(ids.web1);
        assert.deepStrictEqual([theirs.name, theirs.tags], ['web1', demo.WEB_TAGS]);
        assert.deepStrictEqual(theirs, await ours(ids.web1));
    });
    await check('sdc-getmachine of nothing ends with 3 and says so', async () => {
        const ended = await run(['sdc-getmachine', demo.NOBODY]);
        assert.strictEqual(ended.code, 3);
        assert.match(ended.err, /ResourceNotFound/);
    });
    await check('sdc-listmachinetags, sdc-getmachinetag, sdc-listmachinemetadata', async () => {
        assert.deepStrictEqual(await json(['sdc-listmachinetags', ids.web1]), demo.WEB_TAGS);
        assert.match(await output(['sdc-getmachinetag', '--tag', 'role', ids.web1]), /^"?web"?\s*$/);
        assert.deepStrictEqual(await json(['sdc-listmachinemetadata', ids.web1]), demo.WEB_METADATA);
    });
}

async function life() {
    let id;
    const reaches = state => until(async () => (await ours(id)).state, now => now === state);
    await check('sdc-createmachine', async () => {
        const made = await json([
            'sdc-createmachine', '--image', ids.base, '--package', 'g1-small', '--name', 'sm1', '--networks', ids.public,
            '--tag', 'role=new', '--metadata', 'motd=hello there',
        ]);
        id = made.id;
        assert.deepStrictEqual([made.name, made.state, made.image], ['sm1', 'provisioning', ids.base]);
        await reaches('running');
        const now = await machine(id);
        assert.deepStrictEqual(
            [now.state, now.package, now.tags, now.metadata.motd, now.networks],
            ['running', 'g1-small', { role: 'new' }, 'hello there', [ids.public]],
        );
    });
    await check('sdc-stopmachine, and sdc sees it', async () => {
        await output(['sdc-stopmachine', id]);
        await reaches('stopped');
    });
    await check('sdc-startmachine, and sdc sees it', async () => {
        await output(['sdc-startmachine', id]);
        await reaches('running');
    });
    await check('sdc-rebootmachine, and sdc-getmachineaudit tells', async () => {
        await output(['sdc-rebootmachine', id]);
        const audit = await until(
            () => json(['sdc-getmachineaudit', id]), list => list.some(one => one.action === 'reboot'),
        );
        assert.deepStrictEqual(audit.map(one => one.action), ['reboot', 'start', 'stop', 'provision']);
        assert.ok(audit.every(one => one.success === 'yes'), JSON.stringify(audit));
        assert.strictEqual(audit[0].caller.keyId, `/acme/keys/${process.env.SDC_KEY_ID}`);
    });
    await check('sdc-renamemachine', async () => {
        await output(['sdc-renamemachine', '--name', 'sm2', id]);
        await until(async () => (await ours(id)).name, name => name === 'sm2');
    });
    await check('sdc-resizemachine', async () => {
        await output(['sdc-resizemachine', '--package', 'g1-medium', id]);
        await until(async () => (await ours(id)).package, name => name === 'g1-medium');
    });
    await check('sdc-addmachinetags, sdc-replacemachinetags, sdc-deletemachinetag', async () => {
        const tags = wanted => until(
            () => json(['sdc-listmachinetags', id]), list => JSON.stringify(list) === JSON.stringify(wanted),
        );
        await output(['sdc-addmachinetags', '--tag', 'a=b', id]);
        await tags({ role: 'new', a: 'b' });
        await output(['sdc-replacemachinetags', '--tag', 'c=d', '--tag', 'e=f', id]);
        await tags({ c: 'd', e: 'f' });
        await output(['sdc-deletemachinetag', '--tag', 'c', id]);
        await tags({ e: 'f' });
    });
    await check('sdc-updatemachinemetadata, sdc-getmachinemetadata, sdc-deletemachinemetadata', async () => {
        await output(['sdc-updatemachinemetadata', '--metadata', 'release=2', id]);
        await until(() => json(['sdc-listmachinemetadata', id]), list => list.release === '2');
        assert.match(await output(['sdc-getmachinemetadata', '--metadata', 'release', id]), /^"?2"?\s*$/);
        await output(['sdc-deletemachinemetadata', '--metadata', 'release', id]);
        await until(() => json(['sdc-listmachinemetadata', id]), list => !('release' in list) && list.motd === 'hello there');
    });
    await check('sdc-deletemachine, and the machine is gone', async () => {
        await output(['sdc-deletemachine', id]);
        await until(() => run(['sdc-getmachine', id]), ended => ended.code === 3 && /Gone \(410\)/.test(ended.err));
        assert.deepStrictEqual(names(await json(['sdc-listmachines'])), demo.MACHINES);
    });
    await check('sdc-listmachines --tombstone shows what was deleted and what failed', async () => {
        const all = await json(['sdc-listmachines', '--tombstone', '20']);
        assert.deepStrictEqual(names(all), [...demo.MACHINES, 'broken', 'old-web', 'sm2'].sort());
        assert.strictEqual(all.find(one => one.id === id).state, 'deleted');
    });
    await check('sdc-deletemachine of a protected one is refused with the reason', async () => {
        const ended = await run(['sdc-deletemachine', ids.db0]);
        assert.notStrictEqual(ended.code, 0);
        assert.match(ended.err, /"deletion_protection" enabled/);
    });
}

async function keys() {
    await check('sdc-createkey, sdc-deletekey', async () => {
        const file = `${process.env.HOME}/more`;
        await output(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'more', '-f', file]);
        await output(['sdc-createkey', '--name', 'second', `${file}.pub`]);
        assert.deepStrictEqual(names(await json(['sdc', 'keys', 'list', '--json'])), ['emulator', 'second']);
        await output(['sdc-deletekey', 'second']);
        assert.deepStrictEqual(names(await json(['sdc-listkeys'])), ['emulator']);
    });
}

async function afterwards() {
    await check('every request was signed by the key, had a route, and none broke the emulator', async () => {
        const seen = await requests();
        assert.ok(seen.length > 50, `only ${seen.length} requests`);
        for (const one of seen) {
            assert.strictEqual(one.signed_by, `/acme/keys/${process.env.SDC_KEY_ID}`, JSON.stringify(one));
            assert.ok(one.status < 500 && ![400, 401, 403, 405, 415].includes(one.status), JSON.stringify(one));
        }
    });
}

cases(async () => {
    if (process.argv[2] === 'file') useKeyFile();
    ids = await demo.ids();
    await catalogue();
    await machines();
    await life();
    await keys();
    await afterwards();
});
