import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { MemoryTransport } from '../transport/memory.ts';
import { LiveTail } from './live-tail.ts';
import { batchOf } from './testing/batches.ts';

function start() {
  const scheduler = new VirtualScheduler();
  const transport = new MemoryTransport({ bufferBytesMax: 1_000_000 });
  const state = { watchers: 0, opened: 0, failures: 0 };
  const live: string[] = [];
  const counts: number[] = [];
  const tail = new LiveTail({
    pipelines: [],
    batchBytesMax: 100_000,
    openTail: async () => {
      if (state.failures-- > 0) throw new Error('no broker');
      state.opened++;
      return transport.openConsumer();
    },
    scheduler,
    telemetry: new MemoryTelemetry(),
    isWatched: () => state.watchers > 0,
    onRecords: (batches) => {
      live.push(...batches.map(({ fileId }) => fileId.replace(/0+$/, '')));
      counts.push(...batches.map(({ count }) => count));
    },
  });
  return { scheduler, transport, tail, state, live, counts, run: tail.run() };
}

test('nothing is read until somebody follows, and what is sent after that is handed on once', async () => {
  const { scheduler, transport, tail, state, live, run } = start();
  await scheduler.advance(60_000);
  assert.equal(state.opened, 0);
  state.watchers = 1;
  await tail.follow();
  await transport.producer.send(batchOf('a', 0, ['one']));
  await transport.producer.send(batchOf('a', 0, ['one']));
  await transport.producer.send(batchOf('b', 0, ['two']));
  assert.deepEqual(live, ['a', 'b']);
  await tail.stop();
  await run;
});

test('of what is sent again with other bounds, the records that were not shown are', async () => {
  const { transport, tail, state, counts, run } = start();
  state.watchers = 1;
  await tail.follow();
  await transport.producer.send(batchOf('a', 0, ['one', 'two']));
  await transport.producer.send(batchOf('a', 0, ['one', 'two', 'three']));
  await transport.producer.send(batchOf('a', 1, ['two', 'three']));
  assert.deepEqual(counts, [2, 1]);
  await tail.stop();
  await run;
});

test('reading ends some time after the last one has gone, and begins again with the next', async () => {
  const { scheduler, tail, state, run } = start();
  state.watchers = 1;
  await tail.follow();
  await scheduler.advance(120_000);
  assert.equal(state.opened, 1);
  state.watchers = 0;
  await scheduler.advance(60_000);
  state.watchers = 1;
  await tail.follow();
  assert.equal(state.opened, 2);
  await tail.stop();
  await run;
});

test('a broker that is away is asked again', async () => {
  const { scheduler, tail, state, run } = start();
  state.failures = 3;
  state.watchers = 1;
  const followed = tail.follow();
  await scheduler.advance(10_000);
  await followed;
  assert.equal(state.opened, 1);
  await tail.stop();
  await run;
});
