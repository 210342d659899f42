/** One life of `logboom up`, wired like the real one, on the simulation's clock and file system. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { createAgent } from '../../src/agent/agent.ts';
import type { OpenArchive } from '../../src/agent/tail/archive-reader.ts';
import { Rotator } from '../../src/agent/rotate/rotator.ts';
import type { Agent, AgentFileStatus } from '../../src/agent/agent-types.ts';
import { assert, must } from '../../src/base/assert.ts';
import type { FileSystem } from '../../src/base/file-system.ts';
import { type MemoryFileSystem, systemError } from '../../src/base/memory-file-system.ts';
import type { Scheduler } from '../../src/base/scheduler.ts';
import type { Service } from '../../src/base/service.ts';
import type { VirtualScheduler } from '../../src/base/virtual-scheduler.ts';
import type { Config, EmbeddedConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createIndexer } from '../../src/indexer/indexer.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts';
import { MemoryEngine } from '../../src/store/embedded/memory-engine.ts';
import type { Store } from '../../src/store/store.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import { MemoryTransport } from '../../src/transport/memory.ts';
import { Life, mortalFileSystem } from './life.ts';
import { POD_BYTES_MAX, ROTATE_TEXT } from './rotated-writers.ts';
import { simulatedMachine, type Surroundings } from './simulated-machine.ts';

export const DATA = '/var/lib/logboom';

const CONFIG_TEXT = `
cluster: { name: sim }
node: { name: node-1 }
data: ${DATA}
sources:
  - { kind: pods, root: /var/log/pods }
  - { kind: apps, root: /data/logs }
  - { kind: files, paths: ['/links/*.log'], template: '/links/{kubernetes.namespace}_{kubernetes.pod.name}.log' }
${ROTATE_TEXT}`;

export interface SimulatedProcessOptions {
  readonly fileSystem: MemoryFileSystem;
  readonly scheduler: VirtualScheduler;
  /** Messages that earlier lives stored. */
  readonly stored?: Set<string>;
  /** With them, files are rotated. */
  readonly surroundings?: Surroundings | undefined;
  /** Virtual milliseconds until the agent's next sync reaches the disk. */
  readonly syncMs: () => number;
  /** Virtual milliseconds until the next archive is open. */
  readonly openMs: () => number;
}

export class SimulatedProcess {
  readonly stored: Set<string>;
  readonly telemetry = new MemoryTelemetry();
  readonly config: EmbeddedProcessConfig;
  readonly #options: SimulatedProcessOptions;
  readonly #fileSystem: FileSystem;
  readonly #decoder = new TextDecoder();
  #isKilled = false;
  #failure: unknown;
  #store: Store | undefined;
  #agent: Agent | undefined;
  #indexer: Service | undefined;
  #transport: MemoryTransport | undefined;
  #rotator: Service | undefined;
  readonly #life: Life;

  constructor(options: SimulatedProcessOptions) {
    this.#options = options;
    this.stored = options.stored ?? new Set();
    this.#life = new Life(options.scheduler);
    this.#fileSystem = mortalFileSystem(options.fileSystem, () => this.#isKilled);
    this.config = simulatedConfig();
  }

  start(): void {
    void this.#run().catch((error: unknown) => {
      if (!this.#isKilled) this.#failure = error;
    });
  }

  /** Ends this life at once: nothing that it still does has an effect. */
  kill(): void {
    this.#isKilled = true;
    this.#life.kill();
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  async stop(): Promise<void> {
    await this.#rotator?.stop();
    await this.#agent?.stop();
    await this.#indexer?.stop();
  }

  /** Whether everything that stands in files is acknowledged. */
  isDrained(): boolean {
    if (this.#failure !== undefined) return true;
    const files = this.#agent?.files();
    // Before its first scan is over, an agent knows of files only what the checkpoint says.
    if (files === undefined || files.length === 0 || this.#agent?.followed === undefined) return false;
    return files.every((file) => file.acknowledgedOffset >= file.size) && this.#transport?.heldBytes === 0;
  }

  files(): AgentFileStatus[] {
    return this.#agent?.files() ?? [];
  }

  isStored(text: string): boolean {
    return this.stored.has(text);
  }

  get failure(): unknown {
    return this.#failure;
  }

  get store(): Store {
    return must(this.#store, 'store');
  }

  async #run(): Promise<void> {
    const { scheduler } = this.#options;
    const { config, telemetry } = this;
    const fileSystem = this.#fileSystem;
    const store = await openEmbeddedStore({
      directory: `${DATA}/store`,
      config: config.store,
      fileSystem,
      scheduler,
      telemetry,
      engine: new MemoryEngine({ fileSystem }),
    });
    if (this.#isKilled) return;
    this.#store = store;
    const transport = new MemoryTransport({ bufferBytesMax: config.transport.bufferBytesMax });
    this.#transport = transport;
    const { pipelines, batchBytesMax } = config.indexer;
    const onStored = (batches: readonly DocumentBatch[]): void => this.#remember(batches);
    const indexer = createIndexer({
      pipelines,
      batchBytesMax,
      transport,
      store,
      scheduler,
      telemetry,
      onStored,
    });
    this.#indexer = indexer;
    const agent = createAgent({
      config,
      fileSystem: this.#slowSyncs(fileSystem),
      scheduler,
      telemetry,
      producer: transport.producer,
      holes: this.#options.fileSystem,
      openArchive: simulatedArchives(fileSystem, this.#life.scheduler, this.#options.openMs),
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
      version: 'sim',
    });
    this.#agent = agent;
    const { surroundings } = this.#options;
    this.#rotator = surroundings === undefined ? undefined : this.#createRotator(agent, surroundings);
    await Promise.all([indexer.run(), agent.run(), this.#rotator?.run()]);
  }

  /** A file system whose syncs take their time: only then is a checkpoint on disk long after it is written. */
  #slowSyncs(fileSystem: FileSystem): FileSystem {
    const { syncMs } = this.#options;
    const { scheduler } = this.#life;
    return new Proxy(fileSystem, {
      get(target, property) {
        if (property === 'sync') {
          return (fd: number) => scheduler.sleep(syncMs()).then(() => target.sync(fd));
        }
        const member: unknown = Reflect.get(target, property, target);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  }

  #createRotator(agent: Agent, surroundings: Surroundings): Service {
    const { fileSystem } = this.#options;
    const isDead = (): boolean => this.#isKilled;
    return new Rotator({
      config: this.config,
      followed: () => agent.followed,
      machine: simulatedMachine({ ...surroundings, fileSystem, isDead }),
      fileSystem: this.#fileSystem,
      scheduler: this.#life.scheduler,
      telemetry: this.telemetry,
    });
  }

  #remember(batches: readonly DocumentBatch[]): void {
    for (const { body } of batches) {
      for (const line of this.#decoder.decode(body).split('\n')) {
        if (line !== '') this.stored.add((JSON.parse(line) as { message: string }).message);
      }
    }
  }
}

type EmbeddedProcessConfig = Config & { readonly store: EmbeddedConfig };

/** Limits far below those that people may set, so that credits, batches, seals and snapshots matter within seconds. */
export function simulatedConfig(): EmbeddedProcessConfig {
  const { config } = loadConfig({
    flags: [],
    environment: {},
    file: { name: 'sim.yaml', text: CONFIG_TEXT },
    hostName: 'node-1',
    workingDirectory: '/',
    hasDirectory: () => true,
  });
  const { store } = config;
  assert(store.kind === 'embedded', 'the simulation stores in its own process');
  return {
    ...config,
    agent: { ...config.agent, bufferBytesMax: 65_536, rescanMs: 2000, checkpointMs: 300, ledgerMs: 1000 },
    rotateBudget: { ...config.rotateBudget, podBytesMax: POD_BYTES_MAX },
    transport: { kind: 'memory', bufferBytesMax: 131_072 },
    store: { ...store, journalBytesMax: 32_768, journalAgeMsMax: 5000, freeBytesMin: 0 },
  };
}

/**
 * Archives of the simulation, each open a while after it was asked for: its name may have moved on by then, and it fails
 * like a real one.
 */
export function simulatedArchives(
  fileSystem: FileSystem,
  scheduler: Scheduler,
  openMs: () => number,
): OpenArchive {
  return async function* openArchive(path, _compression, inode) {
    await scheduler.sleep(openMs());
    const stat = fileSystem.stat(path);
    if (stat !== undefined && inode !== undefined && `${stat.device}:${stat.inode}` !== inode)
      throw systemError('ESTALE', path);
    yield new Uint8Array(gunzipSync(fileSystem.readFile(path)));
  };
}
