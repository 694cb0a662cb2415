// node-triton on the parts of machines: tags, metadata, snapshots, NICs, disks, migrations, switches; each compared
// with what sdc says of the same thing.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const { join } = require('node:path');
const demo = require('./demo.js');
const { run, output, json, lines, table, until, check, cases, sorted } = require('./cases.js');
const { requests } = require('./emulator.js');

const inst = (...args) => ['triton', 'instance', ...args];
const ours = (...args) => json(['sdc', 'machines', ...args, '--json']);
const seen = part => ours('get', 'p1').then(machine => machine[part]);
let id;

async function made() {
    await check('instance create takes tags and metadata from files, a script and switches', async () => {
        const file = (name, text) => { fs.writeFileSync(join(process.env.HOME, name), text); return join(process.env.HOME, name); };
        const script = file('boot.sh', '#!/bin/sh\ntrue\n');
        const [before, after] = await lines(inst(
            'create', '-w', '-j', '-n', 'p1', '-t', `@${file('tags.json', '{"role":"web","n":1}')}`, '-m', '{"motd":"hi"}',
            '-M', `note=${file('note', 'a note\n')}`, '--script', script, '--firewall', '--deletion-protection',
            '-N', 'My-Fabric-Network', 'base-64', 'g1-small',
        ));
        id = after.id;
        assert.deepStrictEqual([before.state, after.state], ['provisioning', 'running']);
        const p1 = await ours('get', 'p1');
        assert.deepStrictEqual(
            [p1.id, p1.tags, p1.metadata.motd, p1.metadata.note, p1.metadata['user-script']],
            [id, { role: 'web', n: 1 }, 'hi', 'a note\n', '#!/bin/sh\ntrue\n'],
        );
        assert.deepStrictEqual([p1.firewall_enabled, p1.deletion_protection], [true, true]);
    });
    await check('instance create --dry-run makes nothing', async () => {
        assert.match(await output(inst('create', '--dry-run', '-n', 'dry', 'base-64', 'g1-small')), /^Creating instance/);
        assert.deepStrictEqual(sorted(await ours('list'), 'name'), [...demo.MACHINES, 'p1'].sort());
    });
    await check('instance disable- and enable-deletion-protection -w', async () => {
        await output(inst('disable-deletion-protection', '-w', 'p1'));
        assert.strictEqual(await seen('deletion_protection'), false);
        await output(inst('enable-deletion-protection', '-w', 'p1'));
        assert.strictEqual(await seen('deletion_protection'), true);
        await output(inst('disable-deletion-protection', '-w', 'p1'));
    });
    await check('instance disable- and enable-firewall -w', async () => {
        await output(inst('disable-firewall', '-w', 'p1'));
        assert.strictEqual(await seen('firewall_enabled'), false);
        await output(inst('enable-firewall', '-w', 'p1'));
        assert.strictEqual(await seen('firewall_enabled'), true);
    });
    await check('instance wait tells what state each is in', async () => {
        assert.strictEqual(await output(inst('wait', 'p1')), '1/1: Instance p1 (p1) already running\n');
        await output(inst('wait', '-s', 'stopped,running', 'db1', 'web1'));
    });
    await check('instance ip, fwrules and fwrule list', async () => {
        assert.strictEqual((await output(inst('ip', 'p1'))).trim(), await seen('primaryIp'));
        const rules = await ours('fwrules', 'list', 'web1');
        for (const words of [['fwrules'], ['fwrule', 'list']]) {
            // It adds a short id, which is the whole id.
            const theirs = (await lines(inst(...words, '-j', 'web1'))).map(({ shortid, ...rule }) => rule);
            assert.deepStrictEqual(sorted(theirs, 'id'), sorted(rules, 'id'), words.join(' '));
            assert.deepStrictEqual(theirs.find(one => one.global), rules.find(one => one.global));
        }
    });
}

async function words() {
    await check('instance tag set, replace-all and delete -a, waited for', async () => {
        const file = join(process.env.HOME, 'more.json');
        fs.writeFileSync(file, '{"from":"file"}');
        assert.deepStrictEqual(await json(inst('tag', 'set', '-w', 'p1', '-f', file)), { role: 'web', n: 1, from: 'file' });
        assert.deepStrictEqual(await json(inst('tag', 'replace-all', '-w', 'p1', 'x=1', 'y=yes', 'z=true')), { x: 1, y: 'yes', z: true });
        assert.deepStrictEqual(await ours('tags', 'list', 'p1'), { x: 1, y: 'yes', z: true });
        await output(inst('tag', 'delete', '-w', 'p1', 'x', 'y'));
        assert.deepStrictEqual(await json(inst('tags', 'p1')), { z: true });
        await output(inst('tag', 'delete', '-w', '-a', 'p1'));
        assert.deepStrictEqual(await ours('tags', 'list', 'p1'), {});
    });
    await check('instance metadata set and delete', async () => {
        const now = await json(inst('metadata', 'set', '-w', 'p1', 'k=v', 'n=3'));
        assert.deepStrictEqual([now.k, now.n, now.motd], ['v', 3, 'hi']);
        assert.deepStrictEqual(await json(inst('metadatas', 'p1')), await ours('metadata', 'list', 'p1'));
        assert.strictEqual(await output(inst('metadata', 'get', 'p1', 'k')), 'v\n');
        await output(inst('metadata', 'delete', '-w', '-f', 'p1', 'k'));
        const left = await ours('metadata', 'list', 'p1');
        assert.deepStrictEqual(['k' in left, left.n], [false, 3]);
    });
}

async function snapshots() {
    await check('instance snapshot create -w, list and get', async () => {
        assert.match(await output(inst('snapshot', 'create', '-w', '-n', 's1', 'p1')), /^Created snapshot "s1" in /m);
        await output(inst('snapshot', 'create', '-w', '-n', 's2', 'p1'));
        const list = await ours('snapshots', 'list', 'p1');
        assert.deepStrictEqual(await lines(inst('snapshot', 'list', '-j', 'p1')), list);
        assert.deepStrictEqual((await table(inst('snapshots', 'p1'))).map(row => [row.NAME, row.STATE]), [['s1', 'created'], ['s2', 'created']]);
        assert.deepStrictEqual(await json(inst('snapshot', 'get', 'p1', 's1')), list.find(one => one.name === 's1'));
    });
    await check('instance snapshot delete -w', async () => {
        await output(inst('snapshot', 'delete', '-w', '-f', 'p1', 's2'));
        assert.deepStrictEqual(sorted(await ours('snapshots', 'list', 'p1'), 'name'), ['s1']);
        // The service still tells of one whose job it remembers.
        assert.deepStrictEqual(await json(inst('snapshot', 'get', 'p1', 's2')), { name: 's2', state: 'deleted' });
    });
    await check('instance start --snapshot goes back to it', async () => {
        await output(inst('stop', '-w', 'p1'));
        await output(inst('start', '-w', '--snapshot=s1', 'p1'));
        await output(inst('wait', '-s', 'running', 'p1'));
        const audit = await ours('audit', 'p1');
        assert.ok(audit.some(one => /snapshot/.test(one.action)), JSON.stringify(audit.map(one => one.action)));
    });
}

async function nics() {
    let mac;
    await check('instance nic create -w, list and get', async () => {
        mac = /^Created NIC (\S+)$/m.exec(await output(inst('nic', 'create', '-w', 'p1', 'backend')))[1];
        const list = await ours('nics', 'list', 'p1');
        const theirs = await lines(inst('nic', 'list', '-j', 'p1'));
        assert.deepStrictEqual(sorted(theirs, 'mac'), sorted(list, 'mac'));
        assert.deepStrictEqual(await json(inst('nic', 'get', 'p1', mac)), list.find(one => one.mac === mac));
        const [row] = await table(inst('nic', 'list', 'p1', 'primary=false'));
        assert.deepStrictEqual([row.MAC, row.IP.slice(-3)], [mac, '/24']);
    });
    await check('instance nic delete', async () => {
        await output(inst('nic', 'delete', '-f', 'p1', mac));
        await until(() => ours('nics', 'list', 'p1'), list => list.every(one => one.mac !== mac) && list.length === 1);
    });
    await check('instance nic create with an address of one\'s choice', async () => {
        const { id: network } = await json(['sdc', 'networks', 'get', 'backend', '--json']);
        const nic = await json(inst('nic', 'create', '-j', 'p1', `ipv4_uuid=${network}`, 'ipv4_ips=10.10.0.77'));
        assert.deepStrictEqual([nic.ip, nic.network], ['10.10.0.77', network]);
    });
}

async function disks() {
    let disk;
    const sizes = async () => (await ours('disks', 'list', 'db1')).map(one => one.size);
    await check('instance disk add -w, list and get', async () => {
        disk = /^Added disk "(\S+)" in /m.exec(await output(inst('disk', 'add', '-w', 'db1', '5120')))[1];
        const list = await ours('disks', 'list', 'db1');
        // It shows fewer of a disk's fields than it was sent.
        const shown = list.map(({ id, pci_slot, size, boot }) => ({ id, pci_slot, size, boot }));
        const rows = await table(inst('disk', 'list', '-l', 'db1'));
        assert.deepStrictEqual(
            rows.map(row => ({ id: row.ID, pci_slot: row.PCI_SLOT, size: Number(row.SIZE), boot: row.BOOT === 'true' })), shown,
        );
        assert.deepStrictEqual(await json(inst('disk', 'get', 'db1', disk)), shown.find(one => one.id === disk));
        assert.strictEqual((await table(inst('disks', 'db1'))).length, 3);
    });
    await check('instance disk resize -w, and smaller with its long option only', async () => {
        await output(inst('disk', 'resize', '-w', 'db1', disk, '6144'));
        assert.deepStrictEqual(await sizes(), [10240, 40960, 6144]);
        assert.notStrictEqual((await run(inst('disk', 'resize', 'db1', disk, '5120'))).code, 0);
        await output(inst('disk', 'resize', '-w', '--dangerous-allow-shrink', 'db1', disk, '5120'));
        assert.deepStrictEqual(await sizes(), [10240, 40960, 5120]);
    });
    await check('instance disk delete -w', async () => {
        await output(inst('disk', 'delete', '-w', 'db1', disk));
        assert.deepStrictEqual(await sizes(), [10240, 40960]);
    });
}

async function migrations() {
    const states = async () => (await ours('migrate', 'list')).map(one => [one.machine, one.phase, one.state]);
    await check('instance migration begin -w, list and get', async () => {
        assert.match(await output(inst('migration', 'begin', '-w', 'p1')), /^Done - begin finished/m);
        assert.deepStrictEqual(await states(), [[id, 'begin', 'paused']]);
        const [{ age, shortid, ...row }] = await lines(inst('migration', 'list', '-j'));
        assert.deepStrictEqual([row], await ours('migrate', 'list'));
        assert.deepStrictEqual(await json(inst('migration', 'get', '-j', 'p1')), await ours('migrate', 'get', 'p1'));
        assert.match(await output(inst('migration', 'get', 'p1')), /^Migration paused$/m);
    });
    await check('instance migration sync -w and switch -w tell of progress', async () => {
        assert.match(await output(inst('migration', 'sync', '-w', 'p1')), /^running: 50% [^]*^Done - sync finished/m);
        const before = await seen('compute_node');
        assert.match(await output(inst('migration', 'switch', '-w', 'p1')), /^Done - switch finished/m);
        assert.deepStrictEqual(await states(), [[id, 'switch', 'successful']]);
        assert.notStrictEqual(await seen('compute_node'), before);
    });
    await check('instance migration finalize', async () => {
        assert.match(await output(inst('migration', 'finalize', 'p1')), /finalized/);
        assert.match((await run(inst('migration', 'get', 'p1'))).err, /ResourceNotFound/);
    });
    await check('instance migration abort -w', async () => {
        await output(inst('migration', 'begin', '-w', 'p1'));
        assert.match(await output(inst('migration', 'abort', '-w', 'p1')), /^Done - abort finished/m);
        assert.deepStrictEqual(await states(), []);
    });
    await check('instance migration automatic -w goes all the way', async () => {
        // Its percentages go on from one phase to the next, so that the last line says 200%.
        assert.match(await output(inst('migration', 'automatic', '-w', 'p1')), /^Done - switch finished/m);
        assert.deepStrictEqual(await states(), [[id, 'switch', 'successful']]);
        await output(inst('migration', 'finalize', 'p1'));
    });
}

async function ssh() {
    await check('instance ssh runs ssh with the address, the user and the port of its tags', async () => {
        const bin = join(process.env.HOME, 'bin');
        fs.mkdirSync(bin);
        fs.writeFileSync(join(bin, 'ssh'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
        const env = { PATH: `${bin}:${process.env.PATH}` };
        const said = async (...args) => (await output(args, { env })).trim().split('\n').slice(4);
        const ip = await seen('primaryIp');
        assert.deepStrictEqual(await said('triton', 'ssh', 'p1', 'uptime'), ['-p', '22', '-l', 'root', ip, 'uptime']);
        await output(inst('tag', 'set', '-w', 'p1', 'tritoncli.ssh.port=2222'));
        assert.deepStrictEqual(await said(...inst('ssh', 'bob@p1', '-v')), ['-p', '2222', '-l', 'bob', ip, '-v']);
    });
}

async function afterwards() {
    await check('triton start, stop, reboot and delete, by their short names', async () => {
        await output(['triton', 'stop', '-w', 'p1']);
        assert.strictEqual(await seen('state'), 'stopped');
        await output(['triton', 'start', '-w', 'p1']);
        assert.strictEqual(await seen('state'), 'running');
        await output(['triton', 'reboot', '-w', 'p1']);
        assert.strictEqual((await lines(['triton', 'instances', '-j', 'name=p1']))[0].id, id);
        await output(['triton', 'delete', '-w', '-f', 'p1']);
        assert.deepStrictEqual(sorted(await ours('list'), 'name'), demo.MACHINES);
    });
    await check('every request had a route, and none broke the emulator', async () => {
        for (const one of await requests()) {
            assert.ok(one.status < 500 && ![400, 401, 403, 405, 415].includes(one.status), JSON.stringify(one));
        }
    });
}

cases(async () => {
    await made();
    await words();
    await snapshots();
    await nics();
    await disks();
    await migrations();
    await ssh();
    await afterwards();
});
