import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import { BulkEncoder } from './bulk-encoder.ts';
import { IndexRouter } from './index-router.ts';
import { PayloadBuilder } from './payload-builder.ts';

const FILES = ['a'.repeat(20), 'b'.repeat(20)];
const NOW_MS = 1_795_000_000_000;
const LIMITS = { index: 'logs-{date}', isDataStream: false, lateMsMax: 86_400_000, futureMsMax: 86_400_000 };

function batchOf(fileId: string, count: number, word = 'm'): DocumentBatch {
  const parts = Array.from({ length: count }, (_, index) => {
    const id = eventIdOf(fileId, index);
    return Buffer.from(
      `{"@timestamp":"2026-11-18T04:30:00.000000000Z","message":"${word}","stream":"stdout","log":{"offset":${index}},"event":{"id":"${id}"}}\n`,
    );
  });
  let end = 0;
  return {
    fileId,
    body: Buffer.concat(parts),
    count,
    ends: Uint32Array.from(parts, (part) => (end += part.length)),
    offsets: Float64Array.from(parts, (_, index) => index),
    lanes: new Uint8Array(count),
    fieldTypes: new Map(),
    dropped: [],
  };
}

void test('of each document the request tells where it came from and where it goes, however many there are', () => {
  const batches = FILES.map((fileId) => batchOf(fileId, 5_000));
  const builder = new PayloadBuilder({ batches, allocate: () => Buffer.alloc(16) });
  for (const [batchIndex, { count }] of batches.entries()) {
    for (let documentIndex = 0; documentIndex < count; documentIndex += 1) {
      const isOverflow = documentIndex === 4_999;
      const usualIndex = isOverflow ? 'day' : undefined;
      const index = isOverflow ? 'late' : `day-${batchIndex}`;
      const at = builder.length;
      builder.reserve(3).write('{}\n', at);
      builder.add(
        { batchIndex, documentIndex, index, timeMs: documentIndex, usualIndex, isOverflow },
        at + 3,
      );
    }
  }
  const { items, count, timesMs, hasOverflow, bytes } = builder.take();
  assert.deepEqual([count, timesMs, hasOverflow], [10_000, { minMs: 0, maxMs: 4_999 }, true]);
  assert.equal(Buffer.from(bytes).toString(), '{}\n'.repeat(10_000));
  const place = { batchIndex: 1, documentIndex: 4_998, index: 'day-1', timeMs: 4_998, usualIndex: undefined };
  assert.deepEqual(items[9_998], {
    ...place,
    id: eventIdOf(FILES[1] ?? '', 4_998),
    start: 29_994,
    end: 29_997,
  });
  assert.deepEqual([items[9_999]?.index, items[9_999]?.usualIndex], ['late', 'day']);
  assert.equal(builder.length, 0);
});

void test('a request whose buffer was taken back is followed by one in the same buffer, and by none before', () => {
  const encoder = new BulkEncoder({ router: new IndexRouter(LIMITS), bytesMax: 1 << 20 });
  const encode = (word: string): Uint8Array => {
    const [payload, ...others] = encoder.encode([batchOf(FILES[0] ?? '', 200, word)], NOW_MS).payloads;
    assert.ok(payload !== undefined && others.length === 0);
    return payload.bytes;
  };
  const [first, second] = [encode('first'), encode('second')];
  assert.notEqual(first.buffer, second.buffer);
  const expected = Buffer.from(second).toString();
  const [again] = encoder.encode([batchOf(FILES[0] ?? '', 200, 'third')], NOW_MS).payloads;
  assert.ok(again !== undefined);
  encoder.recycle(again);
  const last = encode('fourth');
  assert.equal(last.buffer, again.bytes.buffer);
  assert.ok(!Buffer.from(last).includes('third'));
  assert.equal(Buffer.from(second).toString(), expected);
});
