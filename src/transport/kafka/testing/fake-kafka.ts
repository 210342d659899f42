/**
 * A cluster in memory that answers as Kafka does, for tests in virtual time: partitions that take the next sequence
 * number and know the last batches again, and a group whose coordinator assigns partitions. Requests take a moment, get
 * lost before or after they were carried out, and fail with the errors of brokers in trouble.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import type {
  FetchOptions,
  FetchResponse,
  KafkaApi,
  ProduceBatch,
  ProduceResult,
} from '../client/kafka-apis.ts';
import { KafkaError } from '../client/kafka-problem.ts';
import type { ClusterFacts, KafkaRequests, Purpose } from '../client/kafka-requests.ts';
import { FakeGroup } from './fake-group.ts';

export interface FakeKafkaOptions {
  readonly scheduler: Scheduler;
  readonly random: () => number;
}

/** Errors of a partition by number, and whether the records were written all the same. */
const PRODUCE_FAULTS: readonly (readonly [code: number, isWritten: boolean])[] = [
  [6, false], // NOT_LEADER_OR_FOLLOWER
  [7, true], // REQUEST_TIMED_OUT
  [19, false], // NOT_ENOUGH_REPLICAS
  [20, true], // NOT_ENOUGH_REPLICAS_AFTER_APPEND
  [56, false], // KAFKA_STORAGE_ERROR
];

const OUT_OF_ORDER = 45;
const TOO_LARGE = 10;
const UNKNOWN_TOPIC = 3;
const NOT_LEADER = 6;
const OUT_OF_RANGE = 1;

/** A broker remembers as many batches of a producer. */
const KNOWN_BATCHES_MAX = 5;

const LATENCY_MS_MAX = 20;
const RECORD_COUNT_AT = 57;
const BATCH_HEADER_BYTES = 61;

interface FakeBatch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

interface FakePartition {
  readonly batches: FakeBatch[];
  end: number;
  readonly producers: Map<bigint, { next: number; readonly known: number[] }>;
}

interface FakeTopic {
  readonly id: string;
  readonly partitions: readonly FakePartition[];
  bytesMax: number;
}

export class FakeKafka implements KafkaRequests {
  readonly clusterId = 'fake';
  readonly topics = new Map<string, FakeTopic>();
  readonly group: FakeGroup;
  /** Share of requests that something happens to, from 0 to 1. */
  faultShare = 0;
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  #nextProducerId = 1n;
  #nextTopic = 1;

  constructor({ scheduler, random }: FakeKafkaOptions) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.group = new FakeGroup(
      () => this.#groupPartitions(),
      () => scheduler.monotonicMs(),
    );
  }

  async call<A extends unknown[], R>(
    _node: number | 'any',
    _purpose: Purpose,
    api: KafkaApi<A, R>,
    ...args: A
  ): Promise<R> {
    await this.#pass(0);
    const isLost = this.#random() < this.faultShare / 2;
    const response = await this.#answer(api.name, args);
    await this.#pass(0);
    if (isLost) throw new Error('Connection closed');
    return response as R;
  }

  async describe(names: readonly string[] | undefined): Promise<ClusterFacts> {
    await this.#pass(0);
    const topics = (names ?? [...this.topics.keys()]).map((name) => {
      const topic = this.topics.get(name);
      const error = topic === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : undefined;
      return { name, id: topic?.id ?? '', error, leaders: topic?.partitions.map(() => 1) ?? [] };
    });
    return { topics };
  }

  async close(): Promise<void> {}

  /** Every batch of a topic's partitions, oldest first. */
  batchesOf(name: string): Buffer[] {
    return (
      this.topics.get(name)?.partitions.flatMap(({ batches }) => batches.map(({ bytes }) => bytes)) ?? []
    );
  }

  createTopic(name: string, partitionCount: number): void {
    if (this.topics.has(name)) return;
    const partitions = Array.from({ length: partitionCount }, () => ({
      batches: [],
      end: 0,
      producers: new Map(),
    }));
    this.topics.set(name, { id: `id-${this.#nextTopic++}`, partitions, bytesMax: 2 ** 20 });
  }

  /** A broker forgets its producers when what they wrote has expired, or with its disk. */
  forgetProducers(): void {
    for (const { partitions } of this.topics.values())
      for (const { producers } of partitions) producers.clear();
  }

  /** A moment; sometimes the request does not arrive. */
  async #pass(extraMs: number): Promise<void> {
    await this.#scheduler.sleep(1 + Math.floor(this.#random() * LATENCY_MS_MAX) + extraMs);
    if (this.#random() < this.faultShare / 4)
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  }

  async #answer(name: string, args: readonly unknown[]): Promise<unknown> {
    switch (name) {
      case 'InitProducerId':
        return { producerId: this.#nextProducerId++, producerEpoch: 0 };
      case 'CreateTopics':
        return this.#create(args[0] as { name: string; numPartitions: number }[]);
      case 'DescribeConfigs':
        return this.#configs(args[0] as { resourceName: string }[]);
      case 'Produce':
        return (args[1] as ProduceBatch[]).map((batch) => this.#produce(batch));
      case 'Fetch':
        return this.#fetch(args[0] as FetchOptions);
      case 'ListOffsets':
        return this.#listOffsets(
          args[2] as { name: string; partitions: { partitionIndex: number; timestamp: bigint }[] }[],
        );
      case 'FindCoordinator':
        return { coordinators: [{ nodeId: 1, errorCode: 0, errorMessage: null }] };
      default:
        return this.group.answer(name, args);
    }
  }

  #create(topics: readonly { name: string; numPartitions: number }[]): unknown {
    for (const { name, numPartitions } of topics) this.createTopic(name, numPartitions);
    return { topics: topics.map(({ name }) => ({ name, errorCode: 0, errorMessage: null })) };
  }

  #configs(resources: readonly { resourceName: string }[]): unknown {
    const value = String(this.topics.get(resources[0]?.resourceName ?? '')?.bytesMax ?? '');
    return { results: [{ errorCode: 0, configs: [{ name: 'max.message.bytes', value }] }] };
  }

  #produce({ topic, partition, records }: ProduceBatch): ProduceResult {
    const place = { topic, partition, errorMessage: '', throttleMs: 0 };
    const result = (errorCode: number): ProduceResult => ({ ...place, errorCode });
    const facts = this.topics.get(topic);
    const target = facts?.partitions[partition];
    if (facts === undefined || target === undefined) return result(UNKNOWN_TOPIC);
    const fault =
      this.#random() < this.faultShare
        ? PRODUCE_FAULTS[Math.floor(this.#random() * PRODUCE_FAULTS.length)]
        : undefined;
    if (fault !== undefined && !fault[1]) return result(fault[0]);
    if (records.length > facts.bytesMax) return result(TOO_LARGE);
    const code = append(target, records);
    return result(code === 0 ? (fault?.[0] ?? 0) : code);
  }

  async #fetch({ topics, waitMsMax, bytesMax }: FetchOptions): Promise<FetchResponse> {
    let results = this.#read(topics, bytesMax);
    if (results.every(({ records, errorCode }) => records.length === 0 && errorCode === 0)) {
      await this.#scheduler.sleep(waitMsMax);
      results = this.#read(topics, bytesMax);
    }
    return { throttleMs: 0, errorCode: 0, results };
  }

  #read(topics: FetchOptions['topics'], bytesMax: number): FetchResponse['results'] {
    return topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => {
        const source = this.topics.get(topic)?.partitions[partition];
        const end = source?.end ?? 0;
        const code = source === undefined ? UNKNOWN_TOPIC : Number(offset) > end ? OUT_OF_RANGE : 0;
        const errorCode = code === 0 && this.#random() < this.faultShare / 4 ? NOT_LEADER : code;
        const wanted = source?.batches.filter((batch) => batch.end > Number(offset)) ?? [];
        const records =
          errorCode === 0 ? Buffer.concat(wanted.slice(0, 3).map(({ bytes }) => bytes)) : Buffer.alloc(0);
        return {
          topic,
          partition,
          errorCode,
          endOffset: BigInt(end),
          startOffset: 0n,
          records: records.subarray(0, bytesMax),
        };
      }),
    );
  }

  #listOffsets(
    wanted: readonly { name: string; partitions: { partitionIndex: number; timestamp: bigint }[] }[],
  ): unknown {
    const topics = wanted.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => {
        const partition = this.topics.get(name)?.partitions[partitionIndex];
        const offset = BigInt(timestamp === -1n ? (partition?.end ?? 0) : 0);
        return { partitionIndex, offset, errorCode: partition === undefined ? UNKNOWN_TOPIC : 0 };
      }),
    }));
    return { topics };
  }

  /** What the group shares: the partitions of all topics but those of dead letters. */
  #groupPartitions(): string[] {
    return [...this.topics]
      .filter(([name]) => !name.endsWith('.dead'))
      .flatMap(([, { id, partitions }]) => partitions.map((_, number) => `${id}:${number}`));
  }
}

/** Writes a batch as a broker does; returns an error code. */
function append(partition: FakePartition, given: Buffer): number {
  const producerId = given.readBigInt64BE(43);
  const sequence = given.readInt32BE(53);
  const count = given.readInt32BE(RECORD_COUNT_AT);
  if (given.length < BATCH_HEADER_BYTES || count < 1)
    throw new KafkaError('CORRUPT_MESSAGE', 'an empty batch');
  const producer = partition.producers.get(producerId) ?? { next: sequence, known: [] };
  partition.producers.set(producerId, producer);
  if (producer.known.includes(sequence)) return 0;
  if (sequence !== producer.next) return OUT_OF_ORDER;
  producer.next = sequence + count;
  producer.known.push(sequence);
  if (producer.known.length > KNOWN_BATCHES_MAX) producer.known.shift();
  const bytes = Buffer.from(given);
  bytes.writeBigInt64BE(BigInt(partition.end), 0);
  partition.batches.push({ start: partition.end, end: partition.end + count, bytes });
  partition.end += count;
  return 0;
}
