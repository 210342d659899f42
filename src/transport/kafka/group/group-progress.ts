/** How far a consumer group has come in each partition, asked from outside of the group. */
import { LIST_OFFSETS, OFFSET_FETCH, partialResponse } from '../client/kafka-apis.ts';
import { errorNameOf } from '../client/kafka-cluster.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { KafkaError } from '../client/kafka-problem.ts';
import { findCoordinator } from './group-member.ts';

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** Offset behind the last record that the group is done with; 0 when it has committed none. */
  readonly committed: bigint;
  /** Offset behind the last record. */
  readonly end: bigint;
}

const LATEST = -1n;

/** Returns the progress of every partition of these topics. Rejects when the cluster cannot tell. */
export async function readGroupProgress(
  cluster: KafkaRequests,
  groupId: string,
  topics: readonly string[],
): Promise<PartitionProgress[]> {
  const facts = await cluster.describe(topics);
  const partitions = facts.topics.flatMap(({ name, leaders }) =>
    leaders.map((leader, partition) => ({ topic: name, partition, leader })),
  );
  // What is committed is asked first: so no partition looks further than it is.
  const committed = await committedOffsets(cluster, groupId, partitions);
  const ends = await endOffsets(cluster, partitions);
  return partitions.map(({ topic, partition }) => {
    const key = keyOf(topic, partition);
    return { topic, partition, committed: committed.get(key) ?? 0n, end: ends.get(key) ?? 0n };
  });
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
}

async function committedOffsets(
  cluster: KafkaRequests,
  groupId: string,
  places: readonly Place[],
): Promise<Map<string, bigint>> {
  const coordinator = await findCoordinator(cluster, groupId);
  const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }));
  // No member asks: it is nobody's epoch.
  const group = { groupId, memberId: null, memberEpoch: -1, topics };
  const { groups } = await partialResponse(cluster.call(coordinator, 'data', OFFSET_FETCH, [group], false));
  const offsets = new Map<string, bigint>();
  for (const { name, partitions } of groups[0]?.topics ?? []) {
    for (const { partitionIndex, committedOffset } of partitions) {
      if (committedOffset >= 0n) offsets.set(keyOf(name, partitionIndex), committedOffset);
    }
  }
  return offsets;
}

async function endOffsets(cluster: KafkaRequests, places: readonly Place[]): Promise<Map<string, bigint>> {
  const offsets = new Map<string, bigint>();
  for (const [leader, ofLeader] of Map.groupBy(places, (place) => place.leader)) {
    const wanted = [...Map.groupBy(ofLeader, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: -1,
        timestamp: LATEST,
      })),
    }));
    const { topics } = await partialResponse(cluster.call(leader, 'data', LIST_OFFSETS, -1, 0, wanted));
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, errorCode, offset } of partitions) {
        const error = errorNameOf(errorCode);
        if (error !== undefined) throw new KafkaError(error, name);
        offsets.set(keyOf(name, partitionIndex), offset);
      }
    }
  }
  return offsets;
}

function keyOf(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}
