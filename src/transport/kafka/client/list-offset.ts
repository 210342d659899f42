import { LIST_OFFSETS, partialResponse } from './kafka-apis.ts';
import { errorNameOf } from './kafka-cluster.ts';
import { KafkaError } from './kafka-problem.ts';
import type { KafkaRequests } from './kafka-requests.ts';

/** What stands for these places in the request ListOffsets. */
const TIMESTAMPS = { latest: -1n, earliest: -2n } as const;

export interface OffsetPlace {
  readonly topic: string;
  readonly partition: number;
  /** The node to ask; only the leader knows. */
  readonly leader: number;
}

/** Returns the first offset of a partition, or the one behind its last record. */
export async function listOffset(
  cluster: KafkaRequests,
  { topic, partition, leader }: OffsetPlace,
  place: keyof typeof TIMESTAMPS,
): Promise<number> {
  const wanted = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp: TIMESTAMPS[place] };
  const node = leader < 0 ? 'any' : leader;
  const asked = [{ name: topic, partitions: [wanted] }];
  const { topics } = await partialResponse(cluster.call(node, 'data', LIST_OFFSETS, -1, 0, asked));
  const found = topics[0]?.partitions[0];
  const error = errorNameOf(found?.errorCode ?? -1);
  if (found === undefined || error !== undefined)
    throw new KafkaError(error ?? 'UNKNOWN_SERVER_ERROR', topic);
  return Number(found.offset);
}
