/** A world for tests of the agent: files in memory, virtual time, and a transport that keeps what it is sent. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { movedError } from '../../base/errors.ts';
import { MemoryFileSystem } from '../../base/memory-file-system.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import type { AgentConfig, Config } from '../../config/config.ts';
import type { CommonSourceConfig, SourceConfig } from '../../config/source-config.ts';
import { isGapFileId } from '../../record/gap-document.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import type { Producer } from '../../transport/transport.ts';
import { createAgent } from '../agent.ts';
import type { Agent, AgentOptions } from '../agent-types.ts';

export const COMMON_SOURCE: CommonSourceConfig = {
  exclude: [],
  format: 'auto',
  history: 'all',
  encoding: 'auto',
  multiline: {
    mode: 'stack-traces',
    languages: ['go', 'java', 'python', 'node', 'ruby', 'dotnet'],
    start: undefined,
    continue: undefined,
    linesMax: 500,
    bytesMax: 262_144,
    flushMs: 500,
  },
  fields: {},
  timeZone: undefined,
  taiOffsetSeconds: undefined,
  s6LineBytesMax: 8192,
};

export const APPS_SOURCE: SourceConfig = {
  kind: 'apps',
  root: '/data/logs',
  include: ['*.log'],
  ...COMMON_SOURCE,
};
export const PODS_SOURCE: SourceConfig = { kind: 'pods', root: '/var/log/pods', ...COMMON_SOURCE };
export const DOCKER_SOURCE: SourceConfig = {
  kind: 'docker',
  root: '/var/lib/docker/containers',
  ...COMMON_SOURCE,
};

const AGENT_CONFIG: AgentConfig = {
  listen: '127.0.0.1:6411',
  lineBytesMax: 1_048_576,
  longLines: 'truncate',
  rescanMs: 5000,
  bufferBytesMax: 16_777_216,
  deletedBytesMax: 268_435_456,
  checkpointMs: 200,
  ledgerMs: 1000,
};

/** Returns a configuration for tests. */
export function testConfig(
  sources: readonly SourceConfig[],
  agent: Partial<AgentConfig> = {},
  data = '/data/logboom',
): Config {
  return {
    cluster: { name: 'test' },
    node: { name: 'node-1' },
    data,
    sources,
    agent: { ...AGENT_CONFIG, ...agent },
    kubernetes: {
      enabled: 'false',
      kubeconfig: undefined,
      context: undefined,
      node: 'node-1',
      labels: ['*'],
      annotations: [],
      waitMsMax: 2000,
    },
    rotate: [],
    rotateBudget: { nodeBytesMax: undefined, namespaceBytesMax: undefined, podBytesMax: undefined },
    transport: { kind: 'memory', bufferBytesMax: 1 << 26 },
    indexer: { pipelines: [], listen: '127.0.0.1:6412', batchBytesMax: 1 << 20 },
    store: {
      kind: 'embedded',
      memoryBytesMax: 1 << 28,
      threads: 1,
      retention: { bytesMax: 1 << 30, ageMsMax: undefined },
      journalBytesMax: 1 << 26,
      journalAgeMsMax: 60_000,
      freeBytesMin: 0,
    },
    server: { listen: '127.0.0.1:6410', token: undefined, insecure: false },
    log: { level: 'info', format: 'auto' },
    drainMsMax: 5000,
  } as Config;
}

export interface SentRecord {
  readonly fileId: string;
  readonly lane: number;
  readonly offset: number;
  readonly message: string;
  readonly time: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** Keeps each record once, as a store does: by a watermark per file and lane, below which records are duplicates. */
export class CollectingProducer implements Producer {
  readonly records: SentRecord[] = [];
  /** What stands for gaps among the logs. */
  readonly gaps: SentRecord[] = [];
  readonly ledger = new Map<string, LedgerRecord>();
  readonly #watermarks = new Map<string, number>();
  readonly #first = new Map<string, string>();
  /** Records that were delivered again and were not the same. */
  readonly changed: string[] = [];
  readonly #waiting: (() => void)[] = [];
  isHeld = false;
  duplicates = 0;
  heldBytesPeak = 0;
  #heldBytes = 0;

  async send(batch: RecordBatch): Promise<void> {
    this.#heldBytes += batch.body.length;
    this.heldBytesPeak = Math.max(this.heldBytesPeak, this.#heldBytes);
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else await Promise.resolve();
    this.#heldBytes -= batch.body.length;
    this.#take(batch);
  }

  async sendLedger(records: readonly LedgerRecord[]): Promise<void> {
    await Promise.resolve();
    for (const record of records) {
      const known = this.ledger.get(record.fileId);
      if (known === undefined || known.sequence < record.sequence) this.ledger.set(record.fileId, record);
    }
  }

  /** Lets what waits through, and what comes. */
  release(): void {
    this.isHeld = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Loses what waits, as the end of the process does. */
  forgetWaiting(): void {
    this.#waiting.splice(0);
    this.#heldBytes = 0;
  }

  messages(): string[] {
    return this.records.map((record) => record.message);
  }

  #take(batch: RecordBatch): void {
    let start = 0;
    for (let index = 0; index < batch.count; index++) {
      const end = batch.ends[index] ?? 0;
      const text = new TextDecoder().decode(batch.body.subarray(start, end));
      start = end;
      const document = JSON.parse(text) as SentRecord['document'] & { message: string; '@timestamp': string };
      const offset = batch.offsets[index] ?? 0;
      const lane = batch.lanes[index] ?? 0;
      const key = `${batch.fileId} ${lane}`;
      const content = `${document['@timestamp']} ${document.message}`;
      if (offset < (this.#watermarks.get(key) ?? 0)) {
        this.duplicates++;
        const first = this.#first.get(`${key} ${offset}`);
        if (first !== content) this.changed.push(`${first} became ${content}`);
        continue;
      }
      this.#first.set(`${key} ${offset}`, content);
      this.#watermarks.set(key, offset + 1);
      const { message } = document;
      const list = isGapFileId(batch.fileId) ? this.gaps : this.records;
      list.push({
        fileId: batch.fileId,
        lane,
        offset,
        message,
        time: document['@timestamp'],
        document,
      });
    }
  }
}

/** Returns the content of a file as one look at it, whatever becomes of its name; fails when it is not `inode`. */
function readOpened(fileSystem: MemoryFileSystem, path: string, inode: string | undefined): Uint8Array {
  const fd = fileSystem.open(path, 'r');
  try {
    const stat = fileSystem.fstat(fd);
    if (inode !== undefined && `${stat.device}:${stat.inode}` !== inode) throw movedError(path);
    const bytes = new Uint8Array(stat.size);
    return bytes.subarray(0, fileSystem.read(fd, bytes, 0, bytes.length, 0));
  } finally {
    fileSystem.close(fd);
  }
}

/** Reads archives of the in-memory file system; `.zst` is not known to it. */
export function memoryArchives(fileSystem: MemoryFileSystem): AgentOptions['openArchive'] {
  return (path, _compression, inode) => ({
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      const bytes = gunzipSync(readOpened(fileSystem, path, inode));
      for (let at = 0; at < bytes.length; at += 1000) {
        await Promise.resolve();
        yield bytes.subarray(at, at + 1000);
      }
    },
  });
}

/** Archives of which every chunk takes its time. */
export function slowArchives(world: AgentWorld, delayMs: number): AgentOptions['openArchive'] {
  const open = memoryArchives(world.fileSystem);
  return (path, compression) => ({
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      for await (const chunk of open(path, compression)) {
        await world.scheduler.sleep(delayMs);
        yield chunk;
      }
    },
  });
}

/** Replaces a file by its compressed form, as `gzip` does. */
export function gzipFile(fileSystem: MemoryFileSystem, path: string): void {
  fileSystem.append(`${path}.gz.tmp`, gzipSync(fileSystem.readFile(path)));
  fileSystem.rename(`${path}.gz.tmp`, `${path}.gz`);
  fileSystem.unlink(path);
}

/** Whether a process was killed: nothing that it waits for happens any more. */
interface Life {
  isOver: boolean;
}

async function outlive<T>(life: Life, work: Promise<T>): Promise<T> {
  const result = await work;
  return life.isOver ? new Promise<T>(() => undefined) : result;
}

function mortalScheduler(scheduler: VirtualScheduler, life: Life): Scheduler {
  return {
    nowMs: () => scheduler.nowMs(),
    nowNs: () => scheduler.nowNs(),
    monotonicMs: () => scheduler.monotonicMs(),
    schedule: (delayMs, task) => scheduler.schedule(delayMs, () => (life.isOver ? undefined : task())),
    sleep: (delayMs, signal) => outlive(life, scheduler.sleep(delayMs, signal)),
    yield: () => outlive(life, scheduler.yield()),
  };
}

function mortalProducer(producer: Producer, life: Life): Producer {
  return {
    send: (batch) => outlive(life, producer.send(batch)),
    sendLedger: (records) => outlive(life, producer.sendLedger(records)),
  };
}

export class AgentWorld {
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler = new VirtualScheduler();
  readonly telemetry = new MemoryTelemetry();
  readonly producer = new CollectingProducer();
  readonly config: Config;
  agent: Agent | undefined;
  running: Promise<void> | undefined;
  failure: unknown;
  #life: Life = { isOver: false };

  constructor(sources: readonly SourceConfig[], agent: Partial<AgentConfig> = {}) {
    this.config = testConfig(sources, agent);
    this.fileSystem = new MemoryFileSystem({ nowNs: () => this.scheduler.nowNs() });
  }

  start(options: Partial<AgentOptions> = {}): Agent {
    const { config, fileSystem, telemetry } = this;
    const life = { isOver: false };
    this.#life = life;
    const agent = createAgent({
      config,
      fileSystem,
      scheduler: mortalScheduler(this.scheduler, life),
      telemetry,
      producer: mortalProducer(this.producer, life),
      openArchive: memoryArchives(fileSystem),
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      version: '0.0.0',
      ...options,
    });
    this.agent = agent;
    this.running = agent.run().catch((error: unknown) => {
      if (!life.isOver) this.failure = error;
    });
    return agent;
  }

  /** Appends, making the directories on the way. */
  write(path: string, content: string | Uint8Array): void {
    this.fileSystem.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    this.fileSystem.append(path, content);
  }

  async advance(durationMs: number): Promise<void> {
    await this.scheduler.advance(durationMs);
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends the process at this instant: descriptors, timers and what was on its way are gone. */
  kill(): void {
    this.#life.isOver = true;
    this.scheduler.clear();
    this.producer.forgetWaiting();
    this.fileSystem.crash();
    this.agent = undefined;
  }

  async stop(): Promise<void> {
    let isStopped = false;
    const stopped = this.agent?.stop().then(() => {
      isStopped = true;
    });
    await this.scheduler.advanceUntil(() => isStopped, this.config.drainMsMax + 2000);
    await stopped;
    if (this.failure !== undefined) throw this.failure;
  }
}
