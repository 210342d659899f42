/** Opens the store that the configuration names. */
import path from 'node:path';
import { nodeCrc32 } from '../base/node/node-crc32.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import { ConfigError } from '../base/errors.ts';
import type { Config, ElasticsearchConfig, EmbeddedConfig } from '../config/config.ts';
import { LOCAL_ROUNDS } from '../indexer/held-rounds.ts';
import type { HeldRoundsOptions } from '../indexer/held-rounds.ts';
import { startDuckDbEngine } from '../store/embedded/duckdb-engine.ts';
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface Storage {
  readonly store: Store;
  /** How an indexer writes to it. */
  readonly rounds: HeldRoundsOptions;
  close(): Promise<void>;
}

/** Opens the store; an embedded one lives below the data directory, which the caller has locked. */
export async function openStorage(config: Config, telemetry: Telemetry): Promise<Storage> {
  const { store } = config;
  if (store.kind === 'embedded') return openEmbedded(config.data, store, telemetry);
  return openElasticsearch(store, telemetry);
}

async function openEmbedded(data: string, config: EmbeddedConfig, telemetry: Telemetry): Promise<Storage> {
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
    async close() {
      await store.close();
      await engine.close();
    },
  };
}

function openElasticsearch(_config: ElasticsearchConfig, _telemetry: Telemetry): Promise<Storage> {
  throw new ConfigError('store.kind', 'elasticsearch comes with a later release');
}
