import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../base/errors.ts';
import { MemoryFileSystem } from '../base/memory-file-system.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import type { DeadLetter } from '../record/dead-letter.ts';
import type { DocumentBatch, RecordBatch } from '../record/record-batch.ts';
import type { AppendResult, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { MemoryDeadLetters } from '../transport/memory-dead-letters.ts';
import { MemoryTransport } from '../transport/memory.ts';
import { createCrashNotes, type CrashNotes } from './crash-notes.ts';
import { REMOTE_ROUNDS, type HeldRoundsOptions } from './held-rounds.ts';
import { createIndexer } from './indexer.ts';
import { batchOf } from './testing/batches.ts';

const ANY_ORIGIN = {
  source: undefined,
  namespace: undefined,
  pod: undefined,
  container: undefined,
  app: undefined,
  path: undefined,
  labels: {},
};

/** Ends the process, as far as a test can have that, when it is given a certain document. */
class PoisonedStore {
  readonly #store: MemoryStore;
  isDead = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    if (batches.some(({ body }) => new TextDecoder().decode(body).includes('poison'))) {
      this.isDead = true;
      throw new TypeError('poisoned');
    }
    return this.#store.append(batches, signal);
  }

  problem(): string | undefined {
    return undefined;
  }
}

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

class FailingDeadLetters extends MemoryDeadLetters {
  #failures: number;

  constructor(failures: number) {
    super();
    this.#failures = failures;
  }

  override async send(letters: readonly DeadLetter[]): Promise<void> {
    if (this.#failures-- > 0) throw new AppError('disk_full', 'cannot write the journal');
    await super.send(letters);
  }
}

function start(
  store: FakeStore | MemoryStore | PoisonedStore,
  options: {
    crashNotes?: CrashNotes;
    deadLetterFailures?: number;
    onStored?: (batches: readonly DocumentBatch[]) => void;
    pipelines?: PipelineConfig[];
    batchBytesMax?: number;
    rounds?: HeldRoundsOptions;
  } = {},
) {
  const scheduler = new VirtualScheduler();
  const { pipelines = [], batchBytesMax = 100_000, deadLetterFailures = 0, ...rest } = options;
  const deadLetters = new FailingDeadLetters(deadLetterFailures);
  const transport = new MemoryTransport({ bufferBytesMax: 1_000_000, deadLetters });
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

test('what is delivered again with other bounds is shown live as far as it is new', async () => {
  const live: number[] = [];
  const { transport, indexer, run } = start(new FakeStore(), {
    onStored: (batches) => live.push(...batches.flatMap(({ offsets }) => [...offsets])),
  });
  await send(transport, [batchOf('a', 0, ['a0', 'a1'])]);
  await send(transport, [batchOf('a', 0, ['a0', 'a1', 'a2'])]);
  assert.deepEqual(live, [0, 1, 2]);
  await indexer.stop();
  await run;
});

test('what is stored before records of its file that were delivered earlier hides none of them live', async () => {
  const store = new MemoryStore();
  let failures = 1;
  // As a store that knows records by their ids, not by watermarks.
  store.append = async (batches) => {
    if (failures-- > 0) throw new AppError('disk_full', 'cannot write the journal');
    return { appended: batches.reduce((sum, { count }) => sum + count, 0), duplicates: 0, rejected: [] };
  };
  const live: number[] = [];
  const { transport, indexer, run, scheduler } = start(store, {
    rounds: REMOTE_ROUNDS,
    batchBytesMax: 1,
    onStored: (batches) => live.push(...batches.flatMap(({ offsets }) => [...offsets])),
  });
  const sent = send(transport, [batchOf('a', 0, ['a0']), batchOf('a', 1, ['a1'])]);
  await scheduler.advance(60_000);
  await sent;
  assert.deepEqual(live, [1, 0]);
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
  const match = ANY_ORIGIN;
  const { transport, indexer, run } = start(store, {
    pipelines: [
      { name: 'quiet', match, steps: [{ kind: 'drop', reason: 'health', if: 'healthz' }], tests: [] },
    ],
    onStored: (batches) => stored.push(...batches),
  });
  await send(transport, [batchOf('a', 0, ['GET /healthz', 'GET /'])]);
  assert.deepEqual(store.messages, ['GET /']);
  const [place] = stored[0]?.dropped ?? [];
  assert.deepEqual({ ...place, timestamp: '' }, { reason: 'pipeline', lane: 1, offset: 0, timestamp: '' });
  // The time that the document came with: it says in which month the record was dropped.
  assert.match(place?.timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  await indexer.stop();
  await run;
});

test('what the store refuses goes to the dead letters as it was delivered, and stops nothing else', async () => {
  const store = new MemoryStore();
  const refusal = { type: 'mapper_parsing_exception', reason: 'object where a string is' };
  store.rejects = (document) => (String(document['message']).startsWith('bad') ? refusal : undefined);
  const match = ANY_ORIGIN;
  const steps = [{ kind: 'drop', reason: 'health', if: 'healthz' }] as const;
  const pipelines = [{ name: 'quiet', match, steps, tests: [] }];
  const { transport, indexer, run } = start(store, { pipelines });
  const batch = batchOf('a', 0, ['healthz', 'good 1', 'healthz', 'bad 2', 'good 3']);
  await send(transport, [batch]);
  assert.equal(transport.heldBytes, 0);
  const letters = await Array.fromAsync(transport.deadLetters.read(new AbortController().signal));
  assert.equal(letters.length, 1);
  const [letter] = letters;
  assert.equal(letter?.id, `${batch.fileId}-000000000003`);
  assert.equal(letter?.document, new TextDecoder().decode(batch.body).split('\n')[3]);
  assert.deepEqual(
    [letter?.offset, letter?.lane, letter?.error, letter?.index, letter?.attempts],
    [3, 1, refusal, 'memory', 1],
  );
  const { records } = await store.stats(new AbortController().signal);
  assert.equal(records, 2);
  await indexer.stop();
  await run;
});

test('nothing is committed before its dead letters are durable', async () => {
  const store = new MemoryStore();
  store.rejects = () => ({ type: 'limits', reason: 'too much' });
  const { transport, indexer, run, scheduler } = start(store, { deadLetterFailures: 3 });
  const sent = send(transport, [batchOf('a', 0, ['one'])]);
  await scheduler.advance(150);
  assert.ok(transport.heldBytes > 0);
  assert.match(indexer.problem() ?? '', /cannot write dead letters/);
  await scheduler.advance(60_000);
  await sent;
  assert.equal(indexer.problem(), undefined);
  await indexer.stop();
  await run;
});

test('partitions are let go within a bound while the store is away, and what was read of them comes again', async () => {
  const store = new FakeStore();
  store.failures = 8;
  const { transport, indexer, run, scheduler } = start(store);
  const sent = send(transport, [batchOf('a', 0, ['a0'])]);
  await scheduler.advance(100);
  let isRevoked = false;
  const revoked = transport.rebalance().then(() => (isRevoked = true));
  await scheduler.advance(9_000);
  assert.equal(isRevoked, false);
  await scheduler.advance(2_000);
  assert.equal(isRevoked, true);
  await revoked;
  await scheduler.advance(60_000);
  await sent;
  assert.deepEqual(store.messages, ['a0']);
  await indexer.stop();
  await run;
});

test('a document that ends the process again and again goes to the dead letters, and only it', async () => {
  const fileSystem = new MemoryFileSystem();
  const stored = new MemoryStore();
  for (let life = 0; life < 10; life++) {
    const store = new PoisonedStore(stored);
    const started = start(store, { crashNotes: createCrashNotes(fileSystem, '/data/indexer') });
    const { transport, indexer, run, scheduler } = started;
    const sent = send(transport, [batchOf('a', 0, ['a0', 'a1', 'poison', 'a3']), batchOf('b', 0, ['b0'])]);
    sent.catch(() => undefined);
    await scheduler.advance(1_000);
    // A process that died has left its note, and its transport forgets nothing that was not committed.
    if (store.isDead) {
      await assert.rejects(run, /poisoned/);
      await transport.close();
      continue;
    }
    await sent;
    assert.equal(life, 5);
    const letters = await Array.fromAsync(transport.deadLetters.read(new AbortController().signal));
    assert.deepEqual(
      letters.map(({ offset, error }) => [offset, error.type]),
      [[2, 'process_crash']],
    );
    const { records } = await stored.stats(new AbortController().signal);
    assert.equal(records, 4);
    await indexer.stop();
    await run;
    assert.equal(fileSystem.stat('/data/indexer/running.json'), undefined);
    return;
  }
  assert.fail('the document was never given up');
});
