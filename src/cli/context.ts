/** What commands are given: everything that they touch of the machine, so that tests can give them something else. */
import type { FileSystem } from '../base/file-system.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Config } from '../config/config.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';

export interface Output {
  readonly isTerminal: boolean;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number;
  /** Whether to colour: a terminal, and NO_COLOR is not set. */
  readonly hasColor: boolean;
  write(text: string): void;
  /** Writes bytes and resolves when the reader keeps up. */
  writeAll(bytes: Uint8Array): Promise<void>;
}

export interface CliContext {
  readonly version: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly hostName: string;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly fetch: typeof fetch;
  /** Asks a person at the terminal; undefined where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Aborted by Ctrl-C from the first call on; before it, Ctrl-C just ends the process. */
  readonly interrupted: () => AbortSignal;
  readonly actions: CliActions;
}

export interface RunOptions {
  readonly loaded: LoadedConfig;
  readonly isDemo: boolean;
}

/** What the composition root does for commands that run parts of the program. Numbers are exit codes. */
export interface CliActions {
  up(options: RunOptions): Promise<number>;
  agent(options: RunOptions): Promise<number>;
  indexer(options: RunOptions): Promise<number>;
  server(options: RunOptions): Promise<number>;
  importFiles(options: ImportOptions): Promise<ImportResult>;
  /** Throws what is wrong with the configuration beyond its shape: expressions, conditions, an open address. */
  checkConfig(config: Config): Promise<void>;
  testPipelines(pipelines: readonly PipelineConfig[]): Promise<readonly PipelineTestOutcome[]>;
  explain(options: ExplainOptions): Promise<Explanation>;
  doctor(loaded: LoadedConfig): Promise<readonly Finding[]>;
  /** What rotation would do now. */
  planRotation(loaded: LoadedConfig): Promise<RotatePlan>;
  /** What rotation did last; undefined when it never ran. */
  reportRotation(loaded: LoadedConfig): Promise<RotateReport | undefined>;
}

export interface ImportOptions {
  readonly loaded: LoadedConfig;
  readonly files: readonly string[];
  /** Members of each document: `kubernetes.namespace` and the like, by dotted name. */
  readonly fields: Readonly<Record<string, string>>;
  readonly format: string;
  /** Whether lines that bring no other time get the one that they begin with. */
  readonly takesLineTimes: boolean;
  readonly serverUrl: string;
  /** Whether the records must go to the server: it was named. */
  readonly isServerRequired: boolean;
  readonly token: string | undefined;
  readonly onProgress: (progress: ImportProgress) => void;
  readonly onNotice: (text: string) => void;
}

export interface ImportProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly records: number;
}

export interface ImportResult {
  /** Records that were read. */
  readonly records: number;
  /** Of these, how many were stored before. */
  readonly alreadyThere: number;
  /** Lines whose time was taken from what they begin with, and those that have the time of the import. */
  readonly times: { readonly fromLine: number; readonly fromImport: number };
  readonly bytes: number;
  /** Where the records went: the address of a server, or the data directory. */
  readonly target: string;
  /** Files that could not be read, with the reason. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** Compressed files that break off: what could be read of them is loaded. */
  readonly incomplete: readonly { readonly path: string; readonly reason: string }[];
}

export interface PipelineTestOutcome {
  readonly pipeline: string;
  readonly test: string;
  readonly isPassed: boolean;
  /** What is different, line by line, when it failed. */
  readonly diff: string;
}

export interface ExplainOptions {
  readonly loaded: LoadedConfig;
  /** A path of a file, or a line. */
  readonly subject: string;
  /** Members of the document that a line is wrapped in, by dotted name. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Explanation {
  /** Lines for people, in order. */
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
  /** False for a file that no source takes or that cannot be read; a line is always true. */
  readonly isCollected: boolean;
}

export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  readonly check: string;
  readonly text: string;
  /** What to do about it. */
  readonly remedy: string | undefined;
}

export interface RotatePlan {
  readonly files: readonly PlannedFile[];
  /** Configurations that logrotate would be run with. */
  readonly logrotate: readonly string[];
  /** Directories of pods in which nothing was written for long. */
  readonly pods: readonly PlannedPod[];
  readonly warnings: readonly string[];
}

export interface PlannedPod {
  readonly path: string;
  readonly files: number;
  readonly diskBytes: number;
  /** When something was last written in it. */
  readonly written: string;
  readonly action: 'remove' | 'nothing';
  readonly because: string;
}

export interface PlannedFile {
  readonly path: string;
  readonly size: number;
  readonly diskBytes: number;
  /** Bytes from the beginning that are acknowledged. */
  readonly acknowledged: number;
  /** `rotate[0]`, `built-in` or `none`. */
  readonly policy: string;
  readonly method: string;
  /** Why this policy. */
  readonly why: string;
  readonly action: string;
  readonly because: string;
}

export interface RotateReport {
  readonly time: string;
  /** Whether the agent still writes it. */
  readonly isRunning: boolean;
  readonly freedBytes: number;
  readonly groups: readonly RotateReportGroup[];
  readonly held: readonly {
    readonly scope: string;
    readonly usedBytes: number;
    readonly bytesMax: number;
  }[];
  readonly problems: readonly string[];
  /** Directories of pods that were removed last, and old ones that stay; absent where none is removed. */
  readonly pods?:
    | {
        readonly removed: readonly {
          readonly time: string;
          readonly path: string;
          readonly files: number;
          readonly freedBytes: number;
        }[];
        readonly kept: readonly { readonly path: string; readonly reason: string }[];
      }
    | undefined;
}

export interface RotateReportGroup {
  readonly path: string;
  readonly policy: string;
  readonly method: string;
  readonly diskBytes: number;
  readonly freedBytes: number;
  readonly last: { readonly time: string; readonly action: string; readonly text: string } | undefined;
  /** Why the next thing waits. */
  readonly waits: string | undefined;
}
