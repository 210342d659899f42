import type { ServerConfig } from '../config/config.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { DeadLetter, ReplayOutcome } from '../record/dead-letter.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import type { ExportRequest, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ReadinessAnswer, SourceStatus } from './api-types.ts';
import type { TailHub } from './tail-hub.ts';

/** The dead letters of the transport, and the pipelines that replay them. */
export interface DeadLetterAccess {
  /** Every letter as the queue stands. Ends early when aborted. */
  read(signal: AbortSignal): AsyncIterable<DeadLetter>;
  /** Replaces letters of the same ids. */
  send(letters: readonly DeadLetter[]): Promise<void>;
  /** Says what a replay would do, as far as the pipelines know. */
  check(letters: readonly DeadLetter[]): readonly ReplayOutcome[];
  /** Stores letters and takes those that are stored from the queue. */
  replay(letters: readonly DeadLetter[], signal: AbortSignal): Promise<readonly ReplayOutcome[]>;
}

/** How far everything was at a moment, where indexers come after the acknowledgement. */
export interface IndexingMark {
  /** Whether the indexers have passed it. Rejects when nobody can tell. */
  isPassed(): Promise<boolean>;
}

export interface ApiOptions {
  readonly config: ServerConfig;
  readonly store: Store;
  readonly tail: TailHub;
  /** Resolves once a client that follows from now on misses nothing; undefined where that is always so. */
  readonly follow?: (() => Promise<void>) | undefined;
  readonly telemetry: Telemetry;
  readonly scheduler: Scheduler;
  /** The text of `/metrics`. */
  readonly metricsText: () => Promise<string>;
  readonly readiness: () => ReadinessAnswer;
  /** What agents collect. */
  readonly sources: () => readonly SourceStatus[];
  /** Lets the agents of this process bring their ledger up to date before an audit. */
  readonly refreshLedger: () => Promise<void>;
  /** Notes how far the transport is; undefined where what is acknowledged is stored. */
  readonly markIndexing?: (() => Promise<IndexingMark>) | undefined;
  /** Name of the node that the agent of this process follows; undefined without one. */
  readonly agentNode?: string | undefined;
  /** Takes records from outside; resolves when they are durable. */
  readonly submit: (batches: readonly RecordBatch[]) => Promise<void>;
  /** The same for ledger records; without it they go straight to the store. */
  readonly submitLedger?: ((records: readonly LedgerRecord[]) => Promise<void>) | undefined;
  /** Whether lines with such a parsed field are known, which makes `name:value` a field for certain. */
  readonly isKnownField?: ((name: string) => boolean) | undefined;
  /** Every match as a Parquet file; without it, exports know NDJSON and CSV only. */
  readonly exportParquet?:
    | ((request: ExportRequest, signal: AbortSignal) => AsyncIterable<Uint8Array>)
    | undefined;
  /** Documents that the store refused; without it, there are none. */
  readonly deadLetters?: DeadLetterAccess | undefined;
  /** Directory of the built page. */
  readonly webRoot: string | undefined;
  readonly version: string;
  readonly startedAtMs: number;
}
