import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeldomCounts } from './seldom-counts.ts';

void test('what goes on happening is told at once, and then once a minute with its sum, by kind', () => {
  let nowMs = 0;
  const counts = new SeldomCounts(() => nowMs);
  assert.equal(counts.add('a', 3), 3);
  assert.equal(counts.add('b', 1), 1);
  for (nowMs = 1_000; nowMs < 60_000; nowMs += 1_000) assert.equal(counts.add('a', 2), 0);
  assert.equal(counts.add('a', 2), 120);
  assert.equal(counts.add('a', 5), 0);
});

void test('kinds without end are counted as one', () => {
  const counts = new SeldomCounts(() => 0);
  const told = Array.from({ length: 1_000 }, (_, kind) => counts.add(`kind ${kind}`, 1));
  assert.equal(
    told.reduce((sum, count) => sum + count),
    101,
  );
});
