// Which command an invocation is: the tool and the words that choose what it does, without options and arguments, and
// each under one name however it was typed.
'use strict';

// node-triton's options before the words that take a value.
const VALUED = new Set(['-p', '-a', '-u', '-r', '-k', '-U', '--profile', '--account', '--act-as', '--user', '--role', '--keyId', '--url']);

const TOP = { inst: 'instance', img: 'image', pkg: 'package', vol: 'volume', insts: 'instances', ls: 'instances' };
const BELOW = { ls: 'list', rm: 'delete', cp: 'copy', insts: 'instances' };

// The words of node-triton below which there are more.
const GROUPS = new Set([
    'account', 'fwrule', 'image', 'instance', 'key', 'network', 'package', 'profile', 'rbac', 'vlan', 'volume',
]);
const INNER = {
    instance: new Set(['disk', 'fwrule', 'metadata', 'migration', 'nic', 'snapshot', 'tag']),
    network: new Set(['ip']),
};

// How many words follow the names of smartdc's commands that have any.
const DEEP = { 'sdc-fabric': 2, 'sdc-nics': 1, 'sdc-policy': 1, 'sdc-role': 1, 'sdc-user': 1 };

function tritonWords(args) {
    const rest = [...args];
    while (rest.length > 0 && rest[0].startsWith('-')) rest.splice(0, VALUED.has(rest[0]) ? 2 : 1);
    if (rest.length === 0) return [];
    const words = [TOP[rest[0]] || rest[0]];
    if (!GROUPS.has(words[0]) || rest.length < 2) return words;
    words.push(BELOW[rest[1]] || rest[1]);
    const inner = INNER[words[0]];
    if (inner && inner.has(words[1]) && rest.length > 2) words.push(BELOW[rest[2]] || rest[2]);
    return words;
}

/** 'triton instance list' for `triton -p x inst ls -j`; undefined for what is no peer's command. */
function command([tool, ...args]) {
    if (tool === 'triton') {
        const words = tritonWords(args);
        return words.length > 0 ? ['triton', ...words].join(' ') : undefined;
    }
    if (tool.startsWith('sdc-')) return [tool, ...args.slice(0, DEEP[tool] || 0)].join(' ');
    return undefined;
}

module.exports = { command };
