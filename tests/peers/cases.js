// What every group of cases needs: to run a command, and to say whether a case held.
'use strict';

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { command } = require('./commands.js');

const group = process.env.PEER_GROUP || 'peers';

// The peers' commands that did what they were told here at least once.
const used = new Set();

/** Says that a method of a client was called here. */
function use(name) {
    used.add(`method ${name}`);
}

function note(argv) {
    const name = command(argv);
    if (name) used.add(name);
}

/** Runs a command to its end and gives back { code, out, err }. One that takes too long is ended. */
function run(argv, { env = {}, input = '', timeout = 30_000, cwd } = {}) {
    return new Promise((resolve, reject) => {
        const all = { ...process.env, ...env };
        for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
        const child = spawn(argv[0], argv.slice(1), { env: all, timeout, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
        let out = '';
        let err = '';
        child.stdout.setEncoding('utf8').on('data', text => { out += text; });
        child.stderr.setEncoding('utf8').on('data', text => { err += text; });
        child.stdin.on('error', () => {});
        child.stdin.end(input);
        child.on('error', reject);
        child.on('close', (code, signal) => {
            if (code === 0) note(argv);
            resolve({ code: signal ? `signal ${signal}` : code, out, err });
        });
    });
}

/** Runs a command that has no end of its own: the body asks what it said so far, and afterwards it is interrupted. */
async function during(argv, body) {
    const child = spawn(argv[0], argv.slice(1), { timeout: 30_000, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', text => { out += text; });
    child.stderr.setEncoding('utf8').on('data', text => { err += text; });
    const ended = new Promise((resolve, reject) => { child.on('close', resolve).on('error', reject); });
    try {
        await body(() => out);
        note(argv);
    } catch (error) {
        throw new Error(`${error.message}; '${argv.join(' ')}' said: ${err}${out}`);
    } finally {
        child.kill('SIGINT');
        await ended;
    }
}

/** The output of a command that has to end with 0. */
async function output(argv, options) {
    const { code, out, err } = await run(argv, options);
    assert.strictEqual(code, 0, `'${argv.join(' ')}' ended with ${code}: ${err}${out}`);
    return out;
}

function parse(text, argv) {
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new Error(`'${argv.join(' ')}' printed no JSON: ${text.slice(0, 200)}`);
    }
}

/** The one JSON value that a command prints. */
async function json(argv, options) {
    return parse(await output(argv, options), argv);
}

/** The JSON values that a command prints, one a line. */
async function lines(argv, options) {
    const text = await output(argv, options);
    return text.split('\n').filter(Boolean).map(line => parse(line, argv));
}

/** The rows of a table: objects by the words of its header. Only for cells without spaces. */
async function table(argv, options) {
    const [header, ...rows] = (await output(argv, options)).split('\n').filter(Boolean);
    const names = header.trim().split(/\s+/);
    return rows.map(row => {
        const cells = row.trim().split(/\s+/);
        assert.strictEqual(cells.length, names.length, `'${argv.join(' ')}': a row and its header differ: ${row}`);
        return Object.fromEntries(names.map((name, at) => [name, cells[at]]));
    });
}

/** Asks until the answer satisfies, for at most ten seconds. */
async function until(ask, satisfies) {
    for (const end = Date.now() + 10_000; ;) {
        const answer = await ask();
        if (satisfies(answer)) return answer;
        assert.ok(Date.now() < end, `still not so after ten seconds: ${JSON.stringify(answer)}`);
        await new Promise(resolve => setTimeout(resolve, 100));
    }
}

let failed = 0;

/** One case: one line. */
async function check(name, body) {
    try {
        await body();
        console.log(`ok   ${group}: ${name}`);
    } catch (error) {
        failed += 1;
        const reason = String((error && error.message) || error).trim().replace(/\s*\n\s*/g, ' | ').slice(0, 600);
        console.log(`FAIL ${group}: ${name}: ${reason}`);
    }
}

/** Runs a group's cases; without its last word the group counts as failed. */
async function cases(body) {
    try {
        await body();
        for (const name of used) console.log(`used ${name}`);
        console.log('done');
    } catch (error) {
        failed += 1;
        console.log(`${error.stack}\nFAIL ${group}: it broke off between two cases`);
    }
    process.exitCode = failed === 0 ? 0 : 1;
}

/** Some field of every object, in order of the alphabet. */
function sorted(list, field) {
    return list.map(one => one[field]).sort();
}

module.exports = { run, during, output, json, lines, table, until, check, cases, sorted, use };
