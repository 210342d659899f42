/**
 * The topics that are written to: what waits for each partition, who leads it, and what came before the topic was known.
 * A topic keeps the partitions that it was found with, unless it was deleted and created again: then what waits is
 * spread anew.
 */
import type { Scheduler } from '../../../base/scheduler.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { TopicDirectory, TopicKind, UsableTopic } from '../client/topic-directory.ts';
import { partitionOf } from './partitioner.ts';
import { createPartition, enqueue, type PartitionState, type SendItem } from './producer-state.ts';

export interface ProducedTopic {
  readonly name: string;
  readonly kind: TopicKind;
  /** Undefined until it is known. The number of partitions that it was found with stays, see `docs/formats/kafka.md`. */
  facts: UsableTopic | undefined;
  /** Largest batch that it takes. */
  limitBytes: number;
  partitions: PartitionState[];
  /** What came before the topic was known. */
  waiting: SendItem[];
  isLookedUp: boolean;
}

export interface ProducedTopicsOptions {
  readonly topics: TopicDirectory;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly closing: AbortSignal;
  /** Called when something waits for a partition. */
  readonly onQueued: (partition: PartitionState) => void;
  /** Called when a partition is of a topic that is gone. */
  readonly onGone: (partition: PartitionState) => void;
  /** Called when a topic can be written to, or its leaders are known again. */
  readonly onFound: () => void;
}

/** Topics that one process writes to; a template over a field with more values than this is a mistake. */
const TOPICS_MAX = 10_000;

/** Batches below which there is no sense in cutting further. */
const LIMIT_BYTES_MIN = 2_048;

export class ProducedTopics {
  readonly #options: ProducedTopicsOptions;
  readonly #topics = new Map<string, ProducedTopic>();

  constructor(options: ProducedTopicsOptions) {
    this.#options = options;
  }

  /** Returns a topic, which is looked up when it is new. */
  take(name: string, kind: TopicKind): ProducedTopic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    if (this.#topics.size >= TOPICS_MAX) this.#forgetIdle();
    const topic: ProducedTopic = {
      name,
      kind,
      facts: undefined,
      limitBytes: 0,
      partitions: [],
      waiting: [],
      isLookedUp: false,
    };
    this.#topics.set(name, topic);
    void this.lookUp(topic);
    return topic;
  }

  /** Returns the topic of a partition, unless it has been forgotten. */
  topicOf({ topic }: PartitionState): ProducedTopic | undefined {
    return this.#topics.get(topic);
  }

  /** Returns the node that leads a partition; -1 for none. */
  leaderOf(partition: PartitionState): number {
    return this.topicOf(partition)?.facts?.leaders[partition.number] ?? -1;
  }

  /** Whether a partition still belongs to its topic, which may have been created anew. */
  isCurrent(partition: PartitionState): boolean {
    return this.topicOf(partition)?.partitions[partition.number] === partition;
  }

  /** Lets records wait for the partition of their key, or for the topic while it is not known. */
  route(topic: ProducedTopic, item: SendItem): void {
    if (topic.facts === undefined) {
      topic.waiting.push(item);
      return;
    }
    const partition = topic.partitions[partitionOf(item.key, topic.partitions.length)];
    if (partition === undefined) return;
    enqueue(partition, item, this.#options.scheduler.monotonicMs());
    this.#options.onQueued(partition);
  }

  /** Finds out who leads the topic's partitions, again after a failure. */
  async lookUp(topic: ProducedTopic): Promise<void> {
    if (topic.isLookedUp) return;
    topic.isLookedUp = true;
    const { topics, closing, onFound } = this.#options;
    const facts = await topics.waitFor(topic.name, topic.kind, closing);
    topic.isLookedUp = false;
    if (facts === undefined || closing.aborted) return;
    const before = topic.facts;
    topic.facts = facts;
    topic.limitBytes = Math.max(LIMIT_BYTES_MIN, facts.messageBytesMax);
    if (before === undefined || before.id !== facts.id) this.#spread(topic, facts.leaders.length);
    else if (facts.leaders.length !== topic.partitions.length)
      this.#warnOfPartitions(topic, facts.leaders.length);
    onFound();
  }

  /** A batch of so many bytes was too large, though the topic's limit said otherwise: the next ones are half of it. */
  lowerLimit(topic: ProducedTopic, refusedBytes: number): void {
    const half = Math.floor(refusedBytes / 2);
    topic.limitBytes = Math.max(LIMIT_BYTES_MIN, Math.min(topic.limitBytes, half));
  }

  clear(): void {
    this.#topics.clear();
  }

  #forgetIdle(): void {
    for (const [name, { waiting, partitions }] of this.#topics) {
      if (waiting.length === 0 && partitions.every(({ items }) => items.length === 0))
        this.#topics.delete(name);
    }
  }

  /** Gives what waits its partitions: of a topic that was not known, or that was deleted and created again. */
  #spread(topic: ProducedTopic, partitionCount: number): void {
    const moved = topic.partitions.flatMap((partition) => {
      this.#options.onGone(partition);
      return partition.items.map((item, index) => (index === 0 ? restOf(item, partition.firstRecord) : item));
    });
    const waiting = [...moved, ...topic.waiting];
    topic.waiting = [];
    topic.partitions = Array.from({ length: partitionCount }, (_, number) =>
      createPartition(topic.name, number),
    );
    for (const item of waiting) this.route(topic, item);
  }

  #warnOfPartitions(topic: ProducedTopic, partitionCount: number): void {
    this.#options.telemetry.log(
      'warn',
      'kafka_partitions_changed',
      `topic ${topic.name} has ${partitionCount} partitions now, and ${topic.partitions.length} are used until the next start`,
      {
        hint: 'Start the agents again when the indexer has read everything, so that no file changes its partition before.',
      },
    );
  }
}

/** An item without its first records. */
function restOf(item: SendItem, from: number): SendItem {
  if (from === 0 || item.body === undefined) return item;
  const start = item.ends[from - 1] ?? 0;
  const ends = item.ends.slice(from, item.count).map((end) => end - start);
  return { ...item, body: item.body.subarray(start), ends, count: item.count - from };
}
