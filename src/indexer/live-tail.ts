/**
 * Live records of a server whose records are indexed elsewhere: reads the end of the transport, runs the pipelines,
 * and hands on what it finds. Nothing is read while nobody follows, and nothing is committed: what is missed here is
 * found by search.
 */
import { assert } from '../base/assert.ts';
import { messageOf } from '../base/errors.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Service } from '../base/service.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Consumer, Delivery } from '../transport/transport.ts';
import { commitsOf } from './held-rounds.ts';
import { createBatchProcessor, type BatchProcessor } from './pipeline/batch-processor.ts';
import { SeenOffsets } from './seen-offsets.ts';

export interface LiveTailOptions {
  readonly pipelines: readonly PipelineConfig[];
  readonly batchBytesMax: number;
  /** Opens a consumer that starts at the end of the transport and belongs to no group. */
  readonly openTail: () => Promise<Consumer>;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Whether anybody follows. */
  readonly isWatched: () => boolean;
  /** Called with what arrived. The batches are lent for the call. */
  readonly onRecords: (batches: readonly DocumentBatch[]) => void;
}

/** How long reading goes on when nobody follows, so that a page that is loaded anew misses nothing. */
const IDLE_MS = 30_000;

const RETRY_MS = 1_000;

export class LiveTail implements Service {
  readonly name = 'tail';
  readonly #options: LiveTailOptions;
  readonly #processor: BatchProcessor;
  readonly #seen = new SeenOffsets();
  readonly #stopping = new AbortController();
  /** Settled while the end of the transport is read. */
  #opened = Promise.withResolvers<void>();
  #wanted = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: LiveTailOptions) {
    assert(options.batchBytesMax > 0, 'a batch has room for something');
    this.#options = options;
    this.#processor = createBatchProcessor(options.pipelines);
  }

  /** Resolves once everything that is sent from now on will be handed on. */
  follow(): Promise<void> {
    this.#wanted.resolve();
    return this.#opened.promise;
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wanted.resolve();
    await this.#running;
  }

  problem(): string | undefined {
    return undefined;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    const { openTail, scheduler, telemetry } = this.#options;
    while (!signal.aborted) {
      await this.#wanted.promise;
      if (signal.aborted) return;
      let isOpen = false;
      try {
        const consumer = await openTail();
        isOpen = true;
        this.#opened.resolve();
        await this.#read(consumer);
        await consumer.close();
        this.#wanted = Promise.withResolvers();
        this.#opened = Promise.withResolvers();
      } catch (error) {
        telemetry.log('warn', 'tail_failed', `cannot follow the transport: ${messageOf(error)}`);
        if (isOpen) this.#opened = Promise.withResolvers();
        await scheduler.sleep(RETRY_MS, signal);
      }
      if (this.#options.isWatched()) this.#wanted.resolve();
    }
  }

  /** Reads until nobody has followed for a while. */
  async #read(consumer: Consumer): Promise<void> {
    const { scheduler, batchBytesMax, isWatched } = this.#options;
    let watchedMs = scheduler.monotonicMs();
    while (!this.#stopping.signal.aborted && scheduler.monotonicMs() - watchedMs < IDLE_MS) {
      const limit = new AbortController();
      const timer = scheduler.schedule(IDLE_MS / 10, () => limit.abort());
      const deliveries = await consumer.poll(
        batchBytesMax,
        AbortSignal.any([limit.signal, this.#stopping.signal]),
      );
      timer.cancel();
      if (isWatched()) {
        watchedMs = scheduler.monotonicMs();
        this.#hand(deliveries);
      }
      for (const { partition, nextPosition } of commitsOf(deliveries)) {
        await consumer.commit(partition, nextPosition);
      }
      // A consumer that is closed comes back at once.
      if (deliveries.length === 0 && !limit.signal.aborted) return;
    }
  }

  #hand(deliveries: readonly Delivery[]): void {
    const batches = deliveries.flatMap((delivery) =>
      delivery.kind === 'log' ? [this.#processor.process(delivery.batch).batch] : [],
    );
    const fresh = this.#seen.takeNew(batches);
    if (fresh.length > 0) this.#options.onRecords(fresh);
  }
}
