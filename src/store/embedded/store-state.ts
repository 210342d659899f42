/**
 * Everything the embedded store knows: journals, segments, watermarks, and who reads which file. What a query sees
 * is a snapshot taken in one step; files that disappear from the state are unlinked when the last reader has left.
 */
import type { FileSystem } from '../../base/file-system.ts';
import type { Journal } from '../../base/journal.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import { messageOf } from '../../base/errors.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { TimeRange } from '../store.ts';
import type { CatalogEntry, CatalogState, Segment } from './catalog.ts';
import type { DroppedTally } from './dropped-tally.ts';
import { FileLeases } from './file-leases.ts';
import type { JournalFile } from './journal-file.ts';
import type { SegmentEngine, Source } from './segment-engine.ts';
import type { Watermarks } from './watermarks.ts';

/** A catalog of this size is written anew. */
const CATALOG_BYTES_MAX = 16 << 20;

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

export interface StoreStateOptions {
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly engine: SegmentEngine;
  readonly directory: string;
  readonly catalog: CatalogState;
  readonly catalogJournal: Journal<CatalogEntry>;
  readonly watermarks: Watermarks;
  readonly dropped: DroppedTally;
  readonly journals: readonly JournalFile[];
}

/** A file as one query sees it. */
export interface SnapshotSource {
  readonly source: Source;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly rows: number;
  readonly segment: Segment | undefined;
}

export interface Snapshot {
  readonly sources: readonly SnapshotSource[];
  /** Must be called when the query has ended. */
  release(): void;
}

export class StoreState {
  readonly directory: string;
  readonly catalog: CatalogState;
  readonly watermarks: Watermarks;
  readonly dropped: DroppedTally;
  /** In order; the last one may still be written. */
  journals: JournalFile[];
  readonly leases: FileLeases;
  readonly #options: StoreStateOptions;
  readonly #stop = new AbortController();
  #catalogQueue: Promise<void> = Promise.resolve();

  constructor(options: StoreStateOptions) {
    this.#options = options;
    this.directory = options.directory;
    this.catalog = options.catalog;
    this.watermarks = options.watermarks;
    this.dropped = options.dropped;
    this.journals = [...options.journals];
    this.leases = new FileLeases((path) => this.#unlink(path));
  }

  get segmentDirectory(): string {
    return `${this.directory}/segments`;
  }

  get journalBytes(): number {
    return this.journals.reduce((sum, file) => sum + file.bytes, 0);
  }

  get segmentBytes(): number {
    let sum = 0;
    for (const segment of this.catalog.segments.values()) sum += segment.bytes;
    return sum;
  }

  /** Every file that can hold records of the range, as of now. */
  snapshot(range: TimeRange | undefined): Snapshot {
    const sources: SnapshotSource[] = [];
    const isIn = (minNs: bigint, maxNs: bigint): boolean =>
      range === undefined || (maxNs >= range.startNs && minNs < range.endNs);
    for (const segment of this.catalog.segments.values()) {
      const { minNs, maxNs, rows, columns } = segment;
      if (!isIn(minNs, maxNs)) continue;
      const path = `${this.segmentDirectory}/${segment.path}`;
      sources.push({ source: { kind: 'segment', path, columns }, minNs, maxNs, rows, segment });
    }
    for (const file of this.journals) {
      const { minNs, maxNs, rows } = file;
      if (rows === 0 || !isIn(minNs, maxNs)) continue;
      sources.push({ source: file.source(), minNs, maxNs, rows, segment: undefined });
    }
    const release = this.leases.take(sources.map(({ source }) => source.path));
    return { sources, release };
  }

  /**
   * Applies entries and makes them durable, one caller after the other. When the disk refuses them, the whole
   * catalog is written anew until it takes it: what a failed sync has left on the disk is not known. Returns false
   * when the store was closed first; then the files of both states must stay.
   */
  commit(entries: readonly CatalogEntry[]): Promise<boolean> {
    for (const entry of entries) this.catalog.apply(entry);
    const result = this.#catalogQueue.then(() => this.#persist(entries));
    this.#catalogQueue = result.then(() => undefined);
    return result;
  }

  /** Ends waiting for the disk. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#catalogQueue;
    this.#options.catalogJournal.close();
  }

  async #persist(entries: readonly CatalogEntry[]): Promise<boolean> {
    const { catalogJournal } = this.#options;
    try {
      if (catalogJournal.bytes > CATALOG_BYTES_MAX) await catalogJournal.replace(this.catalog.entries());
      else {
        for (const entry of entries) catalogJournal.append(entry);
        await catalogJournal.sync();
      }
      return true;
    } catch (error) {
      return this.#persistAnew(error);
    }
  }

  async #persistAnew(first: unknown): Promise<boolean> {
    const { catalogJournal, scheduler, telemetry } = this.#options;
    const reason = messageOf(first);
    telemetry.log('error', 'store_catalog_failed', 'The catalog cannot be written; trying again.', {
      reason,
    });
    for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
      await scheduler.sleep(delayMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return false;
      try {
        await catalogJournal.replace(this.catalog.entries());
        return true;
      } catch (error) {
        telemetry.log('debug', 'store_catalog_failed', 'The catalog cannot be written.', {
          reason: messageOf(error),
        });
      }
    }
  }

  #unlink(path: string): void {
    this.#options.engine.forget(path);
    try {
      this.#options.fileSystem.unlink(path);
    } catch (error) {
      // The file is not part of the store any more: the next start removes it.
      const reason = messageOf(error);
      this.#options.telemetry.log('warn', 'store_unlink_failed', `Cannot remove ${path}.`, { reason });
    }
  }
}
