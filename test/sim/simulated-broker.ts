/**
 * What of Kafka's protocol matters to exactly once, in memory and on virtual time: logs that only grow, a consumer
 * group whose members come, go and die, partitions that move with or without the consent of their owner, deliveries
 * that come again from the last commit, commits of a member that is no owner any more, batches that a producer
 * appended twice, acknowledgements that never arrive, and a broker that is away.
 *
 * Invariants
 *   - an acknowledged batch stands in the log, and batches of one client and partition stand in the order of `send`;
 *   - a partition has at most one owner; its next owner begins at the committed position, which never goes back;
 *   - what the broker holds is its own: it copies what it is sent when it appends it, and outlives every client;
 *   - what it delivers is overwritten once it is committed, because it was lent until then.
 */
import { AppError } from '../../src/base/errors.ts';
import type { Scheduler } from '../../src/base/scheduler.ts';
import type { LedgerRecord } from '../../src/record/ledger.ts';
import type { RecordBatch } from '../../src/record/record-batch.ts';
import { MemoryDeadLetters } from '../../src/transport/memory-dead-letters.ts';
import type { Consumer, Delivery, LogDelivery, Transport } from '../../src/transport/transport.ts';
import type { Life } from './life.ts';
import { poison } from './poisoned-buffers.ts';

const LOG_PARTITIONS = 4;
/** The partition behind those of the logs. */
const LEDGER_PARTITION = LOG_PARTITIONS;

/** How long a member may take to give partitions up before they are taken from it. */
const REVOKE_MS_MAX = 3000;
/** How long the group waits for a member that died. */
const SESSION_MS_MAX = 6000;
const LATENCY_MS_MAX = 30;
const POLL_PAUSE_MS_MAX = 40;

/** Where the broker does what a network of clients may not expect. */
export interface BrokerFaults {
  isAway: boolean;
  /** Chance that a batch is appended a second time, as by a retry of a producer that is not idempotent. */
  duplicateChance: number;
  /** Chance that a commit fails although its member owns the partition. */
  commitFailureChance: number;
}

export interface BrokerOptions {
  /** That of the world: the broker lives on when clients die. */
  readonly scheduler: Scheduler;
  readonly random: () => number;
}

type Entry = { readonly batch: RecordBatch } | { readonly records: readonly LedgerRecord[] };

export class SimulatedBroker {
  readonly faults: BrokerFaults = { isAway: false, duplicateChance: 0, commitFailureChance: 0 };
  readonly deadLetters = new MemoryDeadLetters();
  /** How often the group changed, and how many batches were appended twice. */
  rebalances = 0;
  duplicates = 0;
  readonly options: BrokerOptions;
  readonly #logs: Entry[][] = Array.from({ length: LOG_PARTITIONS + 1 }, () => []);
  readonly #committed: number[] = Array.from({ length: LOG_PARTITIONS + 1 }, () => 0);
  readonly #members = new Set<SimulatedConsumer>();
  readonly #owners = new Map<number, SimulatedConsumer>();
  #rebalancing: Promise<void> = Promise.resolve();

  constructor(options: BrokerOptions) {
    this.options = options;
  }

  /** Connects a process; the connection ends with its life. */
  connect(life: Life): Transport {
    const lanes = new Map<number, Promise<void>>();
    const send = (partition: number, entry: Entry): Promise<void> => {
      const before = lanes.get(partition) ?? Promise.resolve();
      const sent = before.then(() => this.#append(life, partition, entry));
      lanes.set(partition, sent);
      return sent;
    };
    return {
      producer: {
        send: (batch) => send(partitionOf(batch.fileId), { batch }),
        sendLedger: (records) => send(LEDGER_PARTITION, { records: structuredClone(records) }),
      },
      deadLetters: this.deadLetters,
      openConsumer: () => this.#join(life),
      problem: () => (this.faults.isAway ? 'the broker is away' : undefined),
      close: () => Promise.resolve(),
    };
  }

  /** Whether every entry is committed. */
  get isDrained(): boolean {
    return this.#logs.every((log, partition) => (this.#committed[partition] ?? 0) >= log.length);
  }

  /** Lets the group share its partitions anew. */
  rebalance(): void {
    this.#rebalancing = this.#rebalancing.then(() => this.#shareOut());
  }

  /** Entries of a partition from a position on. */
  entriesFrom(partition: number, position: number): readonly Entry[] {
    return this.faults.isAway ? [] : (this.#logs[partition]?.slice(position) ?? []);
  }

  commit(member: SimulatedConsumer, partition: number, position: number): void {
    if (this.faults.isAway || this.options.random() < this.faults.commitFailureChance) {
      throw new AppError('unreachable', 'cannot commit');
    }
    if (this.#owners.get(partition) !== member) {
      throw new AppError('io_failed', 'cannot commit a partition of another member');
    }
    this.#committed[partition] = Math.max(this.#committed[partition] ?? 0, position);
  }

  leave(member: SimulatedConsumer): void {
    this.#members.delete(member);
    this.rebalance();
  }

  async #append(life: Life, partition: number, entry: Entry): Promise<void> {
    const { random } = this.options;
    do await life.scheduler.sleep(random() * LATENCY_MS_MAX);
    while (this.faults.isAway);
    const kept = 'batch' in entry ? { batch: copyBatch(entry.batch) } : entry;
    this.#logs[partition]?.push(kept);
    if (random() < this.faults.duplicateChance) {
      this.#logs[partition]?.push(kept);
      this.duplicates += 1;
    }
    // A client that dies meanwhile never hears of it.
    await life.scheduler.sleep(random() * LATENCY_MS_MAX);
  }

  #join(life: Life): Promise<Consumer> {
    const member = new SimulatedConsumer(this, life);
    this.#members.add(member);
    this.rebalance();
    const { scheduler, random } = this.options;
    life.onDeath(() => void scheduler.schedule(random() * SESSION_MS_MAX, () => this.leave(member)));
    return Promise.resolve(member);
  }

  async #shareOut(): Promise<void> {
    const { random, scheduler } = this.options;
    await scheduler.sleep(random() * LATENCY_MS_MAX);
    this.rebalances += 1;
    const members = [...this.#members];
    const moves: { partition: number; from: SimulatedConsumer | undefined; to: SimulatedConsumer }[] = [];
    for (let partition = 0; partition <= LOG_PARTITIONS; partition++) {
      const from = this.#owners.get(partition);
      const to = members[Math.floor(random() * members.length)];
      if (from !== undefined && !this.#members.has(from)) this.#owners.delete(partition);
      if (to !== undefined && from !== to) moves.push({ partition, from, to });
    }
    const losers = new Set(moves.flatMap(({ from }) => (from === undefined ? [] : [from])));
    const revocations = [...losers].map((loser) => {
      const partitions = moves.filter(({ from }) => from === loser).map(({ partition }) => partition);
      return Promise.race([loser.revoke(partitions), scheduler.sleep(REVOKE_MS_MAX)]);
    });
    await Promise.all(revocations);
    for (const { partition, to } of moves) {
      this.#owners.set(partition, to);
      to.assign(partition, this.#committed[partition] ?? 0);
    }
  }
}

class SimulatedConsumer implements Consumer {
  readonly #broker: SimulatedBroker;
  readonly #life: Life;
  /** Next position by partition that this member reads. */
  readonly #positions = new Map<number, number>();
  /** By partition: what was delivered and not committed. */
  readonly #lent = new Map<number, LogDelivery[]>();
  readonly #closed = new AbortController();
  #listener: ((partitions: readonly number[]) => Promise<void>) | undefined;

  constructor(broker: SimulatedBroker, life: Life) {
    this.#broker = broker;
    this.#life = life;
  }

  assign(partition: number, position: number): void {
    this.#positions.set(partition, position);
  }

  /** Stops the deliveries of the partitions, and resolves when the receiver is done with those before. */
  async revoke(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) this.#forget(partition);
    if (this.#life.isDead) return new Promise(() => undefined);
    await this.#listener?.(partitions);
  }

  async poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const { random } = this.#broker.options;
    while (!signal.aborted && !this.#closed.signal.aborted) {
      const deliveries = this.#take(bytesMax);
      if (deliveries.length > 0) return deliveries;
      await this.#life.scheduler.sleep(1 + random() * POLL_PAUSE_MS_MAX, signal);
    }
    return [];
  }

  async commit(partition: number, nextPosition: bigint): Promise<void> {
    this.#takeBack(partition, nextPosition);
    await this.#life.scheduler.sleep(this.#broker.options.random() * LATENCY_MS_MAX);
    this.#broker.commit(this, partition, Number(nextPosition));
  }

  onRevoke(listener: (partitions: readonly number[]) => Promise<void>): void {
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.#closed.abort();
    this.#positions.clear();
    this.#broker.leave(this);
    return Promise.resolve();
  }

  /** The receiver keeps what it has of a partition that is taken away, and never commits it. */
  #forget(partition: number): void {
    this.#positions.delete(partition);
    this.#lent.delete(partition);
  }

  #takeBack(partition: number, nextPosition: bigint): void {
    const lent = this.#lent.get(partition) ?? [];
    const count = lent.filter((delivery) => delivery.nextPosition <= nextPosition).length;
    for (const { batch } of lent.splice(0, count)) poison(batch.body);
  }

  #lend(delivery: Delivery): Delivery {
    if (delivery.kind !== 'log') return delivery;
    const lent = { ...delivery, batch: copyBatch(delivery.batch) };
    const others = this.#lent.get(delivery.partition) ?? [];
    this.#lent.set(delivery.partition, [...others, lent]);
    return lent;
  }

  #take(bytesMax: number): Delivery[] {
    const { random } = this.#broker.options;
    const deliveries: Delivery[] = [];
    let bytes = 0;
    const owned = [...this.#positions].toSorted(() => random() - 0.5);
    for (const [partition, first] of owned) {
      let position = first;
      for (const entry of this.#broker.entriesFrom(partition, first)) {
        const size = 'batch' in entry ? entry.batch.body.length : 0;
        if (deliveries.length > 0 && bytes + size > bytesMax) break;
        bytes += size;
        deliveries.push(this.#lend(toDelivery(entry, partition, position)));
        position += 1;
      }
      this.#positions.set(partition, position);
    }
    return deliveries;
  }
}

function toDelivery(entry: Entry, partition: number, position: number): Delivery {
  const place = { partition, position: BigInt(position), nextPosition: BigInt(position + 1) };
  return 'batch' in entry
    ? { kind: 'log', batch: entry.batch, ...place }
    : { kind: 'ledger', records: entry.records, ...place };
}

function partitionOf(fileId: string): number {
  return Number.parseInt(fileId.slice(0, 8), 16) % LOG_PARTITIONS;
}

function copyBatch(batch: RecordBatch): RecordBatch {
  const { fileId, count } = batch;
  return {
    fileId,
    count,
    body: batch.body.slice(),
    ends: batch.ends.slice(0, count),
    offsets: batch.offsets.slice(0, count),
    lanes: batch.lanes.slice(0, count),
  };
}
