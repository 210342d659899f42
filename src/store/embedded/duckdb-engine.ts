/**
 * The segment engine on DuckDB: journals become Parquet in bulk, and searched where it lies; journals are searched
 * in the tables that `journal-tables.ts` makes of them. DuckDB runs in a worker thread; at most `QUERIES_MAX` queries run at a time, because each holds a thread of the pool that
 * file writes need too.
 */
import { Worker } from 'node:worker_threads';
import { must } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { SortKey } from '../store.ts';
import type { Row, WorkerSettings } from './duckdb-protocol.ts';
import type { HeldSource } from './journal-tables.ts';
import { JournalTables } from './journal-tables.ts';
import type { ReadableSource } from './relation-sql.ts';
import { orderJournals, removeFiles } from './ordered-journals.ts';
import { planJournals } from './relation-sql.ts';
import type { SegmentGroup } from './segment-groups.ts';
import { groupSegments } from './segment-groups.ts';
import type {
  Column,
  CompactRequest,
  CopyRequest,
  FileRange,
  FileTally,
  FoundRow,
  HistogramCount,
  JournalSource,
  NewSegment,
  RangedSource,
  RangeTally,
  ScanBlock,
  SealRequest,
  SegmentEngine,
  SegmentSource,
  SliceScan,
  Source,
  SourceHistogram,
  SourceScan,
  SourceSearch,
} from './segment-engine.ts';
import { segmentPath } from './segment-engine.ts';
import { COLUMNS_MAX } from './columns.ts';
import * as sql from './segment-sql.ts';
import { createSlots } from './slots.ts';
import type { LinesOptions } from './worker-client.ts';
import { WorkerClient } from './worker-client.ts';

/** Memory of the engine for each column: writing a column of texts takes up to this much, however few values it has. */
const COLUMN_MEMORY_BYTES = 1.25 * 2 ** 20;

/** The thread pool of Node has 4 threads by default: one stays for writes to the journal. */
const QUERIES_MAX = 2;

export interface DuckDbEngineOptions extends WorkerSettings {
  /** Reads journals. */
  readonly fileSystem: FileSystem;
  /** Columns of a segment; as many as the engine has memory for when nothing is said. */
  readonly columnsMax?: number;
}

function columnsMaxFor(memoryBytesMax: number): number {
  return Math.min(COLUMNS_MAX, Math.floor(memoryBytesMax / COLUMN_MEMORY_BYTES));
}

/** Starts the worker thread and resolves when the engine is ready. */
export async function startDuckDbEngine(options: DuckDbEngineOptions): Promise<SegmentEngine> {
  const { fileSystem, columnsMax = columnsMaxFor(options.memoryBytesMax), ...workerData } = options;
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./duckdb-worker.${extension}`, import.meta.url), { workerData });
  const client = new WorkerClient(worker);
  await client.ready;
  const journals = new JournalTables({ ...options, client, fileSystem, columnsMax });
  return new DuckDbEngine(client, journals, { ...options, columnsMax });
}

class DuckDbEngine implements SegmentEngine {
  readonly #client: WorkerClient;
  readonly #journals: JournalTables;
  readonly #options: Required<DuckDbEngineOptions>;
  readonly #slots = createSlots(QUERIES_MAX);

  constructor(client: WorkerClient, journals: JournalTables, options: Required<DuckDbEngineOptions>) {
    this.#options = options;
    this.#client = client;
    this.#journals = journals;
  }

  async seal(request: SealRequest): Promise<NewSegment[]> {
    const { journals, sequence } = request;
    const { fileSystem, temporaryDirectory } = this.#options;

    const ordered = await orderJournals(journals, {
      fileSystem,
      directory: temporaryDirectory,
      name: `sealing-${sequence}`,
      rowsMax: sql.ROW_GROUP_ROWS,
    });

    try {
      return await this.#seal(request, ordered);
    } finally {
      const kept = new Set(journals.map(({ path }) => path));
      const paths = ordered.map(({ path }) => path).filter((path) => !kept.has(path));
      removeFiles(fileSystem, paths);
    }
  }

  /** `ordered` has the lines of the journals. */
  async #seal(request: SealRequest, ordered: readonly JournalSource[]): Promise<NewSegment[]> {
    const { journals, hours, directory, sequence, isLenient } = request;
    const plan = planJournals(journals, this.#options.columnsMax);
    const files = hours.map((hour, index) => ({ hour, path: segmentPath(hour, sequence, index, 'parquet') }));
    const statements = sql.resourceTableSql(journals, plan);
    const [only] = files;
    if (files.length === 1 && only !== undefined) {
      statements.push(sql.copyJournalsSql(ordered, plan, { isLenient, path: `${directory}/${only.path}` }));
    } else {
      statements.push(sql.stageJournalsSql(ordered, plan, isLenient));
      for (const { hour, path } of files) statements.push(sql.copyHourSql(hour, `${directory}/${path}`));
      statements.push('DROP TABLE seal_rows');
    }
    statements.push('DROP TABLE seal_resources');
    await this.#client.run(statements);
    const segments: NewSegment[] = [];
    for (const { path } of files) segments.push(await this.#facts(directory, path, plan.columns));
    return segments;
  }

  async compact(request: CompactRequest): Promise<NewSegment> {
    const path = segmentPath(request.hour, request.sequence, 0, 'parquet');
    const target = `${request.directory}/${path}`;
    const { sql: statement, columns } = sql.compactSql(request.sources, target, this.#options.columnsMax);
    await this.#client.run([statement]);
    return this.#facts(request.directory, path, columns);
  }

  search(source: Source, request: SourceSearch, signal: AbortSignal): Promise<FoundRow[]> {
    return this.#reading(source, async (held) => {
      // Of a file only the columns that decide are read first; a table has all of them at hand.
      if (held.kind !== 'segment')
        return (await this.#query(sql.searchSql(held, request), signal)).map(toFoundRow);
      const keys = (await this.#query(sql.searchKeysSql(held, request), signal)).map(toSortKey);
      if (keys.length === 0) return [];
      return (await this.#query(sql.documentsSql(held, keys, request.order), signal)).map(toFoundRow);
    });
  }

  async scan(
    sources: readonly Source[],
    { query, range, bytesMax }: SliceScan,
    signal: AbortSignal,
  ): Promise<ScanBlock | undefined> {
    return this.#readingAll(sources, async (held) => {
      const groups = groupSegments(held);
      const release = await this.#slots.take(signal);
      try {
        return await this.#readGroups(groups, { query, range }, { signal, bytesMax });
      } finally {
        release();
      }
    });
  }

  async #readGroups(
    groups: readonly (ReadableSource | SegmentGroup)[],
    request: SourceScan,
    options: LinesOptions,
  ): Promise<ScanBlock | undefined> {
    const [only] = groups;
    if (only !== undefined && groups.length === 1) {
      try {
        return await this.#client.readTexts(sql.orderedLinesSql(only, request), options);
      } catch (error) {
        // Documents may be larger than the caller expected: one by one they are counted before there are too many.
        if (!(error instanceof AppError) || error.code !== 'too_busy') throw error;
      }
    }
    const statements = groups.map((source) => sql.scanSql(source, request));
    return this.#client.readLines(statements, options);
  }

  async histogram(source: Source, request: SourceHistogram, signal: AbortSignal): Promise<HistogramCount[]> {
    const rows = await this.#reading(source, (held) => this.#query(sql.histogramSql(held, request), signal));
    return rows.map(([bucket, value, count]) => ({
      bucket: Number(bucket),
      value: typeof value === 'string' ? value : undefined,
      count: Number(count),
    }));
  }

  async tally(source: Source, signal: AbortSignal): Promise<FileTally[]> {
    const rows = await this.#reading(source, (held) => this.#query(sql.tallySql(held), signal));
    return rows.map(toFileTally);
  }

  async tallyRanges(
    sources: readonly RangedSource[],
    ranges: readonly FileRange[],
    signal: AbortSignal,
  ): Promise<RangeTally[]> {
    if (ranges.length === 0 || sources.length === 0) return [];
    const plain = sources.map(({ source }) => source);
    const rows = await this.#readingAll(plain, (held) => {
      const tallied = held.map((source, index) => ({
        source,
        isSegment: plain[index]?.kind === 'segment',
        ranges: sources[index]?.ranges ?? [],
      }));
      return this.#query(sql.tallyRangesSql(tallied, ranges), signal);
    });
    return rows.map(toRangeTally);
  }

  async verify(source: SegmentSource, signal: AbortSignal): Promise<number> {
    const rows = await this.#query(sql.verifySql(source), signal);
    return Number(rows[0]?.[0]);
  }

  async copyMatches({ sources, path, ...request }: CopyRequest, signal: AbortSignal): Promise<void> {
    await this.#readingAll(sources, (held) => this.#query(sql.copyMatchesSql(held, request, path), signal));
  }

  forget(path: string): void {
    this.#journals.forget(path);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #query(statement: string, signal: AbortSignal): Promise<readonly Row[]> {
    const release = await this.#slots.take(signal);
    return this.#client.run([statement], { signal }).finally(release);
  }

  async #hold(source: Source): Promise<HeldSource> {
    if (source.kind === 'journal') return this.#journals.hold(source);
    return { source, release: () => undefined };
  }

  async #reading<T>(source: Source, task: (held: ReadableSource) => Promise<T>): Promise<T> {
    const held = await this.#hold(source);
    return task(held.source).finally(() => held.release());
  }

  async #readingAll<T>(
    sources: readonly Source[],
    task: (held: readonly ReadableSource[]) => Promise<T>,
  ): Promise<T> {
    const held: HeldSource[] = [];
    try {
      for (const source of sources) held.push(await this.#hold(source));
      return await task(held.map((one) => one.source));
    } finally {
      for (const one of held) one.release();
    }
  }

  async #facts(directory: string, path: string, columns: readonly Column[]): Promise<NewSegment> {
    const rows = await this.#client.run([sql.factsSql(`${directory}/${path}`, columns)]);
    const namespaces: Record<string, number> = {};
    const levels: Record<string, number> = {};
    let total = 0;
    let minNs: bigint | undefined;
    let maxNs: bigint | undefined;
    for (const [namespace, level, count, min, max] of rows) {
      total += Number(count);
      add(namespaces, namespace, Number(count));
      add(levels, level, Number(count));
      if (minNs === undefined || toNs(min) < minNs) minNs = toNs(min);
      if (maxNs === undefined || toNs(max) > maxNs) maxNs = toNs(max);
    }
    return { path, columns, rows: total, minNs: minNs ?? 0n, maxNs: maxNs ?? 0n, namespaces, levels };
  }
}

function add(counts: Record<string, number>, key: unknown, count: number): void {
  if (typeof key === 'string') counts[key] = (counts[key] ?? 0) + count;
}

function toNs(value: unknown): bigint {
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}

function toSortKey([timeNs, fileId, offset]: Row): SortKey {
  return { timeNs: toNs(timeNs), fileId: String(fileId), offset: Number(offset) };
}

function toFoundRow(row: Row): FoundRow {
  return { ...toSortKey(row), document: must(row[3], 'document') as string };
}

function toRangeTally([index, count, distinct, offsetSum, ...segments]: Row): RangeTally {
  const [segmentCount, segmentDistinct, segmentSum] = segments;
  return {
    index: Number(index),
    count: Number(count),
    distinct: Number(distinct),
    offsetSum: BigInt(String(offsetSum)),
    segments: {
      count: Number(segmentCount),
      distinct: Number(segmentDistinct),
      offsetSum: BigInt(String(segmentSum)),
    },
  };
}

function toFileTally([fileId, count, distinct, offsetMin, offsetMax, offsetSum]: Row): FileTally {
  return {
    fileId: String(fileId),
    count: Number(count),
    distinct: Number(distinct),
    offsetMin: Number(offsetMin),
    offsetMax: Number(offsetMax),
    offsetSum: BigInt(String(offsetSum)),
  };
}
