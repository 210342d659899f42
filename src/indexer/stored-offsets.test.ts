import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LANE } from '../record/lane.ts';
import type { DocumentBatch, RecordBatch } from '../record/record-batch.ts';
import { StoredOffsets } from './stored-offsets.ts';
import { batchOf } from './testing/batches.ts';

function stored(batch: RecordBatch): DocumentBatch {
  return { ...batch, fieldTypes: new Map(), dropped: [] };
}

test('a batch that comes again is not new, one behind it is', () => {
  const offsets = new StoredOffsets();
  const first = stored(batchOf('a', 0, ['x', 'y']));
  const second = stored(batchOf('a', 2, ['z']));
  assert.deepEqual(offsets.takeNew([first]), [first]);
  assert.deepEqual(offsets.takeNew([first, second]), [second]);
});

test('lanes of a file are remembered apart', () => {
  const offsets = new StoredOffsets();
  const late = stored(batchOf('a', 100, ['x']));
  const early = stored({ ...batchOf('a', 50, ['y']), lanes: new Uint8Array([LANE.stderr]) });
  assert.deepEqual(offsets.takeNew([late, early]), [late, early]);
});
