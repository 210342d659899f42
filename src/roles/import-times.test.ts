import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LANE } from '../record/lane.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import { withLineTimes } from './import-times.ts';

/** 2026-11-23T00:00:00Z */
const START_NS = 1_795_392_000_000_000_000n;
const READ = formatTimestamp(START_NS + 5_000_000_000n);

interface Line {
  readonly message: string;
  readonly time?: string;
  readonly lane?: number;
}

function batchOf(lines: readonly Line[], fileId = 'a'.repeat(20)): RecordBatch {
  const texts = lines.map(({ message, time = READ }, index) => {
    const head = `{"@timestamp":"${time}","message":${JSON.stringify(message)},"stream":"file","log":{"offset":${index}`;
    return Buffer.from(`${head},"file":{"path":"/x"}},"event":{"id":"${fileId}-${index}"}}\n`);
  });
  let end = 0;
  return {
    fileId,
    body: Buffer.concat(texts),
    count: lines.length,
    ends: Uint32Array.from(texts.map((text) => (end += text.length))),
    offsets: Float64Array.from(lines.keys()),
    lanes: Uint8Array.from(lines.map(({ lane = LANE.file }) => lane)),
  };
}

/** The documents' times and messages as they were sent. */
async function send(batches: readonly RecordBatch[]) {
  const sent: { '@timestamp': string; message: string }[] = [];
  const producer = {
    send: (batch: RecordBatch) => {
      const lines = Buffer.from(batch.body).toString().trimEnd().split('\n');
      sent.push(...lines.map((line) => JSON.parse(line) as (typeof sent)[number]));
      return Promise.resolve();
    },
    sendLedger: () => Promise.resolve(),
  };
  const timed = withLineTimes(producer, START_NS);
  for (const batch of batches) await timed.producer.send(batch);
  return { times: sent.map((document) => document['@timestamp']), sent, counts: timed.counts };
}

void test('lines get the times that they begin with, and lines without one that of the line before', async () => {
  const first = [
    { message: 'Listening' },
    { message: '2026-11-20T10:00:00Z say "hi" ünïcode' },
    { message: 'more' },
  ];
  const json = { message: '{"ts":1795168801.5,"msg":"a \\"quoted\\" word"}' };
  const batch = batchOf(first);
  const before = Buffer.from(batch.body).toString();
  const { times, sent, counts } = await send([
    batch,
    batchOf([{ message: 'still' }, json]),
    batchOf([{ message: 'x' }], 'b'),
  ]);
  const at = '2026-11-20T10:00:00.000000000Z';
  assert.deepEqual(times, [READ, at, at, at, '2026-11-20T10:00:01.500000000Z', READ]);
  assert.deepEqual(
    sent.map(({ message }) => message),
    [...first, { message: 'still' }, json, { message: 'x' }].map(({ message }) => message),
  );
  assert.deepEqual(counts, { fromLine: 4, fromImport: 2 });
  assert.equal(Buffer.from(batch.body).toString(), before, 'what is lent stays as it is');
});

void test('what a runtime or s6-log stamped keeps its time', async () => {
  const time = '2026-11-01T00:00:00.000000000Z';
  const message = '2026-11-20T10:00:00Z x';
  const { times, counts } = await send([
    batchOf([
      { message, time },
      { message, lane: LANE.stdout },
    ]),
  ]);
  assert.deepEqual(times, [time, READ]);
  assert.deepEqual(counts, { fromLine: 0, fromImport: 0 });
});
