/**
 * The loop between the transport and the store: poll, run pipelines, append, commit.
 *
 * Positions are committed only for what the store has durably taken, or refused and the dead letters have, contiguously
 * per partition (G2); `held-rounds.ts` has the rules. Whatever keeps the store or the transport from working is waited
 * out, for as long as it takes: nothing is dropped but what a pipeline drops on purpose. While it waits, at most the
 * rounds that are held and one more stay in memory; the transport keeps its place in the group by itself.
 */
import { assert, BugError } from '../base/assert.ts';
import { messageOf } from '../base/errors.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Service } from '../base/service.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import type { DeadLetter } from '../record/dead-letter.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import type { AppendResult, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Consumer, Delivery, Transport } from '../transport/transport.ts';
import type { CrashNotes } from './crash-notes.ts';
import { CrashState, type Piece } from './crash-state.ts';
import { letterOf, lettersOf } from './dead-letters.ts';
import { HeldRounds, LOCAL_ROUNDS, type HeldRoundsOptions } from './held-rounds.ts';
import { isExpected, Patience } from './patience.ts';
import { createBatchProcessor } from './pipeline/batch-processor.ts';
import { fillRound, openRound, type Round, type RoundMaker } from './prepare-round.ts';
import { SeenOffsets } from './seen-offsets.ts';
import { SeldomCounts } from './seldom-counts.ts';

export interface IndexerOptions {
  readonly pipelines: readonly PipelineConfig[];
  /** Bytes of bodies that are taken from the transport at once. */
  readonly batchBytesMax: number;
  readonly transport: Transport;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Which rounds are appended at the same time; default: those of a store on this machine. */
  readonly rounds?: HeldRoundsOptions;
  /** Called with what was newly stored, before its commit. The batches are lent for the call. */
  readonly onStored?: (batches: readonly DocumentBatch[]) => void;
  /** How long `stop` waits for what is held before it is left for the next start. */
  readonly drainMsMax?: number;
  /** How long partitions that are taken away are waited for. */
  readonly revokeMsMax?: number;
  /** Finds documents that end the process; without it, they do so for ever. */
  readonly crashNotes?: CrashNotes;
}

const DRAIN_MS_MAX = 20_000;

/** Half of the shortest time that brokers usually give a member to let go. */
const REVOKE_MS_MAX = 10_000;

/** A document that ends the process does so at once; an append that lasts longer waits for something else. */
const SUSPECT_MS_MAX = 5_000;

/** Creates the indexer. It runs until it is stopped, or rejects on a broken invariant. */
export function createIndexer(options: IndexerOptions): Service {
  return new Indexer(options);
}

class Indexer implements Service {
  readonly name = 'indexer';
  readonly #options: IndexerOptions;
  readonly #maker: RoundMaker;
  readonly #patience: Patience;
  readonly #held: HeldRounds<Round>;
  readonly #crashes: CrashState;
  readonly #seen = new SeenOffsets();
  readonly #polling = new AbortController();
  readonly #appending = new AbortController();
  /** Called whenever a round has been settled. */
  #wake: (() => void)[] = [];
  /** The round that is not held yet. */
  #preparing: Round | undefined;
  #committingCount = 0;
  #heldBytes = 0;
  readonly #startedMs: number;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: IndexerOptions) {
    assert(options.batchBytesMax > 0, 'a batch has room for something');
    const { pipelines, scheduler, telemetry, rounds = LOCAL_ROUNDS, batchBytesMax } = options;
    this.#options = options;
    this.#startedMs = scheduler.monotonicMs();
    const seldom = new SeldomCounts(() => scheduler.monotonicMs());
    this.#maker = { processor: createBatchProcessor(pipelines), scheduler, telemetry, seldom };
    this.#patience = new Patience(scheduler, telemetry);
    this.#held = new HeldRounds(rounds);
    this.#crashes = new CrashState(options.crashNotes?.read(), (rounds.roundsMax + 1) * batchBytesMax);
    telemetry.gauge('logboom_indexer_held_bytes_max', (rounds.roundsMax + 1) * batchBytesMax);
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
    const { store, transport } = this.#options;
    return this.#patience.problem() ?? store.problem() ?? transport.problem();
  }

  async #loop(): Promise<void> {
    const { transport, crashNotes } = this.#options;
    const consumer = await this.#patience.until('read', this.#polling.signal, () => transport.openConsumer());
    if (consumer === undefined) return;
    crashNotes?.write(this.#crashes.noteOf(undefined));
    if (this.#crashes.isCareful) {
      const text =
        'the process ended several times before it got anywhere: what it works on is looked at one by one';
      this.#options.telemetry.log('warn', 'indexer_careful', text);
    }
    consumer.onRevoke((partitions) => this.#revoke(partitions));
    try {
      await this.#consume(consumer);
      await this.#drained();
    } finally {
      await consumer.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
    crashNotes?.clear();
  }

  async #consume(consumer: Consumer): Promise<void> {
    const { signal } = this.#polling;
    while (!signal.aborted) {
      const deliveries = await this.#patience.until('read', signal, () =>
        consumer.poll(this.#options.batchBytesMax, signal),
      );
      // A poll comes back empty only when it was aborted or the transport is closed.
      if (deliveries === undefined || deliveries.length === 0) return;
      for (const piece of this.#crashes.plan(deliveries)) {
        if (this.#appending.signal.aborted || this.#failure !== undefined) return;
        await this.#take(piece, consumer);
      }
    }
  }

  /** Runs the pipelines over a piece and begins to append it, as soon as there is room. */
  async #take(piece: Piece, consumer: Consumer): Promise<void> {
    const { crashNotes, scheduler } = this.#options;
    const { suspect } = piece;
    if (suspect !== undefined) {
      await this.#drained();
      crashNotes?.write(this.#crashes.noteOf(suspect));
    }
    const round = openRound(piece, scheduler);
    this.#preparing = round;
    this.#changeHeldBytes(round.bytes);
    await fillRound(round, piece.deliveries, this.#maker);
    while (!this.#held.canBegin(round) && !this.#appending.signal.aborted) await this.#nextSettled();
    this.#preparing = undefined;
    this.#held.begin(round);
    // In the order of the transport: rounds of one file may be stored in another.
    const fresh = this.#seen.takeNew(round.batches);
    const finished = this.#finish(round, { fresh, consumer });
    if (suspect !== undefined) await this.#clearSuspect(finished);
  }

  /** A suspect that is stored, or that only waits, is none any more. */
  async #clearSuspect(finished: Promise<void>): Promise<void> {
    const { crashNotes, scheduler } = this.#options;
    const clear = (): void => crashNotes?.write(this.#crashes.noteOf(undefined));
    const timer = scheduler.schedule(SUSPECT_MS_MAX, clear);
    await finished;
    timer.cancel();
    if (this.#failure === undefined) clear();
  }

  #prove({ bytes, suspect }: Round): void {
    const uptimeMs = this.#options.scheduler.monotonicMs() - this.#startedMs;
    // A suspect's note stands until the suspect is cleared.
    if (this.#crashes.prove(bytes, uptimeMs) && suspect === undefined)
      this.#options.crashNotes?.write(this.#crashes.noteOf(undefined));
  }

  /** Appends a round and commits what can be committed then. Never rejects: a failure ends the loop. */
  async #finish(
    round: Round,
    { fresh, consumer }: { readonly fresh: readonly DocumentBatch[]; readonly consumer: Consumer },
  ): Promise<void> {
    try {
      const result = await this.#append(round);
      if (result === undefined) {
        // What is behind it must not be committed either: it all comes again at the next start.
        this.#held.abandon(round);
        this.#polling.abort();
      } else {
        this.#publish(round, fresh, result);
        this.#recycle(round);
        this.#committingCount++;
        for (const settled of this.#held.settle(round)) await this.#commit(settled, consumer);
        this.#committingCount--;
        this.#prove(round);
      }
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new BugError(messageOf(error));
      this.#held.abandon(round);
      this.#polling.abort();
      this.#appending.abort();
    } finally {
      this.#changeHeldBytes(-round.bytes);
      for (const wake of this.#wake.splice(0)) wake();
    }
  }

  /** Returns undefined when it was aborted before everything of the round was durable. */
  async #append(round: Round): Promise<AppendResult | undefined> {
    const { store, scheduler } = this.#options;
    const { signal } = this.#appending;
    const result = await this.#patience.until('store', signal, async () => {
      const appended =
        round.batches.length > 0
          ? await store.append(round.batches, signal)
          : { appended: 0, duplicates: 0, rejected: [] };
      if (round.ledger.length > 0) await store.appendLedger(round.ledger, signal);
      return appended;
    });
    if (result === undefined) return undefined;
    const time = formatTimestamp(scheduler.nowNs());
    const letters = [
      ...givenUpLetters(round.givenUp, time),
      ...lettersOf(round.processed, result.rejected, time),
    ];
    return (await this.#sendLetters(letters)) ? result : undefined;
  }

  /** Returns false when it was aborted before the letters were durable. */
  async #sendLetters(letters: readonly DeadLetter[]): Promise<boolean> {
    if (letters.length === 0) return true;
    const { transport, telemetry } = this.#options;
    const isSent = await this.#patience.until('dead_letter', this.#appending.signal, async () => {
      await transport.deadLetters.send(letters);
      return true;
    });
    if (isSent === undefined) return false;
    telemetry.count('logboom_indexer_records_total', letters.length, { outcome: 'dead_letter' });
    const [first] = letters;
    const documents = this.#maker.seldom.add(`dead letter ${first?.error.type}`, letters.length);
    if (documents === 0) return true;
    telemetry.log('warn', 'dead_letters', 'documents were refused and went to the dead letters', {
      documents,
      type: first?.error.type,
      reason: first?.error.reason,
      hint: 'Look at them with `logboom replay`.',
    });
    return true;
  }

  #publish(
    { batches, bytes }: Round,
    fresh: readonly DocumentBatch[],
    { appended, duplicates }: AppendResult,
  ): void {
    const { telemetry, onStored } = this.#options;
    const droppedCount = batches.reduce((sum, { dropped }) => sum + dropped.length, 0);
    const outcomes = { stored: appended, duplicate: duplicates, dropped: droppedCount };
    for (const [outcome, count] of Object.entries(outcomes)) {
      if (count > 0) telemetry.count('logboom_indexer_records_total', count, { outcome });
    }
    telemetry.observe('logboom_indexer_batch_bytes', bytes);
    if (appended > 0 && fresh.length > 0) onStored?.(fresh);
  }

  /** Nobody reads the documents of a round any more that is stored and published. */
  #recycle({ batches, processed }: Round): void {
    for (const [index, { delivery }] of processed.entries()) {
      const batch = batches[index];
      if (batch !== undefined && delivery.kind === 'log')
        this.#maker.processor.recycle(batch, delivery.batch);
    }
  }

  async #commit(round: Round, consumer: Consumer): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    for (const { partition, nextPosition } of this.#held.takeCommits(round)) {
      try {
        await consumer.commit(partition, nextPosition);
      } catch (error) {
        if (!isExpected(error)) throw error;
        // It is delivered again then, and the store knows it.
        const text = 'cannot commit a position: its records will be delivered again';
        telemetry.log('warn', 'commit_failed', text, { partition, error: messageOf(error) });
      }
    }
    telemetry.observe('logboom_indexer_batch_seconds', (scheduler.monotonicMs() - round.startedMs) / 1000);
  }

  /** Finishes what is held for a while; what is not stored by then is delivered again, perhaps elsewhere. */
  async #revoke(partitions: readonly number[]): Promise<void> {
    const { scheduler, revokeMsMax = REVOKE_MS_MAX, telemetry } = this.#options;
    const patience = new AbortController();
    const isDrained = await Promise.race([
      this.#drained().then(() => true),
      scheduler.sleep(revokeMsMax, patience.signal).then(() => false),
    ]);
    patience.abort();
    this.#held.revoke(partitions, this.#preparing === undefined ? [] : [this.#preparing]);
    if (isDrained) return;
    const text = 'partitions were taken away before what was read of them was stored: it is delivered again';
    telemetry.log('warn', 'revoked_early', text, { partitions: partitions.length });
  }

  /** Resolves when nothing is held any more. */
  async #drained(): Promise<void> {
    while (!this.#held.isEmpty || this.#preparing !== undefined || this.#committingCount > 0) {
      await this.#nextSettled();
    }
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #changeHeldBytes(change: number): void {
    this.#heldBytes += change;
    this.#options.telemetry.gauge('logboom_indexer_held_bytes', this.#heldBytes);
  }
}

function givenUpLetters(deliveries: readonly Delivery[], time: string): DeadLetter[] {
  const error = {
    type: 'process_crash',
    reason: 'the process ended each time that it worked on this document',
  };
  return deliveries.flatMap((delivery) => {
    if (delivery.kind === 'ledger') return [];
    return Array.from({ length: delivery.batch.count }, (_, index) =>
      letterOf(delivery, index, { error, index: undefined, time }),
    );
  });
}
