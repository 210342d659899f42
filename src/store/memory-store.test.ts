import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LANE, type Lane } from '../record/lane.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { DocumentBatch, DroppedRecord } from '../record/record-batch.ts';
import { MemoryStore } from './memory-store.ts';
import type { FileAudit } from './store.ts';

const NO_GAPS: LedgerRecord['gaps'] = [];
const SIGNAL = new AbortController().signal;
const FILE_ID = '0123456789abcdef0123';
const ALL = { startNs: -(2n ** 62n), endNs: 2n ** 62n };

interface Given {
  readonly lane: Lane;
  readonly offset: number;
}

function batchOf(
  records: readonly Given[],
  dropped: readonly DroppedRecord[] = [],
  fileId = FILE_ID,
): DocumentBatch {
  const lines = records.map(
    ({ offset }) =>
      `${JSON.stringify({ '@timestamp': '2026-11-23T00:00:00.000000000Z', log: { offset } })}\n`,
  );
  let end = 0;
  return {
    fileId,
    body: new TextEncoder().encode(lines.join('')),
    count: records.length,
    ends: Uint32Array.from(lines, (line) => (end += line.length)),
    offsets: Float64Array.from(records, ({ offset }) => offset),
    lanes: Uint8Array.from(records, ({ lane }) => lane),
    fieldTypes: new Map(),
    dropped,
  };
}

async function offsetsOf(store: MemoryStore): Promise<number[]> {
  const request = {
    query: { kind: 'all' },
    range: ALL,
    order: 'asc',
    limit: 1_000,
    after: undefined,
  } as const;
  const { documents } = await store.search(request, SIGNAL);
  return documents.map((text) => (JSON.parse(text) as { log: { offset: number } }).log.offset);
}

async function auditOf(store: MemoryStore): Promise<FileAudit | undefined> {
  for await (const file of store.audit(SIGNAL)) return file;
  return undefined;
}

test('a lane that waits does not make the other lane a duplicate', async () => {
  const store = new MemoryStore();
  await store.append([batchOf([{ lane: LANE.stderr, offset: 50 }])], SIGNAL);
  const result = await store.append(
    [
      batchOf([
        { lane: LANE.stdout, offset: 0 },
        { lane: LANE.stderr, offset: 50 },
      ]),
    ],
    SIGNAL,
  );
  assert.deepEqual(result, { appended: 1, duplicates: 1, rejected: [] });
  assert.deepEqual(await offsetsOf(store), [0, 50]);
});

test('a record that a pipeline dropped is counted once and never stored later', async () => {
  const store = new MemoryStore();
  const batch = batchOf(
    [{ lane: LANE.file, offset: 0 }],
    [{ reason: 'pipeline', lane: LANE.file, offset: 10 }],
  );
  await store.append([batch], SIGNAL);
  await store.append([batch, batchOf([{ lane: LANE.file, offset: 10 }])], SIGNAL);
  assert.deepEqual(await offsetsOf(store), [0]);
  const audit = await auditOf(store);
  assert.deepEqual([audit?.found, audit?.twice, audit?.offsetSum, audit?.droppedByPipeline], [2, 0, '10', 1]);
});

test('of the ledger records of a file the highest sequence holds, and only what is below its offset is counted', async () => {
  const store = new MemoryStore();
  await store.append([batchOf([0, 10, 20].map((offset) => ({ lane: LANE.file, offset })))], SIGNAL);
  const ledger = { fileId: FILE_ID, acknowledgedOffset: 20, gaps: NO_GAPS } as LedgerRecord;
  await store.appendLedger(
    [
      { ...ledger, sequence: 2 },
      { ...ledger, sequence: 1, acknowledgedOffset: 5 },
    ],
    SIGNAL,
  );
  const audit = await auditOf(store);
  assert.deepEqual([audit?.ledger?.sequence, audit?.found, audit?.offsetSum], [2, 2, '10']);
});

test('whatever is delivered again, and however it is cut, every record is stored once', async () => {
  const deliveries = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(deliveries, async (ranges) => {
      const store = new MemoryStore();
      let delivered = 0;
      for (const [start, length] of ranges) {
        // An agent goes back after a crash, and never leaves anything out.
        const from = Math.min(start, delivered);
        const offsets = Array.from({ length }, (_, index) => from + index);
        await store.append([batchOf(offsets.map((offset) => ({ lane: LANE.stdout, offset })))], SIGNAL);
        delivered = Math.max(delivered, from + length);
      }
      assert.deepEqual(
        await offsetsOf(store),
        Array.from({ length: delivered }, (_, index) => index),
      );
    }),
  );
});

test('a histogram names the most frequent values and counts the others together', async () => {
  const store = new MemoryStore();
  const texts = Array.from({ length: 25 }, (_, index) => ({
    '@timestamp': '2026-11-23T00:00:00.000000000Z',
    fields: { user: `u${index}`, rank: index },
  }));
  const lines = [...texts, ...texts.slice(0, 3)].map((document) => `${JSON.stringify(document)}\n`);
  const batch = batchOf(lines.map((_, offset) => ({ lane: LANE.file, offset })));
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  await store.append([{ ...batch, body: new TextEncoder().encode(lines.join('')), ends }], SIGNAL);
  const startNs = 1_795_392_000_000_000_000n;
  const request = {
    query: { kind: 'all' },
    range: { startNs, endNs: startNs + 10n },
    bucketCount: 3,
    by: ['fields.user'],
  } as const;
  const [bucket, ...rest] = await store.histogram(request, SIGNAL);
  assert.equal(bucket?.count, 28);
  assert.deepEqual([bucket?.by?.['u0'], bucket?.by?.['other']], [2, 5]);
  assert.deepEqual(
    rest.map(({ count }) => count),
    [0, 0],
  );
});
