/** Documents as agents ship them, and a topic that is full of them. */
import { nodeScheduler } from '../src/base/node/node-scheduler.ts';
import type { KafkaConfig } from '../src/config/config.ts';
import type { RecordBatch } from '../src/record/record-batch.ts';
import { MemoryTelemetry } from '../src/telemetry/memory-telemetry.ts';
import { KafkaTransport } from '../src/transport/kafka/kafka-transport.ts';
import { newMixedPod, takeMixedBatch } from './mixed-documents.ts';
import { createMixedLines, POD_COUNT } from './mixed-logs.ts';

const BATCH_RECORDS = 1_000;
const STEP_NS = 200_000n;

export interface CorpusOptions {
  readonly records: number;
  /** Of the first record. */
  readonly startNs: bigint;
  /** Only lines that are JSON; half of them are otherwise. */
  readonly isJsonOnly: boolean;
}

/** Makes documents of many pods, a batch of one file after the other. */
export function createShippedBatches({ records, startNs, isJsonOnly }: CorpusOptions): RecordBatch[] {
  const pods = Array.from({ length: POD_COUNT }, (_, pod) => newMixedPod(pod));
  const next = createMixedLines(7);
  const batches: RecordBatch[] = [];
  for (let index = 0; index < records;) {
    const line = next();
    const pod = pods[line.pod];
    if (pod === undefined || (isJsonOnly && line.fields === undefined)) continue;
    pod.pending.push({ line, timeNs: startNs + BigInt(index) * STEP_NS, offset: pod.offset });
    pod.offset += Buffer.byteLength(line.text) + 1;
    index += 1;
    if (pod.pending.length === BATCH_RECORDS) batches.push(takeMixedBatch(pod, false));
  }
  const rest = pods.filter(({ pending }) => pending.length > 0);
  return [...batches, ...rest.map((pod) => takeMixedBatch(pod, false))];
}

/** Sends documents to a topic, which is created with `partitions`; resolves once the broker has them. */
export async function fillTopic(
  broker: string,
  topic: string,
  { batches, partitions }: { readonly batches: readonly RecordBatch[]; readonly partitions: number },
): Promise<void> {
  const config: KafkaConfig = {
    kind: 'kafka',
    bufferBytesMax: 32 * 2 ** 20,
    brokers: [broker],
    topic,
    create: { isAllowed: true, partitions, replicas: 1 },
    groupId: topic,
    clientId: 'bench',
    requestMsMax: 20_000,
    compression: 'zstd',
    messageBytesMax: undefined,
    oversized: 'truncate',
    tls: undefined,
    sasl: undefined,
  };
  const transport = new KafkaTransport({
    config,
    scheduler: nodeScheduler,
    telemetry: new MemoryTelemetry(),
    readFile: () => new Uint8Array(),
  });
  await Promise.all(batches.map((batch) => transport.producer.send(batch)));
  await transport.close();
}
