/**
 * What members of a classic group tell each other through the coordinator, as bytes: subscriptions in version 1 and
 * assignments in version 0 of Kafka's `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`. Newer versions
 * only add members at the end.
 */
import { Reader, Writer } from '../client/kafka-library.ts';

export interface ClassicSubscription {
  readonly topics: readonly string[];
  /** Named `topic:number`. */
  readonly owned: readonly string[];
}

const SUBSCRIPTION_VERSION = 1;
const ASSIGNMENT_VERSION = 0;

/** Returns the bytes of a subscription. */
export function encodeSubscription({ topics, owned }: ClassicSubscription): Buffer {
  const writer = Writer.create()
    .appendInt16(SUBSCRIPTION_VERSION)
    .appendArray([...topics], (inner, topic) => void inner.appendString(topic, false), false, false)
    .appendInt32(-1);
  return appendPartitions(writer, owned).buffer;
}

/** Reads a subscription; one of version 0 owns nothing that it could name. */
export function decodeSubscription(bytes: Buffer): ClassicSubscription {
  const reader = Reader.from(bytes);
  const version = reader.readInt16();
  const topics = reader.readArray((inner) => inner.readString(false), false, false);
  reader.readNullableBytes(false);
  return { topics, owned: version < SUBSCRIPTION_VERSION ? [] : readPartitions(reader) };
}

/** Returns the bytes of an assignment of partitions, named `topic:number`. */
export function encodeAssignment(partitions: readonly string[]): Buffer {
  return appendPartitions(Writer.create().appendInt16(ASSIGNMENT_VERSION), partitions).appendInt32(-1).buffer;
}

/** Reads an assignment; an empty one has no bytes. */
export function decodeAssignment(bytes: Buffer): string[] {
  if (bytes.length === 0) return [];
  const reader = Reader.from(bytes);
  reader.readInt16();
  return readPartitions(reader);
}

function appendPartitions(writer: Writer, partitions: readonly string[]): Writer {
  const byTopic = Map.groupBy(partitions, (partition) => partition.slice(0, partition.lastIndexOf(':')));
  return writer.appendArray(
    [...byTopic],
    (inner, [topic, ofTopic]) => {
      const numbers = ofTopic.map((partition) => Number(partition.slice(topic.length + 1)));
      inner
        .appendString(topic, false)
        .appendArray(numbers, (each, number) => void each.appendInt32(number), false, false);
    },
    false,
    false,
  );
}

function readPartitions(reader: Reader): string[] {
  const topics = reader.readArray(
    (inner) => {
      const topic = inner.readString(false);
      return inner.readArray((each) => `${topic}:${each.readInt32()}`, false, false);
    },
    false,
    false,
  );
  return topics.flat();
}
