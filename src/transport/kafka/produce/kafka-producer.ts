/**
 * Writes records to Kafka: `producer-state.ts` decides what goes when, this performs it. Encoding and compression
 * happen once per batch, at its first attempt.
 *
 * A send waits for as long as its topic, the broker, or a right is missing. What is sent before its topic is known
 * waits in the order of the calls.
 */
import { AppError } from '../../../base/errors.ts';
import type { Scheduler, Timer } from '../../../base/scheduler.ts';
import { BatchEncoder, type BatchEncoderOptions } from './batch-encoder.ts';
import { INIT_PRODUCER_ID, PRODUCE, type ProduceResult } from '../client/kafka-apis.ts';
import { errorNameOf } from '../client/kafka-cluster.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { KafkaError, problemOf, TIMED_OUT } from '../client/kafka-problem.ts';
import { ProducedTopics, type ProducedTopic } from './produced-topics.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import { Throttling } from '../client/throttling.ts';
import {
  acknowledge,
  dissolveBatch,
  dueAtMs,
  forgetIdentity,
  noteEncoded,
  retryLater,
  takeBatch,
  type PartitionState,
  type PlannedBatch,
  type ProducerIdentity,
  type SendItem,
} from './producer-state.ts';
import type { TopicDirectory, TopicKind } from '../client/topic-directory.ts';

export interface RecordSenderOptions extends BatchEncoderOptions {
  readonly cluster: KafkaRequests;
  readonly topics: TopicDirectory;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
}

/** Larger batches pack no better and are a larger loss when they have to be sent again. */
const BATCH_BYTES_MAX = 2 ** 20;

/** Room for what the format adds to short documents: a batch is cut by the size of its values. */
const VALUES_SHARE = 0.7;

/**
 * A batch costs as much as thousands of its bytes: at 10,000 lines/s, 20 ms would cost an agent a fifth more processor
 * time. It is the least of what lies between a line and the search that finds it.
 */
const LINGER_MS = 100;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** Bytes of batches in one request: fewer than a broker's socket.request.max.bytes by far. */
const REQUEST_BYTES_MAX = 16 * 2 ** 20;

/** The broker knows nothing of the producer, or of its last sequence number. */
const FORGOTTEN = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
]);

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

interface Attempt {
  readonly planned: PlannedBatch;
  /** Undefined when every record went elsewhere. */
  readonly records: Buffer | undefined;
  readonly given: Promise<void>;
}

export class RecordSender {
  readonly #options: RecordSenderOptions;
  readonly #closing = new AbortController();
  readonly #topics: ProducedTopics;
  /** Partitions that something waits for. */
  readonly #active = new Set<PartitionState>();
  readonly #encoder: BatchEncoder;
  /** Batches that failed, encoded, by partition: an attempt repeats the same bytes. */
  readonly #encoded = new Map<PartitionState, Attempt>();
  readonly #failures = new Set<(error: AppError) => void>();
  readonly #throttling: Throttling;
  #identity: Promise<ProducerIdentity> | undefined;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(options: RecordSenderOptions) {
    this.#options = options;
    this.#encoder = new BatchEncoder(options);
    const { topics, scheduler, problems, telemetry } = options;
    this.#topics = new ProducedTopics({
      topics,
      scheduler,
      telemetry,
      closing: this.#closing.signal,
      onQueued: (partition) => this.#active.add(partition),
      onGone: (partition) => {
        this.#encoded.delete(partition);
        this.#active.delete(partition);
      },
      onFound: () => this.#plan(),
    });
    this.#throttling = new Throttling({ scheduler, problems, telemetry, action: 'write', subject: 'write' });
  }

  /** Sends records; resolves once all are acknowledged, rejects only with `closed`. The bytes are lent until then. */
  send(topicName: string, kind: TopicKind, items: readonly Omit<SendItem, 'onDone'>[]): Promise<void> {
    const topic = this.#topics.take(topicName, kind);
    return new Promise((resolve, reject) => {
      if (this.#closing.signal.aborted) {
        reject(closedError());
        return;
      }
      const fail = (error: AppError): void => reject(error);
      this.#failures.add(fail);
      let openCount = items.length;
      const onDone = (): void => {
        openCount -= 1;
        if (openCount > 0) return;
        this.#failures.delete(fail);
        resolve();
      };
      if (openCount === 0) onDone();
      for (const item of items) this.#topics.route(topic, { ...item, onDone });
      this.#plan();
    });
  }

  /** Rejects every send that is not acknowledged with `closed`. */
  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#throttling.close();
    for (const fail of this.#failures) fail(closedError());
    this.#failures.clear();
    this.#topics.clear();
  }

  /** Sends what is due, and comes back when the next is. */
  #plan(): void {
    if (this.#closing.signal.aborted) return;
    const nowMs = this.#options.scheduler.monotonicMs();
    const due: PartitionState[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const partition of this.#active) {
      const topic = this.#topics.topicOf(partition);
      if (partition.items.length === 0 || topic === undefined) this.#active.delete(partition);
      const atMs = topic === undefined ? undefined : dueAtMs(partition, limitsOf(topic));
      if (atMs === undefined) continue;
      if (atMs <= nowMs) due.push(partition);
      else nextMs = Math.min(nextMs, atMs);
    }
    if (due.length > 0) this.#dispatch(due);
    this.#wakeAt(nextMs, nowMs);
  }

  #wakeAt(atMs: number, nowMs: number): void {
    if (atMs === this.#timerAtMs && this.#timer !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.scheduler.schedule(Math.max(1, atMs - nowMs), () => {
      this.#timer = undefined;
      this.#plan();
    });
  }

  /** Marks the partitions as on their way and sends one request to each of their leaders. */
  #dispatch(due: readonly PartitionState[]): void {
    const byLeader = Map.groupBy(due, (partition) => this.#topics.leaderOf(partition));
    for (const [leader, partitions] of byLeader) {
      if (leader < 0) this.#failAll(partitions, new KafkaError('LEADER_NOT_AVAILABLE', 'no leader'));
      else void this.#deliver(leader, partitions);
    }
  }

  async #deliver(leader: number, partitions: readonly PartitionState[]): Promise<void> {
    for (const partition of partitions) partition.isOnTheWay = true;
    try {
      const identity = await this.#producerIdentity();
      const attempts = this.#encode(partitions, identity);
      await Promise.all(attempts.map(({ given }) => given));
      const batches = attempts.flatMap(({ planned, records }) =>
        records === undefined
          ? []
          : [{ topic: planned.partition.topic, partition: planned.partition.number, records }],
      );
      const results =
        batches.length === 0
          ? []
          : await this.#options.cluster.call(
              leader,
              'data',
              PRODUCE,
              this.#options.config.requestMsMax,
              batches,
            );
      // A broker that throttles has written what was sent, and reads the next request only after a while.
      this.#throttling.note(Math.max(0, ...results.map(({ throttleMs }) => throttleMs)));
      this.#settle(attempts, results);
    } catch (error) {
      this.#failAll(partitions, error);
    }
    this.#plan();
  }

  /** A producer id is good for any number of partitions; each partition that is forgotten gets a new one. */
  #producerIdentity(): Promise<ProducerIdentity> {
    const asking = (this.#identity ??= this.#askForIdentity());
    asking.catch(() => {
      if (this.#identity === asking) this.#identity = undefined;
    });
    return asking;
  }

  async #askForIdentity(): Promise<ProducerIdentity> {
    const { producerId, producerEpoch } = await this.#options.cluster.call(
      'any',
      'data',
      INIT_PRODUCER_ID,
      null,
      this.#options.config.requestMsMax,
    );
    return { producerId, producerEpoch };
  }

  /** Encodes the next batches, as many as one request carries; the others wait for their turn. */
  #encode(partitions: readonly PartitionState[], identity: ProducerIdentity): Attempt[] {
    const attempts: Attempt[] = [];
    let byteLength = 0;
    for (const partition of partitions) {
      partition.isOnTheWay = false;
      const topic = this.#topics.topicOf(partition);
      const isWanted = this.#topics.isCurrent(partition) && partition.items.length > 0;
      if (topic === undefined || !isWanted || byteLength >= REQUEST_BYTES_MAX) continue;
      const attempt = this.#encodeOne(topic, partition, identity);
      byteLength += attempt.records?.length ?? 0;
      attempts.push(attempt);
    }
    return attempts;
  }

  #encodeOne(topic: ProducedTopic, partition: PartitionState, identity: ProducerIdentity): Attempt {
    const known = this.#encoded.get(partition);
    const planned = takeBatch(partition, identity, limitsOf(topic));
    if (known !== undefined && partition.identity === known.planned.identity) return known;
    const { kind, limitBytes } = topic;
    const timestampMs = this.#options.scheduler.nowMs();
    const { records, count, given } = this.#encoder.encode(planned, { kind, limitBytes, timestampMs });
    noteEncoded(partition, count);
    const attempt = { planned, records, given };
    this.#encoded.set(partition, attempt);
    return attempt;
  }

  #settle(attempts: readonly Attempt[], results: readonly ProduceResult[]): void {
    for (const { planned, records } of attempts) {
      const { partition } = planned;
      // The topic is another one now, and its records have new places.
      if (!this.#topics.isCurrent(partition)) continue;
      const result = results.find(
        (each) => each.topic === partition.topic && each.partition === partition.number,
      );
      if (records !== undefined && result === undefined) {
        this.#fail(partition, new KafkaError('UNKNOWN_SERVER_ERROR', 'no answer for a partition'));
        continue;
      }
      const error = errorNameOf(result?.errorCode ?? 0);
      if (error === undefined || error === 'DUPLICATE_SEQUENCE_NUMBER') this.#succeed(planned, records);
      else this.#fail(partition, new KafkaError(error, result?.errorMessage ?? ''));
    }
  }

  #succeed({ partition }: PlannedBatch, records: Buffer | undefined): void {
    const { telemetry, problems, scheduler } = this.#options;
    const count = partition.batch?.count ?? 0;
    this.#encoded.delete(partition);
    acknowledge(partition, scheduler.monotonicMs());
    telemetry.count('logboom_transport_sent_records_total', count);
    telemetry.count('logboom_transport_sent_bytes_total', records?.length ?? 0);
    problems.note(subjectOf(partition), undefined);
  }

  #failAll(partitions: readonly PartitionState[], error: unknown): void {
    for (const partition of partitions) this.#fail(partition, error);
  }

  #fail(partition: PartitionState, error: unknown): void {
    const { scheduler, problems, telemetry } = this.#options;
    if (this.#closing.signal.aborted || !this.#topics.isCurrent(partition)) return;
    const problem = problemOf(error, `write to the topic ${partition.topic}`);
    retryLater(partition, scheduler.monotonicMs(), LIMITS);
    telemetry.count('logboom_transport_retries_total', 1, { reason: problem.code });
    const topic = this.#topics.topicOf(partition);
    if (FORGOTTEN.has(problem.code)) this.#renumber(partition, problem.code);
    else if (TOO_LARGE.has(problem.code) && topic !== undefined) this.#makeSmaller(topic, partition);
    else if (partition.failureCount > 1 || problem.code === TIMED_OUT)
      problems.note(subjectOf(partition), problem);
    if (topic !== undefined) void this.#topics.lookUp(topic);
  }

  #renumber(partition: PartitionState, code: string): void {
    this.#encoded.delete(partition);
    forgetIdentity(partition);
    this.#identity = undefined;
    this.#options.telemetry.log(
      'info',
      'kafka_producer_forgotten',
      `partition ${partition.number} of ${partition.topic} does not know this producer any more: it gets a new id`,
      { code },
    );
  }

  #makeSmaller(topic: ProducedTopic, partition: PartitionState): void {
    const byteLength = this.#encoded.get(partition)?.records?.length ?? topic.limitBytes;
    this.#encoded.delete(partition);
    dissolveBatch(partition);
    this.#topics.lowerLimit(topic, byteLength);
  }
}

const LIMITS = {
  batchBytesMax: BATCH_BYTES_MAX,
  lingerMs: LINGER_MS,
  retryMsMin: RETRY_MS_MIN,
  retryMsMax: RETRY_MS_MAX,
};

function limitsOf({ limitBytes }: ProducedTopic): typeof LIMITS {
  return { ...LIMITS, batchBytesMax: Math.floor(Math.min(limitBytes, BATCH_BYTES_MAX) * VALUES_SHARE) };
}

function subjectOf({ topic, number }: PartitionState): string {
  return `write to partition ${number} of ${topic}`;
}

function closedError(): AppError {
  return new AppError('closed', 'cannot send to a closed transport');
}
