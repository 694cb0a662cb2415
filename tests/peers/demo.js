// What the emulator holds at first, as the cases expect it: by names, written by hand, and not from its source.
'use strict';

const assert = require('node:assert');
const { json } = require('./cases.js');

const get = path => json(['sdc', 'api', 'GET', path]);

function id(list, name, version) {
    const found = list.filter(one => one.name === name && (!version || one.version === version));
    assert.strictEqual(found.length, 1, `${found.length} are named ${name}`);
    return found[0].id;
}

/** The ids of some of it, asked of the emulator itself. */
async function ids() {
    const machines = await get('/:login/machines?tombstone=20');
    const images = await get('/:login/images');
    return {
        web1: id(machines, 'web1'),
        db0: id(machines, 'db0'),
        broken: id(machines, 'broken'),
        base: id(images, 'base-64', '24.4.1'),
        baseOld: id(images, 'base-64', '23.4.0'),
        web: id(images, 'acme-web'),
        small: id(await get('/:login/packages'), 'g1-small'),
        public: id(await get('/:login/networks'), 'public'),
    };
}

module.exports = {
    ids,
    MACHINES: ['build', 'cache', 'db0', 'db1', 'web1', 'web10', 'win'],
    RUNNING: ['cache', 'db0', 'web1', 'web10', 'win'],
    STOPPED: ['build', 'db1'],
    NOBODY: '00000000-0000-4000-8000-000000000000',
    WEB_TAGS: { role: 'web', stage: 'prod', weight: 10 },
    WEB_METADATA: { 'user-script': '#!/bin/sh\nsvcadm enable nginx\n', release: '1.4.0' },
    IMAGES: [
        'acme-web@1.4.0', 'base-64@23.4.0', 'base-64@24.4.1', 'debian-12-lx@20240612', 'debian-12@20240612',
        'ubuntu-24.04@20250115', 'windows-2022@1.0.0',
    ],
    PACKAGES: ['b1-flex', 'b1-medium', 'g1-large', 'g1-large', 'g1-medium', 'g1-nano', 'g1-small', 'k1-medium'],
    NETWORKS: ['My-Fabric-Network', 'backend', 'private', 'public', 'public-pool', 'storage'],
};
