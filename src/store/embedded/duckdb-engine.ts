/**
 * The segment engine on DuckDB: journals become Parquet in bulk, and files are searched where they lie. DuckDB runs
 * in a worker thread; at most `QUERIES_MAX` queries run at a time, because each holds a thread of the pool that
 * file writes need too.
 */
import { Worker } from 'node:worker_threads';
import { must } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { SortKey } from '../store.ts';
import type { Row, WorkerReply, WorkerRequest, WorkerSettings } from './duckdb-protocol.ts';
import { planJournals } from './relation-sql.ts';
import type {
  Column,
  CompactRequest,
  FileBound,
  FileTally,
  FoundRow,
  HistogramCount,
  NewSegment,
  SealRequest,
  SegmentEngine,
  Source,
  SourceHistogram,
  SourceScan,
  SourceSearch,
} from './segment-engine.ts';
import { segmentPath } from './segment-engine.ts';
import * as sql from './segment-sql.ts';
import { createSlots } from './slots.ts';

/** The thread pool of Node has 4 threads by default: one stays for writes to the journal. */
const QUERIES_MAX = 2;

/** Files waiting for an answer are the callers': this only bounds a flood. */
const WAITING_MAX = 1000;

interface Waiting {
  resolve(block: { rows: readonly Row[]; isDone: boolean }): void;
  reject(error: Error): void;
}

/** Starts the worker thread and resolves when the engine is ready. */
export async function startDuckDbEngine(settings: WorkerSettings): Promise<SegmentEngine> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./duckdb-worker.${extension}`, import.meta.url), {
    workerData: settings,
  });
  const client = new WorkerClient(worker);
  await client.ready;
  return new DuckDbEngine(client);
}

class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #failure: Error | undefined;
  readonly ready: Promise<void>;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ready = this.#wait(0).then(() => undefined);
    worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    worker.on('error', (error) => this.#fail(toError(error)));
    worker.on('exit', () => this.#fail(new AppError('closed', 'cannot use the storage engine')));
  }

  async run(statements: readonly string[], signal?: AbortSignal): Promise<readonly Row[]> {
    const id = this.#nextId++;
    return (await this.#ask({ kind: 'run', id, statements }, signal)).rows;
  }

  /** Streams the rows of a statement, in blocks, running only while the caller asks for more. */
  async *stream(
    statement: string,
    signal: AbortSignal,
    slots: ReturnType<typeof createSlots>,
  ): AsyncIterable<readonly Row[]> {
    const id = this.#nextId++;
    let request: WorkerRequest = { kind: 'open', id, statements: [statement] };
    let isDone = false;
    try {
      for (;;) {
        const release = await slots.take(signal);
        const block = await this.#ask(request, signal).finally(release);
        isDone = block.isDone;
        if (block.rows.length > 0) yield block.rows;
        if (isDone) return;
        request = { kind: 'next', id };
      }
    } finally {
      if (!isDone) this.#post({ kind: 'cancel', id });
    }
  }

  async close(): Promise<void> {
    if (this.#failure === undefined)
      await this.#ask({ kind: 'close', id: this.#nextId++ }).catch(() => undefined);
    await this.#worker.terminate();
  }

  async #ask(
    request: WorkerRequest,
    signal?: AbortSignal,
  ): Promise<{ rows: readonly Row[]; isDone: boolean }> {
    if (this.#failure !== undefined) throw this.#failure;
    if (signal?.aborted === true) throw new AppError('aborted', 'cannot finish the query');
    if (this.#waiting.size >= WAITING_MAX) throw new AppError('too_busy', 'cannot take another query');
    const cancel = (): void => this.#post({ kind: 'cancel', id: request.id });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const answer = this.#wait(request.id);
      this.#post(request);
      return await answer;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #wait(id: number): Promise<{ rows: readonly Row[]; isDone: boolean }> {
    // The worker keeps the process alive only while somebody waits for it.
    this.#worker.ref();
    return new Promise((resolve, reject) => void this.#waiting.set(id, { resolve, reject }));
  }

  #post(request: WorkerRequest): void {
    this.#worker.postMessage(request);
  }

  #settle(reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in reply) waiting?.reject(toAppError(reply.error));
    else waiting?.resolve(reply);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}

class DuckDbEngine implements SegmentEngine {
  readonly #client: WorkerClient;
  readonly #slots = createSlots(QUERIES_MAX);

  constructor(client: WorkerClient) {
    this.#client = client;
  }

  async seal(request: SealRequest): Promise<NewSegment[]> {
    const { journals, hours, directory, sequence, isLenient } = request;
    const plan = planJournals(journals);
    const files = hours.map((hour, index) => ({ hour, path: segmentPath(hour, sequence, index, 'parquet') }));
    const statements = sql.resourceTableSql(journals, plan);
    const [only] = files;
    if (files.length === 1 && only !== undefined) {
      statements.push(sql.copyJournalsSql(journals, plan, { isLenient, path: `${directory}/${only.path}` }));
    } else {
      statements.push(sql.stageJournalsSql(journals, plan, isLenient));
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
    const { sql: statement, columns } = sql.compactSql(request.sources, `${request.directory}/${path}`);
    await this.#client.run([statement]);
    return this.#facts(request.directory, path, columns);
  }

  async search(source: Source, request: SourceSearch, signal: AbortSignal): Promise<FoundRow[]> {
    // A journal is parsed as a whole whatever is asked of it; of a segment only the columns that decide are read.
    if (source.kind === 'journal')
      return (await this.#query(sql.searchSql(source, request), signal)).map(toFoundRow);
    const keys = (await this.#query(sql.searchKeysSql(source, request), signal)).map(toSortKey);
    if (keys.length === 0) return [];
    return (await this.#query(sql.documentsSql(source, keys, request.order), signal)).map(toFoundRow);
  }

  async *scan(source: Source, request: SourceScan, signal: AbortSignal): AsyncIterable<readonly FoundRow[]> {
    for await (const rows of this.#client.stream(sql.scanSql(source, request), signal, this.#slots)) {
      yield rows.map(toFoundRow);
    }
  }

  async histogram(source: Source, request: SourceHistogram, signal: AbortSignal): Promise<HistogramCount[]> {
    const rows = await this.#query(sql.histogramSql(source, request), signal);
    return rows.map(([bucket, value, count]) => ({
      bucket: Number(bucket),
      value: typeof value === 'string' ? value : undefined,
      count: Number(count),
    }));
  }

  async tally(source: Source, signal: AbortSignal): Promise<FileTally[]> {
    return (await this.#query(sql.tallySql(source), signal)).map(toFileTally);
  }

  async tallyExactly(
    sources: readonly Source[],
    bounds: readonly FileBound[],
    signal: AbortSignal,
  ): Promise<FileTally[]> {
    if (bounds.length === 0 || sources.length === 0) return [];
    return (await this.#query(sql.tallyExactlySql(sources, bounds), signal)).map(toFileTally);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #query(statement: string, signal: AbortSignal): Promise<readonly Row[]> {
    const release = await this.#slots.take(signal);
    return this.#client.run([statement], signal).finally(release);
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

function toError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new AppError('io_failed', 'cannot run the storage engine', { cause: error });
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

/** What DuckDB says of a Parquet file that is not sound; its other errors are about the query or the machine. */
const CORRUPT =
  /magic bytes|parquet|TProtocol|thrift|zstd|decompress|corrupt|No files found|Cannot open file/i;

function toAppError(message: string): AppError {
  const kinds: readonly [RegExp, ErrorCode, string][] = [
    [/^INTERRUPT/, 'aborted', 'cannot finish the query'],
    [/No space left|disk.*full/i, 'disk_full', 'cannot write a segment'],
    [/Out of Memory/i, 'too_busy', 'cannot run the query in the memory that store.memory allows'],
    [/^(Conversion|Binder|Parser|Catalog|Invalid Type) Error/, 'bad_request', 'cannot run a statement'],
    [/^Invalid Input Error: (JSON|Malformed)/, 'bad_request', 'cannot read the documents of a journal'],
    [CORRUPT, 'corrupt', 'cannot read a file of the store'],
  ];
  const found = kinds.find(([pattern]) => pattern.test(message));
  const [, code, text] = found ?? [undefined, 'io_failed' as const, 'cannot run a statement'];
  return new AppError(code, text, { details: { reason: message.slice(0, 500) } });
}
