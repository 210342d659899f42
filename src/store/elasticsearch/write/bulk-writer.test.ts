import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../../../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../../../telemetry/memory-telemetry.ts';
import { BulkGate } from './bulk-gate.ts';
import { BulkLimitState } from './bulk-limit-state.ts';
import type { BulkPayload } from './bulk-payload.ts';
import { payloadOf } from './bulk-payload.ts';
import type { Delivered } from './bulk-writer.ts';
import { BulkWriter } from './bulk-writer.ts';
import { EngineClient } from '../engine/engine-client.ts';
import { WaitBoard } from './wait-board.ts';

const SIGNAL = new AbortController().signal;

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** What the engine answers to a request with these documents; an error when it does not. */
type Answer = (ids: readonly string[], attempt: number) => Answered | Error;

interface Writing {
  readonly delivered: Promise<Delivered>;
  readonly board: WaitBoard;
  readonly telemetry: MemoryTelemetry;
  readonly scheduler: VirtualScheduler;
  readonly requests: string[][];
  readonly created: string[];
}

function write(ids: readonly string[], answer: Answer, signal = SIGNAL): Writing {
  const scheduler = new VirtualScheduler();
  const telemetry = new MemoryTelemetry();
  const requests: string[][] = [];
  const created: string[] = [];
  const client = new EngineClient({
    config: {
      urls: ['http://one:9200'],
      auth: { kind: 'none' },
      bulk: { bytesMax: 1, inFlightMax: 4, compression: 'none' },
    },
    connect: () => ({
      send({ path, body }) {
        if (!path.startsWith('/_bulk')) return Promise.resolve({ status: 200, headers: {}, text: '{}' });
        const asked = [...String(Buffer.from(body ?? '')).matchAll(/"_id":"(\w+)"/g)].map(
          ([, id = '']) => id,
        );
        requests.push(asked);
        const answered = answer(asked, requests.length);
        return answered instanceof Error
          ? Promise.reject(answered)
          : Promise.resolve({ headers: {}, ...answered });
      },
      close: () => Promise.resolve(),
    }),
    nowMs: () => scheduler.monotonicMs(),
  });
  const board = new WaitBoard(scheduler, telemetry);
  const gate = new BulkGate(new BulkLimitState(4));
  const createIndex = (name: string): Promise<void> => Promise.resolve(void created.push(name));
  const writer = new BulkWriter({ client, gate, board, scheduler, telemetry, createIndex });
  return {
    delivered: writer.deliver(requestOf(ids), signal),
    board,
    telemetry,
    scheduler,
    requests,
    created,
  };
}

function requestOf(ids: readonly string[]): BulkPayload {
  let at = 0;
  const lines = ids.map((id) => `{"create":{"_index":"logs","_id":"${id}"}}\n{"message":"${id}"}\n`);
  const items = ids.map((id, documentIndex) => {
    const start = at;
    at += lines[documentIndex]?.length ?? 0;
    return {
      batchIndex: 0,
      documentIndex,
      index: 'logs',
      id,
      timeMs: 0,
      usualIndex: undefined,
      start,
      end: at,
    };
  });
  return payloadOf(Buffer.from(lines.join('')), items);
}

function verdicts(ids: readonly string[], statusOf: (id: string) => number, type = 'some_error'): Answered {
  const items = ids.map((id) => {
    const status = statusOf(id);
    return { create: status < 300 ? { status } : { status, error: { type, reason: `about ${id}` } } };
  });
  const errors = items.some(({ create }) => create.status > 299);
  return { status: 200, text: JSON.stringify({ errors, items }) };
}

/** Lets virtual time pass until the delivery has ended. */
async function finish({ delivered, scheduler }: Writing): Promise<Delivered> {
  let isDone = false;
  const done = delivered.finally(() => (isDone = true));
  for (let round = 0; round < 2_000 && !isDone; round += 1) {
    await new Promise((resolve) => void setImmediate(resolve));
    await scheduler.advance(500);
  }
  assert.ok(isDone, 'the delivery ends');
  return done;
}

const refusedIds = ({ rejected }: Delivered): string[] =>
  rejected.map(({ item, error }) => `${item.id}: ${error.type}`).toSorted();

void test('only the documents that wait are sent again', async () => {
  const writing = write(['a', 'b', 'c'], (ids, attempt) =>
    verdicts(ids, (id) => (id === 'b' && attempt < 3 ? 503 : id === 'c' ? 409 : 201)),
  );
  const delivered = await finish(writing);
  assert.deepEqual([delivered.created, delivered.duplicates, delivered.rejected], [2, 1, []]);
  assert.deepEqual(writing.requests, [['a', 'b', 'c'], ['b'], ['b']]);
  assert.equal(writing.board.problem(), undefined);
});

void test('a missing index is created, and its documents are sent again', async () => {
  const writing = write(['a', 'b'], (ids, attempt) =>
    verdicts(ids, () => (attempt === 1 ? 404 : 201), 'index_not_found_exception'),
  );
  assert.equal((await finish(writing)).created, 2);
  assert.deepEqual(writing.created, ['logs']);
});

void test('a document that fails inside the engine again and again is given up once others pass', async () => {
  const writing = write(['a', 'poison'], (ids) => verdicts(ids, (id) => (id === 'poison' ? 500 : 201)));
  assert.deepEqual(refusedIds(await finish(writing)), ['poison: engine_failure']);
  assert.equal(writing.requests.length, 8);
});

void test('an engine that fails at everything is waited for', async () => {
  const writing = write(['a'], (ids, attempt) => verdicts(ids, () => (attempt < 40 ? 500 : 201)));
  assert.equal((await finish(writing)).created, 1);
});

void test('a request that is too large is halved until the one to blame stands alone', async () => {
  const writing = write(['a', 'b', 'huge', 'd', 'e'], (ids) =>
    ids.includes('huge') ? { status: 413, text: '' } : verdicts(ids, () => 201),
  );
  const delivered = await finish(writing);
  assert.equal(delivered.created, 4);
  assert.deepEqual(refusedIds(delivered), ['huge: request_too_large']);
});

void test('a document that breaks every connection is given up, the others are stored', async () => {
  const broken = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  const writing = write(['a', 'b', 'c', 'killer'], (ids) =>
    ids.includes('killer') ? broken : verdicts(ids, () => 201),
  );
  const delivered = await finish(writing);
  assert.equal(delivered.created, 3);
  assert.deepEqual(refusedIds(delivered), ['killer: no_answer']);
});

void test('what something in front of the engine answers is nobody’s fault, and is waited out', async () => {
  const writing = write(['a', 'b'], (ids, attempt) =>
    attempt < 5 ? { status: 404, text: '<html>Not found</html>' } : verdicts(ids, () => 201),
  );
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => void setImmediate(resolve));
  assert.match(writing.board.problem() ?? '', /correct store\.urls/);
  assert.equal((await finish(writing)).created, 2);
});

void test('an answer with fewer documents than were sent counts for none of them', async () => {
  const writing = write(['a', 'b'], (ids, attempt) =>
    attempt === 1
      ? { status: 200, text: '{"errors":true,"items":[{"create":{"status":201}}]}' }
      : verdicts(ids, () => 409),
  );
  assert.equal((await finish(writing)).duplicates, 2);
});

void test('more than the engine has room for is sent in parts, and what is too much alone is rejected', async () => {
  const reason = 'rejected [primary_operation_bytes=300, max_primary_bytes=200]';
  const items = (ids: readonly string[]): Answered => ({
    status: 200,
    text: JSON.stringify({
      errors: true,
      items: ids.map((id) =>
        id === 'big' || ids.length > 2
          ? { create: { status: 429, error: { type: 'es_rejected_execution_exception', reason } } }
          : { create: { status: 201 } },
      ),
    }),
  });
  const writing = write(['a', 'b', 'big', 'd'], items);
  const delivered = await finish(writing);
  assert.equal(delivered.created, 3);
  assert.deepEqual(refusedIds(delivered), ['big: es_rejected_execution_exception']);
});

void test('a request that the engine has no room for again and again is halved until it has', async () => {
  const sizes: number[] = [];
  const writing = write(['a', 'b', 'c', 'd'], (ids) => {
    sizes.push(ids.length);
    if (ids.length < 2) return verdicts(ids, () => 201);
    const error = { type: 'circuit_breaking_exception', reason: `[parent] Data too large ${sizes.length}` };
    return { status: 429, text: JSON.stringify({ error, status: 429 }) };
  });
  assert.equal((await finish(writing)).created, 4);
  assert.deepEqual([...new Set(sizes)], [4, 2, 1]);
});

void test('the log tells each cause of waiting once, and no missing index that could be created', async () => {
  const writing = write(['a', 'b'], (ids, attempt) => {
    if (attempt === 1) return verdicts(ids, () => 404, 'index_not_found_exception');
    const reason = `in_flight_bytes=${attempt}`;
    if (attempt < 4) return { status: 429, text: JSON.stringify({ error: { type: 'rejected', reason } }) };
    if (attempt < 6) return new Error(attempt === 4 ? 'read ECONNRESET' : 'other side closed');
    return verdicts(ids, () => 201);
  });
  assert.equal((await finish(writing)).created, 2);
  const texts = writing.telemetry.lines.map(({ event, text }) => `${event}: ${text}`);
  assert.equal(texts.length, 3, texts.join('\n'));
  assert.match(texts[0] ?? '', /^store_waiting: .* overloaded \(429\).*\(it says: in_flight_bytes=2\)\.$/);
  assert.match(
    texts[1] ?? '',
    /^store_waiting: .* (?:read ECONNRESET|other side closed)\. Look whether .*[^.]\.$/,
  );
  assert.match(texts[2] ?? '', /^store_resumed: /);
});

void test('a delivery that is given up at the end says nothing of a store that takes records again', async () => {
  const stopping = new AbortController();
  const writing = write(['a'], () => new Error('read ECONNRESET'), stopping.signal);
  const ended = assert.rejects(writing.delivered, { code: 'aborted' });
  while (writing.board.problem() === undefined) await new Promise((resolve) => void setImmediate(resolve));
  stopping.abort();
  await writing.scheduler.advance(500);
  await ended;
  assert.deepEqual(
    writing.telemetry.lines.map(({ event }) => event),
    ['store_waiting'],
  );
});
