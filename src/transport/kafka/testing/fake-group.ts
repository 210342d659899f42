/**
 * The coordinator of one group, as KIP-848 has it: it gives every member a fair share, and a partition only when its
 * last owner has said that it let go.
 */
import { KafkaError } from '../client/kafka-problem.ts';

interface Member {
  epoch: number;
  /** What it said that it owns. */
  owned: readonly string[];
  /** What it was told that it may own. */
  given: readonly string[];
  beatAtMs: number;
}

interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

const HEARTBEAT_MS = 500;
const SESSION_MS = 45_000;

const STALE_MEMBER_EPOCH = 113;
const UNKNOWN_MEMBER_ID = 25;

export class FakeGroup {
  /** Committed offsets by topic and partition, `topic:number`. */
  readonly committed = new Map<string, bigint>();
  readonly #members = new Map<string, Member>();
  readonly #partitions: () => readonly string[];
  readonly #monotonicMs: () => number;
  #epoch = 1;
  #nextMember = 1;

  constructor(partitions: () => readonly string[], monotonicMs: () => number) {
    this.#partitions = partitions;
    this.#monotonicMs = monotonicMs;
  }

  get memberIds(): string[] {
    return [...this.#members.keys()];
  }

  answer(name: string, args: readonly unknown[]): unknown {
    if (name === 'ConsumerGroupHeartbeat')
      return this.#beat(args[1] as string, args[2] as number, args[9] as readonly TopicPartitions[] | null);
    if (name === 'OffsetCommit')
      return this.#commit(args[1] as number, args[2] as string, args[4] as CommitTopic[]);
    if (name === 'OffsetFetch')
      return this.#offsets(args[0] as { topics: { name: string; partitionIndexes: number[] }[] }[]);
    throw new KafkaError('UNSUPPORTED_VERSION', name);
  }

  /** The coordinator has not heard of a member for too long: others get its partitions. */
  expire(memberId: string): void {
    if (this.#members.delete(memberId)) this.#epoch += 1;
  }

  #beat(memberId: string, epoch: number, owned: readonly TopicPartitions[] | null): unknown {
    if (epoch < 0) {
      this.expire(memberId);
      return { memberId, memberEpoch: epoch, heartbeatIntervalMs: HEARTBEAT_MS, assignment: null };
    }
    const id = epoch === 0 && memberId === '' ? `member-${this.#nextMember++}` : memberId;
    if (epoch === 0) {
      this.#members.set(id, { epoch: 0, owned: [], given: [], beatAtMs: 0 });
      this.#epoch += 1;
    }
    const member = this.#members.get(id);
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID', '');
    member.beatAtMs = this.#monotonicMs();
    for (const [other, { beatAtMs }] of this.#members)
      if (beatAtMs < member.beatAtMs - SESSION_MS) this.expire(other);
    if (epoch > 0 && epoch !== member.epoch && epoch !== member.epoch - 1)
      throw new KafkaError('FENCED_MEMBER_EPOCH', '');
    if (owned !== null)
      member.owned = owned.flatMap(({ topicId, partitions }) =>
        partitions.map((each) => `${topicId}:${each}`),
      );
    const given = this.#shareOf(id).filter((key) => !this.#isOwnedByOther(id, key));
    // It keeps what it was given until it has said that it does not own it any more.
    member.given = given;
    member.epoch = this.#epoch;
    const assignment = [...Map.groupBy(given, (key) => key.slice(0, key.lastIndexOf(':')))].map(
      ([topicId, keys]) => ({
        topicId,
        partitions: keys.map((key) => Number(key.slice(key.lastIndexOf(':') + 1))),
      }),
    );
    return {
      memberId: id,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: HEARTBEAT_MS,
      assignment: { topicPartitions: assignment },
    };
  }

  #shareOf(id: string): string[] {
    const ids = this.memberIds.toSorted((left, right) => (left < right ? -1 : 1));
    return this.#partitions().filter((_, index) => ids[index % ids.length] === id);
  }

  #isOwnedByOther(id: string, key: string): boolean {
    return [...this.#members].some(
      ([other, { owned, given }]) => other !== id && (owned.includes(key) || given.includes(key)),
    );
  }

  #commit(epoch: number, memberId: string, topics: readonly CommitTopic[]): unknown {
    const member = this.#members.get(memberId);
    const errorCode =
      member === undefined ? UNKNOWN_MEMBER_ID : member.epoch === epoch ? 0 : STALE_MEMBER_EPOCH;
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, committedOffset }) => {
          if (errorCode === 0) this.committed.set(`${name}:${partitionIndex}`, committedOffset);
          return { partitionIndex, errorCode };
        }),
      })),
    };
  }

  #offsets(groups: readonly { topics: { name: string; partitionIndexes: number[] }[] }[]): unknown {
    const topics = groups[0]?.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: this.committed.get(`${name}:${partitionIndex}`) ?? -1n,
        metadata: null,
        errorCode: 0,
      })),
    }));
    return { groups: [{ topics, errorCode: 0 }] };
  }
}

interface CommitTopic {
  readonly name: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: bigint }[];
}
