import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import type { Query } from '../../../query/ast.ts';
import { EngineClient } from '../engine/engine-client.ts';
import { exportEngine } from './engine-export.ts';
import { histogramOfEngine } from './engine-histogram.ts';
import { searchEngine } from './engine-search.ts';
import type { HttpAnswer, HttpRequest } from '../engine/http-connection.ts';

const SIGNAL = new AbortController().signal;
const RANGE = { startNs: 1_795_406_400_000_000_000n, endNs: 1_795_410_000_000_000_000n };
const TEXT: Query = { kind: 'text', pattern: { pieces: ['not exact'] } };
const EVERYTHING: Query = { kind: 'all' };

interface SentSearch {
  readonly path: string;
  readonly body: string;
}

/** An engine that gives one answer after the other, and remembers what it was asked. */
function playEngine(answers: readonly (string | HttpAnswer)[]): {
  readonly client: EngineClient;
  readonly sent: SentSearch[];
} {
  const sent: SentSearch[] = [];
  const rest = [...answers];
  const send = ({ path, body }: HttpRequest): Promise<HttpAnswer> => {
    sent.push({ path, body: typeof body === 'string' ? body : '' });
    const answer = rest.shift();
    assert.ok(answer !== undefined, `not expected: ${path}`);
    return Promise.resolve(typeof answer === 'string' ? { status: 200, headers: {}, text: answer } : answer);
  };
  const config = {
    urls: ['http://engine:9200'],
    auth: { kind: 'none' },
    bulk: { bytesMax: 1 << 20, inFlightMax: 1, compression: 'none' },
  } as const;
  const connect = () => ({ send, close: () => Promise.resolve() });
  return { client: new EngineClient({ config, connect, nowMs: () => 0 }), sent };
}

function hitOf(index: number, message: string): string {
  const source = `{"message":"${message}","n":${index},"_logboom":{"file":"f"}}`;
  return `{"_source":${source},"sort":[${RANGE.startNs + BigInt(index)},"f",0,${index}]}`;
}

function answerOf(hits: readonly string[], more = ''): string {
  return `{"timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"hits":[${hits.join(',')}]}${more}}`;
}

function errorOf(status: number, type: string): HttpAnswer {
  return { status, headers: {}, text: JSON.stringify({ error: { type, reason: 'because' }, status }) };
}

const REQUEST = { query: TEXT, range: RANGE, order: 'asc', limit: 2, after: undefined } as const;

test('what the engine cannot decide is decided here, page by page until the limit', async () => {
  const full = Array.from({ length: 3 }, (_, index) =>
    hitOf(index, index === 1 ? 'not exact' : 'not, exact'),
  );
  const { client, sent } = playEngine([
    answerOf(full),
    answerOf([hitOf(3, 'is NOT EXACT, is it'), hitOf(4, 'exact not')]),
  ]);
  const page = await searchEngine({ client, indices: 'logs' }, REQUEST, SIGNAL);
  assert.deepEqual(page.documents, [
    '{"message":"not exact","n":1}',
    '{"message":"is NOT EXACT, is it","n":3}',
  ]);
  assert.equal(page.next, undefined);
  assert.match(sent[1]?.body ?? '', /"search_after":\[1795406400000000002,"f",0,2\]\}$/);
});

test('a record that stands in two indices is shown once, also at the border of pages', async () => {
  const request = { ...REQUEST, query: EVERYTHING, limit: 2 };
  const { client } = playEngine([
    answerOf([]),
    answerOf([hitOf(0, 'a'), hitOf(0, 'a'), hitOf(1, 'b')]),
    answerOf([hitOf(1, 'b')]),
    answerOf([]),
  ]);
  const { documents } = await searchEngine({ client, indices: 'logs' }, request, SIGNAL);
  assert.deepEqual(documents, ['{"message":"a","n":0}', '{"message":"b","n":1}']);
});

test('where the engine refuses a query, everything is read instead', async () => {
  const { client, sent } = playEngine([
    errorOf(400, 'too_complex_to_determinize_exception'),
    answerOf([]),
    answerOf([hitOf(0, 'a'), hitOf(1, 'not exact')]),
  ]);
  const { documents } = await searchEngine({ client, indices: 'logs' }, REQUEST, SIGNAL);
  assert.deepEqual(documents, ['{"message":"not exact","n":1}']);
  assert.match(sent[0]?.body ?? '', /wildcard/);
  assert.doesNotMatch(sent[2]?.body ?? '', /wildcard/);
});

test('an answer that is late, refused, or not whole is an error, never a shorter one', async () => {
  const failed = '{"_shards":{"total":3,"failed":1},"hits":{"hits":[]}}';
  const cases: [string | HttpAnswer, string][] = [
    [failed, 'unreachable'],
    [answerOf([]).replace('"timed_out":false', '"timed_out":true'), 'unreachable'],
    [errorOf(503, 'search_phase_execution_exception'), 'unreachable'],
    [errorOf(504, 'timeout'), 'timed_out'],
    [errorOf(500, 'null_pointer_exception'), 'unreachable'],
    [errorOf(429, 'es_rejected_execution_exception'), 'too_busy'],
    [errorOf(401, 'security_exception'), 'unauthorized'],
    [errorOf(403, 'security_exception'), 'permission_denied'],
  ];
  for (const [answer, code] of cases) {
    for (const ask of [searchEngine, histogramOfEngine] as const) {
      const { client } = playEngine([answer]);
      const request = { ...REQUEST, query: EVERYTHING, bucketCount: 3, by: undefined };
      await assert.rejects(
        ask({ client, indices: 'logs' }, request, SIGNAL),
        (error) => error instanceof AppError && error.code === code,
        `${JSON.stringify(answer)} ${code}`,
      );
    }
  }
});

test('a search beside the creation of an index waits for its shards, and not for ones that are lost', async () => {
  const missing = errorOf(503, 'search_phase_execution_exception');
  const { client, sent } = playEngine([missing, '{"status":"green"}', answerOf([hitOf(0, 'not exact')])]);
  const { documents } = await searchEngine({ client, indices: 'logs' }, REQUEST, SIGNAL);
  assert.deepEqual(documents, ['{"message":"not exact","n":0}']);
  assert.match(sent[1]?.path ?? '', /^\/_cluster\/health\/logs\?wait_for_status=yellow&timeout=5s/);
  const lost = playEngine([missing, { status: 408, headers: {}, text: '{"timed_out":true}' }]);
  await assert.rejects(
    searchEngine({ client: lost.client, indices: 'logs' }, REQUEST, SIGNAL),
    (error) => error instanceof AppError && error.code === 'unreachable',
  );
});

test('an export whose point in time is forgotten goes on behind its last record', async () => {
  const hits = Array.from({ length: 128 }, (_, index) => hitOf(index, 'm'));
  const { client, sent } = playEngine([
    answerOf([]),
    '{"pit_id":"p1","_shards":{"total":1,"failed":0}}',
    answerOf([], ',"pit_id":"p1"'),
    answerOf(hits, ',"pit_id":"p2"'),
    errorOf(404, 'search_context_missing_exception'),
    '{}',
    answerOf([]),
    '{"pit_id":"p3","_shards":{"total":1,"failed":0}}',
    answerOf([], ',"pit_id":"p3"'),
    answerOf([hitOf(128, 'm')], ',"pit_id":"p3"'),
    '{}',
  ]);
  const engine = { client, indices: 'logs', pointInTime: '_search/point_in_time' } as const;
  let text = '';
  for await (const block of exportEngine(engine, { query: EVERYTHING, range: RANGE }, SIGNAL))
    text += new TextDecoder().decode(block);
  assert.equal(text, Array.from({ length: 129 }, (_, index) => `{"message":"m","n":${index}}\n`).join(''));
  assert.match(sent[4]?.body ?? '', /"pit":\{"id":"p2","keep_alive":"5m"\}/);
  assert.match(sent[9]?.body ?? '', /"search_after":\[\d+,"f",0,127\]/);
  assert.deepEqual(
    sent.map(({ path }) => path.split('?')[0]),
    [
      '/logs/_search',
      '/logs/_search/point_in_time',
      '/_search',
      '/_search',
      '/_search',
      '/_search/point_in_time',
      '/logs/_search',
      '/logs/_search/point_in_time',
      '/_search',
      '/_search',
      '/_search/point_in_time',
    ],
  );
});

test('an export that is given up half-way frees its point in time', async () => {
  const hits = Array.from({ length: 128 }, (_, index) => hitOf(index, 'm'));
  const { client, sent } = playEngine([answerOf([]), '{"id":"p1"}', answerOf([]), answerOf(hits), '{}']);
  const engine = { client, indices: 'logs', pointInTime: '_pit' } as const;
  for await (const block of exportEngine(engine, { query: EVERYTHING, range: RANGE }, SIGNAL)) {
    assert.ok(block.length > 0);
    break;
  }
  assert.deepEqual(sent.at(-1), { path: '/_pit', body: '{"id":"p1"}' });
});
