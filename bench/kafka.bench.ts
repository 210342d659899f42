/**
 * Records per second of one core through a real broker, by Logboom's transport and by the producer and consumer of
 * `@platformatic/kafka`, with the same documents in the same run. CPU is that of this process, the broker's not
 * counted.
 *
 *   node bench/kafka.bench.ts [--json] [--records N]
 */
import { parseArgs } from 'node:util';
import { Consumer, MessagesStreamModes, Producer, ProduceAcks } from '@platformatic/kafka';
import { nodeScheduler } from '../src/base/node/node-scheduler.ts';
import type { KafkaConfig } from '../src/config/config.ts';
import type { RecordBatch } from '../src/record/record-batch.ts';
import { MemoryTelemetry } from '../src/telemetry/memory-telemetry.ts';
import { KafkaTransport } from '../src/transport/kafka/kafka-transport.ts';
import { KafkaBroker } from '../test/services/kafka.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { newMixedPod, takeMixedBatch } from './mixed-documents.ts';
import { createMixedLines, POD_COUNT } from './mixed-logs.ts';

const CORPUS_RECORDS = 100_000;
const BATCH_RECORDS = 1_000;
const PARTITIONS = 6;

/** What the library was fastest with: records of one call, and calls at a time. */
const RIVAL_RECORDS = 1_500;
const RIVAL_IN_FLIGHT = 2;

/** Bytes that an agent has under way. */
const IN_FLIGHT_BYTES_MAX = 16 * 2 ** 20;

const COMPRESSIONS = ['zstd', 'none'] as const;

interface Figure {
  readonly name: string;
  readonly recordsPerCpuSecond: number;
  readonly recordsPerSecond: number;
}

async function measure(name: string, records: number, act: () => Promise<void>): Promise<Figure> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await act();
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  return {
    name,
    recordsPerCpuSecond: records / cpuSeconds,
    recordsPerSecond: records / ((performance.now() - startedMs) / 1000),
  };
}

/** Returns documents as agents send them, of all pods in turns. */
function createCorpus(): RecordBatch[] {
  const pods = Array.from({ length: POD_COUNT }, (_, pod) => newMixedPod(pod));
  const next = createMixedLines(7);
  const batches: RecordBatch[] = [];
  for (let index = 0; index < CORPUS_RECORDS; index++) {
    const line = next();
    const pod = pods[line.pod];
    if (pod === undefined) continue;
    pod.pending.push({
      line,
      timeNs: 1_795_408_200_000_000_000n + BigInt(index) * 1_000_000n,
      offset: pod.offset,
    });
    pod.offset += Buffer.byteLength(line.text) + 1;
    if (pod.pending.length === BATCH_RECORDS) batches.push(takeMixedBatch(pod, false));
  }
  return batches;
}

function configOf(broker: KafkaBroker, topic: string, compression: KafkaConfig['compression']): KafkaConfig {
  return {
    kind: 'kafka',
    bufferBytesMax: 32 * 2 ** 20,
    brokers: [broker.address],
    topic,
    create: { isAllowed: true, partitions: PARTITIONS, replicas: 1 },
    groupId: topic,
    clientId: 'bench',
    requestMsMax: 20_000,
    compression,
    messageBytesMax: undefined,
    oversized: 'truncate',
    tls: undefined,
    sasl: undefined,
  };
}

async function sendAll(
  transport: KafkaTransport,
  corpus: readonly RecordBatch[],
  records: number,
): Promise<void> {
  let sent = 0;
  let openBytes = 0;
  const open = new Set<Promise<void>>();
  for (let index = 0; sent < records; index++) {
    const batch = corpus[index % corpus.length];
    if (batch === undefined) return;
    while (openBytes > IN_FLIGHT_BYTES_MAX) await Promise.race(open);
    openBytes += batch.body.length;
    const sending = transport.producer.send(batch).then(() => {
      openBytes -= batch.body.length;
      open.delete(sending);
    });
    open.add(sending);
    sent += batch.count;
  }
  await Promise.all(open);
}

async function receiveAll(transport: KafkaTransport, records: number): Promise<void> {
  const consumer = await transport.openConsumer();
  const { signal } = new AbortController();
  for (let received = 0; received < records;) {
    for (const delivery of await consumer.poll(4 * 2 ** 20, signal)) {
      if (delivery.kind === 'log') received += delivery.batch.count;
      await consumer.commit(delivery.partition, delivery.nextPosition);
    }
  }
  await consumer.close();
}

async function sendAllByRival(
  broker: KafkaBroker,
  { topic, compression, corpus, records }: RivalOptions,
): Promise<void> {
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'rival',
    bootstrapBrokers: [broker.address],
    idempotent: true,
    compression,
  });
  const messages = corpus.flatMap(({ fileId, body, ends }) =>
    Array.from(ends, (end, index) => ({
      topic,
      key: Buffer.from(fileId),
      value: Buffer.from(
        body.buffer,
        body.byteOffset + (ends[index - 1] ?? 0),
        end - 1 - (ends[index - 1] ?? 0),
      ),
    })),
  );
  const sendFrom = async (lane: number): Promise<void> => {
    const step = RIVAL_RECORDS * RIVAL_IN_FLIGHT;
    for (let at = lane * RIVAL_RECORDS; at < records; at += step) {
      const start = at % (messages.length - RIVAL_RECORDS);
      const part = messages.slice(start, start + Math.min(RIVAL_RECORDS, records - at));
      await producer.send({ messages: part.map((message) => ({ ...message })), acks: ProduceAcks.ALL });
    }
  };
  await Promise.all(Array.from({ length: RIVAL_IN_FLIGHT }, (_, lane) => sendFrom(lane)));
  await producer.close();
}

async function receiveAllByRival(broker: KafkaBroker, topic: string, records: number): Promise<void> {
  const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'rival',
    groupId: `${topic}-rival`,
    bootstrapBrokers: [broker.address],
    maxBytes: 8 * 2 ** 20,
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: true,
  });
  let received = 0;
  for await (const message of stream) {
    if (message.value.length > 0) received += 1;
    if (received >= records) break;
  }
  await stream.close();
  await consumer.close(true);
}

interface RivalOptions {
  readonly topic: string;
  readonly compression: (typeof COMPRESSIONS)[number];
  readonly corpus: readonly RecordBatch[];
  readonly records: number;
}

async function run(records: number): Promise<Figure[]> {
  // A batch of the library is not cut to the broker's limit.
  const properties = { 'message.max.bytes': String(16 * 2 ** 20) };
  await using broker = await KafkaBroker.start({ heapMiB: 1024, properties });
  const corpus = createCorpus();
  const figures: Figure[] = [];
  for (const compression of COMPRESSIONS) {
    const topic = `bench-${compression}`;
    const transport = new KafkaTransport({
      config: configOf(broker, topic, compression),
      scheduler: nodeScheduler,
      telemetry: new MemoryTelemetry(),
      readFile: () => new Uint8Array(),
    });
    await sendAll(transport, corpus, CORPUS_RECORDS);
    figures.push(await measure(`produce ${compression}`, records, () => sendAll(transport, corpus, records)));
    const rival = { topic: `rival-${compression}`, compression, corpus, records };
    const created = configOf(broker, rival.topic, compression);
    await createTopic(created);
    figures.push(
      await measure(`produce ${compression}, library`, records, () => sendAllByRival(broker, rival)),
      await measure(`consume ${compression}`, records, () => receiveAll(transport, records)),
      await measure(`consume ${compression}, library`, records, () =>
        receiveAllByRival(broker, rival.topic, records),
      ),
    );
    await transport.close();
  }
  return figures;
}

/** The rival's topic is like ours. */
async function createTopic(config: KafkaConfig): Promise<void> {
  const transport = new KafkaTransport({
    config,
    scheduler: nodeScheduler,
    telemetry: new MemoryTelemetry(),
    readFile: () => new Uint8Array(),
  });
  const tail = await transport.openTail();
  while (
    (await transport.topics()).every(({ name, leaders }) => name !== config.topic || leaders.length === 0)
  )
    await nodeScheduler.sleep(100);
  await tail.close();
  await transport.close();
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, records: { type: 'string', default: '600000' } },
});
const reason = javaSkipReason();
if (reason === undefined) {
  const figures = await run(Number(values.records));
  for (const { name, recordsPerCpuSecond, recordsPerSecond } of figures) {
    const perCore = `${Math.round(recordsPerCpuSecond / 1000)} k records per CPU-second`;
    const line = `${name.padEnd(24)} ${perCore}, ${Math.round(recordsPerSecond / 1000)} k/s`;
    process.stdout.write(values.json ? '' : `${line}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  process.stdout.write(`skipped: ${reason}\n`);
}
