/** Everything of a server: store, indexer, API, put together the same way for `up`, `server` and `import`. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createApiServer } from '../api/server.ts';
import type { ApiServer } from '../api/server.ts';
import type { SourceStatus } from '../api/api-types.ts';
import { TailHub } from '../api/tail-hub.ts';
import { assert } from '../base/assert.ts';
import { nodeCrc32 } from '../base/node/node-crc32.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import type { Config } from '../config/config.ts';
import { createIndexer } from '../indexer/indexer.ts';
import { startDuckDbEngine } from '../store/embedded/duckdb-engine.ts';
import { EmbeddedStore, openEmbeddedStore } from '../store/embedded/embedded-store.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { DrainBudget } from './drain-budget.ts';
import { MemoryTransport } from '../transport/memory.ts';

export interface Storage {
  readonly store: Store;
  close(): Promise<void>;
}

/** Opens the embedded store below the data directory, which the caller has locked. */
export async function openStorage(config: Config, telemetry: Telemetry): Promise<Storage> {
  const directory = path.join(config.data, 'store');
  const temporaryDirectory = path.join(directory, 'tmp');
  nodeFileSystem.makeDirectory(temporaryDirectory);
  assert(config.store.kind === 'embedded', 'only the embedded store lives in the data directory');
  const { memoryBytesMax, threads } = config.store;
  const engine = await startDuckDbEngine({
    memoryBytesMax,
    threads,
    temporaryDirectory,
    fileSystem: nodeFileSystem,
  });
  const store = await openEmbeddedStore({
    directory,
    config: config.store,
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry,
    engine,
    crc32: nodeCrc32,
  });
  return {
    store,
    async close() {
      await store.close();
      await engine.close();
    },
  };
}

export interface Pipeline {
  readonly transport: MemoryTransport;
  readonly indexer: Service;
  readonly tail: TailHub;
}

export interface PipelineParts {
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly budget: DrainBudget;
}

/** Makes the road from a producer to the store, with the live tail beside it. */
export function createPipeline(config: Config, { store, telemetry, budget }: PipelineParts): Pipeline {
  const transport = new MemoryTransport({ bufferBytesMax: config.transport.bufferBytesMax });
  const tail = new TailHub();
  const indexer = createIndexer({
    pipelines: config.indexer.pipelines,
    batchBytesMax: config.indexer.batchBytesMax,
    transport,
    store,
    scheduler: nodeScheduler,
    telemetry,
    onStored: (batches) => tail.publish(batches),
    // Asked for when the indexer stops: what is left then is what it has.
    get drainMsMax() {
      return budget.indexerMs;
    },
  });
  return { transport, indexer, tail };
}

export interface ApiSetup {
  readonly config: Config;
  readonly store: Store;
  readonly pipeline: Pipeline;
  readonly telemetry: Telemetry & { metricsText(): Promise<string> };
  readonly version: string;
  readonly problems: () => readonly { readonly part: string; readonly reason: string }[];
  readonly sources: () => readonly SourceStatus[];
  readonly refreshLedger: () => Promise<void>;
  readonly agentNode?: string | undefined;
}

/** Makes the HTTP server in front of the store. */
export function createApi(setup: ApiSetup): ApiServer {
  const { store } = setup;
  const { producer } = setup.pipeline.transport;
  return createApiServer({
    config: setup.config.server,
    store: setup.store,
    tail: setup.pipeline.tail,
    telemetry: setup.telemetry,
    scheduler: nodeScheduler,
    metricsText: () => setup.telemetry.metricsText(),
    readiness() {
      const problems = setup.problems();
      return { ready: problems.length === 0, problems };
    },
    sources: setup.sources,
    refreshLedger: setup.refreshLedger,
    agentNode: setup.agentNode,
    submit: async (batches) => void (await Promise.all(batches.map((batch) => producer.send(batch)))),
    submitLedger: (records) => producer.sendLedger(records),
    exportParquet:
      store instanceof EmbeddedStore ? (request, signal) => store.exportParquet(request, signal) : undefined,
    webRoot: findWebRoot(),
    version: setup.version,
    startedAtMs: nodeScheduler.nowMs(),
  });
}

/** Lists what keeps parts from doing their work. */
export function problemsOf(
  parts: readonly { readonly name: string; problem(): string | undefined }[],
): { part: string; reason: string }[] {
  return parts.flatMap((part) => {
    const reason = part.problem();
    return reason === undefined ? [] : [{ part: part.name, reason }];
  });
}

/** The page is built into `dist/web`, beside the compiled program as well as in a checkout. */
function findWebRoot(): string | undefined {
  const here = import.meta.dirname;
  const candidates = [path.join(here, '../web'), path.join(here, '../../dist/web')];
  return candidates.find((candidate) => existsSync(path.join(candidate, 'assets')));
}
