/**
 * The catalog: which segments the store has, and what is known of files beyond the journals that are still there.
 * It is an append-only journal (base/journal.ts) of the entries below; one entry is one transaction.
 */
import type { ColumnKind } from './segment-engine.ts';
import type { Column, NewSegment } from './segment-engine.ts';
import type { LaneOffsets } from './commit-line.ts';
import type { EncodedDropped } from './dropped-tally.ts';
import { DroppedTally } from './dropped-tally.ts';
import { restoreColumns } from './columns.ts';
import { Watermarks } from './watermarks.ts';

export const CATALOG_VERSION = 1;

export type StoredColumns = readonly (readonly [string, ColumnKind])[];

export interface StoredSegment {
  /** Below the directory of segments. */
  readonly path: string;
  /** Number of the list of columns, told in an entry `columns`. */
  readonly columns: number;
  readonly rows: number;
  readonly bytes: number;
  readonly minNs: string;
  readonly maxNs: string;
  /** When it was written, milliseconds since the epoch: retention counts from here or from its records. */
  readonly sealedMs: number;
  readonly namespaces: Readonly<Record<string, number>>;
  readonly levels: Readonly<Record<string, number>>;
}

/** Count and sum of distinct offsets (decimal) of records that retention removed. */
export type StoredExpired = Readonly<Record<string, readonly [number, string]>>;

export type CatalogEntry =
  | { readonly kind: 'columns'; readonly id: number; readonly columns: StoredColumns }
  | {
      readonly kind: 'sealed';
      /** Journals up to this one are in segments. */
      readonly throughJournal: number;
      /** Number of the last commit in them. */
      readonly commitSequence: number;
      /** The next free resource number. */
      readonly nextResource: number;
      readonly segments: readonly StoredSegment[];
      readonly watermarks: Readonly<Record<string, LaneOffsets>>;
      /** What is added. */
      readonly dropped: Readonly<Record<string, EncodedDropped>>;
    }
  | {
      readonly kind: 'replaced';
      readonly removed: readonly string[];
      readonly added: readonly StoredSegment[];
    }
  | { readonly kind: 'expired'; readonly removed: readonly string[]; readonly expired: StoredExpired }
  | {
      readonly kind: 'quarantined';
      readonly removed: readonly string[];
      readonly path: string;
      readonly reason: string;
      /** What the catalog knew of it, if it was a segment: with that it can be taken back. */
      readonly segment?: StoredSegment;
    }
  | {
      /** A file of the quarantine was taken back, or is gone. */
      readonly kind: 'released';
      readonly path: string;
      readonly added: readonly StoredSegment[];
    };

/** A file that was set aside. */
export interface QuarantinedFile {
  readonly path: string;
  readonly reason: string;
  /** Undefined for parts of journals, and for damaged catalogs and ledgers. */
  readonly segment: StoredSegment | undefined;
}

export interface Segment {
  readonly path: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly bytes: number;
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly sealedMs: number;
  readonly namespaces: Readonly<Record<string, number>>;
  readonly levels: Readonly<Record<string, number>>;
}

export interface ExpiredFile {
  readonly count: number;
  readonly sum: bigint;
}

/** What the entries add up to. */
export class CatalogState {
  readonly segments = new Map<string, Segment>();
  /** By path, oldest first. */
  readonly quarantined = new Map<string, QuarantinedFile>();
  readonly expired = new Map<string, ExpiredFile>();
  readonly watermarks = new Watermarks();
  readonly dropped = new DroppedTally();
  /** -1 before the first entry. */
  throughJournal = -1;
  commitSequence = 0;
  nextResource = 1;
  readonly #columns = new Map<number, readonly Column[]>();
  readonly #columnIds = new Map<string, number>();

  apply(entry: CatalogEntry): void {
    switch (entry.kind) {
      case 'columns':
        this.#columns.set(entry.id, restoreColumns(entry.columns));
        this.#columnIds.set(JSON.stringify(entry.columns), entry.id);
        return;
      case 'sealed':
        this.#applySealed(entry);
        return;
      case 'expired':
        for (const [fileId, [count, sum]] of Object.entries(entry.expired))
          this.#addExpired(fileId, count, sum);
        this.#replace(entry.removed, []);
        return;
      case 'quarantined':
        this.quarantined.set(entry.path, { ...entry, segment: entry.segment });
        this.#replace(entry.removed, []);
        return;
      case 'released':
        this.quarantined.delete(entry.path);
        this.#replace([], entry.added);
        return;
      case 'replaced':
        this.#replace(entry.removed, entry.added);
        return;
    }
  }

  /** Returns the entries that must be appended so that a new segment can be stored, and the segment. */
  store(
    segment: NewSegment,
    bytes: number,
    sealedMs: number,
  ): { entries: CatalogEntry[]; stored: StoredSegment } {
    const stored: StoredColumns = segment.columns.map((column) => [column.name, column.kind]);
    const key = JSON.stringify(stored);
    const known = this.#columnIds.get(key);
    const id = known ?? this.#columns.size + 1;
    const { path, rows, minNs, maxNs, namespaces, levels } = segment;
    return {
      entries: known === undefined ? [{ kind: 'columns', id, columns: stored }] : [],
      stored: {
        path,
        columns: id,
        rows,
        bytes,
        minNs: String(minNs),
        maxNs: String(maxNs),
        sealedMs,
        namespaces,
        levels,
      },
    };
  }

  /** The entries of a snapshot. */
  *entries(): Iterable<CatalogEntry> {
    for (const [key, id] of this.#columnIds)
      yield { kind: 'columns', id, columns: JSON.parse(key) as StoredColumns };
    yield {
      kind: 'sealed',
      throughJournal: this.throughJournal,
      commitSequence: this.commitSequence,
      nextResource: this.nextResource,
      segments: [...this.segments.values()].map((segment) => this.toStored(segment)),
      watermarks: Object.fromEntries(this.watermarks.entries()),
      dropped: this.dropped.encodeAll(),
    };
    const expired = [...this.expired].map(
      ([fileId, { count, sum }]) => [fileId, [count, String(sum)] as const] as const,
    );
    yield { kind: 'expired', removed: [], expired: Object.fromEntries(expired) };
    for (const { path, reason, segment } of this.quarantined.values()) {
      const known = segment === undefined ? {} : { segment };
      yield { kind: 'quarantined', removed: [], path, reason, ...known };
    }
  }

  /** Returns the segment that an entry tells. */
  restore(stored: StoredSegment): Segment {
    const columns = this.#columns.get(stored.columns) ?? [];
    return { ...stored, columns, minNs: BigInt(stored.minNs), maxNs: BigInt(stored.maxNs) };
  }

  /** Returns a segment of the catalog as its entries tell it. */
  toStored(segment: Segment): StoredSegment {
    const { minNs, maxNs, columns, ...rest } = segment;
    const key = JSON.stringify(columns.map((column) => [column.name, column.kind]));
    return { ...rest, columns: this.#columnIds.get(key) ?? 0, minNs: String(minNs), maxNs: String(maxNs) };
  }

  #applySealed(entry: Extract<CatalogEntry, { kind: 'sealed' }>): void {
    // A failed sync may have left an entry that was then written again in another form: the first one holds.
    if (entry.throughJournal <= this.throughJournal) return;
    this.throughJournal = entry.throughJournal;
    this.commitSequence = Math.max(this.commitSequence, entry.commitSequence);
    this.nextResource = Math.max(this.nextResource, entry.nextResource);
    for (const [fileId, offsets] of Object.entries(entry.watermarks)) this.watermarks.set(fileId, offsets);
    for (const [fileId, dropped] of Object.entries(entry.dropped)) this.dropped.merge(fileId, dropped);
    this.#replace([], entry.segments);
  }

  #addExpired(fileId: string, count: number, sum: string): void {
    const before = this.expired.get(fileId) ?? { count: 0, sum: 0n };
    this.expired.set(fileId, { count: before.count + count, sum: before.sum + BigInt(sum) });
  }

  #replace(removed: readonly string[], added: readonly StoredSegment[]): void {
    for (const path of removed) this.segments.delete(path);
    for (const stored of added) this.segments.set(stored.path, this.restore(stored));
  }
}
