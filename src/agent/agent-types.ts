import type { FileSystem } from '../base/file-system.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Service } from '../base/service.ts';
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Producer } from '../transport/transport.ts';
import type { FollowedFiles } from './followed-files.ts';
import type { PodLookup } from './kubernetes/pod-lookup.ts';
import type { Obstacle } from './obstacles.ts';
import type { OpenArchive } from './tail/archive-reader.ts';
import type { HoleFinder } from './tail/skips.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly producer: Producer;
  readonly openArchive: OpenArchive;
  /** Without it the zeros of holes are read and counted. */
  readonly holes?: HoleFinder;
  /** Without it documents say of pods what paths say. */
  readonly pods?: PodLookup | undefined;
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  /** Version of Logboom, for the documents. */
  readonly version: string;
  /** Read what is there to the end, wait for the acknowledgements, and stop. */
  readonly once?: boolean;
  /** Called about twice per second, and at the end. */
  readonly onProgress?: (progress: AgentProgress) => void;
}

export interface AgentProgress {
  readonly files: number;
  /** Bytes of the files as far as known; of compressed ones what was inflated so far. */
  readonly bytesTotal: number;
  readonly bytesRead: number;
  readonly bytesAcknowledged: number;
  readonly records: number;
}

export interface AgentFileStatus {
  /** File id; undefined until the first line is whole. */
  readonly id: string | undefined;
  readonly path: string;
  readonly source: string;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  /** Bytes. */
  readonly size: number;
  readonly readOffset: number;
  readonly acknowledgedOffset: number;
  readonly state: 'waiting' | 'active' | 'gone' | 'complete';
}

export interface AgentSourceStatus {
  readonly kind: string;
  readonly roots: readonly string[];
  /** Roots that do not exist yet. */
  readonly missing: readonly string[];
  readonly directories: number;
  readonly files: number;
}

/** Follows the configured files and sends their records. */
export interface Agent extends Service {
  files(): AgentFileStatus[];
  sources(): AgentSourceStatus[];
  /** What rotation may know and ask; undefined until the checkpoints are open. */
  readonly followed: FollowedFiles | undefined;
  /** What cannot be looked into and does not pass by itself: no ledger tells of what stands in it. */
  obstacles(): Obstacle[];
  /** Sends the ledger of every file that changed; rejects while there are files that no ledger can tell of. */
  writeLedger(): Promise<void>;
}
