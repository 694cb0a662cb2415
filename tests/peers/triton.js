// node-triton against an emulator, by the words its users type. One argument: where its key is, 'agent' or 'file'.
'use strict';

const assert = require('node:assert');
const demo = require('./demo.js');
const { run, output, json, lines, table, until, check, cases, sorted } = require('./cases.js');
const { useKeyFile, requests } = require('./emulator.js');

const triton = (...args) => ['triton', ...args];
const sdc = (...args) => ['sdc', ...args];
let ids;
const names = rows => sorted(rows, 'name');

/** What the tool adds to a row of its own. */
function bare(row) {
    const { age, img, shortid, flags, ...theirs } = row;
    return theirs;
}

async function catalogue() {
    await check('key list names the key that signs', async () => {
        const keys = await table(triton('key', 'list'));
        assert.deepStrictEqual(keys, [{ FINGERPRINT: process.env.SDC_KEY_ID, NAME: 'emulator' }]);
        const [key] = await lines(triton('key', 'list', '-j'));
        assert.ok(key.key.startsWith('ssh-rsa AAAA'), key.key);
    });
    await check('image list -j: the active images, as sdc lists them', async () => {
        const images = await lines(triton('image', 'list', '-j'));
        assert.deepStrictEqual(images.map(one => `${one.name}@${one.version}`).sort(), demo.IMAGES);
        const ours = await json(sdc('images', 'list', '--json'));
        assert.deepStrictEqual(sorted(images, 'id'), sorted(ours, 'id'));
    });
    await check('image list: the table', async () => {
        const rows = await table(triton('image', 'list'));
        const web = rows.find(row => row.NAME === 'acme-web');
        assert.deepStrictEqual(web, {
            SHORTID: ids.web.slice(0, 8), NAME: 'acme-web', VERSION: '1.4.0', FLAGS: 'I', OS: 'smartos', TYPE: 'zone-dataset',
            PUBDATE: '2025-02-03',
        });
        assert.strictEqual(rows.length, demo.IMAGES.length);
    });
    await check('image get by name takes the newest, name@version that one', async () => {
        assert.strictEqual((await json(triton('image', 'get', 'base-64'))).id, ids.base);
        assert.strictEqual((await json(triton('image', 'get', 'base-64@23.4.0'))).id, ids.baseOld);
    });
    await check('package list agrees with sdc', async () => {
        const packages = await lines(triton('package', 'list', '-j'));
        assert.deepStrictEqual(names(packages), demo.PACKAGES);
        assert.deepStrictEqual(sorted(packages, 'id'), sorted(await json(sdc('packages', 'list', '--json')), 'id'));
        const small = packages.find(one => one.name === 'g1-small');
        assert.deepStrictEqual([small.memory, small.disk, small.vcpus], [1024, 25600, 1]);
    });
    await check('package list: the table', async () => {
        const small = (await table(triton('package', 'list'))).find(row => row.NAME === 'g1-small');
        assert.deepStrictEqual(small, {
            SHORTID: ids.small.slice(0, 8), NAME: 'g1-small', MEMORY: '1G', SWAP: '4G', DISK: '25G', VCPUS: '1',
        });
    });
    await check('network list agrees with sdc', async () => {
        const networks = await lines(triton('network', 'list', '-j'));
        assert.deepStrictEqual(names(networks), demo.NETWORKS);
        assert.deepStrictEqual(sorted(networks, 'id'), sorted(await json(sdc('networks', 'list', '--json')), 'id'));
    });
    await check('network get public', async () => {
        const network = await json(triton('network', 'get', 'public'));
        assert.deepStrictEqual([network.id, network.public], [ids.public, true]);
    });
    await check('datacenters lead back to the emulator', async () => {
        const centers = await json(triton('datacenters', '-j'));
        assert.strictEqual(centers['local-1'], process.env.SDC_URL);
        assert.deepStrictEqual((await table(triton('datacenters'))).map(row => row.NAME), ['local-1', 'local-2']);
    });
    await check('services', async () => {
        const services = await json(triton('services', '-j'));
        assert.deepStrictEqual(Object.keys(services).sort(), ['cloudapi', 'cmon', 'docker']);
        assert.strictEqual(services.cloudapi, process.env.SDC_URL);
    });
    await check('account get', async () => {
        const account = await json(triton('account', 'get', '-j'));
        assert.deepStrictEqual([account.login, account.email], ['acme', 'ops@acme.example.com']);
        assert.match(await output(triton('account', 'get')), /^login: acme$/m);
    });
    await check('info counts the machines', async () => {
        const info = await json(triton('info', '-j'));
        assert.deepStrictEqual(info.instances, { running: demo.RUNNING.length, stopped: demo.STOPPED.length });
        assert.strictEqual(info.totalInstances, demo.MACHINES.length);
        assert.match(await output(triton('info')), /^instances: 7$/m);
    });
}

async function machines() {
    await check('instance list -j agrees with sdc machines list and sdc-listmachines', async () => {
        const theirs = await lines(triton('inst', 'ls', '-j'));
        const ours = await json(sdc('machines', 'list', '--json'));
        const old = await json(['sdc-listmachines']);
        assert.deepStrictEqual(names(theirs), demo.MACHINES);
        assert.strictEqual(theirs.length, ours.length);
        assert.strictEqual(theirs.length, old.length);
        const byId = list => Object.fromEntries(list.map(one => [one.id, one]));
        assert.deepStrictEqual(byId(theirs.map(bare)), byId(ours));
        assert.deepStrictEqual(sorted(theirs, 'id'), sorted(old, 'id'));
    });
    await check('instance list: the table, with images by name and flags', async () => {
        const rows = await table(triton('inst', 'ls'));
        assert.deepStrictEqual(sorted(rows, 'NAME'), demo.MACHINES);
        const { AGE, ...db0 } = rows.find(row => row.NAME === 'db0');
        assert.deepStrictEqual(db0, {
            SHORTID: ids.db0.slice(0, 8), NAME: 'db0', IMG: 'ubuntu-24.04@20250115', STATE: 'running', FLAGS: 'BP',
        });
        assert.match(AGE, /^\d+w$/);
    });
    await check('instance list: filters by state, name, brand and tag', async () => {
        const filtered = async (...filters) => names(await lines(triton('inst', 'ls', '-j', ...filters)));
        assert.deepStrictEqual(await filtered('state=running'), demo.RUNNING);
        assert.deepStrictEqual(await filtered('brand=bhyve'), ['db0', 'db1']);
        assert.deepStrictEqual(await filtered('tag.role=web', 'state=running'), ['web1', 'web10']);
        assert.deepStrictEqual(await filtered('name=nope'), []);
    });
    await check('instance get by name takes that machine, and not web10', async () => {
        const web1 = await json(triton('inst', 'get', 'web1'));
        assert.strictEqual(web1.id, ids.web1);
        assert.deepStrictEqual(web1.tags, demo.WEB_TAGS);
        assert.deepStrictEqual(web1, await json(sdc('machines', 'get', 'web1', '--json')));
    });
    await check('instance get by id', async () => {
        assert.strictEqual((await json(triton('inst', 'get', ids.db0))).name, 'db0');
    });
    await check('instance get by the start of an id', async () => {
        assert.strictEqual((await json(triton('inst', 'get', ids.db0.slice(0, 13)))).name, 'db0');
    });
    await check('instance get of one that failed', async () => {
        assert.strictEqual((await json(triton('inst', 'get', ids.broken))).state, 'failed');
    });
    await check('instance get of nothing ends with 3 and says so', async () => {
        for (const who of ['nope', demo.NOBODY]) {
            const ended = await run(triton('inst', 'get', who));
            assert.strictEqual(ended.code, 3, ended.err);
            assert.match(ended.err, /ResourceNotFound/);
        }
    });
    await check('instance tag list, tag get', async () => {
        assert.deepStrictEqual(await json(triton('inst', 'tag', 'list', 'web1')), demo.WEB_TAGS);
        assert.strictEqual((await output(triton('inst', 'tag', 'get', 'web1', 'role'))).trim(), 'web');
    });
    await check('instance metadata list, metadata get', async () => {
        assert.deepStrictEqual(await json(triton('inst', 'metadata', 'list', 'web1')), demo.WEB_METADATA);
        assert.strictEqual((await output(triton('inst', 'metadata', 'get', 'web1', 'release'))).trim(), '1.4.0');
    });
    await check('ip is the public address', async () => {
        const web1 = await json(sdc('machines', 'get', 'web1', '--json'));
        assert.strictEqual((await output(triton('ip', 'web1'))).trim(), web1.primaryIp);
    });
}

async function life() {
    const state = async name => (await json(sdc('machines', 'get', name, '--json'))).state;
    let id;
    await check('instance create -w, by the names of image, package and network', async () => {
        const said = await output(triton(
            'create', '-w', '-n', 'nw1', '-t', 'role=new', '-m', 'motd=hello there', '-N', 'My-Fabric-Network', 'base-64', 'g1-small',
        ));
        id = (/^Created instance nw1 \(([0-9a-f-]{36})\)/m.exec(said) || [])[1];
        assert.ok(id, said);
        const machine = await json(sdc('machines', 'get', id, '--json'));
        assert.deepStrictEqual(
            [machine.name, machine.state, machine.image, machine.package, machine.tags, machine.metadata.motd],
            ['nw1', 'running', ids.base, 'g1-small', { role: 'new' }, 'hello there'],
        );
        assert.match(machine.primaryIp, /^192\.168\.12[89]\./);
    });
    await check('instance create -w -j prints it before and after', async () => {
        const [before, after] = await lines(triton('create', '-w', '-j', '-n', 'nw2', 'base-64@23.4.0', 'g1-nano'));
        assert.deepStrictEqual([before.state, after.state], ['provisioning', 'running']);
        assert.strictEqual(before.id, after.id);
        assert.deepStrictEqual([after.name, after.image, after.memory], ['nw2', ids.baseOld, 256]);
    });
    await check('instance get by short id', async () => {
        assert.strictEqual((await json(triton('inst', 'get', id.slice(0, 8)))).id, id);
    });
    await check('instance stop -w, and sdc sees it', async () => {
        assert.match(await output(triton('inst', 'stop', '-w', 'nw1')), /^Stop instance nw1 /);
        assert.strictEqual(await state('nw1'), 'stopped');
    });
    await check('instance start -w, and sdc sees it', async () => {
        assert.match(await output(triton('inst', 'start', '-w', 'nw1')), /^Start instance nw1 /);
        assert.strictEqual(await state('nw1'), 'running');
    });
    await check('instance reboot -w', async () => {
        assert.match(await output(triton('inst', 'reboot', '-w', 'nw1')), /^Rebooted instance nw1$/m);
        assert.strictEqual(await state('nw1'), 'running');
    });
    await check('instance tag set -w, tag delete -w', async () => {
        assert.deepStrictEqual(await json(triton('inst', 'tag', 'set', '-w', 'nw1', 'n=3')), { role: 'new', n: 3 });
        await output(triton('inst', 'tag', 'delete', '-w', 'nw1', 'role'));
        assert.deepStrictEqual(await json(triton('inst', 'tag', 'list', 'nw1')), { n: 3 });
    });
    await check('instance rename -w, and back', async () => {
        await output(triton('inst', 'rename', '-w', 'nw1', 'other'));
        assert.strictEqual((await json(sdc('machines', 'get', 'other', '--json'))).id, id);
        await output(triton('inst', 'rename', '-w', 'other', 'nw1'));
    });
    await check('instance resize -w', async () => {
        await output(triton('inst', 'resize', '-w', 'nw1', 'g1-medium'));
        const machine = await json(sdc('machines', 'get', 'nw1', '--json'));
        assert.deepStrictEqual([machine.package, machine.memory], ['g1-medium', 4096]);
    });
    await check('instance audit tells what was done, by whom', async () => {
        const rows = await table(triton('inst', 'audit', 'nw1'));
        assert.deepStrictEqual(rows.slice(0, 4).map(row => row.ACTION), ['provision', 'stop', 'start', 'reboot']);
        assert.ok(rows.every(row => row.SUCCESS === 'yes'), JSON.stringify(rows));
        const [row] = await lines(triton('inst', 'audit', '-j', 'nw1'));
        assert.strictEqual(row.caller.keyId, `/acme/keys/${process.env.SDC_KEY_ID}`);
    });
    await check('instance delete of a protected one is refused with the reason', async () => {
        const ended = await run(triton('inst', 'delete', '-f', 'db0'));
        assert.strictEqual(ended.code, 1);
        assert.match(ended.err + ended.out, /"deletion_protection" enabled/);
        assert.strictEqual(await state('db0'), 'running');
    });
    await check('instance delete -w -f, several at once', async () => {
        await output(triton('inst', 'delete', '-w', '-f', 'nw1', 'nw2'));
        assert.deepStrictEqual(names(await lines(triton('inst', 'ls', '-j'))), demo.MACHINES);
        const gone = await run(triton('inst', 'get', id));
        assert.strictEqual(gone.code, 3, gone.err);
        assert.match(gone.err, /InstanceDeleted|410|deleted/);
    });
    await check('a machine that sdc creates is one that triton finds', async () => {
        await output(sdc('machines', 'create', '--image', 'base-64', '--package', 'g1-small', '--name', 'ours', '--wait'));
        await until(async () => (await json(triton('inst', 'get', 'ours'))).state, now => now === 'running');
        await output(triton('inst', 'delete', '-w', '-f', 'ours'));
        const ended = await run(sdc('machines', 'get', 'ours', '--json'));
        assert.strictEqual(ended.code, 3, ended.err);
    });
}

async function afterwards() {
    await check('every request was signed by the key, had a route, and none broke the emulator', async () => {
        const seen = await requests();
        assert.ok(seen.length > 60, `only ${seen.length} requests`);
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
    await afterwards();
});
