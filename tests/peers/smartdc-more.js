// smartdc's sdc-* commands on snapshots, firewall rules, images, NICs, fabrics, the account and sub-users; each
// compared with what sdc says of the same thing.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const { join } = require('node:path');
const demo = require('./demo.js');
const { run, output, json, until, check, cases, sorted } = require('./cases.js');
const { useKeyFile, requests } = require('./emulator.js');

const ours = (...args) => json(['sdc', ...args, '--json']);
const home = (name, text) => { fs.writeFileSync(join(process.env.HOME, name), text); return join(process.env.HOME, name); };
let ids;
let id;

async function made() {
    await check('sdc-createmachine takes a script, metadata of a file, neighbours and a firewall', async () => {
        const machine = await json([
            'sdc-createmachine', '--name', 'm1', '--image', ids.base, '--package', 'g1-small', '--enable-firewall',
            '--metadata-file', `note=${home('note', 'a note\n')}`, '--script', home('boot.sh', '#!/bin/sh\ntrue\n'),
            '--near', ids.web1, '--networks', (await ours('networks', 'get', 'My-Fabric-Network')).id,
        ]);
        id = machine.id;
        const now = await until(() => ours('machines', 'get', id), one => one.state === 'running');
        assert.deepStrictEqual([now.firewall_enabled, now.metadata.note, now.metadata['user-script']], [true, 'a note\n', '#!/bin/sh\ntrue\n']);
        assert.deepStrictEqual(await json(['sdc-getmachine', id]), now);
    });
    await check('sdc-disablemachinefirewall, sdc-enablemachinefirewall', async () => {
        const enabled = wanted => until(() => ours('machines', 'get', id), one => one.firewall_enabled === wanted);
        await output(['sdc-disablemachinefirewall', id]);
        await enabled(false);
        await output(['sdc-enablemachinefirewall', id]);
        await enabled(true);
    });
    await check('sdc-deletemachinetag and sdc-deletemachinemetadata of all', async () => {
        await output(['sdc-addmachinetags', '--tag', 'a=b', '--tag', 'c=d', id]);
        await until(() => json(['sdc-listmachinetags', id]), tags => tags.a === 'b' && tags.c === 'd');
        await output(['sdc-deletemachinetag', '--tag', '*', id]);
        await until(() => ours('machines', 'tags', 'list', id), tags => Object.keys(tags).length === 0);
        await output(['sdc-deletemachinemetadata', '--metadata', '*', id]);
        await until(() => ours('machines', 'metadata', 'list', id), metadata => !('note' in metadata));
    });
}

async function snapshots() {
    const one = word => [`sdc-${word}`, '--snapshot', 'first', id];
    const states = async () => (await ours('machines', 'snapshots', 'list', id)).map(({ name, state }) => [name, state]);
    await check('sdc-createmachinesnapshot, sdc-listmachinesnapshots, sdc-getmachinesnapshot', async () => {
        assert.deepStrictEqual(await json(['sdc-createmachinesnapshot', '--name', 'first', id]), { name: 'first', state: 'queued' });
        await until(states, list => JSON.stringify(list) === '[["first","created"]]');
        const list = await json(['sdc-listmachinesnapshots', id]);
        assert.deepStrictEqual(list, await ours('machines', 'snapshots', 'list', id));
        assert.deepStrictEqual([await json(one('getmachinesnapshot'))], list);
    });
    await check('sdc-startmachinefromsnapshot', async () => {
        await output(['sdc-stopmachine', id]);
        await until(() => ours('machines', 'get', id), machine => machine.state === 'stopped');
        await output(one('startmachinefromsnapshot'));
        await until(() => ours('machines', 'get', id), machine => machine.state === 'running');
    });
    await check('sdc-deletemachinesnapshot', async () => {
        await output(one('deletemachinesnapshot'));
        await until(states, list => list.length === 0);
    });
}

async function nics() {
    let mac;
    await check('sdc-nics create, list, get, delete', async () => {
        const { id: network } = await ours('networks', 'get', 'backend');
        mac = (await json(['sdc-nics', 'create', network, id])).mac;
        const list = await until(() => ours('machines', 'nics', 'list', id), all => all.some(one => one.mac === mac && one.state === 'running'));
        assert.deepStrictEqual(await json(['sdc-nics', 'list', id]), list);
        assert.deepStrictEqual(await json(['sdc-nics', 'get', mac, id]), list.find(one => one.mac === mac));
        await output(['sdc-nics', 'delete', mac, id]);
        await until(() => ours('machines', 'nics', 'list', id), all => !all.some(one => one.mac === mac));
    });
}

async function rules() {
    let rule;
    const now = () => ours('fwrules', 'get', rule);
    await check('sdc-createfirewallrule, sdc-getfirewallrule, sdc-listfirewallrules', async () => {
        const text = 'FROM any TO tag role = web ALLOW tcp PORT 8080';
        rule = (await json(['sdc-createfirewallrule', '--rule', text, '--description', 'mine', '--enabled'])).id;
        assert.deepStrictEqual(await json(['sdc-getfirewallrule', rule]), await now());
        const { description, enabled } = await now();
        assert.deepStrictEqual([description, enabled], ['mine', true]);
        assert.deepStrictEqual(sorted(await json(['sdc-listfirewallrules']), 'id'), sorted(await ours('fwrules', 'list'), 'id'));
    });
    await check('sdc-updatefirewallrule, sdc-disablefirewallrule, sdc-enablefirewallrule', async () => {
        await output(['sdc-updatefirewallrule', '--rule', 'FROM any TO tag role = web ALLOW tcp PORT 8081', rule]);
        assert.match((await now()).rule, /PORT 8081$/);
        assert.strictEqual((await json(['sdc-disablefirewallrule', rule])).enabled, false);
        assert.strictEqual((await now()).enabled, false);
        assert.strictEqual((await json(['sdc-enablefirewallrule', rule])).enabled, true);
        assert.strictEqual((await now()).enabled, true);
    });
    await check('sdc-listfirewallrulemachines, sdc-listmachinefirewallrules', async () => {
        const machines = await json(['sdc-listfirewallrulemachines', rule]);
        assert.deepStrictEqual(sorted(machines, 'name'), ['web1', 'web10']);
        assert.deepStrictEqual(sorted(machines, 'id'), sorted(await ours('fwrules', 'machines', rule), 'id'));
        const rules = await json(['sdc-listmachinefirewallrules', ids.web1]);
        assert.deepStrictEqual(sorted(rules, 'id'), sorted(await ours('machines', 'fwrules', 'list', ids.web1), 'id'));
        assert.ok(rules.some(one => one.id === rule));
    });
    await check('sdc-deletefirewallrule', async () => {
        await output(['sdc-deletefirewallrule', rule]);
        assert.strictEqual((await run(['sdc-getfirewallrule', rule])).code, 3);
    });
}

async function images() {
    let image;
    const now = () => ours('images', 'get', image);
    await check('sdc-createimagefrommachine', async () => {
        const { id: machine } = await ours('machines', 'get', 'build');
        const words = ['--name', 'mine', '--imageVersion', '1.0.0', '--description', 'x', '--tags', '{"a":"b"}'];
        image = (await json(['sdc-createimagefrommachine', '--machine', machine, ...words])).id;
        const { name, version, description, tags } = await until(now, one => one.state === 'active');
        assert.deepStrictEqual([name, version, description, tags], ['mine', '1.0.0', 'x', { a: 'b' }]);
        assert.deepStrictEqual(await json(['sdc-getimage', image]), await now());
    });
    await check('sdc-updateimage, which speaks version 7 of the API', async () => {
        const told = await json(['sdc-updateimage', '--description', 'y', '--imageVersion', '1.0.1', '--acl', demo.NOBODY, image]);
        const { description, version, acl, type } = await now();
        assert.deepStrictEqual([description, version, acl], ['y', '1.0.1', [demo.NOBODY]]);
        assert.deepStrictEqual([told.type, type], ['smartmachine', 'lx-dataset']);
        assert.deepStrictEqual({ ...told, type }, await now());
    });
    await check('sdc-exportimage', async () => {
        const told = await json(['sdc-exportimage', '--mantaPath', '/acme/stor/mine', image]);
        assert.deepStrictEqual(Object.keys(told).sort(), ['image_path', 'manifest_path', 'manta_url']);
    });
    await check('sdc-deleteimage', async () => {
        await output(['sdc-deleteimage', image]);
        await until(() => json(['sdc-listimages']), list => !list.some(one => one.id === image));
    });
}

async function fabrics() {
    const vlan = (...args) => ['sdc-fabric', 'vlan', ...args];
    const network = (...args) => ['sdc-fabric', 'network', ...args];
    let made;
    await check('sdc-fabric vlan create, get, list, update', async () => {
        const seven = await json(vlan('create', '--vlan_id=7', '--name=seven', '--description=the seventh'));
        assert.deepStrictEqual(await ours('fabrics', 'vlans', 'get', '7'), seven);
        assert.deepStrictEqual(await json(vlan('get', '7')), seven);
        await output(vlan('update', '--name=eight', '7'));
        assert.deepStrictEqual((await ours('fabrics', 'vlans', 'get', '7')).name, 'eight');
        assert.deepStrictEqual(await json(vlan('list')), await ours('fabrics', 'vlans', 'list'));
    });
    await check('sdc-fabric network create, get, list', async () => {
        made = await json(network(
            'create', '--vlan_id=7', '--name=n7', '--subnet=10.7.0.0/24', '--provision_start_ip=10.7.0.5', '--provision_end_ip=10.7.0.250',
            '--gateway=10.7.0.1', '--resolvers=192.0.2.53,192.0.2.54', '--routes={"10.8.0.0/24":"10.7.0.9"}',
        ));
        assert.deepStrictEqual(made, await ours('fabrics', 'networks', 'get', '7', made.id));
        assert.deepStrictEqual([made.resolvers, made.routes], [['192.0.2.53', '192.0.2.54'], { '10.8.0.0/24': '10.7.0.9' }]);
        assert.deepStrictEqual(await json(network('get', made.id)), made);
        assert.deepStrictEqual(await json(network('list', '--vlan_id=7')), [made]);
        assert.deepStrictEqual(sorted(await json(network('list')), 'name'), ['My-Fabric-Network', 'backend', 'n7', 'storage']);
    });
    await check('sdc-fabric network set-default, get-default', async () => {
        const first = (await output(network('get-default'))).trim();
        await output(network('set-default', made.id));
        assert.strictEqual((await output(network('get-default'))).trim(), made.id);
        assert.strictEqual((await ours('config', 'get')).default_network, made.id);
        await output(network('set-default', first));
    });
    await check('sdc-fabric network delete, vlan delete', async () => {
        await output(network('delete', made.id));
        await output(vlan('delete', '7'));
        assert.deepStrictEqual(sorted(await ours('networks', 'list'), 'name'), demo.NETWORKS);
        assert.notStrictEqual((await run(vlan('get', '7'))).code, 0);
    });
}

async function account() {
    await check('sdc-updateaccount', async () => {
        const words = ['--city', 'Ghent', '--company', 'Ajax', '--name', 'Wile', '--surname', 'Coyote', '--postal-code', '9000'];
        const told = await json(['sdc-updateaccount', ...words, '--cns-enable']);
        const now = await ours('account', 'get');
        assert.deepStrictEqual(told, now);
        const { city, companyName, firstName, lastName, postalCode, triton_cns_enabled } = now;
        assert.deepStrictEqual(
            [city, companyName, firstName, lastName, postalCode, triton_cns_enabled], ['Ghent', 'Ajax', 'Wile', 'Coyote', '9000', true],
        );
        assert.strictEqual((await json(['sdc-updateaccount', '--cns-disable'])).triton_cns_enabled, false);
    });
    await check('sdc-user list, get and keys, sdc-policy list and get', async () => {
        const [user] = await json(['sdc-user', 'list']);
        assert.strictEqual(user.login, 'ci');
        assert.deepStrictEqual(await json(['sdc-user', 'get', user.id]), await ours('users', 'get', 'ci'));
        const key = await json(['sdc-user', 'upload-key', '--name=lap', user.id, `${process.env.SDC_KEY_FILE}.pub`]);
        assert.deepStrictEqual(await json(['sdc-user', 'key', user.id, 'lap']), key);
        assert.deepStrictEqual(await ours('users', 'keys', 'list', 'ci'), [key]);
        const policies = await json(['sdc-policy', 'list']);
        assert.deepStrictEqual(sorted(policies, 'id'), sorted(await ours('policies', 'list'), 'id'));
        assert.deepStrictEqual(await json(['sdc-policy', 'get', policies[0].id]), policies[0]);
    });
    await check('sdc-role update', async () => {
        const role = await json(['sdc-role', 'get', 'keyadmin']);
        await output(['sdc-role', 'update', role.id, '--members=ci', '--policies=operate,keys']);
        assert.deepStrictEqual((await ours('roles', 'get', 'keyadmin')).policies.map(one => one.name || one).sort(), ['keys', 'operate']);
    });
}

cases(async () => {
    useKeyFile();
    ids = await demo.ids();
    await made();
    await snapshots();
    await nics();
    await rules();
    await images();
    await fabrics();
    await account();
    await check('every request had a route, and none broke the emulator', async () => {
        for (const one of await requests()) {
            assert.ok(one.status < 500 && ![400, 401, 403, 405, 415].includes(one.status), JSON.stringify(one));
        }
    });
});
