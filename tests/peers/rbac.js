// Users, roles, policies and role tags with npm's commands against an emulator.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const { join } = require('node:path');
const demo = require('./demo.js');
const { run, output, json, lines, table, check, cases, sorted } = require('./cases.js');
const { useKeyFile } = require('./emulator.js');

const file = name => join(process.env.HOME, name);
const write = (name, value) => { fs.writeFileSync(file(name), JSON.stringify(value)); return file(name); };
const ours = path => json(['sdc', 'api', 'GET', path]);

async function triton() {
    await check('triton rbac makes a user, a key, a policy and a role', async () => {
        const user = write('user.json', { login: 'bobby', email: 'bob@x.example', password: 'secret123' });
        await output(['triton', 'rbac', 'user', '-a', user]);
        await output(['triton', 'rbac', 'key', '-a', '-n', 'lap', 'bobby', `${process.env.SDC_KEY_FILE}.pub`]);
        const keys = await table(['triton', 'rbac', 'keys', 'bobby']);
        assert.deepStrictEqual(keys, [{ FINGERPRINT: process.env.SDC_KEY_ID, NAME: 'lap' }]);
        const rules = ['CAN getmachine', 'CAN listmachines WHEN sourceip = 127.0.0.1'];
        await output(['triton', 'rbac', 'policy', '-a', write('policy.json', { name: 'look', rules })]);
        const members = [{ type: 'subuser', login: 'bobby', default: true }];
        await output(['triton', 'rbac', 'role', '-a', write('role.json', { name: 'web', members, policies: [{ name: 'look' }] })]);
        const role = await ours('/acme/roles/web');
        assert.deepStrictEqual([role.members[0].login, role.members[0].default, role.policies[0].name], ['bobby', true, 'look']);
        const logins = sorted(await lines(['triton', 'rbac', 'users', '-j']), 'login');
        assert.deepStrictEqual(logins, ['bobby', 'ci']);
    });
    await check('triton rbac shows them, as sdc does', async () => {
        const sdc = (...args) => json(['sdc', ...args, '--json']);
        for (const [kind, name] of [['user', 'bobby'], ['role', 'web'], ['policy', 'look']]) {
            const theirs = await json(['triton', 'rbac', kind, '-j', name]);
            assert.strictEqual(theirs.id, (await sdc(kind, 'get', name)).id, kind);
        }
        const roles = await lines(['triton', 'rbac', 'roles', '-j']);
        assert.deepStrictEqual(sorted(roles, 'id'), sorted(await sdc('roles', 'list'), 'id'));
        const policies = await lines(['triton', 'rbac', 'policies', '-j']);
        assert.deepStrictEqual(sorted(policies, 'id'), sorted(await sdc('policies', 'list'), 'id'));
        const { key } = await json(['triton', 'rbac', 'key', '-j', 'bobby', 'lap']);
        assert.strictEqual(key.trim(), fs.readFileSync(`${process.env.SDC_KEY_FILE}.pub`, 'utf8').trim());
        assert.match(await output(['triton', 'rbac', 'info', '--no-color']), /^users \(2\):\n[^]*^roles \(3\):\n[^]*^policies \(3\):/m);
    });
    await check('a tag lets the new user in, and one taken away keeps it out', async () => {
        const list = ['triton', '-u', 'bobby', '-k', process.env.SDC_KEY_ID, 'inst', 'ls', '-j'];
        const refused = await run(list);
        assert.notStrictEqual(refused.code, 0);
        assert.match(refused.err, /NotAuthorized/);
        await output(['triton', 'rbac', 'role-tags', '-y', '-a', 'web', '/acme/machines']);
        assert.deepStrictEqual(sorted(await lines(list), 'name'), demo.MACHINES);
        await output(['triton', 'rbac', 'role-tags', '-y', '-d', 'web', '/acme/machines']);
        assert.notStrictEqual((await run(list)).code, 0);
    });
    await check('triton tags machines, images, networks and packages', async () => {
        const things = [['instance', 'web1'], ['image', 'base-64'], ['network', 'public'], ['package', 'g1-small']];
        for (const [kind, name] of things) {
            const tags = ['triton', 'rbac', `${kind}-role-tags`];
            await output([...tags, '-y', '-s', 'web,operator', name]);
            assert.deepStrictEqual((await output([...tags, name])).trim().split('\n').sort(), ['operator', 'web'], kind);
            await output([...tags, '-y', '-D', name]);
            assert.strictEqual((await output([...tags, name])).trim(), '', kind);
        }
    });
    await check('triton rbac takes all of it away again', async () => {
        await output(['triton', 'rbac', 'key', '-y', '-d', 'bobby', 'lap']);
        await output(['triton', 'rbac', 'user', '-y', '-d', 'bobby']);
        await output(['triton', 'rbac', 'role', '-y', '-d', 'web']);
        await output(['triton', 'rbac', 'policy', '-y', '-d', 'look']);
        for (const kind of ['users', 'roles', 'policies']) {
            const names = (await ours(`/acme/${kind}`)).map(one => one.login || one.name);
            assert.ok(!['bobby', 'web', 'look'].some(name => names.includes(name)), names.join());
        }
    });
    await check('triton account update, limits and network set-default', async () => {
        await output(['triton', 'account', 'update', 'city=Ghent']);
        assert.strictEqual((await ours('/acme')).city, 'Ghent');
        assert.strictEqual((await table(['triton', 'account', 'limits']))[0].LIMIT, '100');
        await output(['triton', 'network', 'set-default', 'public']);
        assert.strictEqual((await json(['triton', 'network', 'get-default'])).name, 'public');
    });
}

async function whole() {
    const kinds = ['users', 'roles', 'policies'];
    const nothing = async () => {
        for (const kind of kinds) assert.deepStrictEqual(await ours(`/acme/${kind}`), [], kind);
    };
    const apply = ['triton', 'rbac', 'apply', '-y', '-f', file('rbac.json')];
    await check('triton rbac reset leaves nothing', async () => {
        await output(['triton', 'rbac', 'reset', '-y']);
        await nothing();
    });
    const wanted = roles => write('rbac.json', {
        users: [{
            login: 'bobby', email: 'bob@x.example',
            keys: [{
                name: 'lap', fingerprint: process.env.SDC_KEY_ID,
                key: fs.readFileSync(`${process.env.SDC_KEY_FILE}.pub`, 'utf8').trim(),
            }],
        }],
        policies: [{ name: 'look', rules: ['CAN listmachines'] }],
        roles,
    });
    await check('triton rbac apply makes the users, keys and policies of a file, once', async () => {
        wanted([]);
        assert.match(await output(apply), /^Created user bobby[^]*^Created policy look/m);
        assert.deepStrictEqual(sorted(await ours('/acme/users'), 'login'), ['bobby']);
        assert.deepStrictEqual(sorted(await ours('/acme/users/bobby/keys'), 'fingerprint'), [process.env.SDC_KEY_ID]);
        assert.deepStrictEqual((await ours('/acme/policies'))[0].rules, ['CAN listmachines']);
        assert.doesNotMatch(await output(apply), /Created/);
    });
    await check('triton rbac apply cannot make roles, nor change them', async () => {
        // It sends their members by name, as up to version 8 of the API, and asks for version 9.
        wanted([{ name: 'web', members: ['bobby'], default_members: ['bobby'], policies: ['look'] }]);
        assert.match((await run(apply)).err, /InvalidArgument/);
        // And it looks for default_members in what version 9 answers.
        await output(['triton', 'rbac', 'role', '-a', write('role.json', { name: 'web', policies: [{ name: 'look' }] })]);
        assert.match((await run(apply)).err, /TypeError/);
        assert.deepStrictEqual((await ours('/acme/roles')).map(one => [one.name, one.members]), [['web', []]]);
    });
    await check('triton rbac apply takes away what is not in the file', async () => {
        write('rbac.json', { users: [], roles: [], policies: [] });
        await output(apply);
        await nothing();
    });
}

async function smartdc() {
    let user, policy, role;
    await check('sdc-user makes and changes a user, and gives it a key', async () => {
        user = await json(['sdc-user', 'create', '--login=robin', '--email=r@x.example', '--password=secret123', '--name=Robin']);
        assert.strictEqual(user.firstName, 'Robin');
        assert.strictEqual((await json(['sdc-user', 'update', user.id, '--city=Ghent'])).city, 'Ghent');
        const change = word => ['sdc-user', 'change-password', user.id, `--password=${word}`, `--password-confirmation=${word}`];
        await output(change('other4567'));
        assert.match((await run(change('weak'))).err, /InvalidArgument/);
        const key = await json(['sdc-user', 'upload-key', '--name=lap', user.id, `${process.env.SDC_KEY_FILE}.pub`]);
        assert.deepStrictEqual(await json(['sdc-user', 'keys', user.id]), [key]);
    });
    await check('sdc-policy and sdc-role make and change, with names', async () => {
        policy = await json(['sdc-policy', 'create', '--name=see', '--rules=CAN getmachine', '--rules=CAN listmachines']);
        const rule = 'CAN getmachine /acme/machines/*';
        assert.deepStrictEqual((await json(['sdc-policy', 'update', policy.id, `--rules=${rule}`])).rules, [rule]);
        role = await json(['sdc-role', 'create', '--name=dev', '--members=robin', '--default-members=robin', '--policies=see']);
        assert.deepStrictEqual([role.members, role.default_members, role.policies], [['robin'], ['robin'], ['see']]);
        assert.deepStrictEqual(await json(['sdc-role', 'get', 'dev']), role);
        const own = ['--user', 'robin', '--keyId', process.env.SDC_KEY_ID];
        const [{ id }] = await json(['sdc-listmachines', '--name', 'web1']);
        assert.strictEqual((await json(['sdc-getmachine', ...own, id])).name, 'web1');
        assert.match((await run(['sdc-listmachines', ...own])).err, /NotAuthorized/);
    });
    await check('sdc-chmod and sdc-info', async () => {
        const info = () => json(['sdc-info', '/my/machines']);
        assert.deepStrictEqual(await json(['sdc-chmod', '--', '+dev,operator', '/my/machines']), ['dev', 'operator']);
        assert.deepStrictEqual(await json(['sdc-chmod', '--', '-operator', '/my/machines']), ['dev']);
        assert.deepStrictEqual(await info(), ['dev']);
        assert.deepStrictEqual(await json(['sdc-chmod', '--', '=keyadmin', '/my/machines']), ['keyadmin']);
        assert.deepStrictEqual(await json(['sdc-chmod', '--', '=', '/my/machines']), []);
        assert.deepStrictEqual(await info(), []);
        assert.match((await run(['sdc-chmod', '--', '=nobody', '/my/machines'])).err, /InvalidArgument/);
    });
    await check('sdc-user, sdc-role and sdc-policy take all of it away again', async () => {
        const remove = ['sdc-user', 'delete', user.id];
        assert.match((await run(remove)).err, /InvalidArgument/, 'it still has a key');
        await output(['sdc-user', 'delete-key', user.id, 'lap']);
        await output(remove);
        await output(['sdc-role', 'delete', role.id]);
        await output(['sdc-policy', 'delete', policy.id]);
        assert.deepStrictEqual(sorted(await json(['sdc-role', 'list']), 'name'), ['keyadmin', 'operator']);
    });
}

cases(async () => {
    useKeyFile();
    await triton();
    await smartdc();
    await whole();
});
