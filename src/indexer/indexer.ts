/**
 * The loop between the transport and the store: poll, run pipelines, append, commit.
 *
 * Positions are committed only for what the store has durably taken, contiguously per partition (G2); `held-rounds.ts`
 * has the rules. Whatever keeps the store or the transport from working is waited out, for as long as it takes:
 * nothing is dropped but what a pipeline drops on purpose.
 */
import { assert, BugError } from '../base/assert.ts';
import { AppError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Service } from '../base/service.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import type { AppendResult, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Consumer, Delivery, Transport } from '../transport/transport.ts';
import { commitsOf, HeldRounds, type HeldRound } from './held-rounds.ts';
import { createBatchProcessor, type BatchProcessor } from './pipeline/batch-processor.ts';
import { StoredOffsets } from './stored-offsets.ts';

export interface IndexerOptions {
  readonly pipelines: readonly PipelineConfig[];
  /** Bytes of bodies that are taken from the transport at once. */
  readonly batchBytesMax: number;
  readonly transport: Transport;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Called with what was newly stored, before its commit. The batches are lent for the call. */
  readonly onStored?: (batches: readonly DocumentBatch[]) => void;
  /** How long `stop` waits for what is held before it is left for the next start. */
  readonly drainMsMax?: number;
}

const DRAIN_MS_MAX = 20_000;

const RETRY_DELAY_MS_MIN = 100;
const RETRY_DELAY_MS_MAX = 10_000;

/** Parsing pauses after this long, so that an API in the same process stays responsive. */
const SLICE_MS_MAX = 5;

interface Round extends HeldRound {
  readonly batches: readonly DocumentBatch[];
  readonly ledger: readonly LedgerRecord[];
  readonly startedMs: number;
}

/** Creates the indexer. It runs until it is stopped, or rejects on a broken invariant. */
export function createIndexer(options: IndexerOptions): Service {
  return new Indexer(options);
}

class Indexer implements Service {
  readonly name = 'indexer';
  readonly #options: IndexerOptions;
  readonly #processor: BatchProcessor;
  readonly #held = new HeldRounds<Round>();
  readonly #stored = new StoredOffsets();
  readonly #polling = new AbortController();
  readonly #appending = new AbortController();
  /** Called whenever a round has been settled. */
  #wake: (() => void)[] = [];
  #preparingCount = 0;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #problem: string | undefined;

  constructor(options: IndexerOptions) {
    assert(options.batchBytesMax > 0, 'a batch has room for something');
    this.#options = options;
    this.#processor = createBatchProcessor(options.pipelines);
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#polling.abort();
    const { scheduler, drainMsMax = DRAIN_MS_MAX } = this.#options;
    const timer = scheduler.schedule(drainMsMax, () => this.#appending.abort());
    // What `run` rejects with is reported to the caller of `run`.
    await this.#running?.catch(() => undefined);
    timer.cancel();
  }

  problem(): string | undefined {
    return this.#problem ?? this.#options.store.problem() ?? this.#options.transport.problem();
  }

  async #loop(): Promise<void> {
    const consumer = await this.#retrying('read from the transport', this.#polling.signal, () =>
      this.#options.transport.openConsumer(),
    );
    if (consumer === undefined) return;
    consumer.onRevoke(() => this.#drained());
    try {
      await this.#consume(consumer);
      await this.#drained();
    } finally {
      await consumer.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #consume(consumer: Consumer): Promise<void> {
    const { signal } = this.#polling;
    while (!signal.aborted) {
      const deliveries = await this.#retrying('read from the transport', signal, () =>
        consumer.poll(this.#options.batchBytesMax, signal),
      );
      // A poll comes back empty only when it was aborted or the transport is closed.
      if (deliveries === undefined || deliveries.length === 0) return;
      this.#preparingCount++;
      const round = await this.#prepare(deliveries);
      while (!this.#held.canBegin(round) && !this.#appending.signal.aborted) await this.#nextSettled();
      this.#preparingCount--;
      this.#held.begin(round);
      void this.#finish(round, consumer);
    }
  }

  /** Runs the pipelines over what was delivered. */
  async #prepare(deliveries: readonly Delivery[]): Promise<Round> {
    const { scheduler, telemetry } = this.#options;
    const startedMs = scheduler.monotonicMs();
    const batches: DocumentBatch[] = [];
    const ledger: LedgerRecord[] = [];
    let sliceStartedMs = startedMs;
    let failedCount = 0;
    for (const delivery of deliveries) {
      if (delivery.kind === 'ledger') {
        ledger.push(...delivery.records);
        continue;
      }
      const processed = this.#processor.process(delivery.batch);
      batches.push(processed.batch);
      failedCount += processed.failedCount;
      if (scheduler.monotonicMs() - sliceStartedMs < SLICE_MS_MAX) continue;
      await scheduler.yield();
      sliceStartedMs = scheduler.monotonicMs();
    }
    if (failedCount > 0) {
      telemetry.count('logboom_indexer_records_total', failedCount, { outcome: 'failed' });
      telemetry.log(
        'warn',
        'pipeline_failed',
        'a pipeline failed on documents, which are kept as they were',
        {
          documents: failedCount,
        },
      );
    }
    const fileIds = new Set(batches.map(({ fileId }) => fileId));
    return { batches, ledger, fileIds, commits: commitsOf(deliveries), isStored: false, startedMs };
  }

  /** Appends a round and commits what can be committed then. Never rejects: a failure ends the loop. */
  async #finish(round: Round, consumer: Consumer): Promise<void> {
    try {
      const result = await this.#append(round);
      if (result === undefined) {
        // What is behind it must not be committed either: it all comes again at the next start.
        this.#held.abandon(round);
        this.#polling.abort();
      } else {
        this.#publish(round, result);
        for (const settled of this.#held.settle(round)) await this.#commit(settled, consumer);
      }
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new BugError(messageOf(error));
      this.#held.abandon(round);
      this.#polling.abort();
      this.#appending.abort();
    } finally {
      for (const wake of this.#wake.splice(0)) wake();
    }
  }

  /** Returns undefined when it was aborted before the store had taken the round. */
  #append(round: Round): Promise<AppendResult | undefined> {
    const { store } = this.#options;
    const { signal } = this.#appending;
    return this.#retrying('write to the store', signal, async () => {
      const result =
        round.batches.length > 0
          ? await store.append(round.batches, signal)
          : { appended: 0, duplicates: 0, rejected: [] };
      if (round.ledger.length > 0) await store.appendLedger(round.ledger, signal);
      return result;
    });
  }

  #publish({ batches }: Round, { appended, duplicates }: AppendResult): void {
    const { telemetry, onStored } = this.#options;
    const droppedCount = batches.reduce((sum, { dropped }) => sum + dropped.length, 0);
    if (appended > 0) telemetry.count('logboom_indexer_records_total', appended, { outcome: 'stored' });
    if (duplicates > 0)
      telemetry.count('logboom_indexer_records_total', duplicates, { outcome: 'duplicate' });
    if (droppedCount > 0)
      telemetry.count('logboom_indexer_records_total', droppedCount, { outcome: 'dropped' });
    const fresh = this.#stored.takeNew(batches);
    if (appended > 0 && fresh.length > 0) onStored?.(fresh);
  }

  async #commit(round: Round, consumer: Consumer): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    for (const { partition, nextPosition } of round.commits) {
      try {
        await consumer.commit(partition, nextPosition);
      } catch (error) {
        if (!isExpected(error)) throw error;
        // It is delivered again then, and the store knows it.
        telemetry.log(
          'warn',
          'commit_failed',
          'cannot commit a position: its records will be delivered again',
          {
            partition,
            error: messageOf(error),
          },
        );
      }
    }
    telemetry.observe('logboom_indexer_batch_seconds', (scheduler.monotonicMs() - round.startedMs) / 1000);
  }

  /** Tries until it works; undefined when the signal is aborted first, or the other side is closed for good. */
  async #retrying<T>(action: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    const { scheduler, telemetry } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const result = await attempt();
        if (failures > 0) telemetry.log('info', 'indexer_recovered', `the indexer can ${action} again`);
        if (failures > 0) this.#problem = undefined;
        return result;
      } catch (error) {
        if (signal.aborted || isOver(error)) return undefined;
        if (!isExpected(error)) throw error;
        this.#problem = `cannot ${action}: ${messageOf(error)}`;
        if (failures === 0) telemetry.log('error', 'indexer_waits', this.#problem, { hint: hintOf(error) });
      }
      await scheduler.sleep(
        Math.min(RETRY_DELAY_MS_MIN * 2 ** Math.min(failures, 16), RETRY_DELAY_MS_MAX),
        signal,
      );
    }
    return undefined;
  }

  /** Resolves when nothing is held any more. */
  async #drained(): Promise<void> {
    while (!this.#held.isEmpty || this.#preparingCount > 0) await this.#nextSettled();
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }
}

/** The environment's failures, which may pass; anything else is a bug. */
function isExpected(error: unknown): boolean {
  return error instanceof AppError || systemCodeOf(error) !== undefined;
}

function isOver(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'closed' || error.code === 'aborted');
}

function hintOf(error: unknown): string | undefined {
  return error instanceof AppError ? error.hint : undefined;
}
