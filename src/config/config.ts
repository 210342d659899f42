/**
 * The configuration after parsing: no optional keys, units in the names. `options.ts` has the table that it is
 * parsed by; nothing but `config/` reads files, flags or the environment.
 */
import type { SourceConfig } from './source-config.ts';
import type { PipelineConfig } from './pipeline-config.ts';
import type { RotateBudgetConfig, RotatePolicyConfig } from './rotate-config.ts';

export interface Config {
  readonly cluster: { readonly name: string };
  readonly node: { readonly name: string };
  /** Directory of checkpoints and of the embedded store. */
  readonly data: string;
  readonly sources: readonly SourceConfig[];
  readonly agent: AgentConfig;
  readonly kubernetes: KubernetesConfig;
  /** The first policy that fits a file is taken. */
  readonly rotate: readonly RotatePolicyConfig[];
  readonly rotateBudget: RotateBudgetConfig;
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

/** Where the agent learns of labels; paths tell the names without it. */
export interface KubernetesConfig {
  readonly enabled: 'auto' | 'true' | 'false';
  /** Undefined: the service account of the pod that the agent runs in. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Name of the node in Kubernetes. */
  readonly node: string;
  /** Globs of what documents have. */
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  /** Longest time that first records wait for the labels of their pod. */
  readonly waitMsMax: number;
}

export type TransportConfig =
  | { readonly kind: 'memory'; readonly bufferBytesMax: number }
  /** Straight to a server's import route, without a queue in between. */
  | {
      readonly kind: 'http';
      readonly bufferBytesMax: number;
      readonly url: string;
      readonly token: string | undefined;
    }
  | KafkaConfig;

export interface KafkaConfig {
  readonly kind: 'kafka';
  readonly bufferBytesMax: number;
  /** `HOST:PORT` each. */
  readonly brokers: readonly string[];
  /** A name, or a template such as `logs-{kubernetes.namespace}`; dead letters and the ledger go to its siblings. */
  readonly topic: string;
  /** Used when a missing topic is created; creating can be forbidden. */
  readonly create: { readonly isAllowed: boolean; readonly partitions: number; readonly replicas: number };
  readonly groupId: string;
  readonly clientId: string;
  /** A broker that has not answered a request for so long is taken for gone. */
  readonly requestMsMax: number;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Largest record; undefined: what the topic says. */
  readonly messageBytesMax: number | undefined;
  /** What becomes of a record over it. */
  readonly oversized: 'truncate' | 'dead_letter';
  readonly tls: TlsConfig | undefined;
  readonly sasl: SaslConfig | undefined;
}

/** Paths of PEM files. */
export interface TlsConfig {
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** False turns the check of the server's certificate off. */
  readonly isVerified: boolean;
}

export type SaslConfig =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  /** A token that does not change, or a file whose content is read anew for every connection. */
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly token: string | undefined;
      readonly tokenFile: string | undefined;
    };

export type StoreConfig = EmbeddedConfig | ElasticsearchConfig;

export interface EmbeddedConfig {
  readonly kind: 'embedded';
  readonly memoryBytesMax: number;
  readonly threads: number;
  readonly retention: { readonly bytesMax: number; readonly ageMsMax: number | undefined };
  /** A journal of this size is sealed into Parquet. */
  readonly journalBytesMax: number;
  readonly journalAgeMsMax: number;
  /** Below this many free bytes on the data directory's file system, collection waits. */
  readonly freeBytesMin: number;
}

/** Elasticsearch and OpenSearch: which one it is, and what it can, is found out by asking. */
export interface ElasticsearchConfig {
  readonly kind: 'elasticsearch';
  /** Nodes of one cluster; the next one is taken when one fails. */
  readonly urls: readonly string[];
  readonly auth:
    | { readonly kind: 'none' }
    | { readonly kind: 'basic'; readonly username: string; readonly password: string }
    | { readonly kind: 'api_key'; readonly apiKey: string };
  readonly tls: TlsConfig | undefined;
  /** Template of index names by event time, such as `logboom-{namespace}-{date}`; `date` is YYYY.MM.DD in UTC. */
  readonly index: string;
  /** Data streams named after the template without its date, instead of daily indices. */
  readonly isDataStream: boolean;
  readonly shards: number;
  readonly replicas: number;
  /** What a policy of the engine's lifecycle management does; undefined ages: never. */
  readonly lifecycle: {
    readonly isManaged: boolean;
    readonly rolloverBytes: number;
    readonly rolloverAgeMs: number;
    readonly warmAgeMs: number | undefined;
    readonly deleteAgeMs: number | undefined;
  };
  /** Events further away from now than this go to the index of late or of future events. */
  readonly lateMsMax: number;
  readonly futureMsMax: number;
  readonly bulk: {
    readonly bytesMax: number;
    readonly inFlightMax: number;
    readonly compression: 'none' | 'gzip';
  };
}

export interface ServerConfig {
  readonly listen: string;
  readonly token: string | undefined;
  /** Serve without a token on an address that others can reach. */
  readonly insecure: boolean;
}
