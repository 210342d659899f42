import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from './virtual-scheduler.ts';

test('timers run in the order of their time, promises between them', async () => {
  const scheduler = new VirtualScheduler();
  const seen: string[] = [];
  const worker = async (): Promise<void> => {
    await scheduler.sleep(10);
    seen.push(`sleeper ${scheduler.monotonicMs()}`);
  };
  void worker();
  scheduler.schedule(20, () => seen.push('late'));
  scheduler.schedule(5, () => seen.push('early'));
  scheduler.schedule(6, () => seen.push('cancelled')).cancel();
  await scheduler.advance(15);
  assert.deepEqual(seen, ['early', 'sleeper 10']);
  assert.equal(scheduler.monotonicMs(), 15);
});

test('a sleep ends early when its signal is aborted', async () => {
  const scheduler = new VirtualScheduler();
  const controller = new AbortController();
  let isAwake = false;
  void scheduler.sleep(1_000_000, controller.signal).then(() => (isAwake = true));
  controller.abort();
  await scheduler.advance(0);
  assert.equal(isAwake, true);
});

test('the wall clock can jump back while the monotonic one goes on', async () => {
  const scheduler = new VirtualScheduler();
  const before = scheduler.nowMs();
  await scheduler.advance(100);
  scheduler.wallSkewMs = -1000;
  assert.equal(scheduler.nowMs(), before - 900);
  assert.equal(scheduler.monotonicMs(), 100);
});
