import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { HttpProducer } from './http-producer.ts';

interface Posted {
  readonly path: string;
  readonly body: string;
  readonly authorization: string | null;
}

type Answer = (posted: Posted, index: number) => Response | Promise<Response>;

function setUp(answer: Answer): {
  producer: HttpProducer;
  posted: Posted[];
  scheduler: VirtualScheduler;
  telemetry: MemoryTelemetry;
} {
  const posted: Posted[] = [];
  const scheduler = new VirtualScheduler();
  const telemetry = new MemoryTelemetry();
  const fakeFetch: typeof fetch = async (input, init) => {
    await Promise.resolve();
    const one = {
      path: new URL(input instanceof Request ? input.url : input).pathname,
      body: new TextDecoder().decode(init?.body as Uint8Array),
      authorization: new Headers(init?.headers).get('authorization'),
    };
    posted.push(one);
    return answer(one, posted.length - 1);
  };
  const producer = new HttpProducer({
    url: 'http://logs:6410',
    token: 'sesame',
    fetch: fakeFetch,
    scheduler,
    telemetry,
  });
  return { producer, posted, scheduler, telemetry };
}

function batchOf(fileId: string, text: string): RecordBatch {
  const body = new TextEncoder().encode(text);
  return {
    fileId,
    body,
    count: 1,
    ends: Uint32Array.of(body.length),
    offsets: Float64Array.of(0),
    lanes: Uint8Array.of(0),
  };
}

const accept = (): Response => Response.json({ accepted: 1 });

void test('a batch is posted with the token, and acknowledged by the answer', async () => {
  const { producer, posted } = setUp(accept);
  await producer.send(batchOf('a', '{"x":1}\n'));
  assert.deepEqual(posted, [{ path: '/api/v1/import', body: '{"x":1}\n', authorization: 'Bearer sesame' }]);
  assert.equal(producer.problem(), undefined);
});

void test('a server that is away is waited for, told of once, and nothing is lost', async () => {
  const { producer, posted, scheduler, telemetry } = setUp((_posted, index) => {
    if (index < 3) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    if (index < 5) return Response.json({ error: { message: 'the disk is full' } }, { status: 503 });
    return accept();
  });
  const sent = producer.send(batchOf('a', 'one\n'));
  await scheduler.advance(1);
  assert.match(producer.problem() ?? '', /cannot reach http:\/\/logs:6410: connect ECONNREFUSED/);
  await scheduler.advance(60_000);
  await sent;
  assert.deepEqual(
    posted.map(({ body }) => body),
    Array.from({ length: 6 }, () => 'one\n'),
  );
  assert.equal(producer.problem(), undefined);
  const warnings = telemetry.lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ text }) => text),
    [
      'waiting: cannot reach http://logs:6410: connect ECONNREFUSED',
      'waiting: http://logs:6410 answered 503: the disk is full',
    ],
  );
});

void test('batches of one file are posted one after the other, in order, those of others beside them', async () => {
  const gates: (() => void)[] = [];
  const { producer, posted } = setUp(() => new Promise((resolve) => gates.push(() => resolve(accept()))));
  const sends = [
    producer.send(batchOf('a', 'a1\n')),
    producer.send(batchOf('a', 'a2\n')),
    producer.send(batchOf('b', 'b1\n')),
  ];
  await new Promise(setImmediate);
  assert.deepEqual(
    posted.map(({ body }) => body),
    ['a1\n', 'b1\n'],
  );
  gates[0]?.();
  await sends[0];
  await new Promise(setImmediate);
  assert.deepEqual(
    posted.map(({ body }) => body),
    ['a1\n', 'b1\n', 'a2\n'],
  );
  for (const open of gates) open();
  await Promise.all(sends);
});

void test('closing rejects what waits with closed', async () => {
  const { producer, scheduler } = setUp(() => Response.json({}, { status: 500 }));
  const sends = Array.from({ length: 20 }, (_, index) => producer.send(batchOf(`f${index}`, 'x\n')));
  const settled = Promise.allSettled(sends);
  await scheduler.advance(10);
  await producer.close();
  await scheduler.advance(1_000);
  for (const result of await settled) {
    assert.equal(result.status, 'rejected');
    assert.equal((result.reason as { code?: string }).code, 'closed');
  }
  await assert.rejects(producer.send(batchOf('a', 'x\n')), { code: 'closed' });
});

void test('ledger records go to a route of their own, as lines', async () => {
  const { producer, posted } = setUp(accept);
  await producer.sendLedger([]);
  assert.equal(posted.length, 0);
  const record = {
    fileId: 'a',
    sequence: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    node: 'n',
    path: '/x',
    namespace: undefined,
    pod: undefined,
    container: undefined,
    state: 'active',
    bytesWritten: 1,
    bytesRead: 1,
    acknowledgedOffset: 1,
    records: 1,
    offsetSum: '0',
    dropped: {},
    gaps: [],
  } as const;
  await producer.sendLedger([record, { ...record, fileId: 'b' }]);
  assert.equal(posted[0]?.path, '/api/v1/ledger');
  assert.deepEqual(
    posted[0]?.body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { fileId: string }).fileId),
    ['a', 'b'],
  );
});
