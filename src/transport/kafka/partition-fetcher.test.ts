import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import type { FetchOptions, KafkaApi } from './kafka-apis.ts';
import type { ClusterFacts, KafkaRequests, Purpose } from './kafka-requests.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import { ProblemBook } from './problem-book.ts';

/** Two brokers: the first one is away, and what it led is led by the second one after a while. */
class TwoBrokers implements KafkaRequests {
  readonly clusterId = 'fake';
  leader = 1;
  /** Requests that the second broker has answered. */
  answeredCount = 0;

  call<A extends unknown[], R>(
    node: number | 'any',
    _purpose: Purpose,
    _api: KafkaApi<A, R>,
    ...args: A
  ): Promise<R> {
    if (node === 1)
      return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    this.answeredCount += 1;
    const [{ topics }] = args as unknown as [FetchOptions];
    const results = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition }) => ({
        topic,
        partition,
        errorCode: 0,
        records: Buffer.alloc(0),
        endOffset: 0n,
      })),
    );
    return Promise.resolve({ throttleMs: 400, errorCode: 0, results } as R);
  }

  describe(): Promise<ClusterFacts> {
    const topic = { name: 'logs', id: 'id', error: undefined, leaders: [this.leader] };
    return Promise.resolve({ topics: [topic] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

void test('a broker that is gone for good is forgotten once another one leads its partitions', async () => {
  const scheduler = new VirtualScheduler();
  const telemetry = new MemoryTelemetry();
  const problems = new ProblemBook(telemetry);
  const cluster = new TwoBrokers();
  const fetcher = new PartitionFetcher({
    cluster,
    scheduler,
    telemetry,
    problems,
    purpose: 'tail',
    bufferBytesMax: 1_000_000,
    foreignFileId: () => '0'.repeat(20),
  });
  fetcher.assign([{ topic: 'logs', topicId: 'id', number: 0, kind: 'log', start: 0 }]);
  await scheduler.advance(1_000);
  assert.match(problems.first ?? '', /cannot read from Kafka/);
  cluster.leader = 2;
  await scheduler.advance(10_000);
  assert.ok(cluster.answeredCount > 0, 'the second broker is asked');
  assert.equal(problems.first, undefined);
  fetcher.close();
  await scheduler.advance(10_000);
});
