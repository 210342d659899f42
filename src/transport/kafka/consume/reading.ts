import type { PartitionReadState } from './partition-state.ts';

/** A partition of a topic, the topic's id included, because a topic that is created anew is another one. */
export interface TopicPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly number: number;
}

export interface Assignment extends TopicPartition {
  readonly kind: 'log' | 'ledger';
  /** First offset to read, or where to begin. */
  readonly start: number | 'earliest' | 'latest';
}

/** A partition that is read. */
export interface Reading {
  readonly assignment: Assignment;
  /** The partition's number for the consumer's user: no other reading of this process ever has it. */
  readonly userNumber: number;
  /** Undefined until the first offset is known. */
  state: PartitionReadState | undefined;
  /** The node that leads it; -1 until that is known. */
  leader: number;
  isBlocked: boolean;
  /** Its next record could not be read, and nothing was read since. */
  isStuck: boolean;
}

/** Returns the name of a partition within one cluster for ever. */
export function partitionKey({ topicId, number }: Pick<TopicPartition, 'topicId' | 'number'>): string {
  return `${topicId}:${number}`;
}
