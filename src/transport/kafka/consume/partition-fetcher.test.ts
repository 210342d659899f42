import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordsBatch } from '@platformatic/kafka';
import { VirtualScheduler } from '../../../base/virtual-scheduler.ts';
import { MemoryTelemetry } from '../../../telemetry/memory-telemetry.ts';
import type { FetchOptions, KafkaApi } from '../client/kafka-apis.ts';
import type { ClusterFacts, KafkaRequests, Purpose } from '../client/kafka-requests.ts';
import { PartitionFetcher } from './partition-fetcher.ts';
import { ProblemBook } from '../client/problem-book.ts';
import { SCHEMA_HEADER } from '../records/record-encoder.ts';

/** Two brokers: the first one is away, and what it led is led by the second one after a while. */
class TwoBrokers implements KafkaRequests {
  readonly clusterId = 'fake';
  leader = 1;
  throttleMs = 400;
  /** Requests that the second broker has answered. */
  answeredCount = 0;
  /** What every fetch is answered with. */
  records: Buffer = Buffer.alloc(0);

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
        records: this.records,
        endOffset: 1n,
      })),
    );
    return Promise.resolve({ throttleMs: this.throttleMs, errorCode: 0, results } as R);
  }

  describe(): Promise<ClusterFacts> {
    const topic = { name: 'logs', id: 'id', error: undefined, leaders: [this.leader] };
    return Promise.resolve({ topics: [topic] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Reading {
  readonly scheduler: VirtualScheduler;
  readonly telemetry: MemoryTelemetry;
  readonly problems: ProblemBook;
  readonly fetcher: PartitionFetcher;
}

function startReading(cluster: TwoBrokers): Reading {
  const scheduler = new VirtualScheduler();
  const telemetry = new MemoryTelemetry();
  const problems = new ProblemBook(telemetry);
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
  return { scheduler, telemetry, problems, fetcher };
}

void test('a broker that is gone for good is forgotten once another one leads its partitions', async () => {
  const cluster = new TwoBrokers();
  const { scheduler, problems, fetcher } = startReading(cluster);
  await scheduler.advance(1_000);
  assert.match(problems.first ?? '', /cannot read from Kafka/);
  cluster.leader = 2;
  await scheduler.advance(10_000);
  assert.ok(cluster.answeredCount > 0, 'the second broker is asked');
  assert.equal(problems.first, undefined);
  fetcher.close();
  await scheduler.advance(10_000);
});

void test('a broker that throttles is said while it does, with what can be done', async () => {
  const cluster = new TwoBrokers();
  cluster.leader = 2;
  cluster.throttleMs = 3_000;
  const { scheduler, telemetry, problems, fetcher } = startReading(cluster);
  await scheduler.advance(10_000);
  assert.match(problems.first ?? '', /^cannot read faster: the quota is used up\. Raise the quota/);
  const seconds = telemetry.valueOf('logboom_transport_throttled_seconds_total', { action: 'read' });
  assert.equal(seconds, 3 * cluster.answeredCount);
  cluster.throttleMs = 999;
  await scheduler.advance(10_000);
  assert.equal(problems.first, undefined, 'less than a second is no news');
  assert.deepEqual(
    telemetry.lines.map(({ event }) => event),
    ['kafka_waits', 'kafka_recovered'],
  );
  fetcher.close();
  await scheduler.advance(10_000);
});

void test('a record that cannot be read is said once, until one behind it can be read', async () => {
  const cluster = new TwoBrokers();
  cluster.leader = 2;
  cluster.records = batchOf('2');
  const { scheduler, telemetry, problems, fetcher } = startReading(cluster);
  const polling = fetcher.poll(1_000, new AbortController().signal);
  for (let round = 0; round < 20; round++) await scheduler.advance(1_000);
  assert.match(problems.first ?? '', /schema version 2/);
  assert.equal(telemetry.lines.length, 1, JSON.stringify(telemetry.lines));
  cluster.records = batchOf('1');
  await scheduler.advance(10_000);
  assert.equal((await polling).length, 1);
  assert.equal(problems.first, undefined);
  fetcher.close();
  await scheduler.advance(10_000);
});

function batchOf(schema: string): Buffer {
  const headers = new Map([[Buffer.from(SCHEMA_HEADER), Buffer.from(schema)]]);
  const record = { topic: 'logs', partition: 0, value: Buffer.from('{"message":"m"}'), headers };
  return Buffer.from(createRecordsBatch([record], {}).buffer);
}
