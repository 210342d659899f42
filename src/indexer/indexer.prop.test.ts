/**
 * The indexer against a store that fails and refuses, a transport that rebalances, and restarts at any moment: in the
 * end each document is stored once or is a dead letter, never both and never neither (G2, G4, G7).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../base/errors.ts';
import type { Service } from '../base/service.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { eventIdOf } from '../record/identity.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { AppendResult, RejectedDocument } from '../store/store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { MemoryDeadLetters } from '../transport/memory-dead-letters.ts';
import { MemoryTransport } from '../transport/memory.ts';
import { sliceBatch } from './crash-state.ts';
import { LOCAL_ROUNDS, REMOTE_ROUNDS } from './held-rounds.ts';
import { createIndexer } from './indexer.ts';
import { batchOf } from './testing/batches.ts';

const FILES = ['a', 'b', 'c'];

type Step =
  | { readonly kind: 'send'; readonly file: string; readonly refused: readonly boolean[] }
  | { readonly kind: 'fail'; readonly appends: number; readonly letters: number }
  | { readonly kind: 'rebalance' | 'restart' }
  | { readonly kind: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('send'),
      file: fc.constantFrom(...FILES),
      refused: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail'), appends: fc.nat(4), letters: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('rebalance', 'restart') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.nat(3_000) }) },
);

/** Knows documents by their ids, as a search cluster does: in whatever order they come, each is stored once. */
class KeyedStore extends MemoryStore {
  readonly #known = new Set<string>();

  override async append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    const total = { appended: 0, duplicates: 0, rejected: [] as RejectedDocument[] };
    for (const [batchIndex, batch] of batches.entries()) {
      for (let index = 0; index < batch.count; index++) {
        const id = eventIdOf(batch.fileId, batch.offsets[index] ?? 0);
        const isKnown = this.#known.has(id);
        // A file id of its own takes the document past the watermarks.
        const one = {
          ...sliceBatch(batch, index, index + 1),
          fileId: id,
          fieldTypes: new Map(),
          dropped: [],
        };
        const { rejected } = isKnown ? { rejected: [] } : await super.append([one], signal);
        total.rejected.push(...rejected.map((refusal) => ({ ...refusal, batchIndex, documentIndex: index })));
        if (rejected.length === 0) this.#known.add(id);
        if (isKnown) total.duplicates++;
        else total.appended += 1 - rejected.length;
      }
    }
    return total;
  }
}

/** Fails as often as it is told, before or after it has stored what it was given, and takes its time. */
class UnreliableStore extends MemoryStore {
  readonly #scheduler: VirtualScheduler;
  readonly #store: MemoryStore;
  failures = 0;

  constructor(scheduler: VirtualScheduler, store: MemoryStore) {
    super();
    this.#scheduler = scheduler;
    this.#store = store;
    store.rejects = (document) =>
      String(document['message']).startsWith('bad') ? { type: 'conflict', reason: 'bad' } : undefined;
  }

  override async append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    await this.#scheduler.sleep(this.failures * 7 + 1);
    const isFailing = this.failures > 0;
    if (isFailing) this.failures--;
    if (isFailing && this.failures % 2 === 0) throw new AppError('unreachable', 'cannot reach the store');
    const result = await this.#store.append(batches, signal);
    if (isFailing) throw new AppError('timed_out', 'cannot tell what the store did');
    return result;
  }
}

class UnreliableLetters extends MemoryDeadLetters {
  failures = 0;

  override async send(letters: Parameters<MemoryDeadLetters['send']>[0]): Promise<void> {
    if (this.failures-- > 0) throw new AppError('unreachable', 'cannot reach the queue');
    await super.send(letters);
  }
}

class World {
  readonly scheduler = new VirtualScheduler();
  readonly kept: MemoryStore;
  readonly store: UnreliableStore;
  readonly letters = new UnreliableLetters();
  readonly transport = new MemoryTransport({
    bufferBytesMax: 1_000_000,
    partitionCount: 2,
    deadLetters: this.letters,
  });
  readonly good: string[] = [];
  readonly bad: string[] = [];
  readonly #isRemote: boolean;
  readonly #offsets = new Map<string, number>();
  #indexer: Service;
  #sentCount = 0;
  acknowledgedCount = 0;

  constructor(isRemote: boolean) {
    this.#isRemote = isRemote;
    this.kept = isRemote ? new KeyedStore() : new MemoryStore();
    this.store = new UnreliableStore(this.scheduler, this.kept);
    this.#indexer = this.#start();
  }

  get hasAll(): boolean {
    return this.acknowledgedCount === this.#sentCount;
  }

  async run(next: Step): Promise<void> {
    if (next.kind === 'send') this.#send(next.file, next.refused);
    else if (next.kind === 'fail') {
      this.store.failures = next.appends;
      this.letters.failures = next.letters;
    } else if (next.kind === 'wait') await this.scheduler.advance(next.ms);
    else if (next.kind === 'restart') await this.#restart();
    else await this.#inVirtualTime(this.transport.rebalance());
  }

  async end(): Promise<void> {
    assert.ok(
      await this.scheduler.advanceUntil(() => this.hasAll, 300_000, 500),
      'everything is acknowledged',
    );
    await this.#inVirtualTime(this.#indexer.stop());
  }

  #send(file: string, refused: readonly boolean[]): void {
    const offset = this.#offsets.get(file) ?? 0;
    this.#offsets.set(file, offset + refused.length);
    const messages = refused.map(
      (isRefused, index) => `${isRefused ? 'bad' : 'good'} ${file}${offset + index}`,
    );
    for (const message of messages) (message.startsWith('bad') ? this.bad : this.good).push(message);
    this.#sentCount++;
    void this.transport.producer.send(batchOf(file, offset, messages)).then(() => this.acknowledgedCount++);
  }

  async #restart(): Promise<void> {
    await this.#inVirtualTime(this.#indexer.stop());
    this.#indexer = this.#start();
  }

  #start(): Service {
    const indexer = createIndexer({
      pipelines: [],
      batchBytesMax: 2_000,
      transport: this.transport,
      store: this.store,
      scheduler: this.scheduler,
      telemetry: new MemoryTelemetry(),
      rounds: this.#isRemote ? REMOTE_ROUNDS : LOCAL_ROUNDS,
      drainMsMax: 50,
      revokeMsMax: 100,
    });
    indexer.run().catch((error: unknown) => assert.fail(String(error)));
    return indexer;
  }

  async #inVirtualTime(action: Promise<unknown>): Promise<void> {
    let isDone = false;
    void action.then(() => (isDone = true));
    assert.ok(await this.scheduler.advanceUntil(() => isDone, 60_000, 50));
  }
}

async function messagesOf(store: MemoryStore): Promise<string[]> {
  const range = { startNs: 0n, endNs: 2n ** 62n };
  const blocks = await Array.fromAsync(
    store.export({ query: { kind: 'all' }, range }, new AbortController().signal),
  );
  return blocks.map((block) => (JSON.parse(new TextDecoder().decode(block)) as { message: string }).message);
}

for (const isRemote of [false, true]) {
  const store = isRemote ? 'a store that knows ids' : 'a store with watermarks';
  test(`each document is in ${store} once or is a dead letter, whatever fails in between`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const world = new World(isRemote);
        for (const next of steps) await world.run(next);
        await world.end();
        assert.deepEqual((await messagesOf(world.kept)).toSorted(), world.good.toSorted());
        const letters = await Array.fromAsync(world.letters.read());
        const refused = letters.map(({ document }) => (JSON.parse(document) as { message: string }).message);
        assert.deepEqual(refused.toSorted(), world.bad.toSorted());
      }),
      { numRuns: 200 },
    );
  });
}
