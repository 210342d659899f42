/**
 * The configuration after parsing: no optional keys, units in the names. `options.ts` has the table that it is
 * parsed by; nothing but `config/` reads files, flags or the environment.
 */
import type { SourceConfig } from './source-config.ts';
import type { PipelineConfig } from './pipeline-config.ts';

export interface Config {
  readonly cluster: { readonly name: string };
  readonly node: { readonly name: string };
  /** Directory of checkpoints and of the embedded store. */
  readonly data: string;
  readonly sources: readonly SourceConfig[];
  readonly agent: AgentConfig;
  readonly transport: TransportConfig;
  readonly indexer: {
    readonly pipelines: readonly PipelineConfig[];
    readonly listen: string;
    readonly batchBytesMax: number;
  };
  readonly store: StoreConfig;
  readonly server: ServerConfig;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'auto' | 'json' | 'text';
  };
  readonly drainMsMax: number;
}

export interface AgentConfig {
  readonly listen: string;
  /** Longest line in bytes; what is longer is cut and counted. */
  readonly lineBytesMax: number;
  readonly longLines: 'truncate' | 'split';
  readonly rescanMs: number;
  /** Bytes read from files and not yet acknowledged, all files together (G6). */
  readonly bufferBytesMax: number;
  /** Bytes of deleted files that are held open because they are not yet acknowledged. */
  readonly deletedBytesMax: number;
  readonly checkpointMs: number;
  readonly ledgerMs: number;
}

export type TransportConfig =
  | { readonly kind: 'memory'; readonly bufferBytesMax: number }
  /** Straight to a server's import route, without a queue in between. */
  | {
      readonly kind: 'http';
      readonly bufferBytesMax: number;
      readonly url: string;
      readonly token: string | undefined;
    };

export type StoreConfig = {
  readonly kind: 'embedded';
  readonly memoryBytesMax: number;
  readonly threads: number;
  readonly retention: { readonly bytesMax: number; readonly ageMsMax: number | undefined };
  /** A journal of this size is sealed into Parquet. */
  readonly journalBytesMax: number;
  readonly journalAgeMsMax: number;
  /** Below this many free bytes on the data directory's file system, collection waits. */
  readonly freeBytesMin: number;
};

export interface ServerConfig {
  readonly listen: string;
  readonly token: string | undefined;
  /** Serve without a token on an address that others can reach. */
  readonly insecure: boolean;
}
