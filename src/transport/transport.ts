import type { DeadLetter } from '../record/dead-letter.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { RecordBatch } from '../record/record-batch.ts';

/**
 * The road between agents and indexers, shaped after Kafka: topics, partitions chosen by key, positions that only
 * grow, consumer groups whose partitions can be taken away. `memory.ts` is the one of `logboom up`.
 *
 * Every implementation holds: an acknowledged batch is never lost; batches of one key keep their order; a batch may
 * be delivered again after a rebalance or a restart, never skipped.
 */
export interface Transport {
  readonly producer: Producer;
  readonly deadLetters: DeadLetterQueue;
  /** Joins the consumer group. Only one consumer at a time is open in a process. */
  openConsumer(): Promise<Consumer>;
  /** Why the transport cannot take or give records just now, or undefined when it can. */
  problem(): string | undefined;
  close(): Promise<void>;
}

export interface Producer {
  /**
   * Sends a batch; resolves once it is acknowledged. Waits while the transport is full or away, as long as that
   * takes: it rejects only with `closed`. The batch is lent until the promise settles.
   */
  send(batch: RecordBatch): Promise<void>;
  /** The same for ledger records, which travel on a topic of their own. */
  sendLedger(records: readonly LedgerRecord[]): Promise<void>;
}

/**
 * Where documents wait that the store refuses: a compacted topic of a broker, a journal in the data directory
 * otherwise. Keyed by `DeadLetter.id`; the last letter of an id holds.
 */
export interface DeadLetterQueue {
  /** Resolves once the letters are durable. Waits while the transport is away; rejects only with `closed`. */
  send(letters: readonly DeadLetter[]): Promise<void>;
  /** Every letter that was not removed, as the queue stood at the call, in no particular order. */
  read(signal: AbortSignal): AsyncIterable<DeadLetter>;
  /** Takes letters away, after a replay or because a person said so. */
  remove(ids: readonly string[]): Promise<void>;
}

export type Delivery = LogDelivery | LedgerDelivery;

interface DeliveryPosition {
  readonly partition: number;
  /** Position of the delivery in its partition; commit `nextPosition` when it is durable. */
  readonly position: bigint;
  readonly nextPosition: bigint;
  /** Where it came from, for people; absent where there is one topic only. */
  readonly source?: DeliverySource;
}

/** A partition as a broker names it. */
export interface DeliverySource {
  readonly topic: string;
  readonly partition: number;
}

export interface LogDelivery extends DeliveryPosition {
  readonly kind: 'log';
  readonly batch: RecordBatch;
  /** Where the document at an index of the batch stands on a broker, for its dead letter; absent without a broker. */
  readonly sourceOf?: (index: number) => DeadLetter['source'];
}

export interface LedgerDelivery extends DeliveryPosition {
  readonly kind: 'ledger';
  readonly records: readonly LedgerRecord[];
}

export interface Consumer {
  /**
   * Resolves with what has arrived, at least one delivery and at most `bytesMax` of bodies (or one larger one);
   * with an empty list when `signal` is aborted or the consumer is closed. A delivery is lent until it is committed.
   */
  poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]>;
  /** States that every delivery below `nextPosition` of the partition is durable. Never goes backwards. */
  commit(partition: number, nextPosition: bigint): Promise<void>;
  /**
   * Called before partitions are taken away: the receiver finishes what it holds of them, commits, and resolves.
   * Deliveries of these partitions that are not committed by then come again, perhaps elsewhere.
   */
  onRevoke(listener: (partitions: readonly number[]) => Promise<void>): void;
  close(): Promise<void>;
}
