/** Transports over a real broker, and numbered records to send through them. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import type { KafkaConfig } from '../../src/config/config.ts';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import { eventIdOf } from '../../src/record/identity.ts';
import type { RecordBatch } from '../../src/record/record-batch.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import { KafkaCluster } from '../../src/transport/kafka/client/kafka-cluster.ts';
import { findCoordinator } from '../../src/transport/kafka/group/group-member.ts';
import { KafkaTransport } from '../../src/transport/kafka/kafka-transport.ts';
import type { Consumer, Delivery } from '../../src/transport/transport.ts';
import { findProgram } from '../../tools/provision.ts';

/** Bytes of a numbered line in its imaginary file: offsets are multiples of it. */
const LINE_BYTES = 100;

type GivenConfig = Partial<KafkaConfig> & Pick<KafkaConfig, 'brokers' | 'topic'>;

function configOf(given: GivenConfig): KafkaConfig {
  return {
    kind: 'kafka',
    bufferBytesMax: 16 * 2 ** 20,
    create: { isAllowed: true, partitions: 4, replicas: -1 },
    groupId: `group-of-${given.topic}`,
    clientId: 'logboom-test',
    requestMsMax: 20_000,
    compression: 'zstd',
    messageBytesMax: undefined,
    oversized: 'truncate',
    tls: undefined,
    sasl: undefined,
    ...given,
  };
}

/** A transport of a test, closed with its scope. */
export class TestTransport implements AsyncDisposable {
  readonly telemetry = new MemoryTelemetry();
  readonly transport: KafkaTransport;

  constructor(config: GivenConfig) {
    this.transport = new KafkaTransport({
      config: configOf(config),
      scheduler: nodeScheduler,
      telemetry: this.telemetry,
      readFile: (path) => readFileSync(path),
    });
  }

  /** Resolves with the problem once it matches. */
  async problem(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 300; attempt++) {
      const problem = this.transport.problem();
      if (problem !== undefined && pattern.test(problem)) return problem;
      await sleep(100);
    }
    throw new Error(`no problem like ${pattern}, but ${this.transport.problem()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close();
  }
}

/** Returns the file id of an imaginary file. */
export function fileIdOf(file: number): string {
  return file.toString(16).padStart(20, '0');
}

export interface BatchOptions {
  readonly file: number;
  /** Number of the first record. */
  readonly from: number;
  readonly count: number;
  readonly namespace?: string;
  readonly message?: (record: number) => string;
}

/** Returns records of an imaginary file; the record with number `n` stands at offset `n` times `LINE_BYTES`. */
export function numberedBatch({ file, from, count, namespace = 'shop', message }: BatchOptions): RecordBatch {
  const fileId = fileIdOf(file);
  const text = message ?? ((record: number): string => `record ${record} of file ${file}`);
  const offsets = Float64Array.from({ length: count }, (_, index) => (from + index) * LINE_BYTES);
  const documents = Array.from(offsets, (offset, index) =>
    Buffer.from(
      `{"@timestamp":"2026-11-23T04:30:00.123456789Z","message":${JSON.stringify(text(from + index))}` +
        `,"stream":"stdout","log":{"offset":${offset},"file":{"path":"/var/log/app.log"}}` +
        `,"event":{"id":"${eventIdOf(fileId, offset)}"},"kubernetes":{"namespace":"${namespace}"}}\n`,
    ),
  );
  let end = 0;
  const ends = Uint32Array.from(documents, (document) => (end += document.length));
  return {
    fileId,
    body: Buffer.concat(documents),
    count,
    ends,
    offsets,
    lanes: new Uint8Array(count).fill(1),
  };
}

/** What a consumer has received: the numbers of records by file, in the order in which they came. */
export class Received {
  readonly records = new Map<string, number[]>();
  readonly documents: Record<string, unknown>[] = [];
  count = 0;

  add(deliveries: readonly Delivery[], isParsed = false): void {
    for (const delivery of deliveries) {
      if (delivery.kind !== 'log') continue;
      const { fileId, offsets, body } = delivery.batch;
      const numbers = this.records.get(fileId) ?? [];
      this.records.set(fileId, numbers);
      for (const offset of offsets) numbers.push(offset / LINE_BYTES);
      this.count += offsets.length;
      if (isParsed) this.documents.push(...linesOf(body));
    }
  }
}

/** Polls and commits until `isEnough`, or for at most `msMax`. */
export async function receive(
  consumer: Consumer,
  received: Received,
  isEnough: () => boolean,
  msMax = 60_000,
): Promise<void> {
  const signal = AbortSignal.timeout(msMax);
  while (!isEnough() && !signal.aborted) {
    const deliveries = await consumer.poll(2 ** 20, signal);
    received.add(deliveries, true);
    for (const { partition, nextPosition } of deliveries) await consumer.commit(partition, nextPosition);
  }
}

function linesOf(body: Uint8Array): Record<string, unknown>[] {
  return Buffer.from(body)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Calls kcat with input, and returns what it prints. */
export function kcat(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const program = findProgram('kcat') ?? '';
    const child = execFile(
      program,
      args,
      { timeout: 30_000, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`kcat: ${stderr}`, { cause: error }));
      },
    );
    child.stdin?.end(input);
  });
}

/** Returns the node that leads each partition of a topic, by number; -1 for none. */
export function topicLeaders(brokers: readonly string[], topic: string): Promise<readonly number[]> {
  return withCluster(brokers, async (cluster) => {
    const { topics } = await cluster.describe([topic]);
    return topics.find(({ name }) => name === topic)?.leaders ?? [];
  });
}

/** Returns the node that coordinates a group. */
export function groupCoordinator(brokers: readonly string[], groupId: string): Promise<number> {
  return withCluster(brokers, (cluster) => findCoordinator(cluster, groupId));
}

async function withCluster<T>(
  brokers: readonly string[],
  ask: (cluster: KafkaCluster) => Promise<T>,
): Promise<T> {
  const config = configOf({ brokers, topic: 'none' });
  const cluster = new KafkaCluster({ config, readFile: (path) => readFileSync(path) });
  try {
    return await ask(cluster);
  } finally {
    await cluster.close();
  }
}

/** Creates or deletes topics as an administrator would. */
export async function withAdmin<T>(address: string, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ clientId: 'logboom-test-admin', bootstrapBrokers: [address] });
  try {
    return await act(admin);
  } finally {
    await admin.close();
  }
}

/** Creates a topic of two partitions with settings of its own. */
export async function createTopic(
  address: string,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  await withAdmin(address, (admin) =>
    admin.createTopics({
      topics: [topic],
      partitions: 2,
      replicas: 1,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }),
  );
}

/** Returns a dead letter with this id and reason. */
export function letterOf(id: string, reason: string): DeadLetter {
  return {
    id,
    fileId: fileIdOf(1),
    offset: 0,
    lane: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    document: '{"message":"broken"}',
    error: { type: 'mapper_parsing_exception', reason },
    index: 'logboom-shop-2026.11.23',
    source: undefined,
    attempts: 1,
  };
}

/** Orders texts by their characters, for sorting. */
export function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
