/**
 * The road between agents and indexers over Kafka: see `docs/formats/kafka.md` for topics, keys and records. Nothing
 * is connected before it is needed, and a broker that is away is no error: it is waited for, and `problem` says so.
 */
import { createHash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { KafkaConfig } from '../../config/config.ts';
import type { DeadLetter } from '../../record/dead-letter.ts';
import { eventIdOf } from '../../record/identity.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Consumer, DeadLetterQueue, Producer, Transport } from '../transport.ts';
import { foreignFileId, readForeign } from './records/foreign-document.ts';
import { readGroupProgress, type PartitionProgress } from './group/group-progress.ts';
import { KafkaCluster } from './client/kafka-cluster.ts';
import type { KafkaRequests, TopicFacts } from './client/kafka-requests.ts';
import { KafkaConsumer } from './consume/kafka-consumer.ts';
import { KafkaDeadLetters, shrinkLetter } from './kafka-dead-letters.ts';
import { RecordSender } from './produce/kafka-producer.ts';
import { problemOf } from './client/kafka-problem.ts';
import type { PartitionLag } from './consume/partition-fetcher.ts';
import type { TopicPartition } from './consume/reading.ts';
import { ProblemBook } from './client/problem-book.ts';
import { Subscription } from './group/subscription.ts';
import { TailConsumer } from './consume/tail-consumer.ts';
import { TopicDirectory } from './client/topic-directory.ts';
import { TopicTemplate } from './topic-template.ts';

export interface KafkaTransportOptions {
  readonly config: KafkaConfig;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  /** Returns the content of a PEM file or of a token. Throws the system's errors. */
  readonly readFile: (path: string) => Uint8Array;
  /** Default: the brokers of the configuration. */
  readonly cluster?: KafkaRequests;
}

/** How long, and between which pauses, a tail waits for the ends of its partitions. */
const POSITIONED_MS_MAX = 3_000;
const POSITIONED_MS = 50;

/** Files whose topics are remembered; what is beyond is found out again. */
const FILES_MAX = 20_000;

export class KafkaTransport implements Transport {
  readonly producer: Producer = {
    send: (batch) => this.#send(batch),
    sendLedger: (records) => this.#sendLedger(records),
  };
  readonly deadLetters: DeadLetterQueue;
  readonly #options: KafkaTransportOptions;
  readonly #closing = new AbortController();
  readonly #cluster: KafkaRequests;
  readonly #template: TopicTemplate;
  readonly #problems: ProblemBook;
  readonly #subscription: Subscription;
  readonly #sender: RecordSender;
  readonly #topicByFile = new Map<string, string>();
  readonly #tails = new Set<TailConsumer>();
  #consumer: KafkaConsumer | undefined;

  constructor(options: KafkaTransportOptions) {
    const { config, scheduler, telemetry, readFile } = options;
    this.#options = options;
    this.#template = new TopicTemplate(config.topic);
    this.#problems = new ProblemBook(telemetry);
    this.#cluster = options.cluster ?? new KafkaCluster({ config, readFile });
    const cluster = this.#cluster;
    const problems = this.#problems;
    const topics = new TopicDirectory({ cluster, config, scheduler, problems });
    this.#subscription = new Subscription({ cluster, topics, template: this.#template, scheduler, problems });
    this.#sender = new RecordSender({
      cluster,
      topics,
      config,
      scheduler,
      telemetry,
      problems,
      giveUp: (document, bytesMax) => this.#giveUp(document, bytesMax),
      shrink: (kind, value, bytesMax) => (kind === 'dead' ? shrinkLetter(value, bytesMax) : value),
    });
    this.deadLetters = new KafkaDeadLetters({
      topic: this.#template.deadTopic,
      cluster,
      topics,
      sender: this.#sender,
      scheduler,
      problems,
      closing: this.#closing.signal,
    });
  }

  /** Resolves at once; the group is joined in the background. */
  async openConsumer(): Promise<Consumer> {
    this.#throwIfClosed();
    assert(this.#consumer === undefined, 'only one consumer at a time is open');
    this.#consumer = new KafkaConsumer({
      ...this.#parts(),
      onClosed: () => (this.#consumer = undefined),
    });
    return this.#consumer;
  }

  /**
   * Opens a consumer outside of the group that begins at the end of every partition: for a live tail. Waits for a while
   * until the ends are known, so that what is sent after it has resolved is delivered.
   */
  async openTail(): Promise<Consumer> {
    this.#throwIfClosed();
    const tail: TailConsumer = new TailConsumer({
      ...this.#parts(),
      onClosed: () => this.#tails.delete(tail),
    });
    this.#tails.add(tail);
    for (let waitedMs = 0; waitedMs < POSITIONED_MS_MAX && !tail.isPositioned; waitedMs += POSITIONED_MS) {
      await this.#options.scheduler.sleep(POSITIONED_MS, this.#closing.signal);
    }
    return tail;
  }

  problem(): string | undefined {
    return this.#closing.signal.aborted ? 'the transport is closed' : this.#problems.first;
  }

  /** Records behind by partition, of the partitions that the consumer of this process reads. */
  lag(): readonly PartitionLag[] {
    return this.#consumer?.lags ?? [];
  }

  /** Returns how far the group of the indexers has come in every partition of logs and ledger. */
  async progress(): Promise<readonly PartitionProgress[]> {
    const topics = (await this.topics())
      .map(({ name }) => name)
      .filter((name) => name !== this.#template.deadTopic);
    try {
      return await readGroupProgress(this.#cluster, this.#options.config.groupId, topics);
    } catch (error) {
      const { reason, remedy } = problemOf(error, 'ask Kafka how far the indexers are');
      throw new AppError('unreachable', reason, { cause: error, hint: remedy });
    }
  }

  /** Asks the cluster for the topics of the template and their siblings. Rejects with what is wrong, and the remedy. */
  async topics(): Promise<readonly TopicFacts[]> {
    const { fixedName, ledgerTopic, deadTopic } = this.#template;
    try {
      const siblings = [ledgerTopic, deadTopic];
      const { topics } = await this.#cluster.describe(
        fixedName === undefined ? undefined : [fixedName, ...siblings],
      );
      return topics.filter(({ name }) => siblings.includes(name) || this.#template.isLogTopic(name));
    } catch (error) {
      const { reason, remedy } = problemOf(error, 'ask Kafka for its topics');
      throw new AppError('unreachable', reason, { cause: error, hint: remedy });
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await Promise.all([this.#consumer?.close(), ...[...this.#tails].map((tail) => tail.close())]);
    this.#closing.abort();
    this.#problems.close();
    this.#sender.close();
    await this.#cluster.close();
  }

  #parts(): Omit<ConstructorParameters<typeof KafkaConsumer>[0], 'onClosed'> {
    const { config, scheduler, telemetry } = this.#options;
    return {
      config,
      scheduler,
      telemetry,
      cluster: this.#cluster,
      problems: this.#problems,
      subscription: this.#subscription,
      foreignFileId: (partition, run) => this.#foreignFileId(partition, run),
    };
  }

  #send({ fileId, body, ends, count }: RecordBatch): Promise<void> {
    if (count === 0) return Promise.resolve();
    const topic = this.#topicOf(fileId, body.subarray(0, ends[0]));
    return this.#sender.send(topic, 'log', [{ key: Buffer.from(fileId), body, ends, count }]);
  }

  #sendLedger(records: readonly LedgerRecord[]): Promise<void> {
    const items = records.map((record) => {
      const body = Buffer.from(`${JSON.stringify(record)}\n`);
      return { key: Buffer.from(record.fileId), body, ends: Uint32Array.of(body.length), count: 1 };
    });
    return this.#sender.send(this.#template.ledgerTopic, 'ledger', items);
  }

  /** A file's topic never changes, because its fields are those of its pod; finding it parses a document. */
  #topicOf(fileId: string, firstDocument: Uint8Array): string {
    if (this.#template.fixedName !== undefined) return this.#template.fixedName;
    const known = this.#topicByFile.get(fileId);
    if (known !== undefined) return known;
    if (this.#topicByFile.size >= FILES_MAX) this.#topicByFile.clear();
    const topic = this.#template.topicOf(firstDocument);
    this.#topicByFile.set(fileId, topic);
    return topic;
  }

  async #giveUp(document: Uint8Array, bytesMax: number): Promise<void> {
    const nowMs = this.#options.scheduler.nowMs();
    const place = {
      fileId: hashOf(['oversized', Buffer.from(document).toString()]),
      offset: 0,
      timestampMs: nowMs,
    };
    // What is sent here is this program's own.
    const trust = { fileIdOf: () => place.fileId, isOwnFileId: () => true };
    const [record] = readForeign(Buffer.from(document), { ...place, ...trust });
    const { fileId, offset, lane } = record ?? { ...place, lane: 0 };
    const letter: DeadLetter = {
      id: eventIdOf(fileId, offset),
      fileId,
      offset,
      lane,
      time: formatTimestamp(BigInt(nowMs) * 1_000_000n),
      document: new TextDecoder().decode(document),
      error: {
        type: 'record_too_large',
        reason: `the record has ${document.length} bytes, and its topic takes ${bytesMax}`,
      },
      index: undefined,
      source: undefined,
      attempts: 1,
    };
    await this.deadLetters.send([letter]);
  }

  #foreignFileId({ topic, topicId, number }: TopicPartition, run: string): string {
    return hashOf([this.#cluster.clusterId, topic, topicId, number, run]);
  }

  #throwIfClosed(): void {
    if (this.#closing.signal.aborted) throw new AppError('closed', 'cannot read from a closed transport');
  }
}

function hashOf(parts: readonly unknown[]): string {
  return foreignFileId(parts, (text) => createHash('sha256').update(text).digest());
}
