/**
 * The transport of one process: agents and the indexer share its memory.
 *
 * Memory is not durable, so a send is acknowledged only when the consumer has committed past it: an acknowledgement
 * means the same as with a broker, that the records outlive a crash. It behaves like a broker's topic otherwise:
 * partitions by key, positions that only grow, and deliveries that come again when they were not committed before
 * the consumer was closed or its partitions were revoked.
 *
 * Invariants
 *   - bytes held (delivered or not, but not committed) stay within `bufferBytesMax`, or are one larger batch;
 *   - the entries of a partition are those from its committed position on, in order, without holes;
 *   - senders that wait for room are admitted in the order of their calls, which keeps the order of each key.
 *
 * Bodies are never copied: a batch is lent by its sender until the send settles, which is after the commit.
 */
import { assert } from '../base/assert.ts';
import { AppError } from '../base/errors.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import { MemoryDeadLetters } from './memory-dead-letters.ts';
import type { Consumer, DeadLetterQueue, Delivery, Producer, Transport } from './transport.ts';

export interface MemoryTransportOptions {
  /** Bytes of bodies that are sent and not yet committed. */
  readonly bufferBytesMax: number;
  /** Partitions of the log topic; the ledger topic is the partition after the last one. */
  readonly partitionCount?: number;
  /** Ledger records that are sent and not yet committed. */
  readonly ledgerRecordsMax?: number;
  /** Default: one that lives as long as the process. */
  readonly deadLetters?: DeadLetterQueue;
}

/** Enough that one busy file does not stand in the way of all others, few enough to be visited in each poll. */
const PARTITION_COUNT = 8;

/** One round of ledger records of a node with some thousand files. */
const LEDGER_RECORDS_MAX = 20_000;

/** Senders hold their own credits, so that a queue this long can only be a sender that ignores them. */
const WAITING_SENDS_MAX = 100_000;

interface Entry {
  readonly delivery: Delivery;
  readonly weight: number;
  readonly acknowledge: () => void;
  readonly fail: (error: AppError) => void;
}

interface Topic {
  readonly waiting: WaitingSend[];
  readonly weightMax: number;
  weight: number;
}

interface WaitingSend {
  readonly weight: number;
  readonly admit: () => void;
  readonly fail: (error: AppError) => void;
}

interface Partition {
  readonly number: number;
  readonly topic: Topic;
  readonly entries: Entry[];
  /** Position of the first entry: everything below is committed. */
  committed: bigint;
  /** How many of the entries were delivered to the consumer that is open. */
  deliveredCount: number;
}

export class MemoryTransport implements Transport {
  readonly producer: Producer = {
    send: (batch) => this.#send(batch),
    sendLedger: (records) => this.#sendLedger(records),
  };
  readonly deadLetters: DeadLetterQueue;
  readonly #logTopic: Topic;
  readonly #ledgerTopic: Topic;
  readonly #partitions: Partition[];
  readonly #logPartitionCount: number;
  #consumer: MemoryConsumer | undefined;
  #isClosed = false;

  constructor(options: MemoryTransportOptions) {
    const {
      bufferBytesMax,
      partitionCount = PARTITION_COUNT,
      ledgerRecordsMax = LEDGER_RECORDS_MAX,
    } = options;
    assert(
      bufferBytesMax > 0 && partitionCount > 0 && ledgerRecordsMax > 0,
      'limits of a transport are positive',
    );
    this.deadLetters = options.deadLetters ?? new MemoryDeadLetters();
    this.#logTopic = { waiting: [], weightMax: bufferBytesMax, weight: 0 };
    this.#ledgerTopic = { waiting: [], weightMax: ledgerRecordsMax, weight: 0 };
    this.#logPartitionCount = partitionCount;
    this.#partitions = [];
    for (let number = 0; number <= partitionCount; number++) {
      const topic = number < partitionCount ? this.#logTopic : this.#ledgerTopic;
      this.#partitions.push({ number, topic, entries: [], committed: 0n, deliveredCount: 0 });
    }
  }

  /** Bytes of bodies that are sent and not yet committed; senders that wait for room are not counted. */
  get heldBytes(): number {
    return this.#logTopic.weight;
  }

  async openConsumer(): Promise<Consumer> {
    if (this.#isClosed) throw closedError('open a consumer');
    assert(this.#consumer === undefined, 'only one consumer at a time is open');
    this.#consumer = new MemoryConsumer(this.#partitions, {
      admit: (topic) => this.#admitWaiting(topic),
      closed: () => (this.#consumer = undefined),
    });
    return this.#consumer;
  }

  problem(): string | undefined {
    return this.#isClosed ? 'the transport is closed' : undefined;
  }

  /** Revokes every partition from the open consumer and gives them back: what it did not commit comes again. */
  async rebalance(): Promise<void> {
    await this.#consumer?.revoke();
    this.#consumer?.resume();
  }

  /** Rejects every send that is not acknowledged with `closed`, and ends the polls of the consumer. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#consumer?.close();
    const error = closedError('send records');
    for (const { entries } of this.#partitions) for (const entry of entries.splice(0)) entry.fail(error);
    for (const topic of [this.#logTopic, this.#ledgerTopic]) {
      topic.weight = 0;
      for (const send of topic.waiting.splice(0)) send.fail(error);
    }
  }

  #send(batch: RecordBatch): Promise<void> {
    const partition = this.#partition(hashOf(batch.fileId) % this.#logPartitionCount);
    return this.#enqueue(partition, batch.body.length, (position) => ({
      kind: 'log',
      batch,
      partition: partition.number,
      position,
      nextPosition: position + 1n,
    }));
  }

  #sendLedger(records: readonly LedgerRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    const partition = this.#partition(this.#logPartitionCount);
    return this.#enqueue(partition, records.length, (position) => ({
      kind: 'ledger',
      records,
      partition: partition.number,
      position,
      nextPosition: position + 1n,
    }));
  }

  #enqueue(partition: Partition, weight: number, toDelivery: (position: bigint) => Delivery): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError('send records'));
    const { topic } = partition;
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        topic.weight += weight;
        const delivery = toDelivery(partition.committed + BigInt(partition.entries.length));
        partition.entries.push({ delivery, weight, acknowledge: resolve, fail: reject });
        this.#consumer?.wake();
      };
      if (topic.waiting.length === 0 && hasRoom(topic, weight)) return admit();
      assert(topic.waiting.length < WAITING_SENDS_MAX, 'senders bound what they send');
      topic.waiting.push({ weight, admit, fail: reject });
    });
  }

  #admitWaiting(topic: Topic): void {
    let admitted = 0;
    for (const send of topic.waiting) {
      if (!hasRoom(topic, send.weight)) break;
      send.admit();
      admitted++;
    }
    topic.waiting.splice(0, admitted);
  }

  #partition(number: number): Partition {
    const partition = this.#partitions[number];
    assert(partition !== undefined, 'the partition exists');
    return partition;
  }
}

interface ConsumerHooks {
  readonly admit: (topic: Topic) => void;
  readonly closed: () => void;
}

class MemoryConsumer implements Consumer {
  readonly #partitions: readonly Partition[];
  readonly #hooks: ConsumerHooks;
  #listener: ((partitions: readonly number[]) => Promise<void>) | undefined;
  #wakePoll: (() => void) | undefined;
  #firstPartition = 0;
  #isRevoking = false;
  #isClosed = false;

  constructor(partitions: readonly Partition[], hooks: ConsumerHooks) {
    this.#partitions = partitions;
    this.#hooks = hooks;
  }

  async poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    assert(this.#wakePoll === undefined, 'one poll at a time is under way');
    while (!this.#isClosed && !signal.aborted) {
      const deliveries = this.#isRevoking ? [] : this.#take(bytesMax);
      if (deliveries.length > 0) return deliveries;
      await this.#sleepUntilWoken(signal);
    }
    return [];
  }

  async commit(partitionNumber: number, nextPosition: bigint): Promise<void> {
    if (this.#isClosed) throw closedError('commit a position');
    const partition = this.#partitions[partitionNumber];
    assert(partition !== undefined, 'the partition exists');
    const count = Number(nextPosition - partition.committed);
    if (count <= 0) return;
    assert(count <= partition.entries.length, 'only what was delivered is committed');
    partition.committed = nextPosition;
    partition.deliveredCount = Math.max(0, partition.deliveredCount - count);
    for (const entry of partition.entries.splice(0, count)) {
      partition.topic.weight -= entry.weight;
      entry.acknowledge();
    }
    this.#hooks.admit(partition.topic);
  }

  onRevoke(listener: (partitions: readonly number[]) => Promise<void>): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.revoke();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#hooks.closed();
    this.wake();
  }

  /** Lets the receiver finish, then forgets what it was given; polls rest until `resume`. */
  async revoke(): Promise<void> {
    this.#isRevoking = true;
    await this.#listener?.(this.#partitions.map((partition) => partition.number));
    for (const partition of this.#partitions) partition.deliveredCount = 0;
  }

  resume(): void {
    this.#isRevoking = false;
    this.wake();
  }

  wake(): void {
    this.#wakePoll?.();
  }

  #take(bytesMax: number): Delivery[] {
    const deliveries: Delivery[] = [];
    let bytes = 0;
    const count = this.#partitions.length;
    // Each poll begins at the next partition, so that a busy one in front does not starve the others.
    this.#firstPartition = (this.#firstPartition + 1) % count;
    for (let turn = 0; turn < count; turn++) {
      const partition = this.#partitions[(this.#firstPartition + turn) % count];
      assert(partition !== undefined, 'the partition exists');
      for (;;) {
        const entry = partition.entries[partition.deliveredCount];
        if (entry === undefined) break;
        const entryBytes = entry.delivery.kind === 'log' ? entry.weight : 0;
        if (deliveries.length > 0 && bytes + entryBytes > bytesMax) break;
        deliveries.push(entry.delivery);
        bytes += entryBytes;
        partition.deliveredCount++;
      }
    }
    return deliveries;
  }

  #sleepUntilWoken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakePoll = undefined;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakePoll = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function hasRoom(topic: Topic, weight: number): boolean {
  return topic.weight === 0 || topic.weight + weight <= topic.weightMax;
}

function closedError(action: string): AppError {
  return new AppError('closed', `cannot ${action}`, { details: { transport: 'memory' } });
}

/** FNV-1a over the file id's characters, as an unsigned 32-bit number. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
