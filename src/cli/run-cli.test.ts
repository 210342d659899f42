import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BugError } from '../base/assert.ts';
import type { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { AppError, ConfigError } from '../base/errors.ts';
import type { AgentStatus, AuditAnswer, SearchAnswer } from '../api/api-types.ts';
import type { CliContext, Explanation, ImportResult, RunOptions } from './context.ts';
import { buildProgram } from './program.ts';
import { runCli } from './run-cli.ts';
import { fakeContext } from './testing/fake-context.ts';
import type { FakeContext, FakeOptions } from './testing/fake-context.ts';

const goldenDirectory = path.join(import.meta.dirname, '../../test/testdata/help');

async function run(
  commandLine: string | readonly string[],
  options: FakeOptions = {},
): Promise<{ code: number; out: string; err: string; context: FakeContext }> {
  const context = fakeContext(options);
  const argv = typeof commandLine === 'string' ? commandLine.split(' ').filter(Boolean) : commandLine;
  const code = await runCli(argv, context);
  return { code, out: context.written.stdout, err: context.written.stderr, context };
}

function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

const commandNames = buildProgram(fakeContext(), () => undefined).commands.map((command) => command.name());

for (const name of ['', ...commandNames]) {
  void test(`help of ${name === '' ? 'the program' : name} is what is written down`, async () => {
    const { code, out } = await run(`${name} --help`);
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
    ['rotate now', /ACTION: got "now", expected status/],
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
    const { code, err } = await run(commandLine);
    assert.equal(code, 100, commandLine);
    assert.match(err, message);
    assert.match(err, /^logboom: /);
    assert.doesNotMatch(err, /\n {4}at /);
  }
});

void test('a configuration with several mistakes tells all of them', async () => {
  const { code, err } = await run('up --config bad.yaml', {
    files: { '/work-dir/bad.yaml': 'servre: {}\nagent: { rescanMs: soon }\n' },
  });
  assert.equal(code, 100);
  assert.match(err, /bad\.yaml:1:1: servre: is no option\n {2}Did you mean server\?/);
  assert.match(err, /bad\.yaml:2:20: agent\.rescanMs: got "soon", expected a duration/);
});

void test('an unreachable server ends with 111 and names the address and logboom up', async () => {
  for (const commandLine of ['search x', 'stats', 'tail x', 'export']) {
    const { code, err } = await run(commandLine);
    assert.equal(code, 111, commandLine);
    assert.match(err, /cannot reach a Logboom server at http:\/\/127\.0\.0\.1:6410 \(connect ECONNREFUSED/);
    assert.match(err, /logboom up/);
  }
});

void test('audit cannot tell when the server is away: 2', async () => {
  const { code, err } = await run('audit');
  assert.equal(code, 2);
  assert.match(err, /cannot reach a Logboom server/);
});

void test('explain ends with 1 when a file is not collected', async () => {
  for (const isCollected of [true, false]) {
    const explain = (): Promise<Explanation> => Promise.resolve({ lines: ['why'], json: {}, isCollected });
    const { code, out } = await run('explain /x.log', { actions: { explain } });
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
    const { code, err } = await run('up', { actions: { up: () => Promise.reject(error) } });
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
  await run('up --demo --listen 127.0.0.1:1 --data d', { actions });
  await run('agent --listen 127.0.0.1:2 --server logs:6410 --token t', { actions });
  await run('server --listen 127.0.0.1:3', { actions });
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

const DOCUMENT = {
  '@timestamp': '2026-11-23T04:30:00.123456789Z',
  message: 'card declined',
  log: { level: 'error', file: { path: '/x/0.log' } },
  kubernetes: { namespace: 'shop', pod: { name: 'cart-0' } },
};

void test('search prints the newest records, oldest of them first, page by page', async () => {
  const urls: URL[] = [];
  const answer = (url: URL): Response => {
    urls.push(url);
    const isFirst = url.searchParams.get('cursor') === null;
    const times = isFirst ? ['03', '02'] : ['01'];
    const records = times.map((second) => ({
      ...DOCUMENT,
      '@timestamp': `2026-11-23T04:30:${second}.000000000Z`,
    }));
    return json({ records, cursor: isFirst ? 'next' : null } satisfies SearchAnswer);
  };
  const { out, code } = await run(['search', 'card', 'declined', '--limit', '5', '--since', '15m'], {
    answer,
  });
  assert.equal(code, 0);
  assert.deepEqual(
    out.split('\n').map((line) => line.slice(17, 19)),
    ['01', '02', '03', ''],
  );
  assert.match(out, /^2026-11-23T04:30:01\.000Z error shop\/cart-0 {2}card declined\n/);
  assert.equal(urls[0]?.pathname, '/api/v1/search');
  assert.deepEqual(Object.fromEntries(urls[0]?.searchParams ?? []), {
    query: 'card declined',
    start: 'now-15m',
    limit: '5',
    order: 'desc',
  });
  assert.equal(urls[1]?.searchParams.get('limit'), '3');
});

void test('search tells a person of a query without effect and of no records, and a script nothing', async () => {
  const answer = () => json({ records: [], cursor: null });
  const person = await run(['search', 'level:error', 'and', '('], { answer, isTerminal: true });
  assert.match(person.err, /^note: .*\nNo records since 1h\.\n$/s);
  const script = await run(['search', 'level:error', 'and', '('], { answer });
  assert.deepEqual([person.out, script.out, script.err], ['', '', '']);
});

void test('search --json prints one document per line as the server has it', async () => {
  const { out } = await run('search --json', { answer: () => json({ records: [DOCUMENT], cursor: null }) });
  assert.equal(out, `${JSON.stringify(DOCUMENT)}\n`);
  const exact = '{"message":"m","fields":{"id":12345678901234567890,"huge":1e400}}';
  const answer = (): Response => new Response(`{"records":[${exact}],"cursor":null}`);
  assert.equal((await run('search --json', { answer })).out, `${exact}\n`);
});

void test('the token goes along, and a refusal says how to give one', async () => {
  let header: string | null = null;
  const answer = (_url: URL, init: RequestInit | undefined): Response => {
    header = new Headers(init?.headers).get('authorization');
    return json({ error: { code: 'unauthorized', message: 'no' } }, 401);
  };
  const { code, err } = await run('stats', { answer, environment: { LOGBOOM_TOKEN: 'sesame' } });
  assert.equal(header, 'Bearer sesame');
  assert.equal(code, 111);
  assert.match(err, /it wants a token\n {2}Give its server\.token with --token or LOGBOOM_TOKEN/);
});

void test('a query that the server cannot read is the mistake of the person: 100', async () => {
  const body = {
    error: { code: 'bad_request', message: 'cannot read the regex at 3', hint: 'Close the bracket.' },
  };
  const { code, err } = await run(['search', '/(/'], { answer: () => json(body, 400) });
  assert.equal(code, 100);
  assert.equal(err, 'logboom: cannot read the regex at 3\n  Close the bracket.\n');
});

void test('something else that listens at the address is told apart', async () => {
  const { code, err } = await run('stats', { answer: () => new Response('<html>', { status: 500 }) });
  assert.equal(code, 111);
  assert.match(err, /Is a Logboom server listening there\?/);
});

void test('export streams what comes, to standard output or a file', async () => {
  const answer = (): Response => new Response('{"a":1}\n{"a":2}\n');
  assert.equal((await run('export', { answer })).out, '{"a":1}\n{"a":2}\n');
  const { context, out } = await run('export --output /out.ndjson', { answer, files: { '/keep': '' } });
  assert.equal(out, '');
  assert.equal(
    new TextDecoder().decode(context.memoryFileSystem.readFile('/out.ndjson')),
    '{"a":1}\n{"a":2}\n',
  );
});

function auditAnswer(verdict: AuditAnswer['verdict'], missing: number): AuditAnswer {
  const figures = {
    files: 1,
    bytesWritten: 2048,
    records: 1000,
    lagBytes: verdict === 'unknown' ? 512 : 0,
    unfinishedBytes: 0,
    missing,
    twice: 0,
    droppedByPipeline: 0,
    deadLettered: 0,
    expired: 0,
    expiredEarly: 0,
    droppedBytes: {},
    flaws: {},
    possibleLoss: 0,
    possibleLossBytes: 0,
    possibleLossUnsized: 0,
  };
  const row = { ...figures, namespace: 'shop', pod: 'cart-0', container: 'cart', verdict };
  const problem = { fileId: 'f', path: '/x/0.log', verdict, reason: `${missing} records are missing` };
  const problems = verdict === 'accounted' ? [] : [problem];
  const withoutAgent = { files: 0, records: 0, droppedByPipeline: 0, deadLettered: 0, expired: 0 };
  const agents = { running: 0, silent: [], stopped: [] };
  const problemCount = problems.length;
  return { ...figures, verdict, rows: [row], withoutAgent, toldAt: null, agents, problems, problemCount };
}

void test('audit prints a table and ends with 0, 1 or 2 by the verdict', async () => {
  const accounted = await run('audit', { answer: () => json(auditAnswer('accounted', 0)) });
  assert.equal(accounted.code, 0);
  assert.match(accounted.out, /^NAMESPACE {2}POD {5}CONTAINER {2}FILES {2}WRITTEN/);
  assert.match(accounted.out, /All accounted for: 1,000 records of 1 file, 0 missing, 0 twice\.\n$/);
  const discrepancy = await run('audit', { answer: () => json(auditAnswer('discrepancy', 3)) });
  assert.equal(discrepancy.code, 1);
  assert.match(discrepancy.out, /\/x\/0\.log: 3 records are missing/);
  const unknown = await run('audit --wait 0', { answer: () => json(auditAnswer('unknown', 0)) });
  assert.equal(unknown.code, 2);
  assert.match(unknown.out, /Cannot tell yet: [^]*512 B not delivered/);
});

void test('audit says in words what is open and what may be lost', async () => {
  const answer = auditAnswer('accounted', 0);
  const half = await run('audit', { answer: () => json({ ...answer, lagBytes: 4, unfinishedBytes: 4 }) });
  assert.equal(half.code, 0);
  assert.match(half.out, /0 twice\. 4 bytes of unfinished lines wait for their ends\.\n$/);
  const lossOf = async (loss: Partial<AuditAnswer>): Promise<string> =>
    (await run('audit', { answer: () => json({ ...answer, ...loss }) })).out.split('\n').at(-2) ?? '';
  assert.match(
    await lossOf({ possibleLoss: 1, possibleLossUnsized: 1 }),
    / lost in 1 place \(an unknown number of bytes\)\.$/,
  );
  assert.match(
    await lossOf({ possibleLoss: 3, possibleLossBytes: 15, possibleLossUnsized: 1 }),
    / lost in 3 places \(15 B and an unknown number of bytes\)\.$/,
  );
  assert.match(await lossOf({ possibleLoss: 2, possibleLossBytes: 15 }), / in 2 places \(15 B\)\.$/);
  const withoutAgent = { files: 1, records: 1_200, droppedByPipeline: 4, deadLettered: 2, expired: 3 };
  const { out } = await run('audit', { answer: () => json({ ...answer, withoutAgent }) });
  assert.match(out, /^\(without an agent\) +1 +1,200 +4 +2 +3$/m);
  assert.match(out, / The store refused 2 records: see `logboom replay`\.\n$/);
  // An earlier server says less of them.
  const less = { ...answer, withoutAgent: { files: 1, records: 1_200 } };
  const { out: earlier } = await run('audit', { answer: () => json(less) });
  assert.match(earlier, /^\(without an agent\) +1 +1,200 +0 +0 +0$/m);
  const early = { ...answer, expired: 9, expiredEarly: 7 };
  const { out: warned } = await run('audit', { answer: () => json(early) });
  assert.match(warned, /0 twice\.\nWarning: 7 records stood in indices that somebody deleted before/);
  const elsewhere = { ...answer, toldAt: '2026-11-23T04:30:00.123456789Z' };
  const { out: told } = await run('audit', { answer: () => json(elsewhere) });
  assert.match(told, /0 twice\.\nAgents elsewhere: what they had said by 2026-11-23T04:30:00Z\.\n$/);
});

const AGENT: AgentStatus = {
  node: 'node-7',
  cluster: 'c',
  version: '1.0.0',
  state: 'silent',
  saidAt: '2026-11-23T04:30:00.123456789Z',
  files: 2,
  unreadBytes: 1_024,
  unacknowledgedBytes: 0,
  oldestUnread: null,
};

void test('audit cannot tell while an agent is silent, does not wait for it, and says what helps', async () => {
  const reason = 'agent of node node-7 silent since 2026-11-23T04:30:00Z: 1,024 bytes undelivered then';
  const problem = { fileId: '', path: null, verdict: 'unknown' as const, reason };
  const stopped = [{ ...AGENT, node: 'node-8', state: 'stopped' as const }];
  const agents = { running: 3, silent: [AGENT], stopped };
  const answer = { ...auditAnswer('unknown', 0), lagBytes: 0, agents, problems: [problem], problemCount: 1 };
  const { code, out } = await run('audit', { answer: () => json(answer) });
  assert.equal(code, 2);
  assert.match(
    out,
    /\n {2}agent of node node-7 silent since 2026-11-23T04:30:00Z: 1,024 bytes undelivered then\n/,
  );
  assert.match(out, /Cannot tell yet: [^\n]* 1 agent is silent\.\n/);
  assert.match(
    out,
    /\nThe agent of node node-8 stopped in good order at 2026-11-23T04:30:00Z: what was written/,
  );
  assert.match(out, /logboom audit forget NODE/);
});

void test('audit of an earlier server, which says less, is printed all the same', async () => {
  const {
    toldAt: _told,
    agents: _agents,
    withoutAgent: _without,
    deadLettered: _dead,
    expiredEarly: _early,
    ...figures
  } = auditAnswer('accounted', 0);
  const rows = figures.rows.map(({ deadLettered: _deadRow, ...row }) => row);
  const { code, out } = await run('audit', { answer: () => json({ ...figures, rows }) });
  assert.equal(code, 0);
  assert.match(out, /All accounted for: 1,000 records of 1 file, 0 missing, 0 twice\.\n$/);
});

void test('an agent is forgotten only when somebody is sure', async () => {
  const bodies: unknown[] = [];
  const answer: FakeOptions['answer'] = (url, init) => {
    bodies.push([url.pathname, typeof init?.body === 'string' && (JSON.parse(init.body) as unknown)]);
    return json({ forgotten: 1 });
  };
  const unsure = await run('audit forget node-7', { answer });
  assert.equal(unsure.code, 100);
  assert.match(unsure.err, /--yes: forgetting must be confirmed/);
  const no = await run('audit forget node-7', { answer, confirm: () => Promise.resolve(false) });
  assert.deepEqual([no.code, no.err, bodies.length], [0, 'Nothing was forgotten.\n', 0]);
  const yes = await run('audit forget node-7 --yes', { answer });
  assert.equal(yes.out, 'Forgot 1 agent of node node-7.\n');
  assert.deepEqual(bodies, [['/api/v1/agents/forget', { node: 'node-7' }]]);
});

void test('stats lists the agents that were heard of, silent ones too', async () => {
  const stats = {
    version: '1.0.0',
    uptimeSeconds: 1,
    records: 0,
    bytesOnDisk: 0,
    oldest: null,
    newest: null,
    namespaces: [],
    quarantined: [],
    tails: 0,
  };
  const answer = (body: object) => (url: URL) =>
    json(url.pathname.endsWith('/stats') ? body : { sources: [] });
  const { out } = await run('stats', { answer: answer({ ...stats, agents: [AGENT] }) });
  assert.match(out, /node-7 +silent +2026-11-23T04:30:00Z +2 +1\.0 KiB +0 B +1\.0\.0\n$/);
  const earlier = await run('stats', { answer: answer(stats) });
  assert.deepEqual([earlier.code, earlier.out.includes('AGENT')], [0, false]);
});

void test('audit lets the server look again for as long as it was told to wait, and then gives up', async () => {
  const waits: (string | null)[] = [];
  const context = fakeContext({
    answer: (url, init) => {
      waits.push(url.searchParams.get('waitMs'));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    },
  });
  let code: number | undefined;
  void runCli(['audit', '--wait', '2s'], context).then((value) => (code = value));
  const scheduler = context.scheduler as VirtualScheduler;
  assert.ok(await scheduler.advanceUntil(() => code !== undefined, 30_000, 1_000));
  assert.deepEqual([code, waits], [2, ['2000']]);
  assert.match(context.written.stderr, /cannot get an audit of .* in time\n {2}Wait longer with --wait/);
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
  const { code, out } = await run('test', { actions: { testPipelines: () => Promise.resolve(outcomes) } });
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
  const { code } = await run('doctor --kafka a:1 --elasticsearch http://b:9200', { actions: { doctor } });
  assert.equal(code, 0);
  assert.deepEqual(seen, [['a:1'], ['http://b:9200']]);
});

void test('doctor ends with 1 when something must be mended', async () => {
  const findings = [
    { status: 'ok', check: 'node', text: '26', remedy: undefined },
    { status: 'fail', check: 'data', text: 'read-only', remedy: 'Choose another.' },
  ] as const;
  const { code, out } = await run('doctor', { actions: { doctor: () => Promise.resolve(findings) } });
  assert.equal(code, 1);
  assert.equal(
    out,
    'ok    node  26\nfail  data  read-only\n            Choose another.\n\n1 ok, 0 to look at, 1 to mend\n',
  );
});

void test('check prints what is in effect and where it came from', async () => {
  const { code, out } = await run('check --data /d', { environment: { LOGBOOM_SERVER_TOKEN: 's3cret' } });
  assert.equal(code, 0);
  assert.match(out, /^data: \/d # flag --data$/m);
  assert.match(out, /^ {2}token: \(secret\) # environment LOGBOOM_SERVER_TOKEN$/m);
  assert.match(out, /^ {2}listen: 127\.0\.0\.1:6411 # default$/m);
});

void test('completion names every command and its options', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await run(`completion ${shell}`);
    for (const name of commandNames) assert.ok(out.includes(name), `${shell}: ${name}`);
    assert.ok(out.includes('since'), shell);
  }
});

void test('completion offers the values of options and commands', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await run(`completion ${shell}`);
    assert.match(out, /ndjson csv parquet/, `${shell}: of an option of a command`);
    assert.match(out, /debug info warn error/, `${shell}: of an option of the table`);
    assert.match(out, /true false/, `${shell}: of a switch`);
    assert.match(out, /bash zsh fish/, `${shell}: of a command`);
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
    return run(argv, {
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
