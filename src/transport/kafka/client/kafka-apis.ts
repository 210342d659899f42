/**
 * The requests of Kafka's protocol that Logboom makes, each with the versions it can speak, newest first. They are the
 * ones of `@platformatic/kafka`, but for the two that move records: those carry whole batches as bytes.
 *
 * The oldest versions are those of Kafka 3.0.
 */
import {
  consumerGroupHeartbeatV0,
  createAPI,
  createTopicsV5,
  createTopicsV6,
  createTopicsV7,
  describeConfigsV4,
  fetchV12,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV7,
  leaveGroupV4,
  listOffsetsV7,
  metadataV10,
  metadataV11,
  metadataV12,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV8,
  offsetFetchV9,
  produceV9,
  syncGroupV5,
  Writer,
  type Connection,
  type Reader,
} from './kafka-library.ts';

/** One request in one version. */
export interface ApiVersion<Arguments extends unknown[], Response> {
  readonly key: number;
  readonly version: number;
  readonly async: (connection: Connection, ...args: Arguments) => Promise<Response>;
}

/** One request in all versions that Logboom speaks. */
export interface KafkaApi<Arguments extends unknown[], Response> {
  readonly name: string;
  readonly versions: readonly ApiVersion<Arguments, Response>[];
}

export interface ProduceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: Buffer;
}

export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string;
  /** How long the broker reads nothing more of this client, because of a quota; the same in all of one answer. */
  readonly throttleMs: number;
}

export interface FetchPosition {
  readonly partition: number;
  readonly offset: bigint;
  readonly bytesMax: number;
}

export interface FetchTopic {
  readonly topic: string;
  readonly partitions: readonly FetchPosition[];
}

export interface FetchOptions {
  readonly waitMsMax: number;
  readonly bytesMax: number;
  readonly topics: readonly FetchTopic[];
}

export interface FetchResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Offset behind the last record that all replicas have. */
  readonly endOffset: bigint;
  readonly startOffset: bigint;
  readonly records: Buffer;
}

export interface FetchResponse {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly results: readonly FetchResult[];
}

/** All replicas that are in sync have it. */
const ACKS_ALL = -1;

const NO_RECORDS = Buffer.alloc(0);

export const METADATA = {
  name: 'Metadata',
  versions: [metadataV12.api, metadataV11.api, metadataV10.api],
} as const;
export const FIND_COORDINATOR = { name: 'FindCoordinator', versions: [findCoordinatorV4.api] } as const;
export const INIT_PRODUCER_ID = { name: 'InitProducerId', versions: [initProducerIdV4.api] } as const;
export const CREATE_TOPICS = {
  name: 'CreateTopics',
  versions: [createTopicsV7.api, createTopicsV6.api, createTopicsV5.api],
} as const;
export const DESCRIBE_CONFIGS = { name: 'DescribeConfigs', versions: [describeConfigsV4.api] } as const;
export const LIST_OFFSETS = { name: 'ListOffsets', versions: [listOffsetsV7.api] } as const;
export const OFFSET_COMMIT = {
  name: 'OffsetCommit',
  versions: [offsetCommitV9.api, offsetCommitV8.api],
} as const;
export const OFFSET_FETCH = {
  name: 'OffsetFetch',
  versions: [offsetFetchV9.api, offsetFetchV8.api],
} as const;
/** KIP-848: the group's coordinator assigns partitions; from Kafka 4.0 on. */
export const GROUP_HEARTBEAT = {
  name: 'ConsumerGroupHeartbeat',
  versions: [consumerGroupHeartbeatV0.api],
} as const;
export const JOIN_GROUP = { name: 'JoinGroup', versions: [joinGroupV7.api] } as const;
export const SYNC_GROUP = { name: 'SyncGroup', versions: [syncGroupV5.api] } as const;
export const HEARTBEAT = { name: 'Heartbeat', versions: [heartbeatV4.api] } as const;
export const LEAVE_GROUP = { name: 'LeaveGroup', versions: [leaveGroupV4.api] } as const;

/** Sends batches that are encoded already. Versions 9 to 11 have the same form. */
export const PRODUCE: KafkaApi<[timeoutMs: number, batches: readonly ProduceBatch[]], ProduceResult[]> = {
  name: 'Produce',
  versions: [11, 10, 9].map((version) => createAPI(0, version, writeProduce, readProduced)),
};

export const FETCH: KafkaApi<[FetchOptions], FetchResponse> = {
  name: 'Fetch',
  versions: [createAPI(1, 12, writeFetch, readFetched)],
};

function writeProduce(timeoutMs: number, batches: readonly ProduceBatch[]): Writer {
  const topics = [...Map.groupBy(batches, ({ topic }) => topic)];
  return Writer.create()
    .appendString(null)
    .appendInt16(ACKS_ALL)
    .appendInt32(timeoutMs)
    .appendArray(topics, (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray([...ofTopic], (inner, { partition, records }) => {
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(records.length + 1)
          .append(records);
      });
    })
    .appendTaggedFields();
}

function readProduced(correlationId: number, key: number, version: number, reader: Reader): ProduceResult[] {
  const { responses, throttleTimeMs: throttleMs } = responseOf(() =>
    produceV9.parseResponse(correlationId, key, version, reader),
  );
  return responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, errorMessage }) => ({
      topic: name,
      partition: index,
      errorCode,
      errorMessage: errorMessage ?? '',
      throttleMs,
    })),
  );
}

function writeFetch({ waitMsMax, bytesMax, topics }: FetchOptions): Writer {
  const wanted = topics.map(({ topic, partitions }) => ({
    topicId: topic,
    partitions: partitions.map(({ partition, offset, bytesMax: partitionMaxBytes }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: offset,
      lastFetchedEpoch: -1,
      partitionMaxBytes,
    })),
  }));
  return fetchV12.createRequest(waitMsMax, 1, bytesMax, 0, 0, -1, wanted, [], '');
}

/** Reads the response of version 12 (https://kafka.apache.org/protocol#The_Messages_Fetch), records left as bytes. */
function readFetched(_correlationId: number, _key: number, _version: number, reader: Reader): FetchResponse {
  const throttleMs = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32(); // Id of a fetch session: none is used.
  const topics = reader.readArray((ofTopic) => {
    const topic = ofTopic.readString();
    return ofTopic.readArray((of) => readPartition(of, topic));
  });
  return { throttleMs, errorCode, results: topics.flat() };
}

function readPartition(reader: Reader, topic: string): FetchResult {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const endOffset = reader.readInt64();
  reader.readInt64(); // Last stable offset: transactions are not looked at.
  const startOffset = reader.readInt64();
  reader.readNullableArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  reader.readInt32(); // Preferred replica: the leader is asked.
  const length = reader.readUnsignedVarInt() - 1;
  if (length <= 0) return { topic, partition, errorCode, endOffset, startOffset, records: NO_RECORDS };
  const records = reader.buffer.slice(reader.position, reader.position + length);
  reader.skip(length);
  return { topic, partition, errorCode, endOffset, startOffset, records };
}

/**
 * Returns the response of a request even when parts of it failed: the library throws then, with the response, and the
 * caller looks at each part's error code.
 */
export function responseOf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return responseIn<T>(error);
  }
}

/** The same for a request that is under way. */
export async function partialResponse<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    return responseIn<T>(error);
  }
}

function responseIn<T>(error: unknown): T {
  const response = (error as { response?: unknown } | null)?.response;
  if (typeof response !== 'object' || response === null) throw error;
  return response as T;
}
