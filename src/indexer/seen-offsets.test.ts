import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LANE } from '../record/lane.ts';
import type { DocumentBatch, RecordBatch } from '../record/record-batch.ts';
import { SeenOffsets } from './seen-offsets.ts';
import { batchOf } from './testing/batches.ts';

function processed(batch: RecordBatch): DocumentBatch {
  return { ...batch, fieldTypes: new Map(), dropped: [] };
}

/** The messages of batches, each with its offset and lane as the arrays have them. */
function recordsOf(batches: readonly DocumentBatch[]): unknown[] {
  return batches.flatMap(({ body, count, ends, offsets, lanes }) => {
    const bytes = Buffer.from(body);
    assert.equal(ends[count - 1], bytes.length);
    return Array.from({ length: count }, (_, index) => {
      const text = bytes.toString('utf8', index === 0 ? 0 : ends[index - 1], ends[index]);
      return [(JSON.parse(text) as { message: string }).message, offsets[index], lanes[index]];
    });
  });
}

test('a batch that comes again is not new, one behind it is', () => {
  const seen = new SeenOffsets();
  const first = processed(batchOf('a', 0, ['x', 'y']));
  const second = processed(batchOf('a', 2, ['z']));
  assert.deepEqual(seen.takeNew([first]), [first]);
  assert.deepEqual(seen.takeNew([first, second]), [second]);
});

test('of a batch that comes again with other bounds, the documents that were not in it are new', () => {
  const seen = new SeenOffsets();
  seen.takeNew([processed(batchOf('a', 10, ['x', 'y']))]);
  const fresh = seen.takeNew([processed(batchOf('a', 11, ['y', 'z', 'ä']))]);
  assert.deepEqual(recordsOf(fresh), [
    ['z', 12, LANE.stdout],
    ['ä', 13, LANE.stdout],
  ]);
});

test('lanes of a file are remembered apart', () => {
  const seen = new SeenOffsets();
  const late = processed(batchOf('a', 100, ['x']));
  const early = processed({ ...batchOf('a', 50, ['y']), lanes: new Uint8Array([LANE.stderr]) });
  assert.deepEqual(seen.takeNew([late, early]), [late, early]);
});

test('however batches overlap, each document is new once', () => {
  const lanes = Uint8Array.from({ length: 40 }, (_, offset) => (offset * 7) % 3);
  const messages = Array.from(lanes, (_, offset) => `m${offset}`);
  const bounds = fc.tuple(fc.nat(39), fc.nat(39));
  fc.assert(
    fc.property(fc.array(bounds, { maxLength: 8 }), (stretches) => {
      const seen = new SeenOffsets();
      let end = 0;
      const taken = stretches.flatMap(([start, length]) => {
        // Delivered again from anywhere before the end on, as a producer or a consumer begins again.
        const from = Math.min(start, end);
        const to = Math.min(40, from + length + 1);
        end = Math.max(end, to);
        const batch = { ...batchOf('a', from, messages.slice(from, to)), lanes: lanes.slice(from, to) };
        return recordsOf(seen.takeNew([processed(batch)]));
      });
      const expected = messages.slice(0, end).map((message, offset) => [message, offset, lanes[offset]]);
      assert.deepEqual(taken, expected);
    }),
  );
});
