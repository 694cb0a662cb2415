// node-triton on what is not a machine: images, networks, firewall rules, volumes, the account, profiles and the
// feed of changes; each compared with what sdc says of the same thing.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const { join } = require('node:path');
const demo = require('./demo.js');
const { run, during, output, json, lines, table, until, check, cases, sorted } = require('./cases.js');
const { requests } = require('./emulator.js');

const triton = (...args) => ['triton', ...args];
const ours = (...args) => json(['sdc', ...args, '--json']);
const home = name => join(process.env.HOME, name);
// From the seed: an account that shares an image of another data center with ours.
const PARTNERS = 'e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03';
let ids;

async function images() {
    const image = (...args) => triton('image', ...args);
    await check('image create --dry-run makes nothing, create makes one, wait waits', async () => {
        const words = ['build', 'mine', '1.0.0'];
        await output(image('create', '--dry-run', ...words));
        await output(image('create', '-d', 'hello', '-t', 'a=b', ...words));
        assert.match(await output(image('wait', 'mine')), /active$/m);
        const mine = await ours('images', 'get', 'mine');
        assert.deepStrictEqual([mine.version, mine.description, mine.tags, mine.state], ['1.0.0', 'hello', { a: 'b' }, 'active']);
        assert.strictEqual((await lines(image('list', '-j'))).length, demo.IMAGES.length + 1);
        assert.deepStrictEqual((await table(triton('images', 'name=mine'))).map(row => row.VERSION), ['1.0.0']);
    });
    await check('image update and tag', async () => {
        await output(image('update', 'mine', 'description=other', 'homepage=http://x.example/'));
        await output(image('tag', 'mine', 'c=d', 'n=1'));
        const mine = await ours('images', 'get', 'mine');
        assert.deepStrictEqual([mine.description, mine.homepage, mine.tags], ['other', 'http://x.example/', { c: 'd', n: 1 }]);
        assert.deepStrictEqual(await json(image('get', 'mine')), mine);
    });
    await check('image share and unshare', async () => {
        const acl = async () => (await ours('images', 'get', 'mine')).acl || [];
        await output(image('share', 'mine', demo.NOBODY));
        assert.deepStrictEqual(await acl(), [demo.NOBODY]);
        await output(image('unshare', 'mine', demo.NOBODY));
        assert.deepStrictEqual(await acl(), []);
    });
    await check('image export', async () => {
        // A line of prose comes before the JSON.
        const [, text] = (await output(image('export', '-j', 'mine', '/acme/stor/mine'))).split('\n');
        const told = JSON.parse(text);
        assert.deepStrictEqual(Object.keys(told).sort(), ['image_path', 'manifest_path', 'manta_url']);
        assert.match(told.manifest_path, /^\/acme\/stor\/mine/);
    });
    await check('image clone, of an image that another account shares', async () => {
        assert.match((await run(image('clone', 'mine'))).err, /not shared with account/);
        await output(['sdc', 'images', 'import', PARTNERS, '--from', 'local-2']);
        await output(image('clone', '--dry-run', 'partner-app'));
        const copy = await json(image('clone', '-j', PARTNERS));
        assert.deepStrictEqual([copy.name, copy.id !== PARTNERS], ['partner-app', true]);
        assert.strictEqual((await ours('images', 'get', copy.id)).owner, (await ours('account', 'get')).id);
        await output(image('delete', '-f', copy.id));
    });
    await check('image delete', async () => {
        await output(image('delete', '-f', 'mine'));
        assert.strictEqual((await run(image('get', 'mine'))).code, 3);
    });
    await check('package get agrees with sdc, packages lists them', async () => {
        assert.deepStrictEqual(await json(triton('package', 'get', 'g1-small')), await ours('packages', 'get', 'g1-small'));
        assert.deepStrictEqual(sorted(await lines(triton('packages', '-j', 'memory=1024')), 'name'), ['g1-small']);
    });
}

async function networks() {
    const network = (...args) => triton('network', ...args);
    await check('vlan create, get, list', async () => {
        await output(triton('vlan', 'create', '-n', 'seven', '-D', 'the seventh', '7'));
        const seven = { vlan_id: 7, name: 'seven', description: 'the seventh' };
        assert.deepStrictEqual(await ours('fabrics', 'vlans', 'get', '7'), seven);
        assert.deepStrictEqual(await json(triton('vlan', 'get', 'seven')), seven);
        assert.deepStrictEqual(await lines(triton('vlan', 'list', '-j')), await ours('fabrics', 'vlans', 'list'));
        assert.deepStrictEqual(await lines(triton('vlan', 'list', '-j', 'name=seven')), [seven]);
    });
    await check('vlan update calls a function that it does not have', async () => {
        assert.match((await run(triton('vlan', 'update', 'seven', 'name=eight'))).err, /updateFabricVlan is not a function/);
    });
    await check('network create, get, list and vlan networks', async () => {
        const made = await json(network(
            'create', '-j', '-n', 'n7', '-D', 'hi', '-s', '10.7.0.0/24', '-S', '10.7.0.5', '-E', '10.7.0.250', '-g', '10.7.0.1',
            '-r', '192.0.2.53', '-R', '10.8.0.0/24=10.7.0.9', '7',
        ));
        assert.deepStrictEqual(made, await ours('fabrics', 'networks', 'get', '7', made.id));
        assert.deepStrictEqual([made.gateway, made.routes, made.internet_nat], ['10.7.0.1', { '10.8.0.0/24': '10.7.0.9' }, true]);
        await output(network('create', '-n', 'n8', '-s', '10.8.0.0/24', '-S', '10.8.0.5', '-E', '10.8.0.9', '-x', '7'));
        assert.strictEqual((await json(network('get', 'n8'))).internet_nat, false);
        assert.deepStrictEqual(sorted(await lines(triton('vlan', 'networks', '-j', 'seven')), 'name'), ['n7', 'n8']);
        assert.deepStrictEqual(sorted(await lines(triton('networks', '-j', 'public=true')), 'name'), ['public', 'public-pool']);
    });
    await check('network ip list, get and update', async () => {
        await output(network('ip', 'update', 'n7', '10.7.0.7', 'reserved=true'));
        const ip = await json(network('ip', 'get', 'n7', '10.7.0.7'));
        assert.deepStrictEqual([ip.reserved, ip.managed], [true, false]);
        const list = await ours('networks', 'ips', 'list', 'n7');
        assert.deepStrictEqual(await lines(network('ip', 'list', '-j', 'n7')), list);
        assert.deepStrictEqual(list.find(one => one.ip === ip.ip), ip);
    });
    await check('network set-default, get-default', async () => {
        await output(network('set-default', 'n7'));
        assert.strictEqual((await json(network('get-default'))).name, 'n7');
        await output(network('set-default', 'My-Fabric-Network'));
    });
    await check('network delete, vlan delete', async () => {
        await output(network('delete', 'n7', 'n8'));
        await output(triton('vlan', 'delete', 'seven'));
        assert.deepStrictEqual(sorted(await ours('networks', 'list'), 'name'), demo.NETWORKS);
        assert.strictEqual((await run(triton('vlan', 'get', '7'))).code, 3);
    });
}

async function rules() {
    const fwrule = (...args) => triton('fwrule', ...args);
    let id;
    await check('fwrule create, get, list', async () => {
        const text = 'FROM any TO tag role = web ALLOW tcp PORT 8080';
        id = /firewall rule (\S+) \(disabled\)/.exec(await output(fwrule('create', '-d', '-l', '-D', 'mine', text)))[1];
        const rule = await json(fwrule('get', id.slice(0, 8)));
        assert.deepStrictEqual(rule, await ours('fwrules', 'get', id));
        assert.deepStrictEqual([rule.enabled, rule.log, rule.description], [false, true, 'mine']);
        const bare = ({ shortid, ...theirs }) => theirs;
        const all = sorted(await ours('fwrules', 'list'), 'id');
        assert.deepStrictEqual(sorted((await lines(fwrule('list', '-j'))).map(bare), 'id'), all);
        assert.deepStrictEqual(sorted(await lines(triton('fwrules', '-j')), 'id'), all);
    });
    await check('fwrule enable, disable, update', async () => {
        const now = async () => ours('fwrules', 'get', id);
        await output(fwrule('enable', id));
        assert.strictEqual((await now()).enabled, true);
        await output(fwrule('disable', id));
        assert.strictEqual((await now()).enabled, false);
        await output(fwrule('update', id, 'description=other', 'log=false', 'rule=FROM any TO tag role = web ALLOW tcp PORT 8081'));
        const { description, log, rule } = await now();
        assert.deepStrictEqual([description, log, /PORT 8081$/.test(rule)], ['other', false, true]);
    });
    await check('fwrule instances, delete', async () => {
        const theirs = await lines(fwrule('instances', '-j', id));
        assert.deepStrictEqual(sorted(theirs, 'name'), ['web1', 'web10']);
        assert.deepStrictEqual(sorted(theirs, 'id'), sorted(await ours('fwrules', 'machines', id), 'id'));
        await output(fwrule('delete', '-f', id));
        assert.strictEqual((await run(fwrule('get', id))).code, 3);
    });
}

async function volumes() {
    const volume = (...args) => triton('volume', ...args);
    await check('volume create -w, get, list, sizes', async () => {
        await output(volume('create', '-w', '-n', 'v1', '-s', '20G', '-N', 'My-Fabric-Network', '--tag', 'a=b'));
        const v1 = await json(volume('get', 'v1'));
        assert.deepStrictEqual(v1, await ours('volumes', 'get', 'v1'));
        assert.deepStrictEqual([v1.size, v1.state, v1.tags], [20480, 'ready', { a: 'b' }]);
        const names = sorted(await ours('volumes', 'list'), 'name');
        assert.deepStrictEqual(sorted(await lines(volume('list', '-j')), 'name'), names);
        assert.deepStrictEqual((await table(triton('volumes', 'name=v1'))).map(row => [row.NAME, row.SIZE]), [['v1', '20G']]);
        assert.deepStrictEqual(await lines(volume('sizes', '-j')), await ours('volumes', 'sizes'));
    });
    await check('a machine that mounts a volume keeps it from volume delete', async () => {
        await output(triton('create', '-w', '-n', 'vm', '-v', 'v1:/data', '-N', 'My-Fabric-Network', 'base-64', 'g1-small'));
        const { id } = await ours('machines', 'get', 'vm');
        assert.deepStrictEqual((await ours('volumes', 'get', 'v1')).refs, [id]);
        assert.match((await run(volume('delete', '-w', '-f', 'v1'))).err, /VolumeInUse/);
        await output(triton('instance', 'delete', '-w', '-f', 'vm'));
        await output(volume('delete', '-w', '-f', 'v1'));
        assert.strictEqual((await run(volume('get', 'v1'))).code, 3);
    });
}

async function account() {
    await check('account update from words and from a file, get and limits', async () => {
        fs.writeFileSync(home('account.json'), '{"companyName":"Ajax","phone":"555"}');
        await output(triton('account', 'update', 'city=Ghent', 'triton_cns_enabled=true'));
        await output(triton('account', 'update', '-f', home('account.json')));
        const account = await ours('account', 'get');
        assert.deepStrictEqual([account.city, account.companyName, account.phone, account.triton_cns_enabled], ['Ghent', 'Ajax', '555', true]);
        const theirs = await json(triton('account', 'get', '-j'));
        assert.deepStrictEqual([theirs.id, theirs.city], [account.id, 'Ghent']);
        // It has words of its own for the fields.
        const limits = (await ours('account', 'limits')).map(({ value, by, ...more }) => ({ ...more, type: by, limit: value }));
        assert.deepStrictEqual(await json(triton('account', 'limits', '-j')), limits);
    });
    await check('key add, get, delete', async () => {
        await output(['ssh-keygen', '-q', '-t', 'ecdsa', '-N', '', '-C', 'more', '-f', home('more')]);
        await output(triton('key', 'add', '-n', 'more', home('more.pub')));
        const text = fs.readFileSync(home('more.pub'), 'utf8').trim();
        assert.strictEqual((await output(triton('key', 'get', 'more'))).trim(), text);
        assert.strictEqual((await ours('keys', 'get', 'more')).key.trim(), text);
        assert.deepStrictEqual((await lines(triton('keys', '-j'))).map(one => one.name).sort(), ['emulator', 'more']);
        await output(triton('key', 'delete', '-f', 'more'));
        assert.deepStrictEqual(sorted(await ours('keys', 'list'), 'name'), ['emulator']);
    });
    await check('cloudapi sends what it is told', async () => {
        const body = '{"rule":"FROM any TO all vms ALLOW icmp TYPE 0","description":"raw"}';
        const made = await json(triton('cloudapi', '-X', 'POST', '-d', body, '/acme/fwrules'));
        assert.deepStrictEqual(await json(triton('cloudapi', `/acme/fwrules/${made.id}`)), await ours('fwrules', 'get', made.id));
        assert.match((await run(triton('cloudapi', '-i', '/--ping'))).err, /^HTTP\/1.1 200 OK\n[^]*^api-version: 9\./m);
    });
    await check('changefeed -j tells of what sdc does', async () => {
        await during(triton('changefeed', '-j'), async said => {
            // When it listens is nowhere said; so the machine is renamed until it tells.
            let turn = 0;
            await until(async () => {
                turn += 1;
                await output(['sdc', 'machines', 'rename', ids.web1, `web1-${turn}`]);
                return said();
            }, text => text.includes('\n'));
            const change = JSON.parse(said().split('\n')[0]);
            assert.deepStrictEqual([change.changedResourceId, change.changeKind.resource], [ids.web1, 'vm']);
            assert.ok(change.changeKind.subResources.includes('alias'), JSON.stringify(change.changeKind));
        });
        await output(['sdc', 'machines', 'rename', ids.web1, 'web1', '--wait']);
    });
}

async function here() {
    const profile = (...args) => triton('profile', ...args);
    await check('profile create, edit, get, delete', async () => {
        const { SDC_URL: url, SDC_KEY_ID: keyId } = process.env;
        fs.writeFileSync(home('p.json'), JSON.stringify({ name: 'p', url, account: 'acme', keyId }));
        await output(profile('create', '-f', home('p.json'), '--no-docker'));
        fs.writeFileSync(home('editor'), '#!/bin/sh\necho "user: ci" >> "$1"\n', { mode: 0o755 });
        await output(profile('edit', 'p'), { env: { EDITOR: home('editor') } });
        assert.strictEqual((await json(profile('get', '-j', 'p'))).user, 'ci');
        assert.strictEqual((await ours('profile', 'list')).find(one => one.name === 'p').user, 'ci');
        assert.deepStrictEqual(sorted(await lines(triton('profiles', '-j')), 'name'), ['env', 'p']);
        await output(profile('delete', '-f', 'p'));
        assert.strictEqual((await run(profile('get', 'p'))).code, 1);
    });
    await check('profile cmon-certgen finds the service and writes a certificate', async () => {
        const folder = home('cmon');
        fs.mkdirSync(folder);
        await output(profile('cmon-certgen', '-y'), { cwd: folder });
        assert.match(fs.readFileSync(join(folder, 'cmon-acme-cert.pem'), 'utf8'), /BEGIN CERTIFICATE/);
        const { hostname } = new URL((await ours('services', 'list')).cmon);
        assert.ok(fs.readFileSync(join(folder, 'cmon-acme-prometheus.yml'), 'utf8').includes(hostname), hostname);
    });
    await check('env, completion', async () => {
        assert.ok((await output(triton('env'))).includes(`export SDC_URL="${process.env.SDC_URL}"\n`));
        const script = await output(triton('completion'));
        await output(['bash', '-n'], { input: script });
        assert.match(script, /^ *complete -o default -F _triton_completion triton$/m);
    });
}

cases(async () => {
    ids = await demo.ids();
    await images();
    await networks();
    await rules();
    await volumes();
    await account();
    await here();
    await check('every request had a route, and none broke the emulator', async () => {
        for (const one of await requests()) {
            assert.ok(one.status < 500 && ![400, 401, 403, 405, 415].includes(one.status), JSON.stringify(one));
        }
    });
});
