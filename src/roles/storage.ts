/** Opens the store that the configuration names. */
import path from 'node:path';
import { nodeCrc32 } from '../base/node/node-crc32.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Config, ElasticsearchConfig, EmbeddedConfig } from '../config/config.ts';
import { LOCAL_ROUNDS, REMOTE_ROUNDS } from '../indexer/held-rounds.ts';
import type { HeldRoundsOptions } from '../indexer/held-rounds.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface Storage {
  readonly store: Store;
  /** How an indexer writes to it. */
  readonly rounds: HeldRoundsOptions;
  /** Asks whether it can be reached; undefined for one of this process. */
  readonly ask: ((signal: AbortSignal) => Promise<unknown>) | undefined;
  close(): Promise<void>;
}

/** Opens the store; an embedded one lives below the data directory, which the caller has locked. */
export async function openStorage(config: Config, telemetry: Telemetry): Promise<Storage> {
  const { store } = config;
  if (store.kind === 'embedded') return openEmbedded(config.data, store, telemetry);
  return openElasticsearch(store, telemetry);
}

async function openEmbedded(data: string, config: EmbeddedConfig, telemetry: Telemetry): Promise<Storage> {
  // The engine is loaded only by those who need it.
  const { startDuckDbEngine } = await import('../store/embedded/duckdb-engine.ts');
  const { openEmbeddedStore } = await import('../store/embedded/embedded-store.ts');
  const directory = path.join(data, 'store');
  const temporaryDirectory = path.join(directory, 'tmp');
  nodeFileSystem.makeDirectory(temporaryDirectory);
  const { memoryBytesMax, threads } = config;
  const engine = await startDuckDbEngine({
    memoryBytesMax,
    threads,
    temporaryDirectory,
    fileSystem: nodeFileSystem,
  });
  const store = await openEmbeddedStore({
    directory,
    config,
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry,
    engine,
    crc32: nodeCrc32,
  });
  return {
    store,
    rounds: LOCAL_ROUNDS,
    ask: undefined,
    async close() {
      await store.close();
      await engine.close();
    },
  };
}

async function openElasticsearch(config: ElasticsearchConfig, telemetry: Telemetry): Promise<Storage> {
  const { openEngineClient } = await import('../store/elasticsearch/engine/open-engine-client.ts');
  const { ElasticsearchStore } = await import('../store/elasticsearch/elasticsearch-store.ts');
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  const purpose = 'ask how the cluster is';
  const store = new ElasticsearchStore({ config, client, scheduler: nodeScheduler, telemetry });
  return {
    store,
    rounds: REMOTE_ROUNDS,
    // Whatever it answers to somebody who may not ask this: it is there.
    ask: (signal) =>
      client.request({ method: 'GET', path: '/_cat/health', purpose, signal, accepts: [403, 404, 405] }),
    close: () => store.close(),
  };
}
