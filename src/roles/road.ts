/** Opens the transport that the configuration names, with the dead letters beside it. */
import path from 'node:path';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config, KafkaConfig } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { openJournalDeadLetters } from '../transport/journal-dead-letters.ts';
import { MemoryTransport } from '../transport/memory.ts';
import type { Consumer, Transport } from '../transport/transport.ts';

export interface RoadProgress {
  readonly topic: string;
  readonly partition: number;
  readonly committed: bigint;
  readonly end: bigint;
}

export interface Road {
  readonly transport: Transport;
  /** Opens a consumer at the end of a broker's topic; undefined where all records pass through this process. */
  readonly openTail: (() => Promise<Consumer>) | undefined;
  /** How far indexers are in each partition; undefined where what is acknowledged is stored. */
  readonly progress: (() => Promise<readonly RoadProgress[]>) | undefined;
  /** The same of the partitions that this process reads. */
  readonly ownProgress: (() => Promise<readonly RoadProgress[]>) | undefined;
  /** Asks whether a broker can be reached; undefined where there is none. */
  readonly ask: (() => Promise<unknown>) | undefined;
  problem(): string | undefined;
  close(): Promise<void>;
}

/** Opens the road. Memory keeps its dead letters in the data directory, which the caller has locked. */
export async function openRoad(config: Config, telemetry: Telemetry): Promise<Road> {
  const { transport } = config;
  if (transport.kind === 'kafka') return openKafka(transport, telemetry);
  return openMemory(config.data, transport.bufferBytesMax);
}

async function openMemory(data: string, bufferBytesMax: number): Promise<Road> {
  const deadLetters = await openJournalDeadLetters({
    fileSystem: nodeFileSystem,
    directory: path.join(data, 'dead-letters'),
    scheduler: nodeScheduler,
  });
  const transport = new MemoryTransport({ bufferBytesMax, deadLetters });
  return {
    transport,
    openTail: undefined,
    progress: undefined,
    ownProgress: undefined,
    ask: undefined,
    problem: () => transport.problem() ?? deadLetters.problem(),
    async close() {
      await transport.close();
      await deadLetters.close();
    },
  };
}

async function openKafka(config: KafkaConfig, telemetry: Telemetry): Promise<Road> {
  // The client is loaded only by those who need it.
  const { KafkaTransport } = await import('../transport/kafka/kafka-transport.ts');
  const readFile = (file: string): Uint8Array => nodeFileSystem.readFile(file);
  const transport = new KafkaTransport({ config, scheduler: nodeScheduler, telemetry, readFile });
  return {
    transport,
    openTail: () => transport.openTail(),
    progress: () => transport.progress(),
    async ownProgress() {
      const own = new Set(transport.lag().map(({ topic, partition }) => `${topic}:${partition}`));
      if (own.size === 0) return [];
      return (await transport.progress()).filter(({ topic, partition }) => own.has(`${topic}:${partition}`));
    },
    ask: () => transport.topics(),
    problem: () => transport.problem(),
    close: () => transport.close(),
  };
}
