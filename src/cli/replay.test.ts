import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLettersAnswer, ReplayProgress } from '../api/api-types.ts';
import { runCli } from './run-cli.ts';
import { fakeContext, type FakeOptions } from './testing/fake-context.ts';

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly body: unknown;
}

const GROUPS: DeadLettersAnswer = {
  letters: 1_200,
  discarded: 3,
  groups: [
    {
      id: '1f0c9a77d2',
      type: 'mapper_parsing_exception',
      index: 'logboom-shop-2026.11.23',
      reason: 'object mapping tried to parse as object',
      count: 1_200,
      first: '2026-11-23T04:30:00.000000001Z',
      last: '2026-11-23T05:30:00.000000001Z',
      example: { id: 'the-id', reason: 'object mapping tried to parse as object' },
    },
  ],
};

const TOTALS = { selected: 2, stored: 2, dropped: 0, refused: 0, isDone: true } satisfies ReplayProgress;

/** Runs a command line against a server that gives these answers, one after the other. */
async function run(line: string, answers: readonly (string | object)[], options: Partial<FakeOptions> = {}) {
  const asked: Asked[] = [];
  const context = fakeContext({
    ...options,
    answer(url, init) {
      const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
      const answer = answers[asked.length] ?? {};
      asked.push({ path: `${url.pathname}${url.search}`, method: init?.method ?? 'GET', body });
      return typeof answer === 'string' ? new Response(answer) : Response.json(answer);
    },
  });
  const code = await runCli(line.split(' '), context);
  return { code, out: context.written.stdout, err: context.written.stderr, asked };
}

test('replay lists dead letters by error and index, with a reason each', async () => {
  const { code, out, asked } = await run('replay', [GROUPS]);
  assert.equal(code, 0);
  assert.equal(asked[0]?.path, '/api/v1/dead-letters');
  assert.match(
    out,
    /1,200 +1f0c9a77d2 +mapper_parsing_exception +logboom-shop-2026\.11\.23 +2026-11-23T04:30:00Z/,
  );
  assert.match(out, /  1f0c9a77d2 {2}object mapping tried/);
  assert.match(out, /1,200 dead letters\. 3 earlier ones discarded or dropped\./);
  const none = await run('replay', [{ letters: 0, discarded: 0, groups: [] }]);
  assert.match(none.out, /^No dead letters/);
  assert.deepEqual(JSON.parse((await run('replay --json', [GROUPS])).out), GROUPS);
});

const LISTED = {
  id: 'a-1',
  group: '1f0c9a77d2',
  time: '2026-11-23T04:30:00.000000001Z',
  index: 'logs',
  error: { type: 'limits', reason: 'too\nmuch' },
  attempts: 1,
  fileId: 'a',
  offset: 1,
  source: null,
};

test('replay list prints the letters of a selection page by page, and replay show those of a group', async () => {
  const pages = [
    { letters: [LISTED], matched: 3, cursor: 'next page' },
    { letters: [{ ...LISTED, id: 'a-2' }], matched: 3, cursor: 'third' },
  ];
  const { out, asked } = await run('replay list --query level:error --limit 2', pages);
  assert.deepEqual(
    asked.map(({ path }) => path),
    [
      '/api/v1/dead-letters/list?query=level%3Aerror&limit=2',
      '/api/v1/dead-letters/list?query=level%3Aerror&cursor=next+page&limit=1',
    ],
  );
  assert.match(out, /a-1 +1f0c9a77d2 +2026-11-23T04:30:00Z +logs +too much\n/);
  assert.match(out, /a-2 [^\n]*\n3 fit: see more with --limit\.\n$/);
  const last = { letters: [LISTED], matched: 1, cursor: null };
  const group = await run('replay show 1f0c9a77d2 --json', [last]);
  assert.equal(group.asked[0]?.path, '/api/v1/dead-letters/list?group=1f0c9a77d2&limit=100');
  assert.deepEqual(JSON.parse(group.out), LISTED);
  assert.doesNotMatch((await run('replay list', [last])).out, /--limit/);
  const none = await run('replay list', [{ letters: [], matched: 0, cursor: null }]);
  assert.equal(none.out, 'No dead letter fits.\n');
});

test('replay show prints the document as it was delivered', async () => {
  const letter = {
    id: 'a/b',
    time: '2026-11-23T04:30:00.000000000Z',
    index: null,
    error: { type: 'not_json', reason: 'no object' },
    attempts: 2,
    fileId: 'a'.repeat(20),
    offset: 7,
    source: { topic: 'logs', partition: 3, offset: '17' },
    document: '{"message":"x"}',
  };
  const { out, asked } = await run('replay show a/b', [letter]);
  assert.equal(asked[0]?.path, '/api/v1/dead-letters/letters/a%2Fb');
  assert.match(
    out,
    /error +not_json: no object\n[^]*from +logs, partition 3, offset 17\n\n\{"message":"x"\}\n$/,
  );
});

test('replay run sends what is meant, tells the outcome, and ends with 1 when something is refused again', async () => {
  const progress = [{ ...TOTALS, isDone: false }, TOTALS].map((line) => `${JSON.stringify(line)}\n`).join('');
  const good = await run('replay run --type limits --index logs-1', [progress]);
  assert.equal(good.code, 0);
  assert.deepEqual(good.asked[0], {
    path: '/api/v1/dead-letters/replay',
    method: 'POST',
    body: { type: 'limits', index: 'logs-1', isDryRun: false },
  });
  assert.match(good.out, /^2 dead letters replayed: 2 stored\.\n$/);
  const chosen = await run('replay run --group 1f0c9a77d2 --query error', [progress]);
  assert.deepEqual(chosen.asked[0]?.body, { group: '1f0c9a77d2', query: 'error', isDryRun: false });
  const example = { id: 'the-id', type: 'limits', reason: 'too much' };
  const refused = JSON.stringify({ ...TOTALS, stored: 1, refused: 1, example });
  const bad = await run('replay run --all', [`${refused}\n`]);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /1 stored, 1 refused again\.\n {2}the-id: limits: too much/);
  const dry = await run('replay run --id one --id two --dry-run', [`${JSON.stringify(TOTALS)}\n`]);
  assert.deepEqual(dry.asked[0]?.body, { ids: ['one', 'two'], isDryRun: true });
  assert.match(dry.out, /^2 documents would be sent, 0 dropped by pipelines\.\n$/);
});

test('a replay that breaks off says how far it came and why', async () => {
  const error = { code: 'unreachable', message: 'cannot reach http://127.0.0.1:9200', hint: 'Start it.' };
  const { code, err } = await run('replay run --all', [
    `${JSON.stringify({ ...TOTALS, stored: 1, error })}\n`,
  ]);
  assert.equal(code, 111);
  assert.match(
    err,
    /cannot go on replaying after 1: cannot reach http:\/\/127\.0\.0\.1:9200\n {2}Start it\./,
  );
  const cut = await run('replay run --all', ['']);
  assert.equal(cut.code, 111);
  assert.match(cut.err, /nothing is stored twice/);
});

test('discarding asks first, and cannot ask without a terminal', async () => {
  const refusedToAsk = await run('replay discard --all', []);
  assert.equal(refusedToAsk.code, 100);
  assert.match(refusedToAsk.err, /--yes: discarding must be confirmed/);
  const no = await run('replay discard --all', [], { confirm: () => Promise.resolve(false) });
  assert.deepEqual([no.asked.length, no.err], [0, 'Nothing was discarded.\n']);
  const yes = await run('replay discard --all', [{ discarded: 2 }], { confirm: () => Promise.resolve(true) });
  assert.match(yes.out, /^Discarded 2 dead letters\.\n$/);
  const forced = await run('replay discard --type limits --yes --json', [{ discarded: 1 }]);
  assert.equal(forced.out, '{"discarded":1}\n');
});

test('a replay of nothing in particular is a mistake that says what to give', async () => {
  for (const action of ['run', 'discard --yes']) {
    const { code, err } = await run(`replay ${action}`, []);
    assert.equal(code, 100);
    assert.match(err, /--all: nothing says which dead letters are meant\n {2}Narrow them with/);
  }
});
