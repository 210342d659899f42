/** Finds topics, and creates the ones that are missing where that is allowed. */
import type { KafkaConfig } from '../../../config/config.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import { ConfigResourceTypes } from './kafka-library.ts';
import { CREATE_TOPICS, DESCRIBE_CONFIGS, partialResponse } from './kafka-apis.ts';
import { errorNameOf } from './kafka-cluster.ts';
import type { KafkaRequests, TopicFacts } from './kafka-requests.ts';
import { KafkaError, problemOf } from './kafka-problem.ts';
import type { ProblemBook } from './problem-book.ts';

/** What a topic is for; it decides how it is created. */
export type TopicKind = 'log' | 'ledger' | 'dead';

export interface UsableTopic extends TopicFacts {
  /** Largest batch that the topic takes, in bytes as they are sent. */
  readonly messageBytesMax: number;
}

export interface TopicDirectoryOptions {
  readonly cluster: KafkaRequests;
  readonly config: KafkaConfig;
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
}

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

/** Nobody has to be told of a topic that will be there in a moment. */
const JUST_CREATED = 'JUST_CREATED';

const CREATE_MS_MAX = 15_000;

/** Kafka's default of `max.message.bytes`. */
const MESSAGE_BYTES = 1_048_588;

/** Dead letters hold a whole document and more, so their topic takes larger records than that of the logs. */
const DEAD_MESSAGE_BYTES = 32 * 2 ** 20;

export class TopicDirectory {
  readonly #options: TopicDirectoryOptions;

  constructor(options: TopicDirectoryOptions) {
    this.#options = options;
  }

  /** Resolves once the topic can be used, however long that takes; undefined when `signal` is aborted before. */
  async waitFor(name: string, kind: TopicKind, signal: AbortSignal): Promise<UsableTopic | undefined> {
    const { scheduler, problems } = this.#options;
    const subject = `topic ${name}`;
    for (let delayMs = RETRY_MS_MIN; !signal.aborted; delayMs = Math.min(RETRY_MS_MAX, delayMs * 2)) {
      try {
        const topic = await this.#find(name, kind);
        problems.note(subject, undefined);
        return topic;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof KafkaError && error.code === JUST_CREATED))
          problems.note(subject, problemOf(error, `use the topic ${name}`));
      }
      await scheduler.sleep(delayMs, signal);
    }
    return undefined;
  }

  async #find(name: string, kind: TopicKind): Promise<UsableTopic> {
    const found = await this.#lookUp(name);
    if (found !== undefined) return { ...found, messageBytesMax: await this.#messageBytesMax(name) };
    if (!this.#options.config.create.isAllowed)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${name} does not exist`);
    await this.#create(name, kind);
    // The brokers hear of it one after the other; the next attempt finds it.
    throw new KafkaError(JUST_CREATED, `${name} was created just now`);
  }

  async #lookUp(name: string): Promise<TopicFacts | undefined> {
    const { topics } = await this.#options.cluster.describe([name]);
    const topic = topics.find((each) => each.name === name);
    if (topic === undefined || topic.error === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    if (topic.error !== undefined) throw new KafkaError(topic.error, name);
    if (topic.leaders.length === 0) throw new KafkaError('LEADER_NOT_AVAILABLE', name);
    return topic;
  }

  async #create(name: string, kind: TopicKind): Promise<void> {
    const { cluster, config } = this.#options;
    const topic = {
      name,
      numPartitions: kind === 'log' ? config.create.partitions : 1,
      replicationFactor: config.create.replicas,
      assignments: [],
      configs: configsOf(kind),
    };
    const { topics } = await partialResponse(
      cluster.call('any', 'data', CREATE_TOPICS, [topic], CREATE_MS_MAX, false),
    );
    for (const { errorCode, errorMessage } of topics) {
      const error = errorNameOf(errorCode);
      if (error !== undefined && error !== 'TOPIC_ALREADY_EXISTS')
        throw new KafkaError(error, errorMessage ?? '');
    }
  }

  /** What the topic says; Kafka's default where the configuration may not be read. */
  async #messageBytesMax(name: string): Promise<number> {
    const wanted = this.#options.config.messageBytesMax ?? Number.POSITIVE_INFINITY;
    const resource = {
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName: name,
      configurationKeys: ['max.message.bytes'],
    };
    try {
      const { results } = await this.#options.cluster.call(
        'any',
        'data',
        DESCRIBE_CONFIGS,
        [resource],
        false,
        false,
      );
      const value = Number(results[0]?.configs[0]?.value);
      return Math.min(wanted, Number.isSafeInteger(value) && value > 0 ? value : MESSAGE_BYTES);
    } catch (error) {
      const { code } = problemOf(error, 'read the configuration');
      if (!code.endsWith('_AUTHORIZATION_FAILED')) throw error;
      return Math.min(wanted, MESSAGE_BYTES);
    }
  }
}

function configsOf(kind: TopicKind): { name: string; value: string }[] {
  if (kind === 'log') return [];
  const compacted = [{ name: 'cleanup.policy', value: 'compact' }];
  if (kind === 'ledger') return compacted;
  return [...compacted, { name: 'max.message.bytes', value: String(DEAD_MESSAGE_BYTES) }];
}
