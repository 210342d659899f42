import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutIntoSlices, stretchEnd } from './export-plan.ts';

const RANGE = { startNs: 0n, endNs: 1000n };

test('a stretch begins where a file does, and ends where the rows it may have are enough', () => {
  const files = [
    { minNs: 100n, maxNs: 199n, rows: 100 },
    { minNs: 500n, maxNs: 599n, rows: 100 },
  ];
  assert.deepEqual(stretchEnd(files, RANGE, 10), { startNs: 100n, endNs: 110n });
  assert.deepEqual(stretchEnd(files, RANGE, 1000), { startNs: 100n, endNs: 200n });
  assert.deepEqual(stretchEnd(files, { startNs: 200n, endNs: 550n }, 1000), { startNs: 500n, endNs: 550n });
  assert.equal(stretchEnd(files, { startNs: 600n, endNs: 1000n }, 1000), undefined);
  // Files go on behind the end of the range: nothing of it is left there.
  assert.equal(stretchEnd(files, { startNs: 150n, endNs: 150n }, 1000), undefined);
});

test('files that overlap share the rows of a stretch, and a stretch has at least one nanosecond', () => {
  const files = [
    { minNs: 0n, maxNs: 99n, rows: 100 },
    { minNs: 0n, maxNs: 99n, rows: 300 },
  ];
  assert.deepEqual(stretchEnd(files, RANGE, 40), { startNs: 0n, endNs: 10n });
  assert.deepEqual(stretchEnd([{ minNs: 5n, maxNs: 5n, rows: 1e6 }], RANGE, 1), { startNs: 5n, endNs: 6n });
});

test('slices are about the same size, leave out what has nothing, and cover every bucket once', () => {
  const buckets = [30, 30, 0, 30, 250, 30, 30].map((rows, bucket) => ({ bucket, rows }));
  const found = buckets.filter(({ rows }) => rows > 0).toReversed();
  const range = { startNs: 0n, endNs: 65n };
  const slices = cutIntoSlices(found, { range, bucketNs: 10n, sliceRows: 100 });
  assert.equal(
    slices.reduce((sum, { rows }) => sum + rows, 0),
    400,
  );
  assert.deepEqual(slices, [
    { startNs: 0n, endNs: 40n, rows: 90 },
    { startNs: 40n, endNs: 50n, rows: 250 },
    { startNs: 50n, endNs: 65n, rows: 60 },
  ]);
});
