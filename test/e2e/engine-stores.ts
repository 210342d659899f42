import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import type { ElasticsearchConfig } from '../../src/config/config.ts';
import { ElasticsearchStore } from '../../src/store/elasticsearch/elasticsearch-store.ts';
import { openEngineClient } from '../../src/store/elasticsearch/engine/open-engine-client.ts';
import type { Store } from '../../src/store/store.ts';
import { ENGINE_KINDS } from '../services/engines.ts';
import { javaSkipReason } from '../services/maven.ts';
import type { EngineOptions } from '../services/opensearch.ts';

/** A running engine, and stores on it that do not see each other's logs. */
export interface EngineStores extends AsyncDisposable {
  readonly url: string;
  /** Opens a store whose `append` is awaited until searches find it. */
  open(): Promise<Store>;
}

export interface StoredEngine {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skipReason: string | undefined;
  start(options?: EngineOptions): Promise<EngineStores>;
}

const YEARS_MS = 200 * 365 * 86_400_000;

/** The engines that a store must give the same answers on. */
export const ENGINES: readonly StoredEngine[] = ENGINE_KINDS.map(({ name, start }) => ({
  name,
  skipReason: javaSkipReason(),
  async start(options) {
    const service = await start(options);
    let count = 0;
    return {
      url: service.url,
      open: () => Promise.resolve(openStore(service.url, `s${(count += 1)}`)),
      [Symbol.asyncDispose]: () => service.stop(),
    };
  },
}));

/** Returns the configuration of a store whose indices begin with `prefix`. */
export function engineConfig(url: string, prefix: string): ElasticsearchConfig {
  return {
    kind: 'elasticsearch',
    urls: [url],
    auth: { kind: 'none' },
    tls: undefined,
    index: `${prefix}-{namespace}-{date}`,
    isDataStream: false,
    shards: 1,
    replicas: 0,
    lifecycle: {
      isManaged: false,
      rolloverBytes: 1 << 30,
      rolloverAgeMs: YEARS_MS,
      warmAgeMs: undefined,
      deleteAgeMs: undefined,
    },
    // Only what is older than half a century is late.
    lateMsMax: YEARS_MS / 4,
    futureMsMax: YEARS_MS,
    bulk: { bytesMax: 8 << 20, inFlightMax: 2, compression: 'gzip' },
  };
}

function openStore(url: string, prefix: string): Store {
  const ignore = (): void => undefined;
  const config = engineConfig(url, prefix);
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  const store = new ElasticsearchStore({
    config,
    client,
    scheduler: nodeScheduler,
    telemetry: { count: ignore, gauge: ignore, observe: ignore, log: ignore },
  });
  const append = store.append.bind(store);
  store.append = async (batches, signal) => {
    const result = await append(batches, signal);
    await client.request({ method: 'POST', path: `/${prefix}-*/_refresh`, signal, purpose: 'refresh' });
    return result;
  };
  return store;
}
