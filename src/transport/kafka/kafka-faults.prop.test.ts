/** The whole transport against a cluster in trouble, in virtual time, from seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../base/prng.ts';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { KafkaConfig } from '../../config/config.ts';
import { eventIdOf } from '../../record/identity.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import type { Consumer } from '../transport.ts';
import { KafkaTransport } from './kafka-transport.ts';
import { readFrames, RecordReader } from './records/record-decoder.ts';
import { FakeKafka } from './testing/fake-kafka.ts';

/** A seed takes up to two seconds on a busy machine. */
const SEEDS = Math.max(4, Math.floor(Number(process.env['LOGBOOM_CASES'] ?? 0) / 4_000));
const FILES = 6;
const ROUNDS = 12;
const HOUR_MS = 3_600_000;

const CONFIG: KafkaConfig = {
  kind: 'kafka',
  bufferBytesMax: 200_000,
  brokers: ['fake:1'],
  topic: 'logs',
  create: { isAllowed: true, partitions: 4, replicas: 1 },
  groupId: 'group',
  clientId: 'test',
  requestMsMax: 20_000,
  compression: 'none',
  messageBytesMax: undefined,
  oversized: 'truncate',
  tls: undefined,
  sasl: undefined,
};

function batchOf(file: number, from: number, count: number): RecordBatch {
  const fileId = String(file).padStart(20, '0');
  const documents = Array.from({ length: count }, (_, index) =>
    Buffer.from(
      `{"@timestamp":"2026-11-23T04:30:00.123456789Z","message":"m","stream":"file","log":{"offset":${from + index},"file":{"path":"/x"}},"event":{"id":"${eventIdOf(fileId, from + index)}"},"host":{"name":"h"}}\n`,
    ),
  );
  let end = 0;
  return {
    fileId,
    body: Buffer.concat(documents),
    count,
    ends: Uint32Array.from(documents, (document) => (end += document.length)),
    offsets: Float64Array.from({ length: count }, (_, index) => from + index),
    lanes: new Uint8Array(count),
  };
}

/** An indexer: what it has polled it keeps for a while, stores, and commits. */
class Indexer {
  readonly stored = new Map<string, number[]>();
  readonly transport: KafkaTransport;
  #consumer: Consumer | undefined;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(cluster: FakeKafka, scheduler: VirtualScheduler, random: () => number) {
    this.transport = new KafkaTransport({
      config: CONFIG,
      scheduler,
      telemetry: new MemoryTelemetry(),
      readFile: () => new Uint8Array(),
      cluster,
    });
    this.#running = this.#run(scheduler, random);
  }

  async #run(scheduler: VirtualScheduler, random: () => number): Promise<void> {
    const consumer = await this.transport.openConsumer();
    this.#consumer = consumer;
    let finishing = Promise.resolve();
    consumer.onRevoke(() => finishing);
    while (!this.#stopping.signal.aborted) {
      const deliveries = await consumer.poll(20_000, this.#stopping.signal);
      finishing = (async () => {
        await scheduler.sleep(Math.floor(random() * 300));
        for (const delivery of deliveries) {
          if (delivery.kind !== 'log') continue;
          const { fileId, offsets } = delivery.batch;
          this.stored.set(fileId, [...(this.stored.get(fileId) ?? []), ...offsets]);
        }
        for (const { partition, nextPosition } of deliveries) await consumer.commit(partition, nextPosition);
      })();
      await finishing;
    }
  }

  /** Ends as SIGTERM does it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#consumer?.close();
    await this.transport.close();
  }
}

interface Outcome {
  readonly kafka: FakeKafka;
  readonly indexers: readonly Indexer[];
  readonly transport: KafkaTransport;
}

async function simulate(seed: number, withForgetting: boolean): Promise<Outcome> {
  const random = createRandom(seed);
  const scheduler = new VirtualScheduler({ random });
  const kafka = new FakeKafka({ scheduler, random });
  kafka.faultShare = random() * 0.5;
  const telemetry = new MemoryTelemetry();
  const transport = new KafkaTransport({
    config: CONFIG,
    scheduler,
    telemetry,
    readFile: () => new Uint8Array(),
    cluster: kafka,
  });
  const indexers = [new Indexer(kafka, scheduler, random)];
  let acknowledgedCount = 0;
  let sentCount = 0;
  const next = Array.from({ length: FILES }, () => 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (let file = 0; file < FILES; file++) {
      const count = 1 + Math.floor(random() * 20);
      const from = next[file] ?? 0;
      next[file] = from + count;
      sentCount += 1;
      void transport.producer.send(batchOf(file, from, count)).then(() => (acknowledgedCount += 1));
    }
    await scheduler.advance(Math.floor(random() * 2_000));
    if (withForgetting && random() < 0.2) kafka.forgetProducers();
    await disturb(kafka, indexers, scheduler, random);
  }
  kafka.faultShare = Math.min(kafka.faultShare, 0.1);
  const isSent = await scheduler.advanceUntil(() => acknowledgedCount === sentCount, HOUR_MS, 100);
  assert.ok(isSent, `seed ${seed}: ${acknowledgedCount} of ${sentCount} sends are acknowledged`);
  kafka.faultShare = 0;
  const total = next.reduce((sum, each) => sum + each, 0);
  const committed = (): number =>
    [...kafka.group.committed].reduce(
      (sum, [key, each]) => sum + (key.startsWith('logs:') ? Number(each) : 0),
      0,
    );
  const end = (): number =>
    kafka.topics.get('logs')?.partitions.reduce((sum, partition) => sum + partition.end, 0) ?? 0;
  const isRead = await scheduler.advanceUntil(() => committed() === end(), HOUR_MS, 100);
  assert.ok(isRead, `seed ${seed}: ${committed()} of ${end()} records are committed, ${total} were sent`);
  const isWell = await scheduler.advanceUntil(() => transport.problem() === undefined, 60_000, 100);
  assert.ok(isWell, `seed ${seed}: ${transport.problem()}`);
  const stopping = Promise.all([...indexers.map((indexer) => indexer.stop()), transport.close()]);
  await scheduler.advance(60_000);
  await stopping;
  return { kafka, indexers, transport };
}

/** Indexers come and go, by themselves or because the coordinator has given them up. */
async function disturb(
  kafka: FakeKafka,
  indexers: Indexer[],
  scheduler: VirtualScheduler,
  random: () => number,
): Promise<void> {
  const dice = random();
  if (dice < 0.25 && indexers.length < 5) indexers.push(new Indexer(kafka, scheduler, random));
  else if (dice < 0.4) {
    const ids = kafka.group.memberIds;
    const id = ids[Math.floor(random() * ids.length)];
    if (id !== undefined) kafka.group.expire(id);
  } else if (dice < 0.5 && indexers.length > 1) {
    const stopping = indexers[0]?.stop();
    await scheduler.advance(30_000);
    await stopping;
  }
}

function logOf(kafka: FakeKafka): Map<string, number[]> {
  const log = new Map<string, number[]>();
  for (const bytes of kafka.batchesOf('logs')) {
    for (const frame of readFrames(bytes)) {
      const reader = new RecordReader(frame);
      while (reader.next()) {
        const { data, keyStart, keyEnd, valueStart, valueEnd } = reader.cursor;
        const key = data.toString('latin1', keyStart, keyEnd);
        const { log: place } = JSON.parse(data.toString('utf8', valueStart, valueEnd)) as {
          log: { offset: number };
        };
        log.set(key, [...(log.get(key) ?? []), place.offset]);
      }
    }
  }
  return log;
}

void test('whatever brokers, networks and indexers do, each record is written once, in order, and stored (G2, G3)', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { kafka, indexers } = await simulate(seed, false);
    for (const [fileId, offsets] of logOf(kafka)) {
      assert.deepEqual(
        offsets,
        Array.from(offsets, (_, index) => index),
        `seed ${seed}: ${fileId} is written once and in order`,
      );
      const stored = new Set(indexers.flatMap((indexer) => indexer.stored.get(fileId) ?? []));
      assert.equal(stored.size, offsets.length, `seed ${seed}: ${fileId} is stored`);
    }
  }
});

void test('a broker that forgets its producers gets everything all the same, in order at the first time', async () => {
  for (let seed = 1_001; seed <= 1_000 + SEEDS / 2; seed++) {
    const { kafka, indexers } = await simulate(seed, true);
    for (const [fileId, offsets] of logOf(kafka)) {
      const firsts = [...new Set(offsets)];
      assert.deepEqual(
        firsts,
        Array.from(firsts, (_, index) => index),
        `seed ${seed}: ${fileId}`,
      );
      const stored = new Set(indexers.flatMap((indexer) => indexer.stored.get(fileId) ?? []));
      assert.equal(stored.size, firsts.length, `seed ${seed}: ${fileId} is stored`);
    }
  }
});
