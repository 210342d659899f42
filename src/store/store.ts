import type { DeadLetterError } from '../record/dead-letter.ts';
import type { HeartbeatRecord } from '../record/heartbeat.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import type { Query } from '../query/ast.ts';

/**
 * What a store of logs does for Logboom. `embedded/` keeps Parquet files and searches them with DuckDB; others
 * speak to Elasticsearch and OpenSearch.
 *
 * Every implementation holds: what `append` acknowledged is durable and found by search; a record that is appended
 * again (same file id, lane and offset) is stored once (G4); the order of results is (time, file id, offset).
 */
export interface Store {
  /** Waits until the store can take records again after `problem`, or until `signal` is aborted. */
  append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult>;
  appendLedger(records: readonly LedgerRecord[], signal: AbortSignal): Promise<void>;
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchPage>;
  /** Every match, oldest first, as blocks of NDJSON, in constant memory. */
  export(request: ExportRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  histogram(request: HistogramRequest, signal: AbortSignal): Promise<HistogramBucket[]>;
  stats(signal: AbortSignal): Promise<StoreStats>;
  /** One entry per file id that the store or the ledger knows, heartbeats among them. */
  audit(signal: AbortSignal): AsyncIterable<FileAudit>;
  /** The newest heartbeat of each agent. */
  agents(signal: AbortSignal): Promise<readonly HeartbeatRecord[]>;
  /** Why the store cannot take records just now (a full disk, …), or undefined when it can. */
  problem(): string | undefined;
  close(): Promise<void>;
}

export interface AppendResult {
  /** Documents taken; the others were there before. */
  readonly appended: number;
  readonly duplicates: number;
  /** Documents that the store refuses for an error of their own; they are in neither of the other counts. */
  readonly rejected: readonly RejectedDocument[];
}

export interface RejectedDocument {
  /** Which of the batches that were appended, and which of its documents. */
  readonly batchIndex: number;
  readonly documentIndex: number;
  /** The index that it was meant for; undefined where the store has none. */
  readonly index: string | undefined;
  readonly error: DeadLetterError;
}

/** Nanoseconds since the Unix epoch: `startNs` inclusive, `endNs` exclusive. */
export interface TimeRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Where a page ended: the sort key of its last record. */
export interface SortKey {
  readonly timeNs: bigint;
  readonly fileId: string;
  readonly offset: number;
}

export type SortOrder = 'asc' | 'desc';

export interface SearchRequest {
  readonly query: Query;
  readonly range: TimeRange;
  readonly order: SortOrder;
  /** 1 to 1,000. */
  readonly limit: number;
  /** Only what comes after this key in `order`. */
  readonly after: SortKey | undefined;
}

export interface SearchPage {
  /** Documents in ECS JSON text, in order. */
  readonly documents: readonly string[];
  /** Key of the last document; undefined when there is nothing after it. */
  readonly next: SortKey | undefined;
}

export interface ExportRequest {
  readonly query: Query;
  readonly range: TimeRange;
}

export interface HistogramRequest {
  readonly query: Query;
  readonly range: TimeRange;
  /** 1 to 500. */
  readonly bucketCount: number;
  /** Paths of a field whose values split each bucket, such as `log.level`: the first that has a value counts. */
  readonly by: readonly string[] | undefined;
}

export interface HistogramBucket {
  readonly startNs: bigint;
  readonly count: number;
  /** Count by value; the values beyond the most frequent 20 come under `other`. */
  readonly by: Readonly<Record<string, number>> | undefined;
}

export interface StoreStats {
  readonly records: number;
  readonly bytesOnDisk: number;
  readonly oldestNs: bigint | undefined;
  readonly newestNs: bigint | undefined;
  readonly namespaces: readonly { readonly namespace: string; readonly records: number }[];
  /** Files of the store that were set aside because they cannot be read, with the reason. */
  readonly quarantined: readonly { readonly path: string; readonly reason: string }[];
}

/** Some records of a file. */
export interface OffsetTally {
  readonly count: number;
  /** Sum of their offsets, modulo 2^64, in decimal. */
  readonly offsetSum: string;
}

/** What the ledger says of a file beside what search finds of it. */
export interface FileAudit {
  readonly fileId: string;
  readonly ledger: LedgerRecord | undefined;
  /** Records found below the ledger's acknowledged offset, those dropped by pipelines and those expired included. */
  readonly found: number;
  /** Of these, how many stand there a second time. */
  readonly twice: number;
  /** Sum of the distinct offsets found, modulo 2^64, in decimal. */
  readonly offsetSum: string;
  /** Of `found`: dropped by a pipeline on purpose, and removed by retention. */
  readonly droppedByPipeline: number;
  readonly expired: number;
  /** Of `expired`: removed before the store's retention would have. */
  readonly expiredEarly?: number;
  /**
   * The distinct ones that stand where the ledger says that something may be lost; absent where there are none, and
   * where nobody needs them because `found` and the ledger agree.
   */
  readonly inPossibleLoss?: OffsetTally | undefined;
}
