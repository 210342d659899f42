/**
 * The consumer of an indexer: a member of the group, reading every topic of the template and the ledger's. Commits are
 * gathered and sent together; what was said to be durable and not committed when the process dies comes again.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import type { KafkaConfig } from '../../../config/config.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { Consumer, Delivery } from '../../transport.ts';
import { ClassicMember } from '../group/classic-member.ts';
import { GroupMember, type GroupMembership, type GroupOptions } from '../group/group-member.ts';
import { OFFSET_COMMIT, OFFSET_FETCH, partialResponse } from '../client/kafka-apis.ts';
import { errorNameOf } from '../client/kafka-cluster.ts';
import type { KafkaRequests } from '../client/kafka-requests.ts';
import { KafkaError, problemOf } from '../client/kafka-problem.ts';
import { PartitionFetcher, type PartitionLag } from './partition-fetcher.ts';
import { partitionKey, type Assignment, type TopicPartition } from './reading.ts';
import type { ProblemBook } from '../client/problem-book.ts';
import type { SubscribedTopic, Subscription } from '../group/subscription.ts';
import { within } from '../client/within.ts';

export interface KafkaConsumerOptions {
  readonly cluster: KafkaRequests;
  readonly config: KafkaConfig;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly problems: ProblemBook;
  readonly subscription: Subscription;
  readonly foreignFileId: (partition: TopicPartition, run: string) => string;
  /** Called once, when it is closed. */
  readonly onClosed: () => void;
}

/** Time for the receiver to finish what it holds of revoked partitions; the coordinator waits half as long again. */
const REVOKE_MS_MAX = 20_000;

const REBALANCE_MS_MAX = 30_000;

const COMMIT_MS = 200;

const LAG_MS = 5_000;

/** A close that cannot commit must end all the same. */
const CLOSE_MS_MAX = 5_000;

export class KafkaConsumer implements Consumer {
  readonly #options: KafkaConsumerOptions;
  readonly #fetcher: PartitionFetcher;
  #group: GroupMembership;
  readonly #closing = new AbortController();
  #topics: ReadonlyMap<string, SubscribedTopic> = new Map();
  /** By partition: what the broker has, as far as this process knows. */
  readonly #committed = new Map<string, number>();
  #listener: ((partitions: readonly number[]) => Promise<void>) | undefined;
  #isCommitting = false;
  #hasCommits = false;
  #isClosed = false;

  constructor(options: KafkaConsumerOptions) {
    const { cluster, scheduler, telemetry, problems, config, foreignFileId } = options;
    this.#options = options;
    const { bufferBytesMax } = config;
    this.#fetcher = new PartitionFetcher({
      cluster,
      scheduler,
      telemetry,
      problems,
      purpose: 'fetch',
      bufferBytesMax,
      foreignFileId,
    });
    const group: GroupOptions = {
      cluster,
      scheduler,
      problems,
      groupId: config.groupId,
      rebalanceMsMax: REBALANCE_MS_MAX,
      listener: {
        revoke: (keys) => this.#revoke(keys),
        assign: (keys) => this.#assign(keys),
        lose: (keys) => this.#drop(keys),
      },
      onUnsupported: () => {
        this.#group = new ClassicMember(group);
        this.#group.subscribe([...this.#topics.values()]);
      },
    };
    this.#group = new GroupMember(group);
    void this.#reportLag();
    void options.subscription.follow(this.#closing.signal, (topics) => {
      this.#topics = new Map(topics.map((topic) => [topic.id, topic]));
      this.#group.subscribe(topics);
    });
  }

  get lags(): PartitionLag[] {
    return this.#fetcher.lags;
  }

  poll(bytesMax: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    return this.#fetcher.poll(bytesMax, signal);
  }

  /** Notes the position; the broker hears of it within `COMMIT_MS`, before a revocation, and at the close. */
  async commit(partition: number, nextPosition: bigint): Promise<void> {
    this.#fetcher.commit(partition, nextPosition);
    this.#hasCommits = true;
    if (!this.#isCommitting) void this.#commitLater();
  }

  onRevoke(listener: (partitions: readonly number[]) => Promise<void>): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The receiver has finished by itself when it closes.
    this.#listener = undefined;
    const { scheduler } = this.#options;
    this.#closing.abort();
    await within(scheduler, CLOSE_MS_MAX, this.#group.leave());
    this.#fetcher.close();
    this.#options.onClosed();
  }

  async #reportLag(): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    while (!this.#closing.signal.aborted) {
      for (const { topic, partition, records } of this.lags)
        telemetry.gauge('logboom_transport_lag_records', records, { topic, partition: String(partition) });
      await scheduler.sleep(LAG_MS, this.#closing.signal);
    }
  }

  async #commitLater(): Promise<void> {
    const { scheduler } = this.#options;
    this.#isCommitting = true;
    while (this.#hasCommits && !this.#isClosed) {
      await scheduler.sleep(COMMIT_MS, this.#closing.signal);
      this.#hasCommits = false;
      if (!this.#isClosed && !(await this.#flush())) this.#hasCommits = true;
    }
    this.#isCommitting = false;
  }

  /** Sends what is durable and not committed; false when the coordinator could not take it. */
  async #flush(): Promise<boolean> {
    const offsets = [...this.#fetcher.committable()].filter(
      ([key, offset]) => offset !== this.#committed.get(key),
    );
    if (offsets.length === 0) return true;
    const { identity } = this.#group;
    if (identity === undefined) return false;
    const { cluster, config, problems } = this.#options;
    const topics = byTopic(offsets, (key) => this.#topics.get(topicIdOf(key))?.name);
    try {
      const { coordinator, memberId, epoch } = identity;
      const response = await partialResponse(
        cluster.call(coordinator, 'data', OFFSET_COMMIT, config.groupId, epoch, memberId, null, topics),
      );
      const codes = response.topics.flatMap(({ partitions }) =>
        partitions.map(({ errorCode }) => errorNameOf(errorCode)),
      );
      const error = codes.find((code) => code !== undefined);
      if (error !== undefined) throw new KafkaError(error, '');
      for (const [key, offset] of offsets) this.#committed.set(key, offset);
      problems.note('commit', undefined);
      return true;
    } catch (error) {
      const problem = problemOf(error, 'commit what is stored');
      // A member with an old epoch hears of the new one with its next heartbeat.
      if (problem.code === 'STALE_MEMBER_EPOCH' || problem.code === 'REBALANCE_IN_PROGRESS')
        this.#group.noteError('');
      else {
        this.#group.noteError(problem.code);
        if (!this.#isClosed) problems.note('commit', problem);
      }
      return false;
    }
  }

  /** Waits for the receiver, but not for ever, commits, and lets the partitions go. */
  async #revoke(keys: readonly string[]): Promise<void> {
    const { scheduler } = this.#options;
    const numbers = [...this.#fetcher.assignments]
      .filter(([, assignment]) => keys.includes(partitionKey(assignment)))
      .map(([number]) => number);
    const finished = this.#listener?.(numbers) ?? Promise.resolve();
    await within(scheduler, REVOKE_MS_MAX, finished);
    for (let attempt = 0; attempt < 3 && !(await this.#flush()); attempt++) await scheduler.sleep(COMMIT_MS);
    this.#drop(keys);
  }

  #drop(keys: readonly string[]): void {
    const { telemetry } = this.#options;
    for (const assignment of this.#fetcher.assignments.values()) {
      const labels = { topic: assignment.topic, partition: String(assignment.number) };
      // Whoever reads it now reports it.
      if (keys.includes(partitionKey(assignment)))
        telemetry.gauge('logboom_transport_lag_records', 0, labels);
    }
    this.#fetcher.drop(keys);
    for (const key of keys) this.#committed.delete(key);
    telemetry.gauge('logboom_transport_partitions', this.#fetcher.assignments.size);
  }

  /** Reads partitions from where the group left off; returns those that it reads. */
  async #assign(keys: readonly string[]): Promise<readonly string[]> {
    const { problems, telemetry } = this.#options;
    try {
      const partitions = keys.flatMap((key) => this.#partitionOf(key));
      const starts = await this.#committedOffsets(partitions);
      const assignments = partitions.map((partition) => {
        const start = starts.get(partitionKey(partition));
        if (start !== undefined) this.#committed.set(partitionKey(partition), start);
        const kind: Assignment['kind'] = partition.isLedger ? 'ledger' : 'log';
        return { ...partition, kind, start: start ?? ('earliest' as const) };
      });
      this.#fetcher.assign(assignments);
      telemetry.gauge('logboom_transport_partitions', this.#fetcher.assignments.size);
      problems.note('take over partitions', undefined);
      return assignments.map(partitionKey);
    } catch (error) {
      if (!this.#isClosed) problems.note('take over partitions', problemOf(error, 'take over partitions'));
      return [];
    }
  }

  #partitionOf(key: string): (TopicPartition & { isLedger: boolean })[] {
    const topic = this.#topics.get(topicIdOf(key));
    if (topic === undefined) return [];
    const number = Number(key.slice(key.lastIndexOf(':') + 1));
    return [{ topic: topic.name, topicId: topic.id, number, isLedger: topic.isLedger }];
  }

  async #committedOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const { identity } = this.#group;
    if (identity === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', '');
    const { cluster, config } = this.#options;
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitionIndexes: ofTopic.map(({ number }) => number),
    }));
    const { memberId, epoch, coordinator } = identity;
    const group = { groupId: config.groupId, memberId, memberEpoch: epoch, topics };
    const response = await cluster.call(coordinator, 'data', OFFSET_FETCH, [group], false);
    const offsets = new Map<string, number>();
    for (const { name, partitions: found } of response.groups[0]?.topics ?? []) {
      for (const { partitionIndex, committedOffset, metadata } of found) {
        const partition = partitions.find((each) => each.topic === name && each.number === partitionIndex);
        // What was committed of a topic that had this name before counts for nothing.
        const isOfAnother = metadata !== null && metadata !== '' && metadata !== partition?.topicId;
        if (partition !== undefined && committedOffset >= 0n && !isOfAnother)
          offsets.set(partitionKey(partition), Number(committedOffset));
      }
    }
    return offsets;
  }
}

function topicIdOf(key: string): string {
  return key.slice(0, key.lastIndexOf(':'));
}

interface CommitTopic {
  name: string;
  partitions: {
    partitionIndex: number;
    committedOffset: bigint;
    committedLeaderEpoch: number;
    committedMetadata: string;
  }[];
}

function byTopic(
  offsets: readonly (readonly [string, number])[],
  nameOf: (key: string) => string | undefined,
): CommitTopic[] {
  return [...Map.groupBy(offsets, ([key]) => nameOf(key) ?? '')]
    .filter(([name]) => name !== '')
    .map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(([key, offset]) => ({
        partitionIndex: Number(key.slice(key.lastIndexOf(':') + 1)),
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        // Offsets are kept by name: the id tells a topic from one that was deleted and created again.
        committedMetadata: topicIdOf(key),
      })),
    }));
}
