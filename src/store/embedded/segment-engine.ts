/**
 * What the embedded store asks of the engine that keeps and searches its files. `duckdb-engine.ts` is the real one
 * (Parquet), `memory-engine.ts` the one of the simulation (NDJSON). The store owns all state and every decision
 * about files; an engine reads what it is pointed at, and writes new files only in `seal` and `compact`.
 */
import type { FieldTypes } from '../../record/field-types.ts';
import type { Query } from '../../query/ast.ts';
import type { SortKey, SortOrder, TimeRange } from '../store.ts';

export type ColumnKind = 'boolean' | 'integer' | 'double' | 'text' | 'json';

/** A column of a segment: one path of its documents. */
export interface Column {
  /** Keys from the document's root. */
  readonly path: readonly string[];
  /** Name in the file; `columns.ts` has the escaping. */
  readonly name: string;
  readonly kind: ColumnKind;
  /** Holds, as one object, the members of the object at `path` that have no columns of their own. */
  readonly isRest?: true;
}

/** What all documents of a file have in common, told once per journal instead of once per record. */
export interface Resource {
  readonly fileId: string;
  /** Top-level members: `kubernetes`, `host`, … */
  readonly members: Readonly<Record<string, unknown>>;
}

export type ResourceMap = ReadonlyMap<number, Resource>;

/** Lines of a journal that follow one another and are of one file. */
export interface JournalRun {
  readonly fileId: string;
  readonly rows: number;
  /** Of the first line in the file. */
  readonly start: number;
  readonly bytes: number;
}

export interface JournalSource {
  readonly kind: 'journal';
  readonly path: string;
  /** Committed bytes: whole lines, which stay as they are. What stands behind them does not count yet. */
  readonly bytes: number;
  /** Types of every member of the documents but those that stand in resources. */
  readonly types: FieldTypes;
  readonly resources: ResourceMap;
  /** Whether some documents stand there whole, without a resource. */
  readonly hasWholeDocuments: boolean;
  /** Whether some `@timestamp` is not of the form that agents write. */
  readonly hasOddTimes: boolean;
  /** Whether all documents are compact: of the agent's members they have only the time, message, level and offset. */
  readonly isCompact: boolean;
  /** Bytes of the longest document. */
  readonly documentBytesMax: number;
  /** Where all its documents stand, in order; undefined when that is not known. */
  readonly runs?: readonly JournalRun[] | undefined;
}

export interface SegmentSource {
  readonly kind: 'segment';
  readonly path: string;
  readonly columns: readonly Column[];
}

export type Source = JournalSource | SegmentSource;

export interface SourceSearch {
  readonly query: Query;
  readonly range: TimeRange;
  readonly order: SortOrder;
  readonly limit: number;
  readonly after: SortKey | undefined;
}

export interface SourceScan {
  readonly query: Query;
  readonly range: TimeRange;
}

export interface SliceScan extends SourceScan {
  readonly bytesMax: number | undefined;
}

/** Documents as whole lines of NDJSON; the bytes are the caller's. */
export interface ScanBlock {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

export interface SourceHistogram extends SourceScan {
  readonly widthNs: bigint;
  /** Paths of the field that splits the buckets: the first that has a value counts. */
  readonly by: readonly string[] | undefined;
}

export interface FoundRow extends SortKey {
  /** ECS JSON. */
  readonly document: string;
}

export interface CopyRequest extends SourceScan {
  readonly sources: readonly Source[];
  /** Of the file to write. */
  readonly path: string;
}

export interface HistogramCount {
  readonly bucket: number;
  readonly value: string | undefined;
  readonly count: number;
}

/** What a source holds of one file. */
export interface FileTally {
  readonly fileId: string;
  readonly count: number;
  readonly distinct: number;
  readonly offsetMin: number;
  readonly offsetMax: number;
  /** Sum of the distinct offsets. */
  readonly offsetSum: bigint;
}

/** Offsets of one file. */
export interface FileRange {
  readonly fileId: string;
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A source, and which of the ranges are looked for in it: all that it has something of. */
export interface RangedSource {
  readonly source: Source;
  /** Places in the list of ranges. */
  readonly ranges: readonly number[];
}

/** What sources hold of a range. */
export interface RangeTally {
  /** Place of the range in the request. */
  readonly index: number;
  readonly count: number;
  readonly distinct: number;
  /** Sum of the distinct offsets. */
  readonly offsetSum: bigint;
  /** The same of its segments alone, each counted on its own, and added up. */
  readonly segments: { readonly count: number; readonly distinct: number; readonly offsetSum: bigint };
}

export interface SealRequest {
  readonly journals: readonly JournalSource[];
  /** `YYYY-MM-DDTHH` of every hour that has a record in them. */
  readonly hours: readonly string[];
  /** Directory of the segments. */
  readonly directory: string;
  /** Names the new files. */
  readonly sequence: number;
  /** Passes over lines that are no JSON; otherwise they fail the call. */
  readonly isLenient: boolean;
}

export interface CompactRequest {
  readonly sources: readonly SegmentSource[];
  readonly directory: string;
  /** `YYYY-MM-DDTHH`: all sources are of this hour. */
  readonly hour: string;
  readonly sequence: number;
}

export interface NewSegment {
  /** Below the directory of segments. */
  readonly path: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly namespaces: Readonly<Record<string, number>>;
  readonly levels: Readonly<Record<string, number>>;
}

/**
 * Every call rejects with `aborted` when its signal is, with `corrupt` when a file cannot be read, and with
 * `disk_full` or `io_failed` when one cannot be written.
 */
export interface SegmentEngine {
  /** Turns journals into one file per hour. The store makes them durable. */
  seal(request: SealRequest): Promise<NewSegment[]>;
  /** Merges segments of one hour, with the union of their columns. */
  compact(request: CompactRequest): Promise<NewSegment>;
  /** The first `limit` matches in order. */
  search(source: Source, request: SourceSearch, signal: AbortSignal): Promise<FoundRow[]>;
  /** All matches of all sources together, oldest first; undefined when they have more than `bytesMax`. */
  scan(sources: readonly Source[], request: SliceScan, signal: AbortSignal): Promise<ScanBlock | undefined>;
  histogram(source: Source, request: SourceHistogram, signal: AbortSignal): Promise<HistogramCount[]>;
  /** One tally per file id in the source. */
  tally(source: Source, signal: AbortSignal): Promise<FileTally[]>;
  /** One tally per range that has records, over all sources together: a record in two sources counts as two. */
  tallyRanges(
    sources: readonly RangedSource[],
    ranges: readonly FileRange[],
    signal: AbortSignal,
  ): Promise<RangeTally[]>;
  /** Reads every value of a segment, and returns how many rows it has. */
  verify(source: SegmentSource, signal: AbortSignal): Promise<number>;
  /** Writes every match of all sources to a new file, in the format of segments and in no order. */
  copyMatches(request: CopyRequest, signal: AbortSignal): Promise<void>;
  /** Told of a journal that is gone: whatever the engine keeps of it may go too. */
  forget(path: string): void;
  close(): Promise<void>;
}

/** `day=YYYY-MM-DD/hour=HH/<sequence>-<index>.<extension>`, the layout that other readers know as Hive's. */
export function segmentPath(hour: string, sequence: number, index: number, extension: string): string {
  const name = `${String(sequence).padStart(9, '0')}-${index}.${extension}`;
  return `day=${hour.slice(0, 10)}/hour=${hour.slice(11, 13)}/${name}`;
}
