/**
 * Journals as the engine keeps them for searches, so that each byte of a journal is parsed once, however often it is
 * searched: a table in memory that grows with the journal, and a Parquet file once the journal is full.
 *
 * A table holds the records of exactly the bytes below `loadedBytes`, always whole lines, because a piece is inserted
 * in one statement. A query waits until the bytes of its snapshot are there. When a journal brings columns, the table
 * gets them too; when a column changes its kind, the table is made anew. Tables and files that nobody uses any more
 * are dropped when their last reader has left; whatever is here can be dropped and made again.
 */
import { AppError } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { pathKey } from './columns.ts';
import { FileLeases } from './file-leases.ts';
import { JOURNAL_FILE_BYTES_MAX } from './journal-writer.ts';
import * as sql from './journal-table-sql.ts';
import type { ReadableSource } from './relation-sql.ts';
import { planJournals } from './relation-sql.ts';
import type { Column, JournalSource } from './segment-engine.ts';
import type { WorkerClient } from './worker-client.ts';

/** Bytes of a journal that are parsed by one statement; a longer line may pass. */
const PIECE_BYTES_MAX = 2 << 20;

/** A journal that one group has made larger than this stays a table. */
const FILE_BYTES_MAX = 16 << 20;

/** Tables take about twice the memory of their journals, so together a quarter of the engine's at most. */
const TABLE_MEMORY_SHARE = 1 / 8;

/** Journals that are remembered; the least used are made again when they are asked for. */
const JOURNALS_MAX = 512;

export interface JournalTablesOptions {
  readonly client: WorkerClient;
  readonly fileSystem: FileSystem;
  /** Of the whole engine. */
  readonly memoryBytesMax: number;
  readonly temporaryDirectory: string;
  /** Of a table or file. */
  readonly columnsMax: number;
}

/** What a journal can be read from until it is released. */
export interface HeldSource {
  readonly source: ReadableSource;
  release(): void;
}

/** A journal as far as it is loaded. */
interface Kept {
  readonly path: string;
  table: string | undefined;
  columns: readonly Column[];
  loadedBytes: number;
  /** The whole journal as a Parquet file. */
  file: string | undefined;
  /** Could not be written as one: it stays a table. */
  hasNoFile: boolean;
  /** One load at a time. */
  queue: Promise<unknown>;
  waiting: number;
}

export class JournalTables {
  readonly #options: JournalTablesOptions;
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>();
  readonly #tables: FileLeases;
  readonly #files: FileLeases;
  #nextName = 1;

  constructor(options: JournalTablesOptions) {
    this.#options = options;
    this.#tables = new FileLeases((name) => void this.#dropTable(name));
    this.#files = new FileLeases((path) => this.#removeFile(path));
  }

  /** Returns what has every record of the journal; the journal itself when it cannot be loaded. */
  async hold(source: JournalSource): Promise<HeldSource> {
    const kept = this.#find(source.path);
    kept.waiting += 1;
    const held = kept.queue.then(() => this.#holdNext(kept, source));
    kept.queue = held.catch(() => undefined);
    try {
      return await held;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'closed') throw error;
      return { source, release: () => undefined };
    } finally {
      kept.waiting -= 1;
    }
  }

  /** Drops what there is of a journal that is gone. */
  forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    // Whoever still waits loads it again, and keeps it for itself alone.
    kept.queue = kept.queue.then(() => this.#drop(kept));
  }

  #find(path: string): Kept {
    let kept = this.#kept.get(path);
    this.#kept.delete(path);
    kept ??= {
      path,
      table: undefined,
      columns: [],
      loadedBytes: 0,
      file: undefined,
      hasNoFile: false,
      queue: Promise.resolve(),
      waiting: 0,
    };
    this.#kept.set(path, kept);
    return kept;
  }

  async #holdNext(kept: Kept, source: JournalSource): Promise<HeldSource> {
    const isFull = source.bytes >= JOURNAL_FILE_BYTES_MAX && source.bytes <= FILE_BYTES_MAX;
    if (kept.file === undefined && kept.table === undefined && isFull) await this.#convert(kept, source);
    if (kept.loadedBytes < source.bytes) await this.#load(kept, source);
    if (kept.file === undefined && isFull) await this.#writeFile(kept, sql.selectTableSql(kept.table ?? ''));
    this.#makeRoom(kept);
    const { file, table, columns } = kept;
    if (file !== undefined) {
      return { source: { kind: 'segment', path: file, columns }, release: this.#files.take([file]) };
    }
    if (table === undefined) return { source, release: () => undefined };
    return { source: { kind: 'table', name: table, columns }, release: this.#tables.take([table]) };
  }

  async #load(kept: Kept, source: JournalSource): Promise<void> {
    const { client, fileSystem } = this.#options;
    const plan = planJournals([source], this.#options.columnsMax);
    const added = kept.table === undefined ? undefined : addedColumns(kept.columns, plan.columns);
    if (added === undefined) {
      this.#drop(kept);
      const name = `journal_${this.#nextName++}`;
      await client.run([sql.createTableSql(name, plan.columns)]);
      kept.table = name;
    } else if (added.length > 0) await client.run(sql.addColumnsSql(kept.table ?? '', added));
    kept.columns = plan.columns;
    const fd = fileSystem.open(source.path, 'r');
    try {
      while (kept.loadedBytes < source.bytes) {
        const text = readLines(fileSystem, fd, kept.loadedBytes, source.bytes);
        const rows = sql.selectLinesSql(source, plan, text);
        await client.run([sql.insertRowsSql(kept.table ?? '', rows)], { text });
        kept.loadedBytes += text.length;
      }
    } finally {
      fileSystem.close(fd);
    }
  }

  /** Makes a file of a full journal that has no table. */
  async #convert(kept: Kept, source: JournalSource): Promise<void> {
    const { fileSystem } = this.#options;
    const plan = planJournals([source], this.#options.columnsMax);
    const fd = fileSystem.open(source.path, 'r');
    let text: Uint8Array;
    try {
      text = readRange(fileSystem, fd, 0, source.bytes);
    } finally {
      fileSystem.close(fd);
    }
    await this.#writeFile(kept, sql.selectLinesSql(source, plan, text), text);
    if (kept.file === undefined) return;
    kept.columns = plan.columns;
    kept.loadedBytes = source.bytes;
  }

  /** Full journals do not grow any more: as a file they take no memory. One that cannot be written is not missed. */
  async #writeFile(kept: Kept, rows: string, text?: Uint8Array): Promise<void> {
    if (kept.hasNoFile) return;
    const { client, temporaryDirectory } = this.#options;
    const file = `${temporaryDirectory}/journal-${this.#nextName++}.parquet`;
    try {
      await client.run([sql.copyRowsSql(rows, file)], { text });
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'closed') throw error;
      kept.hasNoFile = true;
      this.#removeFile(file);
      return;
    }
    const { table } = kept;
    kept.table = undefined;
    kept.file = file;
    if (table !== undefined) this.#tables.doom(table);
  }

  /** Drops the least used tables until the others are within the memory they may take. */
  #makeRoom(current: Kept): void {
    const tableBytesMax = this.#options.memoryBytesMax * TABLE_MEMORY_SHARE;
    let bytes = 0;
    for (const kept of this.#kept.values()) if (kept.table !== undefined) bytes += kept.loadedBytes;
    for (const kept of this.#kept.values()) {
      if (bytes <= tableBytesMax && this.#kept.size <= JOURNALS_MAX) return;
      if (kept === current || kept.waiting > 0) continue;
      if (kept.table === undefined && this.#kept.size <= JOURNALS_MAX) continue;
      if (kept.table !== undefined) bytes -= kept.loadedBytes;
      this.#kept.delete(kept.path);
      this.#drop(kept);
    }
  }

  #drop(kept: Kept): void {
    const { table, file } = kept;
    kept.table = undefined;
    kept.file = undefined;
    kept.loadedBytes = 0;
    if (table !== undefined) this.#tables.doom(table);
    if (file !== undefined) this.#files.doom(file);
  }

  async #dropTable(name: string): Promise<void> {
    // An engine that is closing drops everything.
    await this.#options.client.run([sql.dropTableSql(name)]).catch(() => undefined);
  }

  #removeFile(path: string): void {
    const { fileSystem } = this.#options;
    // What stays here is removed when the store is opened the next time.
    if (fileSystem.stat(path) !== undefined) fileSystem.unlink(path);
  }
}

/** Returns the columns that are new, or undefined when others are gone or have changed. */
function addedColumns(before: readonly Column[], now: readonly Column[]): Column[] | undefined {
  const byName = new Map(now.map((column) => [column.name, column]));
  for (const { name, kind, path } of before) {
    const same = byName.get(name);
    if (same?.kind !== kind || pathKey(same.path) !== pathKey(path)) return undefined;
    byName.delete(name);
  }
  return [...byName.values()];
}

/** Reads whole lines from `start` on: about `PIECE_BYTES_MAX`, at least one, and none beyond `end`. */
function readLines(fileSystem: FileSystem, fd: number, start: number, end: number): Uint8Array {
  for (let length = PIECE_BYTES_MAX; ; length *= 2) {
    const bytes = readRange(fileSystem, fd, start, Math.min(start + length, end));
    if (start + bytes.length === end) return bytes;
    const newline = bytes.lastIndexOf(10);
    if (newline >= 0) return bytes.subarray(0, newline + 1);
  }
}

function readRange(fileSystem: FileSystem, fd: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  let read = 0;
  while (read < bytes.length) {
    const count = fileSystem.read(fd, bytes, read, bytes.length - read, start + read);
    if (count === 0) throw new AppError('io_failed', 'cannot read a journal');
    read += count;
  }
  return bytes;
}
