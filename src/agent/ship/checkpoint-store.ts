/**
 * What an agent must remember of the files that it follows, in an append-only journal (`base/journal.ts`) named
 * `checkpoints` in the agent's data directory.
 *
 * Entries, one line each:
 *   { "kind": "files", "files": [ … ] }   all commits of one flush, so that a record that spans two files is
 *                                         committed in both or in neither
 *   { "kind": "holds", "holds": [ … ] }   what has to be repeated exactly when bytes are read again: the times that
 *                                         lines without a stamp were given, and where patience cut a record.
 *                                         Appended before the batches leave
 *   { "kind": "gone", "ids": [ … ] }      files that are gone and acknowledged
 *
 * The journal is compacted into a snapshot when it has grown beyond what lives in it.
 */
import type { FileSystem } from '../../base/file-system.ts';
import { type Journal, openJournal } from '../../base/journal.ts';
import type { DropReason } from '../../record/drop-reason.ts';
import type { FlawCounts } from '../../record/flaw.ts';
import type { LedgerGap } from '../../record/ledger.ts';
import { leastMissed, PLACES_MAX } from '../tail/earlier-marks.ts';
import { endOf } from '../tail/fingerprint.ts';
import type { Skip } from '../tail/skips.ts';

/** Bytes below which compacting is not worth a sync. */
const SNAPSHOT_BYTES_MIN = 4 * 1024 * 1024;

/** The journal may grow to this multiple of what a snapshot would hold. */
const SNAPSHOT_GROWTH = 4;
const ENTRY_BYTES_TYPICAL = 768;

const JOURNAL_VERSION = 1;

/** Bytes of the file that were seen, by which it is recognised: SHA-256, the first 16 bytes in hexadecimal. */
export interface Fingerprint {
  /** Where the bytes begin. */
  readonly offset: number;
  readonly length: number;
  readonly hash: string;
}

/** Bytes up to `endOffset`, from where the previous range ended, were read at `timeNs` (decimal). */
export interface ReadTime {
  readonly endOffset: number;
  readonly timeNs: string;
}

/** All that was pending when `offset` had been read was given out there. */
export interface Cut {
  readonly offset: number;
  readonly cause: 'idle' | 'gone';
}

export interface FileOwner {
  /** Kind of the source. */
  readonly source: string;
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
}

export interface FileCheckpoint {
  readonly id: string;
  /** Key of the group, and what its path says. */
  readonly group: string;
  readonly owner: FileOwner;
  readonly path: string;
  /** `device:inode`. */
  readonly inode: string;
  readonly birthNs: string;
  readonly generation: number;
  /** Place among the files of the group. */
  readonly order: number;
  readonly head: Fingerprint;
  /** The last bytes that were read. */
  readonly mark: Fingerprint | undefined;
  /**
   * Bytes before earlier read offsets, by offset. Absent in an entry: those of the entries before, and their `mark`, as
   * far as they end before this one's.
   */
  readonly marks?: readonly Fingerprint[];
  /** The last bytes of its copies; absent where none is known. */
  readonly copyEnds?: readonly Fingerprint[];
  /** `device:inode@birth` of others with the same content: copies, compressed ones, what a processor made of it. */
  readonly also: readonly string[];
  /** The same of what stands beside it and is not collected; absent where nothing does. */
  readonly unwanted?: readonly string[];
  readonly isArchive: boolean;
  /** Read to its end, given out, acknowledged; only the names are still there. */
  readonly isComplete: boolean;
  /** Size when last seen. */
  readonly size: number;
  readonly readOffset: number;
  readonly acknowledgedOffset: number;
  readonly records: number;
  readonly offsetSum: string;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** What was odd about the records; absent in checkpoints of earlier versions. */
  readonly flaws?: FlawCounts;
  readonly gaps: readonly LedgerGap[];
  /** What was given up behind the read offset; absent where nothing was. */
  readonly skips?: readonly Skip[];
  /** Whether the last gap is that of a truncation whose copy may still be found. */
  readonly isTruncated?: boolean;
  readonly ledgerSequence: number;
  readonly times: readonly ReadTime[];
  readonly cuts: readonly Cut[];
}

/** How far a file is done with, and what of the rest is given up. */
export type DurableProgress = Pick<FileCheckpoint, 'acknowledgedOffset' | 'skips'>;

export interface Hold {
  readonly id: string;
  readonly times: readonly ReadTime[];
  readonly cuts: readonly Cut[];
}

type Entry =
  | { readonly kind: 'files'; readonly files: readonly FileCheckpoint[] }
  | { readonly kind: 'holds'; readonly holds: readonly Hold[] }
  | { readonly kind: 'gone'; readonly ids: readonly string[] };

export interface OpenedCheckpoints {
  readonly store: CheckpointStore;
  readonly files: ReadonlyMap<string, FileCheckpoint>;
  readonly damage: { readonly reason: string; readonly keptAs: string } | undefined;
}

/** Opens the checkpoints in `directory`, which is created; throws `corrupt` when the snapshot cannot be read. */
export async function openCheckpoints(fileSystem: FileSystem, directory: string): Promise<OpenedCheckpoints> {
  const opened = await openJournal<Entry>({
    fileSystem,
    directory,
    name: 'checkpoints',
    version: JOURNAL_VERSION,
  });
  const files = new Map<string, FileCheckpoint>();
  for (const entry of opened.entries) applyEntry(files, entry);
  return { store: new CheckpointStore(opened.journal, files), files, damage: opened.damage };
}

export class CheckpointStore {
  readonly #journal: Journal<Entry>;
  readonly #files: Map<string, FileCheckpoint>;
  /** Appended while a snapshot was being written, perhaps too late to be in it. */
  readonly #late: Entry[] = [];
  /** What is on the disk of each file, and what is written and not synced yet. */
  readonly #durable = new Map<string, DurableProgress>();
  #unsynced: Map<string, DurableProgress>;
  #isCompacting = false;
  #written = 0;
  #synced = 0;

  constructor(journal: Journal<Entry>, files: Map<string, FileCheckpoint>) {
    this.#journal = journal;
    this.#files = files;
    // What was read from the journal may have been in the page cache alone.
    this.#unsynced = new Map(files);
  }

  /** How many entries were appended. */
  get written(): number {
    return this.#written;
  }

  /** How many of them survive the machine. */
  get synced(): number {
    return this.#synced;
  }

  /** Appends what must be repeated when bytes are read again, to the page cache; throws the system's error. */
  hold(holds: readonly Hold[]): void {
    this.#append({ kind: 'holds', holds });
  }

  /** Appends commits and what is gone, to the page cache; throws the system's error, and can be repeated. */
  commit(files: readonly FileCheckpoint[], gone: readonly string[]): void {
    if (files.length > 0) this.#append({ kind: 'files', files });
    for (const { id, acknowledgedOffset, skips } of files) {
      this.#unsynced.set(id, { acknowledgedOffset, ...(skips === undefined ? {} : { skips }) });
    }
    if (gone.length > 0) this.#append({ kind: 'gone', ids: gone });
    for (const id of gone) {
      this.#durable.delete(id);
      this.#unsynced.delete(id);
    }
  }

  /** Makes what was appended survive the machine. */
  async sync(): Promise<void> {
    if (this.#isCompacting) return;
    const synced = this.#unsynced;
    const written = this.#written;
    this.#unsynced = new Map();
    try {
      await this.#journal.sync();
    } catch (error) {
      this.#unsynced = new Map([...synced, ...this.#unsynced]);
      throw error;
    }
    this.#synced = written;
    for (const [id, progress] of synced) if (this.#files.has(id)) this.#durable.set(id, progress);
  }

  /** Whether something was appended since the last sync began. */
  get hasUnsynced(): boolean {
    return this.#unsynced.size > 0;
  }

  /** What is known of a file even after a power loss; undefined when nothing is. */
  durableProgress(id: string): DurableProgress | undefined {
    return this.#durable.get(id);
  }

  /** Whether the journal is much larger than what lives in it. */
  get isOutgrown(): boolean {
    const liveBytes = this.#files.size * ENTRY_BYTES_TYPICAL * SNAPSHOT_GROWTH;
    return !this.#isCompacting && this.#journal.bytes > Math.max(SNAPSHOT_BYTES_MIN, liveBytes);
  }

  /** Replaces the journal by a snapshot. No sync may be under way, and no batch leave, until it settles. */
  async compact(): Promise<void> {
    this.#isCompacting = true;
    try {
      await this.#journal.replace(snapshotEntries(this.#files));
    } finally {
      this.#isCompacting = false;
    }
    for (const entry of this.#late.splice(0)) this.#journal.append(entry);
  }

  close(): void {
    this.#journal.close();
  }

  #append(entry: Entry): void {
    this.#journal.append(entry);
    this.#written++;
    applyEntry(this.#files, entry);
    if (this.#isCompacting) this.#late.push(entry);
  }
}

function* snapshotEntries(files: ReadonlyMap<string, FileCheckpoint>): Generator<Entry> {
  // A file per line: a snapshot is read as a whole, so it needs no lines that belong together.
  for (const file of files.values()) yield { kind: 'files', files: [file] };
}

function applyEntry(files: Map<string, FileCheckpoint>, entry: Entry): void {
  switch (entry.kind) {
    case 'files':
      for (const file of entry.files) files.set(file.id, withEarlierMarks(file, files.get(file.id)));
      return;
    case 'gone':
      for (const id of entry.ids) files.delete(id);
      return;
    case 'holds':
      for (const hold of entry.holds) addHold(files, hold);
  }
}

/** Every entry has the mark of its moment, so that journaling earlier ones costs nothing. */
function withEarlierMarks(file: FileCheckpoint, before: FileCheckpoint | undefined): FileCheckpoint {
  const marks = [...(file.marks ?? marksBefore(file, before))];
  while (marks.length > PLACES_MAX) marks.splice(leastMissed(marks.map(endOf)), 1);
  if (marks.length > 0) return { ...file, marks };
  const { marks: _, ...rest } = file;
  return rest;
}

/** Returns what the entry before knows of bytes that end before those of the mark. */
function marksBefore(file: FileCheckpoint, before: FileCheckpoint | undefined): Fingerprint[] {
  if (before === undefined) return [];
  const readEnd = file.mark === undefined ? file.readOffset : endOf(file.mark);
  const isEarlier = before.mark !== undefined && endOf(before.mark) > before.head.length;
  const earlier = isEarlier ? [before.mark] : [];
  return [...(before.marks ?? []), ...earlier].filter((mark) => endOf(mark) < readEnd);
}

function addHold(files: Map<string, FileCheckpoint>, hold: Hold): void {
  const file = files.get(hold.id);
  if (file === undefined) return;
  files.set(hold.id, { ...file, times: [...file.times, ...hold.times], cuts: [...file.cuts, ...hold.cuts] });
}
