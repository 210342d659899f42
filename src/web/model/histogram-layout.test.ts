import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisTimes, brushedRange, columnAt, layoutHistogram } from './histogram-layout.ts';

const RANGE = { startMs: 0, endMs: 400 };
const BUCKETS = [
  { timeMs: 0, count: 10, by: { info: 8, warning: 1, error: 1 } },
  { timeMs: 100, count: 0, by: {} },
  { timeMs: 200, count: 1_000_000, by: { info: 999_999, fatal: 1 } },
  { timeMs: 300, count: 5, by: { weird: 2, '': 1 } },
];

void test('bars stack from the gravest level up and stay inside the drawing', () => {
  const layout = layoutHistogram(BUCKETS, RANGE);
  assert.deepEqual(layout.range, RANGE);
  assert.equal(layout.total, 1_000_015);
  assert.deepEqual(
    layout.columns.map(({ bars }) => bars.map((bar) => [bar.levelClass, bar.count])),
    [
      [
        ['error', 1],
        ['warn', 1],
        ['info', 8],
      ],
      [],
      [
        ['fatal', 1],
        ['info', 999_999],
      ],
      [['none', 5]],
    ],
  );
  for (const { bars } of layout.columns) {
    for (const bar of bars) assert.ok(bar.top >= 0 && bar.top + bar.height <= 1.0001);
  }
});

void test('one fatal line among a million can still be seen', () => {
  const [, , column] = layoutHistogram(BUCKETS, RANGE).columns;
  assert.ok((column?.bars[0]?.height ?? 0) > 0.01);
});

void test('the legend lists what occurs, gravest first', () => {
  const names = layoutHistogram(BUCKETS, RANGE).classes.map(({ levelClass }) => levelClass);
  assert.deepEqual(names, ['fatal', 'error', 'warn', 'info', 'none']);
});

void test('a brush means whole buckets, in either direction; a click means nothing', () => {
  const layout = layoutHistogram(BUCKETS, RANGE);
  assert.deepEqual(brushedRange(layout, 0.3, 0.6), { startMs: 100, endMs: 300 });
  assert.deepEqual(brushedRange(layout, 0.6, 0.3), { startMs: 100, endMs: 300 });
  assert.deepEqual(brushedRange(layout, 0, 1), RANGE);
  assert.equal(brushedRange(layout, 0.5, 0.501), undefined);
});

void test('an answer that leaves out empty buckets is drawn at the right places', () => {
  const layout = layoutHistogram(
    [BUCKETS[0], BUCKETS[3]].filter((bucket) => bucket !== undefined),
    RANGE,
  );
  assert.deepEqual(
    layout.columns.map(({ startMs }) => startMs),
    [0, 300],
  );
  assert.equal(columnAt(layout, 0.8)?.startMs, 300);
});

void test('nothing at all, and a single bucket, are drawn too', () => {
  assert.deepEqual(layoutHistogram([], RANGE), { range: RANGE, columns: [], total: 0, classes: [] });
  const single = layoutHistogram([{ timeMs: 0, count: 3, by: undefined }], RANGE);
  assert.deepEqual(
    single.columns.map(({ startMs, endMs }) => [startMs, endMs]),
    [[0, 400]],
  );
});

void test('the axis runs from the start to the end', () => {
  const times = axisTimes(RANGE);
  assert.deepEqual([times[0], times.at(-1)], [0, 400]);
});
