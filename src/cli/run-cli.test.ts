import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BugError } from '../base/assert.ts';
import { AppError, ConfigError } from '../base/errors.ts';
import type { CliContext, Explanation, ImportResult, RunOptions } from './context.ts';
import { buildProgram } from './program.ts';
import { fakeContext } from './testing/fake-context.ts';
import { runCommand } from './testing/run-command.ts';

const goldenDirectory = path.join(import.meta.dirname, '../../test/testdata/help');

const commandNames = buildProgram(fakeContext(), () => undefined).commands.map((command) => command.name());

for (const name of ['', ...commandNames]) {
  void test(`help of ${name === '' ? 'the program' : name} is what is written down`, async () => {
    const { code, out } = await runCommand(`${name} --help`);
    const golden = path.join(goldenDirectory, `${name === '' ? 'logboom' : name}.txt`);
    if (process.env['LOGBOOM_UPDATE_GOLDEN'] === '1') writeFileSync(golden, out);
    assert.equal(code, 0);
    assert.equal(out, readFileSync(golden, 'utf8'));
    assert.ok(Math.max(...out.split('\n').map((line) => line.length)) <= 115, 'lines fit a terminal');
    if (name !== '') assert.match(out, /Examples:\n {2}(logboom|source)/);
  });
}

void test('mistakes in the command line end with 100, a suggestion, and no stack', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['serch error', /unknown command 'serch'\n {2}Did you mean search\?\n/],
    ['search --limt 3', /unknown option '--limt'\n {2}Did you mean --limit\?\n/],
    ['search --limit none', /--limit takes a whole number from 1/],
    ['search --limit 0', /--limit takes a whole number from 1/],
    ['search --order sideways', /Allowed choices are asc, desc/],
    ['search --since yesterday', /--since: got "yesterday", expected a duration such as/],
    ['search --server ftp://x', /--server: got "ftp:\/\/x", expected an address/],
    ['audit --wait long', /--wait: got "long", expected a duration/],
    ['export --format xml', /Allowed choices are ndjson, csv, parquet/],
    ['import', /missing required argument 'FILE'/],
    ['explain', /missing required argument/],
    ['rotate', /say either status or --dry-run\n {2}The agent itself rotates/],
    ['rotate now', /'now' is invalid for argument 'ACTION'\. Allowed choices are status/],
    ['completion tcsh', /Allowed choices are bash, zsh, fish/],
    ['up --server-listen 6410', /--server-listen: got "6410", expected HOST:PORT/],
    ['up --listen nowhere', /--listen: got "nowhere", expected HOST:PORT/],
    ['up --config missing.yaml', /--config: cannot read missing.yaml: there is no such file/],
    ['up --transport-kind http --transport-url http://x', /up stores what it collects, which needs/],
    ['agent', /needs a server or a broker to send to/],
    ['indexer', /transport\.kind: an indexer on its own reads from a broker, and the kind is memory/],
    ['check --store-threads 0', /--store-threads: got 0, expected at least 1/],
    ['up extra', /too many arguments/],
  ];
  for (const [commandLine, message] of cases) {
    const { code, err } = await runCommand(commandLine);
    assert.equal(code, 100, commandLine);
    assert.match(err, message);
    assert.match(err, /^logboom: /);
    assert.doesNotMatch(err, /\n {4}at /);
  }
});

void test('a configuration with several mistakes tells all of them', async () => {
  const { code, err } = await runCommand('up --config bad.yaml', {
    files: { '/work-dir/bad.yaml': 'servre: {}\nagent: { rescanMs: soon }\n' },
  });
  assert.equal(code, 100);
  assert.match(err, /bad\.yaml:1:1: servre: is no option\n {2}Did you mean server\?/);
  assert.match(err, /bad\.yaml:2:20: agent\.rescanMs: got "soon", expected a duration/);
});

void test('an unreachable server ends with 111 and names the address and logboom up', async () => {
  for (const commandLine of ['search x', 'stats', 'tail x', 'export']) {
    const { code, err } = await runCommand(commandLine);
    assert.equal(code, 111, commandLine);
    assert.match(err, /cannot reach a Logboom server at http:\/\/127\.0\.0\.1:6410 \(connect ECONNREFUSED/);
    assert.match(err, /logboom up/);
  }
});

void test('audit cannot tell when the server is away: 2', async () => {
  const { code, err } = await runCommand('audit');
  assert.equal(code, 2);
  assert.match(err, /cannot reach a Logboom server/);
});

void test('explain ends with 1 when a file is not collected', async () => {
  for (const isCollected of [true, false]) {
    const explain = (): Promise<Explanation> => Promise.resolve({ lines: ['why'], json: {}, isCollected });
    const { code, out } = await runCommand('explain /x.log', { actions: { explain } });
    assert.equal(out, 'why\n');
    assert.equal(code, isCollected ? 0 : 1);
  }
});

void test('what goes wrong inside a role has its exit code', async () => {
  const failures: readonly (readonly [Error, number, RegExp])[] = [
    [new ConfigError('server.listen', 'wrong'), 100, /^logboom: server\.listen: wrong\n$/],
    [
      new AppError('port_in_use', 'cannot listen on 127.0.0.1:6410', {
        hint: 'Choose another with --listen.',
      }),
      111,
      /^logboom: cannot listen on 127\.0\.0\.1:6410\n {2}Choose another with --listen\.\n$/,
    ],
    [
      new AppError('locked', 'cannot use the data directory /d', { details: { pid: '42' } }),
      111,
      /^logboom: cannot use the data directory \/d \(pid 42\)\n$/,
    ],
    [new BugError('broken'), 101, /BUG: broken[^]*please report it/],
    [new TypeError('x is undefined'), 101, /BUG: TypeError: x is undefined/],
  ];
  for (const [error, expectedCode, message] of failures) {
    const { code, err } = await runCommand('up', { actions: { up: () => Promise.reject(error) } });
    assert.equal(code, expectedCode);
    assert.match(err, message);
  }
});

void test('the short spellings of up, agent and server set the options of their role', async () => {
  const seen: RunOptions[] = [];
  const take = (options: RunOptions): Promise<number> => {
    seen.push(options);
    return Promise.resolve(0);
  };
  const actions = { up: take, agent: take, server: take };
  await runCommand('up --demo --listen 127.0.0.1:1 --data d', { actions });
  await runCommand('agent --listen 127.0.0.1:2 --server logs:6410 --token t', { actions });
  await runCommand('server --listen 127.0.0.1:3', { actions });
  const [up, agent, server] = seen.map(({ loaded }) => loaded.config);
  assert.equal(up?.server.listen, '127.0.0.1:1');
  assert.equal(up?.data, '/work-dir/d');
  assert.equal(seen[0]?.isDemo, true);
  assert.equal(agent?.agent.listen, '127.0.0.1:2');
  const { bufferBytesMax, ...transport } = agent?.transport ?? {};
  assert.deepEqual(transport, { kind: 'http', url: 'http://logs:6410', token: 't' });
  assert.ok(bufferBytesMax !== undefined);
  assert.equal(server?.server.listen, '127.0.0.1:3');
});

void test('test ends with 1 when a pipeline does not do what its tests say', async () => {
  const outcomes = [
    { pipeline: 'nginx', test: 'takes the address', isPassed: true, diff: '' },
    {
      pipeline: 'nginx',
      test: 'takes the verb',
      isPassed: false,
      diff: '- fields.verb: "GET"\n+ fields.verb: absent',
    },
  ];
  const { code, out } = await runCommand('test', {
    actions: { testPipelines: () => Promise.resolve(outcomes) },
  });
  assert.equal(code, 1);
  assert.equal(
    out,
    'ok   nginx: takes the address\nFAIL nginx: takes the verb\n       - fields.verb: "GET"\n       + fields.verb: absent\n1 passed, 1 failed\n',
  );
});

void test('doctor takes the short flags of a cluster as the roles do', async () => {
  let seen: unknown;
  const doctor: CliContext['actions']['doctor'] = ({ config: { transport, store } }) => {
    seen = [transport.kind === 'kafka' && transport.brokers, store.kind === 'elasticsearch' && store.urls];
    return Promise.resolve([]);
  };
  const { code } = await runCommand('doctor --kafka a:1 --elasticsearch http://b:9200', {
    actions: { doctor },
  });
  assert.equal(code, 0);
  assert.deepEqual(seen, [['a:1'], ['http://b:9200']]);
});

void test('doctor ends with 1 when something must be mended', async () => {
  const findings = [
    { status: 'ok', check: 'node', text: '26', remedy: undefined },
    { status: 'fail', check: 'data', text: 'read-only', remedy: 'Choose another.' },
  ] as const;
  const { code, out } = await runCommand('doctor', { actions: { doctor: () => Promise.resolve(findings) } });
  assert.equal(code, 1);
  assert.equal(
    out,
    'ok    node  26\nfail  data  read-only\n            Choose another.\n\n1 ok, 0 to look at, 1 to mend\n',
  );
});

void test('check prints what is in effect and where it came from', async () => {
  const { code, out } = await runCommand('check --data /d', {
    environment: { LOGBOOM_SERVER_TOKEN: 's3cret' },
  });
  assert.equal(code, 0);
  assert.match(out, /^data: \/d # flag --data$/m);
  assert.match(out, /^ {2}token: \(secret\) # environment LOGBOOM_SERVER_TOKEN$/m);
  assert.match(out, /^ {2}listen: 127\.0\.0\.1:6411 # default$/m);
});

void test('completion names every command and its options', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await runCommand(`completion ${shell}`);
    for (const name of commandNames) assert.ok(out.includes(name), `${shell}: ${name}`);
    assert.ok(out.includes('since'), shell);
  }
});

void test('completion offers the values of options and commands', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await runCommand(`completion ${shell}`);
    assert.match(out, /ndjson csv parquet/, `${shell}: of an option of a command`);
    assert.match(out, /debug info warn error/, `${shell}: of an option of the table`);
    assert.match(out, /true false/, `${shell}: of a switch`);
    assert.match(out, /bash zsh fish/, `${shell}: of a command`);
    assert.match(out, /\bstatus\b/, `${shell}: of an argument that may be left out`);
    assert.ok(out.includes(commandNames.join(' ')), `${shell}: of help`);
  }
});

void test('import says what was new, whose times the lines have, and what could not be read', async () => {
  const seen: boolean[] = [];
  const importWith = async (result: Partial<ImportResult>, argv = 'import a.log b.log') => {
    const times = { fromLine: 0, fromImport: 0 };
    const base = {
      records: 1_200,
      alreadyThere: 0,
      bytes: 2_048,
      times,
      target: '/data',
      failed: [],
      incomplete: [],
    };
    return runCommand(argv, {
      actions: {
        importFiles: (options) => {
          seen.push(options.takesLineTimes);
          return Promise.resolve({ ...base, ...result });
        },
      },
    });
  };
  assert.equal((await importWith({})).out, 'imported 1,200 records (2.0 KiB) into /data\n');
  const times = { fromLine: 1_100, fromImport: 100 };
  assert.equal(
    (await importWith({ alreadyThere: 1_199, times })).out,
    'imported 1 record into /data, 1,199 were there already\n' +
      '1,100 have the times of their lines, 100 without a stamp have the time of the import\n',
  );
  const failed = [{ path: '/nope', reason: 'there is no such file' }];
  const nothing = await importWith({ records: 0, bytes: 0, failed }, 'import /nope --timestamps none');
  assert.deepEqual(
    [nothing.code, nothing.out, nothing.err],
    [111, '', 'logboom: cannot import /nope: there is no such file\n'],
  );
  const incomplete = [{ path: '/cut.gz', reason: 'it breaks off' }];
  const part = await importWith({ incomplete });
  assert.deepEqual(
    [part.code, part.err],
    [1, 'logboom: only a part of /cut.gz was imported: it breaks off\n'],
  );
  assert.match(part.out, /^imported 1,200 records/);
  assert.deepEqual(seen, [true, true, false, true]);
});
