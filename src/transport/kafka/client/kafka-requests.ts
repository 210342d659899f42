import type { KafkaApi } from './kafka-apis.ts';

/** What a connection is for. */
export type Purpose = 'data' | 'fetch' | 'tail' | 'group';

export interface TopicFacts {
  readonly name: string;
  readonly id: string;
  /** Kafka's name of what is wrong with it, or undefined. */
  readonly error: string | undefined;
  /** Leader of each partition by number; -1 for none. */
  readonly leaders: readonly number[];
}

export interface ClusterFacts {
  readonly topics: readonly TopicFacts[];
}

/** A cluster that can be asked: the real one is `kafka-cluster.ts`, the one of tests `testing/fake-kafka.ts`. */
export interface KafkaRequests {
  /** What the cluster calls itself; empty before the first answer. */
  readonly clusterId: string;
  /** Sends a request to a broker, or to any one that can be reached; rejects with the library's or system's errors. */
  call<A extends unknown[], R>(
    node: number | 'any',
    purpose: Purpose,
    api: KafkaApi<A, R>,
    ...args: A
  ): Promise<R>;
  /** Asks for facts about these topics, or about all of them; topics are not created by asking. */
  describe(topics: readonly string[] | undefined): Promise<ClusterFacts>;
  /** Ends every connection; requests under way reject. */
  close(): Promise<void>;
}
