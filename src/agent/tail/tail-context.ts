import type { FileSystem } from '../../base/file-system.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { ContainerLanes } from '../../capture/container-lanes.ts';
import type { Decoder, EncodedBatch } from '../../capture/decoder-types.ts';
import type { Config } from '../../config/config.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { GroupSpec } from '../discovery/layout.ts';
import type { PodLookup } from '../kubernetes/pod-lookup.ts';
import type { Obstacles } from '../obstacles.ts';
import type { AgentFacts } from '../resource.ts';
import type { ShipState } from '../ship/ship-state.ts';
import type { OpenArchive } from './archive-reader.ts';
import type { FileGroup } from './file-group.ts';
import type { Sha256 } from './fingerprint.ts';
import type { HoleFinder } from './skips.ts';
import type { TailedFile } from './tailed-file.ts';

/** What following files needs of the rest of the agent. */
export interface TailContext {
  readonly config: Config;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly sha256: Sha256;
  readonly openArchive: OpenArchive;
  readonly ship: ShipState;
  /** Undefined where holes cannot be looked for: their zeros are read and counted. */
  readonly holes: HoleFinder | undefined;
  /** Read what is there to the end, and nothing that comes later. */
  readonly isOnce: boolean;
  /** What the documents say of this agent. */
  readonly facts: AgentFacts;
  /** What is known of pods beyond what paths say; undefined where nobody watches them. */
  readonly pods: PodLookup | undefined;
  /** What all documents of a group say now. */
  readonly resourceOf: (spec: GroupSpec) => Readonly<Record<string, unknown>>;
  /** Whether the first look at every directory is still going on. */
  readonly isFirstScan: () => boolean;
  readonly createDecoder: (spec: GroupSpec, file: TailedFile, lanes: ContainerLanes) => Decoder;
  /** Hands over what a decoder gave out, in order. */
  readonly emit: (batches: readonly EncodedBatch[]) => void;
  /** Notes that times or cuts must be journaled before the next batch leaves. */
  readonly noteHold: (group: FileGroup, file: TailedFile) => void;
  /** Notes that the checkpoint of a file changed. */
  readonly noteChange: (group: FileGroup, file: TailedFile) => void;
  /** Returns up to where what was given up of a file stands in the checkpoint on disk; 0 when nothing does. */
  readonly givenUntil: (fileId: string) => number;
  /** Reads a directory at once. */
  readonly scanNow: (directory: string) => void;
  /** Lets the sources before `source` look at where files really are, so that they take what is theirs. */
  readonly lookBefore: (source: SourceConfig, paths: readonly string[]) => void;
  /** What could not be looked into. */
  readonly obstacles: Obstacles;
  /** Reads a directory again at the next rescan, because something in it could not be opened. */
  readonly retryLater: (directory: string) => void;
  readonly warnOnce: (event: string, key: string, text: string, fields?: Record<string, unknown>) => void;
  readonly wake: () => void;
}
