/**
 * Fetches the partitions that it was given and hands their records on as deliveries: the part that a consumer in a
 * group and one for the live tail share. One request at a time is under way to each leader; it waits there for
 * records, and is not made while enough is held (G6).
 */
import { FreeBuffers } from '../../../base/free-buffers.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { Delivery } from '../../transport.ts';
import { DeliveryBuilder, NewerSchemaError } from './delivery-builder.ts';
import { FETCH, type FetchResponse, type FetchTopic } from '../client/kafka-apis.ts';
import { errorNameOf } from '../client/kafka-cluster.ts';
import type { KafkaRequests, Purpose } from '../client/kafka-requests.ts';
import { KafkaError, problemOf } from '../client/kafka-problem.ts';
import { PartitionPlaces } from './partition-places.ts';
import { PartitionReadState } from './partition-state.ts';
import { partitionKey, type Assignment, type Reading, type TopicPartition } from './reading.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import { Throttling } from '../client/throttling.ts';
import { SCHEMA_VERSION } from '../records/record-encoder.ts';

export interface PartitionFetcherOptions {
  readonly cluster: KafkaRequests;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly problems: ProblemBook;
  readonly purpose: Purpose;
  /** Bytes that are held: fetched, or delivered and not committed. */
  readonly bufferBytesMax: number;
  readonly foreignFileId: (partition: TopicPartition, run: string) => string;
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
}

/** How long a broker waits for records before it answers with none. */
const WAIT_MS_MAX = 400;

const FETCH_BYTES_MAX = 8 * 2 ** 20;
const PARTITION_BYTES_MAX = 2 ** 20;

/** Bodies of deliveries that wait for their next use. */
const FREE_BYTES_MAX = 32 * 2 ** 20;

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** A partition that a request asks for, and from where. */
interface Asked {
  readonly reading: Reading;
  readonly offset: number;
}

export class PartitionFetcher {
  readonly #options: PartitionFetcherOptions;
  readonly #closing = new AbortController();
  readonly #buffers = new FreeBuffers(FREE_BYTES_MAX);
  readonly #readings = new Map<string, Reading>();
  readonly #byUserNumber = new Map<number, Reading>();
  readonly #busyLeaders = new Set<number>();
  readonly #wakers = new Set<() => void>();
  readonly #throttling: Throttling;
  readonly #places: PartitionPlaces;
  #nextUserNumber = 0;
  /** Where the next poll begins, so that all partitions get their turn. */
  #turn = 0;

  constructor(options: PartitionFetcherOptions) {
    this.#options = options;
    const { cluster, scheduler, problems, telemetry, purpose } = options;
    const subject = `read for ${purpose}`;
    this.#throttling = new Throttling({ scheduler, problems, telemetry, action: 'read', subject });
    this.#places = new PartitionPlaces({
      cluster,
      scheduler,
      problems,
      readings: this.#readings,
      closing: this.#closing.signal,
      begin: (reading, offset) => this.#begin(reading, offset),
      onFound: () => this.#fetchMore(),
    });
  }

  /** The partitions that are read, by user number. */
  get assignments(): ReadonlyMap<number, Assignment> {
    return new Map([...this.#byUserNumber].map(([number, { assignment }]) => [number, assignment]));
  }

  get lags(): PartitionLag[] {
    return [...this.#readings.values()].map(({ assignment: { topic, number }, state }) => ({
      topic,
      partition: number,
      records: state?.lag ?? 0,
    }));
  }

  /** Begins to read partitions; those that are read already stay as they are. */
  assign(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) {
      const key = partitionKey(assignment);
      if (this.#readings.has(key)) continue;
      const reading: Reading = {
        assignment,
        userNumber: this.#nextUserNumber++,
        state: undefined,
        leader: -1,
        isBlocked: false,
        isStuck: false,
      };
      this.#readings.set(key, reading);
      this.#byUserNumber.set(reading.userNumber, reading);
      if (typeof assignment.start === 'number') this.#begin(reading, assignment.start);
    }
    void this.#places.refresh();
  }

  /** Ends to read partitions: what was not delivered is forgotten. */
  drop(keys: readonly string[]): void {
    for (const key of keys) {
      const reading = this.#readings.get(key);
      if (reading === undefined) continue;
      this.#readings.delete(key);
      this.#byUserNumber.delete(reading.userNumber);
      this.#options.problems.forget(subjectOf(reading));
    }
    if (this.#readings.size === 0) this.#places.forgetLeaders();
    this.#wake();
  }

  /** Resolves with deliveries of at most `bytesMax`, or one larger one; empty when aborted or closed. */
  async poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    while (!ended.aborted) {
      const deliveries = this.#take(bytesMax);
      this.#fetchMore();
      if (deliveries.length > 0) return deliveries;
      await this.#nextWake(ended);
    }
    return [];
  }

  /** Notes what is durable; numbers of partitions that were dropped are ignored. */
  commit(userNumber: number, nextPosition: bigint): void {
    this.#byUserNumber.get(userNumber)?.state?.commit(Number(nextPosition));
    this.#wake();
    this.#fetchMore();
  }

  /** Offsets that may be committed, of partitions whose first offset is known, by key. */
  committable(): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const [key, { state }] of this.#readings)
      if (state !== undefined) offsets.set(key, state.committable);
    return offsets;
  }

  close(): void {
    this.#closing.abort();
    this.#throttling.close();
    this.#readings.clear();
    this.#byUserNumber.clear();
    this.#wake();
  }

  #begin(reading: Reading, offset: number): void {
    const { topic, number, kind } = reading.assignment;
    const { foreignFileId, telemetry } = this.#options;
    const builder = new DeliveryBuilder({
      kind,
      partition: reading.userNumber,
      source: { topic, partition: number },
      buffers: this.#buffers,
      foreignFileIdOf: (run) => foreignFileId(reading.assignment, run),
      onBrokenLedger: (at) =>
        telemetry.log('warn', 'kafka_ledger_broken', `a ledger record cannot be read: ${topic} ${number}`, {
          offset: at,
        }),
    });
    reading.state = new PartitionReadState({ builder, buffers: this.#buffers, offset });
  }

  #take(bytesMax: number): Delivery[] {
    const readings = [...this.#readings.values()];
    const held = readings.reduce((sum, { state }) => sum + (state?.heldBytes ?? 0), 0);
    if (held > 0 && held >= this.#options.bufferBytesMax) return [];
    const deliveries: Delivery[] = [];
    let room = bytesMax;
    for (let step = 0; step < readings.length && room > 0; step++) {
      const reading = readings[(this.#turn + step) % readings.length];
      if (reading?.state === undefined || reading.isBlocked || !reading.state.hasRecords) continue;
      const taken = this.#takeFrom(reading, reading.state, room, deliveries.length === 0);
      for (const delivery of taken) {
        deliveries.push(delivery);
        room -= delivery.kind === 'log' ? delivery.batch.body.length : 0;
      }
    }
    this.#turn += 1;
    this.#countReceived(deliveries);
    return deliveries;
  }

  #takeFrom(reading: Reading, state: PartitionReadState, room: number, isOneNeeded: boolean): Delivery[] {
    try {
      const taken = state.take(room, isOneNeeded);
      if (reading.isStuck) this.#options.problems.note(subjectOf(reading), undefined);
      reading.isStuck = false;
      return taken;
    } catch (error) {
      this.#block(reading, state, error);
      return [];
    }
  }

  /** A partition whose next record cannot be read is read again later; the others go on. */
  #block(reading: Reading, state: PartitionReadState, error: unknown): void {
    const { topic, number } = reading.assignment;
    const action = `read partition ${number} of ${topic}`;
    const problem =
      error instanceof NewerSchemaError
        ? {
            code: 'NEWER_SCHEMA',
            cause: `NEWER_SCHEMA ${topic}`,
            reason: `cannot ${action}: its records have schema version ${error.version}, and this program knows ${SCHEMA_VERSION}`,
            remedy: 'Install the newer release here too, or let only the newer indexers run.',
          }
        : problemOf(error, action);
    reading.isBlocked = true;
    reading.isStuck = true;
    this.#options.problems.note(subjectOf(reading), problem);
    state.rewind();
    this.#options.scheduler.schedule(RETRY_MS_MAX, () => {
      reading.isBlocked = false;
      this.#fetchMore();
    });
  }

  #countReceived(deliveries: readonly Delivery[]): void {
    let count = 0;
    for (const delivery of deliveries)
      count += delivery.kind === 'log' ? delivery.batch.count : delivery.records.length;
    if (count > 0) this.#options.telemetry.count('logboom_transport_received_records_total', count);
  }

  /** Asks every leader that has partitions to read and no request under way. */
  #fetchMore(): void {
    if (this.#closing.signal.aborted) return;
    for (const { leader } of this.#readings.values()) {
      if (leader >= 0 && !this.#busyLeaders.has(leader)) void this.#fetchLoop(leader);
    }
  }

  async #fetchLoop(leader: number): Promise<void> {
    const { cluster, scheduler, purpose } = this.#options;
    this.#busyLeaders.add(leader);
    let delayMs = RETRY_MS_MIN;
    try {
      while (!this.#closing.signal.aborted) {
        const asked = this.#wantedFrom(leader);
        if (asked.length === 0) return;
        try {
          const options = { waitMsMax: WAIT_MS_MAX, bytesMax: FETCH_BYTES_MAX, topics: topicsOf(asked) };
          const response = await cluster.call(leader, purpose, FETCH, options);
          delayMs = RETRY_MS_MIN;
          this.#places.noteReached(leader);
          await this.#accept(response, asked);
        } catch (error) {
          if (this.#closing.signal.aborted) return;
          this.#places.noteAway(leader, error);
          await scheduler.sleep(delayMs, this.#closing.signal);
          delayMs = Math.min(RETRY_MS_MAX, delayMs * 2);
          this.#places.leave(leader);
          await this.#places.refresh();
        }
      }
    } finally {
      this.#busyLeaders.delete(leader);
    }
  }

  /** Partitions of a leader that may be fetched: none while enough is held. */
  #wantedFrom(leader: number): Asked[] {
    const readings = [...this.#readings.values()];
    const fetched = readings.reduce((sum, { state }) => sum + (state?.fetchedBytes ?? 0), 0);
    const held = readings.reduce((sum, { state }) => sum + (state?.heldBytes ?? 0), 0);
    if (fetched > 0 && fetched + held >= this.#options.bufferBytesMax) return [];
    const wanted = readings.filter(
      (reading) =>
        reading.leader === leader &&
        !reading.isBlocked &&
        reading.state !== undefined &&
        reading.state.fetchedBytes < PARTITION_BYTES_MAX,
    );
    // A broker fills its answer from the front, so that the order of partitions has to change.
    const start = wanted.length === 0 ? 0 : this.#turn % wanted.length;
    const turned = [...wanted.slice(start), ...wanted.slice(0, start)];
    return turned.map((reading) => ({ reading, offset: reading.state?.fetchedOffset ?? 0 }));
  }

  async #accept({ errorCode, results, throttleMs }: FetchResponse, asked: readonly Asked[]): Promise<void> {
    const failure = errorNameOf(errorCode);
    if (failure !== undefined) throw new KafkaError(failure, '');
    let hasMoved = false;
    for (const { topic, partition, errorCode: code, records, endOffset } of results) {
      const question = asked.find(({ reading: { assignment } }) => isPlace(assignment, topic, partition));
      const reading = question?.reading;
      // It may have been given up meanwhile.
      if (reading?.state === undefined || !this.#isCurrent(reading)) continue;
      const error = errorNameOf(code);
      if (error !== undefined) {
        hasMoved = true;
        await this.#handleError(reading, error);
        continue;
      }
      try {
        reading.state.addFetched(records, question?.offset ?? -1, Number(endOffset));
        if (!reading.isStuck) this.#options.problems.note(subjectOf(reading), undefined);
      } catch (broken) {
        this.#block(reading, reading.state, broken);
      }
    }
    this.#wake();
    this.#throttling.note(throttleMs);
    if (throttleMs > 0) await this.#options.scheduler.sleep(throttleMs, this.#closing.signal);
    if (!hasMoved) return;
    await this.#options.scheduler.sleep(RETRY_MS_MIN, this.#closing.signal);
    void this.#places.refresh();
  }

  async #handleError(reading: Reading, error: string): Promise<void> {
    if (error === 'OFFSET_OUT_OF_RANGE') {
      await this.#restart(reading);
      return;
    }
    reading.leader = -1;
    if (error !== 'NOT_LEADER_OR_FOLLOWER' && error !== 'FENCED_LEADER_EPOCH')
      this.#options.problems.note(
        subjectOf(reading),
        problemOf(new KafkaError(error, ''), `read the topic ${reading.assignment.topic}`),
      );
  }

  /** The broker has deleted what was to be read, or has lost the end of its log: everything that is left is read. */
  async #restart(reading: Reading): Promise<void> {
    const { topic, number } = reading.assignment;
    const earliest = await this.#places.offsetOf(reading, 'earliest');
    const lost = Math.max(0, earliest - (reading.state?.fetchedOffset ?? 0));
    const { telemetry } = this.#options;
    if (lost > 0) telemetry.count('logboom_transport_lost_offsets_total', lost, { topic });
    const text =
      lost > 0
        ? `the broker deleted records of ${topic} ${number} before they were read: ${lost}`
        : `${topic} ${number} is shorter than it was: it is read from its beginning`;
    telemetry.log('error', 'kafka_records_lost', text, { topic, partition: number, earliest });
    const key = partitionKey(reading.assignment);
    if (!this.#isCurrent(reading)) return;
    this.drop([key]);
    this.assign([{ ...reading.assignment, start: earliest }]);
  }

  #isCurrent(reading: Reading): boolean {
    return this.#readings.get(partitionKey(reading.assignment)) === reading;
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  async #nextWake(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakers.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wakers.delete(resolve);
  }
}

function isPlace(assignment: Assignment, topic: string, number: number): boolean {
  return assignment.topic === topic && assignment.number === number;
}

function topicsOf(asked: readonly Asked[]): FetchTopic[] {
  return [...Map.groupBy(asked, ({ reading }) => reading.assignment.topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ reading, offset }) => ({
      partition: reading.assignment.number,
      offset: BigInt(offset),
      bytesMax: PARTITION_BYTES_MAX,
    })),
  }));
}

function subjectOf({ assignment: { topic, number } }: Reading): string {
  return `read partition ${number} of ${topic}`;
}
