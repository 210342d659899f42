import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../base/errors.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import type { DocumentBatch, RecordBatch } from '../record/record-batch.ts';
import type { AppendResult, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { MemoryTransport } from '../transport/memory.ts';
import { createIndexer } from './indexer.ts';
import { batchOf } from './testing/batches.ts';

const silent: Telemetry = { count() {}, gauge() {}, observe() {}, log() {} };

/** Takes batches as a store does: by watermark, after a number of failures that the test sets. */
class FakeStore {
  readonly messages: string[] = [];
  readonly ledger: unknown[] = [];
  readonly watermarks = new Map<string, number>();
  failures = 0;
  fatal: Error | undefined;
  appendCount = 0;

  async append(batches: readonly DocumentBatch[]): Promise<AppendResult> {
    this.appendCount++;
    if (this.fatal !== undefined) throw this.fatal;
    if (this.failures > 0) {
      this.failures--;
      throw new AppError('disk_full', 'cannot write the journal');
    }
    let appended = 0;
    let duplicates = 0;
    for (const batch of batches) {
      const lines = new TextDecoder().decode(batch.body).split('\n');
      for (let index = 0; index < batch.count; index++) {
        const offset = batch.offsets[index] ?? 0;
        if (offset <= (this.watermarks.get(batch.fileId) ?? -1)) {
          duplicates++;
          continue;
        }
        this.watermarks.set(batch.fileId, offset);
        this.messages.push((JSON.parse(lines[index] ?? '') as { message: string }).message);
        appended++;
      }
    }
    return { appended, duplicates, rejected: [] };
  }

  async appendLedger(records: readonly unknown[]): Promise<void> {
    this.ledger.push(...records);
  }

  problem(): string | undefined {
    return undefined;
  }
}

function start(
  store: FakeStore,
  options: {
    onStored?: (batches: readonly DocumentBatch[]) => void;
    pipelines?: PipelineConfig[];
    batchBytesMax?: number;
  } = {},
) {
  const scheduler = new VirtualScheduler();
  const transport = new MemoryTransport({ bufferBytesMax: 1_000_000 });
  const { pipelines = [], batchBytesMax = 100_000, ...rest } = options;
  const indexer = createIndexer({
    pipelines,
    batchBytesMax,
    transport,
    store: store as unknown as Store,
    scheduler,
    telemetry: silent,
    ...rest,
  });
  return { scheduler, transport, indexer, run: indexer.run() };
}

function send(transport: MemoryTransport, batches: readonly RecordBatch[]): Promise<unknown> {
  return Promise.all(batches.map((batch) => transport.producer.send(batch)));
}

test('what is sent is stored in the order of its file, and acknowledged after the store has it', async () => {
  const store = new FakeStore();
  const { transport, indexer, run } = start(store, { batchBytesMax: 200 });
  await send(transport, [
    batchOf('a', 0, ['a0', 'a1']),
    batchOf('b', 0, ['b0']),
    batchOf('a', 100, ['a2']),
    batchOf('a', 200, ['a3']),
  ]);
  assert.deepEqual(
    store.messages.filter((message) => message.startsWith('a')),
    ['a0', 'a1', 'a2', 'a3'],
  );
  assert.equal(transport.heldBytes, 0);
  await indexer.stop();
  await run;
});

test('a full disk is waited out, told of, and loses nothing', async () => {
  const store = new FakeStore();
  store.failures = 5;
  const { transport, indexer, run, scheduler } = start(store);
  const sent = send(transport, [batchOf('a', 0, ['a0']), batchOf('a', 100, ['a1'])]);
  await scheduler.advance(150);
  assert.match(indexer.problem() ?? '', /cannot write to the store/);
  await scheduler.advance(60_000);
  await sent;
  assert.deepEqual(store.messages, ['a0', 'a1']);
  assert.equal(indexer.problem(), undefined);
  await indexer.stop();
  await run;
});

test('while an append is tried again, later records of its file wait and those of other files go on', async () => {
  const store = new FakeStore();
  store.failures = 1;
  const { transport, indexer, run, scheduler } = start(store, { batchBytesMax: 1 });
  const sent = [send(transport, [batchOf('a', 0, ['a0'])]), send(transport, [batchOf('b', 0, ['b0'])])];
  await scheduler.advance(50);
  assert.deepEqual(store.messages, ['b0']);
  sent.push(send(transport, [batchOf('a', 100, ['a1'])]));
  await scheduler.advance(50_000);
  await Promise.all(sent);
  assert.deepEqual(store.messages, ['b0', 'a0', 'a1']);
  await indexer.stop();
  await run;
});

test('a rebalance shows nothing twice, neither in the store nor live', async () => {
  const store = new FakeStore();
  const live: string[] = [];
  const { transport, indexer, run } = start(store, {
    onStored: (batches) => live.push(...batches.map(({ fileId }) => fileId)),
  });
  await send(transport, [batchOf('a', 0, ['a0'])]);
  await transport.rebalance();
  await send(transport, [batchOf('a', 100, ['a1'])]);
  assert.deepEqual(store.messages, ['a0', 'a1']);
  assert.equal(live.length, 2);
  await indexer.stop();
  await run;
});

test('ledger records reach the store', async () => {
  const store = new FakeStore();
  const { transport, indexer, run } = start(store);
  await transport.producer.sendLedger([{ fileId: 'a' } as never]);
  assert.deepEqual(store.ledger, [{ fileId: 'a' }]);
  await indexer.stop();
  await run;
});

test('a broken invariant in the store ends the indexer instead of losing records', async () => {
  const store = new FakeStore();
  store.fatal = new TypeError('undefined is not a function');
  const { transport, run } = start(store);
  const sent = send(transport, [batchOf('a', 0, ['a0'])]);
  await assert.rejects(run, /undefined is not a function/);
  assert.ok(transport.heldBytes > 0);
  await transport.close();
  await assert.rejects(sent, { code: 'closed' });
});

test('stopping while the disk is full ends within the bound and leaves what is held unacknowledged', async () => {
  const store = new FakeStore();
  store.failures = Number.MAX_SAFE_INTEGER;
  const { transport, indexer, run, scheduler } = start(store);
  const sent = send(transport, [batchOf('a', 0, ['a0'])]);
  await scheduler.advance(1000);
  const stopped = indexer.stop();
  await scheduler.advance(30_000);
  await stopped;
  await run;
  assert.deepEqual(store.messages, []);
  await transport.close();
  await assert.rejects(sent, { code: 'closed' });
});

test('records that a pipeline drops are accounted for, not stored', async () => {
  const store = new FakeStore();
  const stored: DocumentBatch[] = [];
  const match = {
    source: undefined,
    namespace: undefined,
    pod: undefined,
    container: undefined,
    app: undefined,
    path: undefined,
    labels: {},
  };
  const { transport, indexer, run } = start(store, {
    pipelines: [
      { name: 'quiet', match, steps: [{ kind: 'drop', reason: 'health', if: 'healthz' }], tests: [] },
    ],
    onStored: (batches) => stored.push(...batches),
  });
  await send(transport, [batchOf('a', 0, ['GET /healthz', 'GET /'])]);
  assert.deepEqual(store.messages, ['GET /']);
  assert.deepEqual(stored[0]?.dropped, [{ reason: 'pipeline', lane: 1, offset: 0 }]);
  await indexer.stop();
  await run;
});
