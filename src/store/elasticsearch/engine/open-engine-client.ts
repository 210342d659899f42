import type { FileSystem } from '../../../base/file-system.ts';
import type { Scheduler } from '../../../base/scheduler.ts';
import { ConfigError, messageOf } from '../../../base/errors.ts';
import type { ElasticsearchConfig, TlsConfig } from '../../../config/config.ts';
import { EngineClient } from './engine-client.ts';
import type { TlsMaterial } from './undici-connection.ts';
import { openUndiciConnection } from './undici-connection.ts';

export interface OpenEngineClientOptions {
  readonly config: ElasticsearchConfig;
  readonly fileSystem: Pick<FileSystem, 'readFile'>;
  readonly scheduler: Scheduler;
}

/** Connections to one node beside those of bulk requests: searches, exports, the audit. */
const READING_CONNECTIONS = 16;

/**
 * Opens a client on what the configuration says; nothing is sent yet. Throws `ConfigError` for a certificate or key that
 * cannot be read.
 */
export function openEngineClient({ config, fileSystem, scheduler }: OpenEngineClientOptions): EngineClient {
  const tls = config.tls === undefined ? undefined : readTls(config.tls, fileSystem);
  const connectionsMax = config.bulk.inFlightMax + READING_CONNECTIONS;
  return new EngineClient({
    config,
    connect: (origin) => openUndiciConnection(origin, { tls, connectionsMax }),
    nowMs: () => scheduler.monotonicMs(),
  });
}

function readTls(config: TlsConfig, fileSystem: Pick<FileSystem, 'readFile'>): TlsMaterial {
  const read = (option: string, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    try {
      return new TextDecoder().decode(fileSystem.readFile(path));
    } catch (error) {
      throw new ConfigError(
        option,
        `cannot read ${path}: ${messageOf(error)}`,
        'Give the path of a PEM file.',
      );
    }
  };
  return {
    ca: read('store.tls.caFile', config.caFile),
    certificate: read('store.tls.certificateFile', config.certificateFile),
    key: read('store.tls.keyFile', config.keyFile),
    isVerified: config.isVerified,
  };
}
