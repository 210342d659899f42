/**
 * What waits to be written to Kafka, by partition, and in which batches it goes.
 *
 * Each partition has at most one batch on the way. It has its sequence number from the first attempt on and keeps it
 * through all attempts, so the broker knows it again: an attempt whose answer was lost is not written twice, and
 * nothing overtakes it. Only when the broker has forgotten the producer is a batch numbered anew.
 *
 * Invariants
 *   - the records of a partition are written in the order of their `enqueue`;
 *   - an item is done when every record of it was acknowledged, and not before;
 *   - the sequence number of a batch is the one before it plus its count, modulo 2^31.
 */
import { assert } from '../../../base/assert.ts';

/** A run of records with one key. */
export interface SendItem {
  readonly key: Buffer;
  /** The records' values; undefined: one tombstone. */
  readonly body: Uint8Array | undefined;
  /** Where each value ends in `body`, its line end included. */
  readonly ends: Uint32Array;
  readonly count: number;
  /** Called once every record is acknowledged. */
  readonly onDone: () => void;
}

/** Records `from` to `to` (exclusive) of an item. */
export interface ItemRange {
  readonly item: SendItem;
  readonly from: number;
  readonly to: number;
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A batch to be encoded and sent. */
export interface PlannedBatch {
  readonly partition: PartitionState;
  readonly ranges: readonly ItemRange[];
  readonly identity: ProducerIdentity;
  readonly sequence: number;
}

export interface PartitionState {
  readonly topic: string;
  readonly number: number;
  readonly items: SendItem[];
  /** First record of the first item that is not acknowledged. */
  firstRecord: number;
  /** Bytes of all records that wait, those on the way included. */
  byteLength: number;
  /** When the oldest record that is not on the way came. */
  waitingSinceMs: number;
  identity: ProducerIdentity | undefined;
  nextSequence: number;
  batch: { readonly ranges: readonly ItemRange[]; readonly byteLength: number; count: number } | undefined;
  isOnTheWay: boolean;
  failureCount: number;
  retryAtMs: number;
}

export interface ProducerLimits {
  /** A batch is closed before it grows over this many bytes, not compressed; a larger record goes alone. */
  readonly batchBytesMax: number;
  /** How long records wait for others before a batch that is not full is sent. */
  readonly lingerMs: number;
  readonly retryMsMin: number;
  readonly retryMsMax: number;
}

const SEQUENCE_MASK = 0x7fff_ffff;

/** Returns the state of a partition that nothing waits for. */
export function createPartition(topic: string, number: number): PartitionState {
  return {
    topic,
    number,
    items: [],
    firstRecord: 0,
    byteLength: 0,
    waitingSinceMs: 0,
    identity: undefined,
    nextSequence: 0,
    batch: undefined,
    isOnTheWay: false,
    failureCount: 0,
    retryAtMs: 0,
  };
}

/** Adds records behind those that wait. */
export function enqueue(partition: PartitionState, item: SendItem, nowMs: number): void {
  assert(item.count > 0, 'an item has records');
  if (partition.items.length === 0) partition.waitingSinceMs = nowMs;
  partition.items.push(item);
  partition.byteLength += item.body?.length ?? 0;
}

/** Returns when the partition's next batch may be sent, or undefined when nothing waits or one is on the way. */
export function dueAtMs(partition: PartitionState, limits: ProducerLimits): number | undefined {
  if (partition.isOnTheWay || partition.items.length === 0) return undefined;
  if (partition.batch !== undefined || partition.failureCount > 0) return partition.retryAtMs;
  const isFull = partition.byteLength >= limits.batchBytesMax;
  return isFull
    ? partition.retryAtMs
    : Math.max(partition.retryAtMs, partition.waitingSinceMs + limits.lingerMs);
}

/** Takes the next batch, or again the one that failed; its records stay until `acknowledge`. */
export function takeBatch(
  partition: PartitionState,
  identity: ProducerIdentity,
  limits: Pick<ProducerLimits, 'batchBytesMax'>,
): PlannedBatch {
  assert(!partition.isOnTheWay && partition.items.length > 0, 'a batch is taken when something waits');
  if (partition.identity === undefined) {
    partition.identity = identity;
    partition.nextSequence = 0;
  }
  partition.batch ??= cutBatch(partition, limits.batchBytesMax);
  partition.isOnTheWay = true;
  const { ranges } = partition.batch;
  return { partition, ranges, identity: partition.identity, sequence: partition.nextSequence };
}

/** Notes how many records the batch has: fewer than its ranges when some of them went elsewhere. */
export function noteEncoded(partition: PartitionState, count: number): void {
  assert(partition.batch !== undefined && partition.isOnTheWay, 'a batch is on the way');
  partition.batch.count = count;
}

/** Removes the batch that was written; what it completed is told so. */
export function acknowledge(partition: PartitionState, nowMs: number): void {
  const { batch } = partition;
  assert(batch !== undefined && partition.isOnTheWay, 'an acknowledgement has a batch');
  partition.nextSequence = (partition.nextSequence + batch.count) & SEQUENCE_MASK;
  partition.byteLength -= batch.byteLength;
  partition.batch = undefined;
  partition.isOnTheWay = false;
  partition.failureCount = 0;
  partition.retryAtMs = 0;
  partition.waitingSinceMs = nowMs;
  let doneCount = 0;
  for (const { item, to } of batch.ranges) {
    assert(item === partition.items[doneCount], 'batches are acknowledged in order');
    partition.firstRecord = to < item.count ? to : 0;
    if (to === item.count) doneCount += 1;
  }
  for (const item of partition.items.splice(0, doneCount)) item.onDone();
}

/** The batch was not acknowledged: it is sent again, the same, after a while. */
export function retryLater(partition: PartitionState, nowMs: number, limits: ProducerLimits): void {
  partition.isOnTheWay = false;
  partition.failureCount += 1;
  const delayMs = limits.retryMsMin * 2 ** Math.min(partition.failureCount - 1, 16);
  partition.retryAtMs = nowMs + Math.min(delayMs, limits.retryMsMax);
}

/** The broker refused the batch and knows that it did: its records may be cut into other batches. */
export function dissolveBatch(partition: PartitionState): void {
  partition.batch = undefined;
}

/** The broker does not know this producer any more: the next attempt has a new identity and begins to count at 0. */
export function forgetIdentity(partition: PartitionState): void {
  partition.identity = undefined;
}

function cutBatch(partition: PartitionState, bytesMax: number): NonNullable<PartitionState['batch']> {
  const ranges: ItemRange[] = [];
  let byteLength = 0;
  let count = 0;
  let from = partition.firstRecord;
  for (const item of partition.items) {
    const start = startOf(item, from);
    const to = lastFitting(item, from, start + bytesMax - byteLength, count === 0);
    if (to === from) break;
    ranges.push({ item, from, to });
    byteLength += startOf(item, to) - start;
    count += to - from;
    if (to < item.count) break;
    from = 0;
  }
  return { ranges, byteLength, count };
}

/** Returns the first record whose end lies behind `end`, at least the one after `from` when one must be taken. */
function lastFitting(item: SendItem, from: number, end: number, isOneNeeded: boolean): number {
  let low = from;
  let high = item.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((item.ends[middle] ?? 0) <= end) low = middle + 1;
    else high = middle;
  }
  return isOneNeeded ? Math.max(low, from + 1) : low;
}

function startOf(item: SendItem, index: number): number {
  return index === 0 ? 0 : (item.ends[index - 1] ?? 0);
}
