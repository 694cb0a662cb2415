// npm's clients of the internal services, sdc-clients and wf-client, against the admin side of the emulator.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const clients = require('sdc-clients');
const WfClient = require('wf-client');
const { json, until, check, cases, sorted, use } = require('./cases.js');

const NOBODY = '00000000-0000-4000-8000-000000000000';
// The clients write nothing of their own.
const log = { child: () => log, addSerializers() {}, trace: () => false, debug: () => false };
for (const level of ['info', 'warn', 'error', 'fatal']) log[level] = () => false;

const apis = {};
let seen;

/** Calls a method that ends with a callback; its first result, or its error thrown. */
function call(service, method, ...args) {
    return new Promise((resolve, reject) => {
        apis[service][method](...args, (error, result) => {
            use(`${service}.${method}`);
            if (error) reject(error);
            else resolve(result);
        });
    });
}

/** The status and code with which a call is refused. */
async function refusal(service, method, ...args) {
    try {
        await call(service, method, ...args);
    } catch (error) {
        return [error.statusCode, error.restCode || (error.body && error.body.code)];
    }
    throw new Error(`${service}.${method} is not refused`);
}

/** Waits until a job has succeeded. */
async function done(job) {
    const uuid = job.job_uuid || job.uuid;
    const ended = await until(
        () => call('vmapi', 'getJob', uuid),
        one => !['queued', 'running'].includes(one.execution),
    );
    assert.strictEqual(ended.execution, 'succeeded', JSON.stringify(ended.chain_results));
    return ended;
}

const vm = (uuid, fields = {}) => call('vmapi', 'getVm', { uuid, ...fields });

async function connect() {
    const services = await json(['sdc', 'admin', 'discover', '-j']);
    const url = name => services.find(one => one.service === name).url;
    const options = name => ({ url: url(name), log, agent: false, retry: { retries: 1 } });
    for (const name of ['VMAPI', 'NAPI', 'PAPI', 'SAPI', 'CNAPI', 'IMGAPI']) {
        const version = name === 'SAPI' ? { version: '*' } : {};
        apis[name.toLowerCase()] = new clients[name]({ ...options(name.toLowerCase()), ...version });
    }
    const folder = path.join(process.env.HOME, 'workflows');
    fs.mkdirSync(folder);
    apis.wf = new WfClient({ ...options('workflow'), path: folder });
    const machines = await json(['sdc', 'machines', 'list', '-j']);
    const machine = machines.find(one => one.name === 'web1');
    seen = { machines, web1: machine.id, owner: (await vm(machine.id)).owner_uuid };
}

async function reads() {
    await check('each service answers its ping', async () => {
        for (const name of ['vmapi', 'napi', 'cnapi', 'imgapi']) assert.ok(await call(name, 'ping'), name);
    });
    await check('vmapi.listVms reads all pages, and countVms counts them', async () => {
        const all = await call('vmapi', 'listVms', {});
        const active = await call('vmapi', 'listVms', { state: 'active' });
        assert.ok(all.length > active.length);
        const mine = await call('vmapi', 'listVms', { owner_uuid: seen.owner, state: 'active' });
        const names = seen.machines.map(one => one.name);
        assert.deepStrictEqual(mine.map(one => one.alias).filter(name => names.includes(name)).sort(), names.sort());
        assert.strictEqual(await call('vmapi', 'countVms', {}), all.length);
        assert.deepStrictEqual((await call('vmapi', 'listVms', { limit: 2, offset: 1 })).map(one => one.uuid),
            all.slice(1, 3).map(one => one.uuid));
    });
    await check('vmapi.getVm, getVmProc, listJobs', async () => {
        const web1 = await vm(seen.web1, { owner_uuid: seen.owner });
        assert.deepStrictEqual([web1.alias, web1.state], ['web1', 'running']);
        assert.ok((await call('vmapi', 'getVmProc', { uuid: seen.web1 })).length > 0);
        assert.ok(Array.isArray(await call('vmapi', 'listJobs', { vm_uuid: seen.web1 })));
        assert.deepStrictEqual(await refusal('vmapi', 'getVm', { uuid: NOBODY }), [404, 'ResourceNotFound']);
    });
    await check('cnapi.listServers, getServer, capacity, getBootParams', async () => {
        const servers = await call('cnapi', 'listServers');
        assert.ok(servers.length > 0);
        const one = await call('cnapi', 'getServer', servers[0].uuid);
        assert.strictEqual(one.hostname, servers[0].hostname);
        assert.strictEqual((await vm(seen.web1)).server_uuid, servers.find(at => at.uuid ===
            seen.machines.find(machine => machine.id === seen.web1).compute_node).uuid);
    });
    await check('imgapi.listImages, getImage', async () => {
        const images = await call('imgapi', 'listImages', {});
        const image = await call('imgapi', 'getImage', images[0].uuid);
        assert.deepStrictEqual([image.name, image.version], [images[0].name, images[0].version]);
        assert.strictEqual((await refusal('imgapi', 'getImage', NOBODY))[0], 404);
    });
}

async function life() {
    let made;
    await check('vmapi.createVm, getJob', async () => {
        const web1 = await vm(seen.web1);
        made = await call('vmapi', 'createVm', {
            owner_uuid: seen.owner, alias: 'peer0', brand: web1.brand, image_uuid: web1.image_uuid,
            billing_id: web1.billing_id, networks: [{ uuid: web1.nics[0].network_uuid }],
        });
        await done(made);
        const now = await vm(made.vm_uuid);
        assert.deepStrictEqual([now.alias, now.state, now.nics.length], ['peer0', 'running', 1]);
        assert.strictEqual((await json(['sdc', 'machines', 'get', 'peer0', '-j'])).id, made.vm_uuid);
    });
    const uuid = () => made.vm_uuid;
    const id = () => ({ uuid: uuid(), owner_uuid: seen.owner });
    const acts = async (method, more, expected) => {
        await done(await call('vmapi', method, { ...id(), ...more }));
        const now = await vm(uuid());
        for (const [field, value] of Object.entries(expected)) assert.deepStrictEqual(now[field], value, field);
        return now;
    };
    await check('vmapi.stopVm, startVm, rebootVm, killVm', async () => {
        await acts('stopVm', {}, { state: 'stopped' });
        assert.strictEqual((await json(['sdc', 'machines', 'get', 'peer0', '-j'])).state, 'stopped');
        await acts('startVm', { idempotent: true }, { state: 'running' });
        await acts('rebootVm', {}, { state: 'running' });
        await acts('killVm', { signal: 'SIGKILL' }, { state: 'stopped' });
        await acts('startVm', {}, { state: 'running' });
    });
    await check('cnapi.waitlistTicketCreate, …Get, …Wait, …Release hold a job that is asked for meanwhile', async () => {
        const server = (await vm(uuid())).server_uuid;
        const ticket = await call('cnapi', 'waitlistTicketCreate', server, {
            scope: 'vm', id: uuid(), action: 'update', expires_at: new Date(Date.now() + 600e3).toISOString(),
        });
        assert.deepStrictEqual(ticket.queue.map(one => one.status), ['active']);
        await call('cnapi', 'waitlistTicketWait', ticket.uuid);
        const job = await call('vmapi', 'stopVm', id());
        const held = await call('cnapi', 'waitlistTicketCreate', server, {
            scope: 'vm', id: uuid(), action: 'update', expires_at: new Date(Date.now() + 600e3).toISOString(),
        });
        assert.deepStrictEqual(held.queue.map(one => one.status), ['active', 'queued', 'queued']);
        await call('cnapi', 'waitlistTicketRelease', ticket.uuid);
        assert.strictEqual((await call('cnapi', 'waitlistTicketGet', ticket.uuid)).status, 'finished');
        const ended = await done(job);
        await call('cnapi', 'waitlistTicketWait', held.uuid);
        await call('cnapi', 'waitlistTicketRelease', held.uuid);
        assert.strictEqual((await refusal('cnapi', 'waitlistTicketGet', NOBODY))[0], 404);
        const [, task] = ended.chain_results.find(step => step.name === 'cnapi.stop_vm').result.match(/id: (\S+) queued/);
        for (const method of ['getTask', 'waitTask', 'pollTask']) {
            assert.strictEqual((await call('cnapi', method, task, { timeout: 5 })).status, 'complete', method);
        }
        await acts('startVm', {}, { state: 'running' });
    });
    await check('vmapi.updateVm', async () => {
        await acts('updateVm', { payload: { alias: 'peer1', ram: 512 } }, { alias: 'peer1', ram: 512 });
    });
    for (const [kind, field] of [['tags', 'tags'], ['customer_metadata', 'customer_metadata'],
        ['internal_metadata', 'internal_metadata']]) {
        await check(`vmapi.addMetadata, listMetadata, getMetadata, setMetadata, delete…: ${kind}`, async () => {
            const act = async (method, ...args) => done(await call('vmapi', method, kind, ...args));
            const list = () => call('vmapi', 'listMetadata', kind, id());
            await act('addMetadata', { ...id(), metadata: { role: 'peer', more: 'a' } });
            assert.strictEqual((await list()).role, 'peer');
            assert.strictEqual(await call('vmapi', 'getMetadata', kind, 'more', id()), 'a');
            await act('deleteMetadata', id(), 'more');
            assert.strictEqual((await list()).more, undefined);
            await act('setMetadata', { ...id(), metadata: { stage: 'test' } });
            assert.deepStrictEqual([(await list()).stage, (await list()).role], ['test', undefined]);
            await act('deleteAllMetadata', id());
            assert.strictEqual((await vm(uuid()))[field].stage, undefined);
        });
    }
    await check('vmapi.addRoleTags, listRoleTags, setRoleTags, deleteRoleTag, deleteAllRoleTags', async () => {
        const [one, two] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
        const list = async () => [...await call('vmapi', 'listRoleTags', id())].sort();
        await call('vmapi', 'addRoleTags', { ...id(), role_tags: [one] });
        assert.deepStrictEqual(await list(), [one]);
        await call('vmapi', 'setRoleTags', { ...id(), role_tags: [one, two] });
        assert.deepStrictEqual(await list(), [one, two]);
        await call('vmapi', 'deleteRoleTag', id(), one);
        assert.deepStrictEqual(await list(), [two]);
        await call('vmapi', 'deleteAllRoleTags', id());
        assert.deepStrictEqual(await list(), []);
    });
    await check('vmapi.addNics, updateNics, removeNics', async () => {
        const networks = await call('napi', 'listNetworks', {});
        const used = (await vm(uuid())).nics.map(nic => nic.network_uuid);
        const other = networks.find(one => !used.includes(one.uuid) && !one.fabric && !one.owner_uuids);
        const { nics } = await acts('addNics', { networks: [{ uuid: other.uuid }] }, {});
        assert.strictEqual(nics.length, 2);
        const mac = nics[1].mac;
        await done(await call('vmapi', 'updateNics', { ...id(), nics: [{ mac, primary: true }] }));
        assert.strictEqual((await vm(uuid())).nics.find(nic => nic.primary).mac, mac);
        assert.strictEqual((await call('napi', 'getNic', mac)).belongs_to_uuid, uuid());
        assert.deepStrictEqual(sorted(await call('napi', 'getNics', uuid()), 'mac'), nics.map(nic => nic.mac).sort());
        await done(await call('vmapi', 'updateNics', { ...id(), nics: [{ mac: nics[0].mac, primary: true }] }));
        await acts('removeNics', { macs: [mac] }, {});
        assert.strictEqual((await refusal('napi', 'getNic', mac))[0], 404);
    });
    await check('vmapi.snapshotVm, rollbackVm, deleteSnapshot', async () => {
        await acts('snapshotVm', { name: 'before' }, {});
        assert.deepStrictEqual((await vm(uuid())).snapshots.map(one => one.name), ['before']);
        await acts('rollbackVm', { name: 'before' }, {});
        await acts('deleteSnapshot', { name: 'before' }, { snapshots: [] });
    });
    await check('vmapi.createDisk, resizeDisk, deleteDisk', async () => {
        const [machine] = await call('vmapi', 'listVms', { owner_uuid: seen.owner, brand: 'bhyve', state: 'stopped' });
        const pci_slot = '0:6:0';
        const act = async (method, more) => {
            const params = { uuid: machine.uuid, owner_uuid: seen.owner, pci_slot, ...more };
            await done(await call('vmapi', method, params, {}));
            return (await vm(machine.uuid)).disks.filter(disk => disk.pci_slot === pci_slot).map(disk => disk.size);
        };
        assert.deepStrictEqual(await act('createDisk', { size: 1024 }), [1024]);
        assert.deepStrictEqual(await act('resizeDisk', { size: 2048 }), [2048]);
        assert.deepStrictEqual(await act('deleteDisk'), []);
    });
    await check('vmapi.reprovisionVm', async () => {
        const { image_uuid } = await vm(uuid());
        await acts('reprovisionVm', { image_uuid }, { image_uuid });
    });
    await check('vmapi.deleteVm', async () => {
        await done(await call('vmapi', 'deleteVm', id()));
        assert.strictEqual((await vm(uuid())).state, 'destroyed');
        assert.deepStrictEqual(await call('napi', 'getNics', uuid()), []);
        const audit = await json(['sdc', 'machines', 'audit', uuid(), '-j']).catch(() => []);
        assert.ok(Array.isArray(audit));
    });
}

async function networks() {
    await check('napi.createNicTag, getNicTag, listNicTags, updateNicTag, deleteNicTag', async () => {
        await call('napi', 'createNicTag', 'peer', {});
        assert.strictEqual((await call('napi', 'getNicTag', 'peer')).name, 'peer');
        assert.ok((await call('napi', 'listNicTags', {})).some(tag => tag.name === 'peer'));
        await call('napi', 'updateNicTag', 'peer', { name: 'peer_tag' });
    });
    let network;
    await check('napi.createNetwork, getNetwork, updateNetwork', async () => {
        network = await call('napi', 'createNetwork', {
            name: 'peer-net', nic_tag: 'peer_tag', vlan_id: 77, subnet: '10.77.0.0/24', gateway: '10.77.0.1',
            provision_start_ip: '10.77.0.10', provision_end_ip: '10.77.0.20', resolvers: ['8.8.8.8'], mtu: 1500,
        });
        assert.strictEqual((await call('napi', 'getNetwork', network.uuid)).name, 'peer-net');
        await call('napi', 'updateNetwork', network.uuid, { description: 'of the peers' });
        assert.strictEqual((await call('napi', 'getNetwork', network.uuid)).description, 'of the peers');
        const twice = { name: 'peer-net', nic_tag: 'peer_tag', vlan_id: 77, subnet: '10.78.0.0/24',
            provision_start_ip: '10.78.0.10', provision_end_ip: '10.78.0.20' };
        assert.strictEqual((await refusal('napi', 'createNetwork', twice))[0], 422);
    });
    await check('napi.listIPs, getIP, updateIP, searchIPs', async () => {
        const ip = '10.77.0.15';
        await call('napi', 'updateIP', network.uuid, ip, { reserved: true });
        assert.strictEqual((await call('napi', 'getIP', network.uuid, ip, {})).reserved, true);
        assert.ok((await call('napi', 'listIPs', network.uuid, {})).some(one => one.ip === ip));
        assert.deepStrictEqual((await call('napi', 'searchIPs', ip, {})).map(one => one.network_uuid), [network.uuid]);
        await call('napi', 'updateIP', network.uuid, ip, { reserved: false });
    });
    await check('napi.provisionNic, createNic, getNic, listNics, updateNic, deleteNic', async () => {
        const owned = { owner_uuid: seen.owner, belongs_to_uuid: NOBODY, belongs_to_type: 'other' };
        const one = await call('napi', 'provisionNic', network.uuid, { ...owned });
        assert.ok(one.ip.startsWith('10.77.0.'));
        const two = await call('napi', 'createNic', '90:b8:d0:77:77:77', { ...owned });
        assert.strictEqual((await call('napi', 'getNic', two.mac)).mac, two.mac);
        const listed = await call('napi', 'listNics', { belongs_to_uuid: NOBODY });
        assert.deepStrictEqual(sorted(listed, 'mac'), [one.mac, two.mac].sort());
        await call('napi', 'updateNic', two.mac, { model: 'virtio' });
        assert.strictEqual((await call('napi', 'getNic', two.mac)).model, 'virtio');
        for (const { mac } of [one, two]) await call('napi', 'deleteNic', mac, {});
        assert.deepStrictEqual(await call('napi', 'listNics', { belongs_to_uuid: NOBODY }), []);
    });
    await check('napi.createNetworkPool, getNetworkPool, listNetworkPools, updateNetworkPool, deleteNetworkPool', async () => {
        const pool = await call('napi', 'createNetworkPool', 'peer-pool', { networks: [network.uuid] });
        assert.deepStrictEqual((await call('napi', 'getNetworkPool', pool.uuid)).networks, [network.uuid]);
        assert.ok((await call('napi', 'listNetworkPools', {})).some(one => one.uuid === pool.uuid));
        await call('napi', 'updateNetworkPool', pool.uuid, { name: 'peer-pool-2' });
        await call('napi', 'deleteNetworkPool', pool.uuid, {});
        assert.strictEqual((await refusal('napi', 'getNetworkPool', pool.uuid))[0], 404);
    });
    await check('napi fabrics: VLANs and networks made, shown, changed and deleted', async () => {
        const { owner } = seen;
        await call('napi', 'createFabricVLAN', owner, { name: 'peer', vlan_id: 99 });
        assert.ok((await call('napi', 'listFabricVLANs', owner, {})).some(one => one.vlan_id === 99));
        await call('napi', 'updateFabricVLAN', owner, 99, { name: 'peer2' });
        assert.strictEqual((await call('napi', 'getFabricVLAN', owner, 99, {})).name, 'peer2');
        const fabric = await call('napi', 'createFabricNetwork', owner, 99, {
            name: 'peer-fabric', subnet: '192.168.99.0/24', provision_start_ip: '192.168.99.5',
            provision_end_ip: '192.168.99.50', gateway: '192.168.99.1', internet_nat: false,
        });
        assert.strictEqual((await call('napi', 'getFabricNetwork', owner, 99, fabric.uuid, {})).name, 'peer-fabric');
        assert.ok((await call('napi', 'listFabricNetworks', owner, 99, {})).some(one => one.uuid === fabric.uuid));
        await call('napi', 'updateFabricNetwork', owner, 99, fabric.uuid, { description: 'of the peers' });
        await call('napi', 'deleteFabricNetwork', owner, 99, fabric.uuid, {});
        await call('napi', 'deleteFabricVLAN', owner, 99, {});
        assert.strictEqual((await refusal('napi', 'getFabricVLAN', owner, 99, {}))[0], 404);
    });
    await check('napi.listAggrs, getAggr, updateAggr', async () => {
        const [aggr] = await call('napi', 'listAggrs', {});
        assert.deepStrictEqual((await call('napi', 'getAggr', aggr.id)).macs, aggr.macs);
        await call('napi', 'updateAggr', aggr.id, { lacp_mode: 'passive' });
        assert.strictEqual((await call('napi', 'getAggr', aggr.id)).lacp_mode, 'passive');
        assert.strictEqual((await refusal('napi', 'getAggr', `${NOBODY}-aggr0`))[0], 404);
    });
    await check('napi.deleteNetwork, deleteNicTag', async () => {
        await call('napi', 'deleteNetwork', network.uuid, {});
        await call('napi', 'deleteNicTag', 'peer_tag', {});
        assert.strictEqual((await refusal('napi', 'getNetwork', network.uuid))[0], 404);
    });
}

async function packages() {
    await check('papi.add, get, update, list, del', async () => {
        const size = { max_physical_memory: 512, quota: 10240, max_swap: 1024, cpu_cap: 100, max_lwps: 1000,
            zfs_io_priority: 100, version: '1.0.0', active: true };
        const made = await call('papi', 'add', { name: 'peer-512', ...size });
        assert.strictEqual((await call('papi', 'get', made.uuid, {})).name, 'peer-512');
        await call('papi', 'update', made.uuid, { description: 'of the peers' }, {});
        const listed = await call('papi', 'list', { name: 'peer-512' }, {});
        assert.deepStrictEqual(listed.map(one => one.description), ['of the peers']);
        assert.deepStrictEqual(await call('papi', 'list', { name: 'peer*' }, {}), [], 'a * is no wildcard here');
        assert.deepStrictEqual((await call('papi', 'list', '(name=peer-512)', {})).map(one => one.uuid), [made.uuid]);
        assert.strictEqual((await refusal('papi', 'update', made.uuid, { quota: 20480 }, {}))[0], 409);
        await call('papi', 'del', made.uuid, { force: true });
        assert.strictEqual((await refusal('papi', 'get', made.uuid, {}))[0], 404);
    });
}

async function services() {
    const made = {};
    await check('sapi: applications, services, manifests made, shown and changed', async () => {
        made.manifest = await call('sapi', 'createManifest', {
            name: 'peer-manifest', path: '/opt/peer', template: '{{datacenter_name}}', post_cmd: '/bin/true',
        });
        assert.strictEqual((await call('sapi', 'getManifest', made.manifest.uuid)).name, 'peer-manifest');
        assert.ok((await call('sapi', 'listManifests')).some(one => one.uuid === made.manifest.uuid));
        made.app = await call('sapi', 'createApplication', 'peer-app', seen.owner, { metadata: { a: '1' } });
        assert.strictEqual((await call('sapi', 'getApplication', made.app.uuid)).metadata.a, '1');
        await call('sapi', 'updateApplication', made.app.uuid, { metadata: { b: '2' } });
        assert.deepStrictEqual((await call('sapi', 'listApplications', { name: 'peer-app' }))[0].metadata, { a: '1', b: '2' });
        made.service = await call('sapi', 'createService', 'peer-service', made.app.uuid, {
            type: 'vm', manifests: { peer: made.manifest.uuid },
        });
        assert.strictEqual((await call('sapi', 'getService', made.service.uuid)).name, 'peer-service');
        await call('sapi', 'updateService', made.service.uuid, { metadata: { c: '3' } });
        const listed = await call('sapi', 'listServices', { application_uuid: made.app.uuid });
        assert.deepStrictEqual(listed.map(one => one.metadata), [{ c: '3' }]);
    });
    await check('sapi: instances, their payloads and configurations', async () => {
        const instances = await call('sapi', 'listInstances', {});
        const vmapi = instances.find(one => one.metadata && one.metadata.ADMIN_IP && one.params.alias === 'vmapi0');
        assert.strictEqual((await call('sapi', 'getInstance', vmapi.uuid)).params.alias, 'vmapi0');
        assert.ok(await call('sapi', 'getInstancePayload', vmapi.uuid));
        assert.ok((await call('sapi', 'getConfig', vmapi.uuid, {})).metadata);
        await call('sapi', 'updateInstance', vmapi.uuid, { metadata: { peer: 'yes' } });
        assert.strictEqual((await call('sapi', 'getInstance', vmapi.uuid)).metadata.peer, 'yes');
        await call('sapi', 'updateInstance', vmapi.uuid, { action: 'delete', metadata: { peer: 'yes' } });
        assert.strictEqual((await refusal('sapi', 'getInstance', NOBODY))[0], 404);
    });
    await check('sapi: helpers that ask several times', async () => {
        const objects = await call('sapi', 'getApplicationObjects', made.app.uuid, {});
        assert.deepStrictEqual(Object.keys(objects.services || objects), Object.keys(objects.services || objects));
        assert.ok(await call('sapi', 'whatis', made.service.uuid));
        assert.ok(await call('sapi', 'getMode'));
    });
    await check('sapi: services, applications, manifests deleted', async () => {
        await call('sapi', 'deleteService', made.service.uuid);
        await call('sapi', 'deleteApplication', made.app.uuid);
        await call('sapi', 'deleteManifest', made.manifest.uuid);
        assert.strictEqual((await refusal('sapi', 'getService', made.service.uuid))[0], 404);
        assert.strictEqual((await refusal('sapi', 'getApplication', made.app.uuid))[0], 404);
        assert.strictEqual((await refusal('sapi', 'getManifest', made.manifest.uuid))[0], 404);
    });
}

async function workflows() {
    await check('wf.ping, findWorkflow, getWorkflow', async () => {
        assert.strictEqual((await call('wf', 'ping')).backend, 'up');
        const found = await call('wf', 'findWorkflow', 'stop-7.*');
        assert.strictEqual((await call('wf', 'getWorkflow', found.uuid)).name, found.name);
        assert.deepStrictEqual(await refusal('wf', 'getWorkflow', NOBODY), [404, 'ResourceNotFound']);
    });
    await check('wf.initWorkflows takes the workflows that are there', async () => {
        const [name, version] = (await call('wf', 'findWorkflow', 'stop-*')).name.split('-');
        fs.writeFileSync(path.join(apis.wf.path, `${name}.js`), `module.exports = { version: '${version}' };`);
        apis.wf.workflows = [name];
        await call('wf', 'initWorkflows');
        assert.ok(apis.wf.uuids[name]);
    });
    await check('wf.initWorkflows brings its own, wf.createJob, getJob, listJobs', async () => {
        fs.writeFileSync(path.join(apis.wf.path, 'tidy.js'), `module.exports = { name: 'tidy-1.0.0', version: '1.0.0',
            timeout: 60, onerror: [], chain: [{ name: 'tidy.look', timeout: 10, retry: 1,
                body: function (job, cb) { cb(null); } }] };`);
        apis.wf.workflows = ['tidy'];
        await call('wf', 'initWorkflows');
        const found = await call('wf', 'findWorkflow', 'tidy-1.0.0');
        assert.strictEqual(found.uuid, apis.wf.uuids.tidy);
        const job = await call('wf', 'createJob', 'tidy', { target: '/peer', task: 'tidy' });
        const ended = await until(() => call('wf', 'getJob', job.uuid), one => one.execution === 'succeeded');
        assert.deepStrictEqual(ended.chain_results.map(one => [one.name, one.error]), [['tidy.look', '']]);
        assert.deepStrictEqual((await call('wf', 'listJobs', { task: 'tidy' })).map(one => one.uuid), [job.uuid]);
    });
    await check('wf sees the jobs that vmapi began', async () => {
        const jobs = await call('wf', 'listJobs', { vm_uuid: seen.web1 });
        const begun = await call('vmapi', 'rebootVm', { uuid: seen.web1 });
        await done(begun);
        const now = await call('wf', 'listJobs', { vm_uuid: seen.web1 });
        assert.strictEqual(now.length, jobs.length + 1);
        const job = await call('wf', 'getJob', begun.job_uuid);
        assert.deepStrictEqual([job.execution, job.params.task], ['succeeded', 'reboot']);
        await call('wf', 'postJobInfo', job.uuid, { '10%': 'looked' });
        assert.deepStrictEqual((await call('wf', 'getJobInfo', job.uuid)).map(one => one['10%']), ['looked']);
    });
}

cases(async () => {
    await connect();
    await reads();
    await life();
    await networks();
    await packages();
    await services();
    await workflows();
});
