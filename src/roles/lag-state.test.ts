import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LagState } from './lag-state.ts';
import { StallState } from './stall-state.ts';

test('lag counts in seconds from when its oldest part was there, as far as marks tell', () => {
  const state = new LagState();
  const at = (end: number, done: number, nowMs: number) => state.update([{ key: 'a', end, done }], nowMs);
  assert.deepEqual(at(100, 100, 0), []);
  assert.deepEqual(at(200, 100, 5_000), [{ key: 'a', amount: 100, seconds: 0 }]);
  assert.deepEqual(at(300, 150, 10_000), [{ key: 'a', amount: 150, seconds: 5 }]);
  assert.deepEqual(at(400, 200, 15_000), [{ key: 'a', amount: 200, seconds: 0 }]);
  assert.deepEqual(at(400, 399, 20_000), [{ key: 'a', amount: 1, seconds: 5 }]);
  assert.deepEqual(at(400, 400, 25_000), []);
  assert.equal(state.doneTotal, 300);
});

test('what is furthest behind in time comes first, and what is gone is forgotten', () => {
  const state = new LagState();
  state.update([{ key: 'old', end: 10, done: 0 }], 0);
  const both = state.update(
    [
      { key: 'new', end: 1_000, done: 0 },
      { key: 'old', end: 10, done: 0 },
    ],
    5_000,
  );
  assert.deepEqual(
    both.map(({ key, seconds }) => [key, seconds]),
    [
      ['old', 5],
      ['new', 0],
    ],
  );
  state.update([], 6_000);
  assert.equal(state.update([{ key: 'old', end: 10, done: 0 }], 60_000)[0]?.seconds, 0);
});

test('a stage whose lag grows while nothing gets done is stalled after a minute', () => {
  const state = new StallState();
  for (let second = 0; second < 60; second += 5) {
    assert.equal(state.stalledMs(second * 1_000), undefined);
    state.update({ lag: 100 + second, done: 7 }, second * 1_000);
  }
  assert.equal(state.stalledMs(60_000), 60_000);
  state.update({ lag: 500, done: 8 }, 65_000);
  assert.equal(state.stalledMs(200_000), undefined);
});

test('a stage that is slow, and one that only waits for the end of a line, are not stalled', () => {
  const slow = new StallState();
  const idle = new StallState();
  for (let second = 0; second <= 600; second += 5) {
    slow.update({ lag: 1_000 * second, done: Math.floor(second / 50) }, second * 1_000);
    idle.update({ lag: 12, done: 3 }, second * 1_000);
    assert.equal(slow.stalledMs(second * 1_000), undefined);
    assert.equal(idle.stalledMs(second * 1_000), undefined);
  }
});

test('a stage that has caught up begins anew', () => {
  const state = new StallState();
  state.update({ lag: 10, done: 1 }, 0);
  state.update({ lag: 0, done: 1 }, 59_000);
  state.update({ lag: 50, done: 1 }, 70_000);
  assert.equal(state.stalledMs(80_000), undefined);
  assert.equal(state.stalledMs(119_000), 60_000);
});
