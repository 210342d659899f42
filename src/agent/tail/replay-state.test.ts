import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplayState } from './replay-state.ts';

test('bytes that are read again are divided and timed as at first', () => {
  const first = new ReplayState([], [], true);
  first.plan(0, 100, 1n);
  first.addCut({ offset: 100, cause: 'idle' });
  first.plan(100, 50, 2n);
  const again = new ReplayState(first.times, first.cuts, true);
  assert.deepEqual(again.plan(30, 200, 9n), [
    { length: 70, timeNs: 1n, cut: 'idle' },
    { length: 50, timeNs: 2n, cut: undefined },
    { length: 80, timeNs: 9n, cut: undefined },
  ]);
});

test('what is acknowledged is forgotten', () => {
  const replay = new ReplayState([], [], true);
  replay.plan(0, 100, 1n);
  replay.plan(100, 100, 2n);
  replay.addCut({ offset: 150, cause: 'idle' });
  replay.prune(100);
  assert.deepEqual(replay.times, [{ endOffset: 200, timeNs: '2' }]);
  replay.prune(200);
  assert.deepEqual([replay.times, replay.cuts], [[], []]);
});

test('lines with their own stamps leave no times behind', () => {
  const replay = new ReplayState([], [], false);
  replay.plan(0, 100, 1n);
  assert.equal(replay.hasFresh, false);
});

test('what is fresh stays so until it is settled', () => {
  const replay = new ReplayState([], [], true);
  replay.plan(0, 10, 5n);
  assert.deepEqual(replay.freshTimes, [{ endOffset: 10, timeNs: '5' }]);
  replay.settleFresh();
  assert.equal(replay.hasFresh, false);
});
