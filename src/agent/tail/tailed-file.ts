/**
 * One life of one file: from when it was found, through renames, to when its last byte is acknowledged.
 *
 * Phases:
 *   unidentified   open, and its first line is not whole yet (or an archive that is not looked into yet)
 *   reading        open and identified
 *   resting        not open: everything is read and acknowledged, or it was just loaded from the checkpoint
 *   orphaned       its content is not where it was: a copy or a compressed file may continue it
 *   done           nothing of it will be read any more; remembered as long as one of its inodes has a name
 *
 * A truncated file begins a new life with the next generation, because its offsets begin anew.
 */
import type { Decoder } from '../../capture/decoder-types.ts';
import type { LedgerGap } from '../../record/ledger.ts';
import type { LayoutFile } from '../discovery/layout.ts';
import { lastingRotationOf, type Rotation } from '../discovery/rotated-name.ts';
import type { FileCheckpoint, Fingerprint } from '../ship/checkpoint-store.ts';
import type { FileProgress } from '../ship/ship-state.ts';
import type { ArchiveReader } from './archive-reader.ts';
import { EarlierMarks } from './earlier-marks.ts';
import { endOf, MARK_BYTES } from './fingerprint.ts';
import { ReplayState } from './replay-state.ts';
import type { Skip } from './skips.ts';

export type FilePhase = 'unidentified' | 'reading' | 'resting' | 'orphaned' | 'done';

const TRUNCATED = 'the file was truncated';

const COPIED = 'the file was truncated; what was written after its copy was made is not in the copy';

/** Gaps kept per file; further ones widen the last. */
const GAPS_MAX = 64;

/** Copies of one file that are known by their ends; a logrotate that works makes one. */
const COPY_ENDS_MAX = 8;

/** A file that stands in a directory now. */
export interface Observed {
  readonly file: LayoutFile;
  readonly inode: string;
  readonly birthNs: string;
  readonly size: number;
  readonly modifiedNs: bigint;
}

/** Names a file by inode and birth: an inode that is used again is another file. */
export function aliasOf(file: { readonly inode: string; readonly birthNs: string }): string {
  return `${file.inode}@${file.birthNs}`;
}

export interface NewFile {
  readonly path: string;
  readonly inode: string;
  readonly birthNs: string;
  readonly generation: number;
  readonly rotation: Rotation | undefined;
  readonly modifiedNs: bigint;
}

export class TailedFile {
  path: string;
  inode: string;
  birthNs: string;
  readonly generation: number;
  rotation: Rotation | undefined;
  modifiedNs: bigint;
  compression: 'gz' | 'zst' | undefined;
  phase: FilePhase = 'unidentified';
  /** Place among the files of the group: the greater the younger. */
  order = 0;

  id: string | undefined;
  head: Fingerprint | undefined;
  /** The first bytes, compared after every read; empty until the next read after a restart. */
  headBytes: Uint8Array = new Uint8Array(0);
  /** The last bytes that were read, up to `MARK_BYTES`. */
  readonly markBytes = new Uint8Array(MARK_BYTES);
  markLength = 0;
  /** Marks of read offsets before the last one, as far as this run has read. */
  readonly earlierMarks = new EarlierMarks();
  /** The mark of the checkpoint until the file is read again. */
  savedMark: Fingerprint | undefined;
  /** Marks of earlier read offsets that the checkpoint knows, by offset. */
  savedMarks: readonly Fingerprint[] = [];
  /** The last bytes of its copies, by which they are known again when they were compressed. */
  copyEnds: readonly Fingerprint[] = [];
  /** Aliases (`aliasOf`) of what stands in the directory and has the same content, or is not to be collected. */
  readonly also = new Set<string>();
  /** Aliases of what was not to be collected beside it when its checkpoint was written. */
  unwanted: readonly string[] = [];

  fd: number | undefined;
  archive: ArchiveReader | undefined;
  decoder: Decoder | undefined;
  progress: FileProgress | undefined;
  replay = new ReplayState([], [], true);
  readOffset = 0;
  /** Size when last seen. */
  size = 0;
  /** Size when bytes were last accepted: what is known to have been written of this life. */
  verifiedSize = 0;
  /** Below this offset an earlier run may have delivered records that its checkpoint does not know of. */
  unsureUntil = 0;
  gaps: LedgerGap[] = [];
  /** How many of them were sent as documents by this run. */
  gapsTold = 0;
  /** What will not be read although it stands behind the read offset, in order. */
  skips: Skip[] = [];
  /** Whether it was asked if the file has holes, and may have one behind the read offset. */
  isHoleChecked = false;
  mayHaveHoles = false;
  ledgerSequence = 0;

  isListed = true;
  /** No name is left, or none in the directory that is observed. */
  isUnlinked = false;
  /** Smaller than what was read: to be decided on by the next turn. */
  isShrunk = false;
  /** The content was cut away under the same inode, and the last gap may still shrink by what a copy of it holds. */
  isTruncated = false;
  /** A checkpoint that was not yet compared with the file of its inode. */
  isUnverified = false;
  /** The archive's head is being read. */
  isProbing = false;
  /** An archive was found that a processor made of it. */
  isProcessed = false;
  /** Everything pending was given out because no more will come. */
  isFlushed = false;
  isCheckpointed = false;
  /** Not to be read before: reading failed, or the first line is not whole. */
  retryAtMs = 0;
  /** Times in a row that opening or reading failed, and when it failed first; 0 when it did not. */
  failures = 0;
  failingSinceMs = 0;
  /** The last of them. */
  failure: unknown;
  /** Why its size could not be looked at last time; undefined when it could. */
  measureError: unknown;
  /** Bytes that will never be read; accounted for once everything before them is acknowledged. */
  pendingGap: LedgerGap | undefined;
  /** Attempts to read an archive that broke off. */
  archiveFailures = 0;
  /** Modification time when last measured. */
  measuredNs = -1n;
  /** Monotonic milliseconds. */
  lastReadMs = 0;
  unlistedMs = 0;
  ledgerOffset = -1;
  ledgerSize = -1;
  hasFinalLedger = false;

  constructor(facts: NewFile) {
    this.path = facts.path;
    this.inode = facts.inode;
    this.birthNs = facts.birthNs;
    this.generation = facts.generation;
    this.rotation = facts.rotation;
    this.modifiedNs = facts.modifiedNs;
  }

  get isActive(): boolean {
    return this.rotation === undefined && this.isListed;
  }

  get acknowledgedOffset(): number {
    return this.progress?.acknowledgedOffset ?? 0;
  }

  /** Whether bytes are known to be there that were not read. */
  get hasUnread(): boolean {
    if (this.archive !== undefined) return this.archive.hasBytes;
    if (this.isAtSkip) return false;
    return this.fd !== undefined && this.size > this.readOffset;
  }

  /** Whether what comes next is skipped once everything before it is acknowledged. */
  get isAtSkip(): boolean {
    const skip = this.skips[0];
    return skip !== undefined && skip.startOffset <= this.readOffset;
  }

  /** Whether every byte that was read is accounted for. */
  get isSettled(): boolean {
    return this.acknowledgedOffset >= this.readOffset && (this.progress?.queue.length ?? 0) === 0;
  }

  /** Gaps that stay as they are: that of a truncation is open until its copy was looked for. */
  get settledGaps(): readonly LedgerGap[] {
    return this.isTruncated ? this.gaps.slice(0, -1) : this.gaps;
  }

  /** Whether the file was truncated and a copy of it is read instead. */
  get isReadInCopy(): boolean {
    return this.gaps.some(({ reason }) => reason === COPIED);
  }

  /** Takes over where the file stands now. */
  observe(observed: Observed): void {
    const { file } = observed;
    if (file.path !== this.path) {
      this.path = file.path;
      this.decoder?.setPath(file.path);
    }
    this.rotation = file.rotated.rotation;
    this.modifiedNs = observed.modifiedNs;
    this.isListed = true;
    this.isUnlinked = false;
    this.unlistedMs = 0;
  }

  /** Notes that opening or reading failed at `nowMs`, and that it is not tried again before `retryAtMs`. */
  noteFailure(error: unknown, nowMs: number, retryAtMs: number): void {
    this.failure = error;
    this.failures++;
    if (this.failingSinceMs === 0) this.failingSinceMs = Math.max(nowMs, 1);
    this.retryAtMs = retryAtMs;
  }

  noteSuccess(): void {
    this.failures = 0;
    this.failingSinceMs = 0;
    this.retryAtMs = 0;
  }

  /** Remembers the last bytes of a run that ends at the read offset. */
  remember(bytes: Uint8Array): void {
    const startOffset = this.readOffset - bytes.length;
    if (this.markLength === 0) this.#keepSavedMarks(startOffset);
    // The first line alone tells nothing, because others may begin with it too.
    const headLength = this.head?.length ?? 0;
    // What is the mark until now becomes an earlier one.
    if (startOffset > headLength)
      this.earlierMarks.note(startOffset, this.markBytes.subarray(0, this.markLength));
    // Only the active file is copied and truncated.
    const isFirst = this.markLength === 0 || startOffset <= headLength;
    if (isFirst && this.rotation === undefined)
      this.earlierMarks.noteWithin(startOffset, bytes, headLength - startOffset);
    if (bytes.length >= MARK_BYTES) {
      this.markBytes.set(bytes.subarray(bytes.length - MARK_BYTES));
      this.markLength = MARK_BYTES;
      return;
    }
    const kept = Math.min(this.markLength, MARK_BYTES - bytes.length);
    this.markBytes.copyWithin(0, this.markLength - kept, this.markLength);
    this.markBytes.set(bytes, kept);
    this.markLength = kept + bytes.length;
  }

  /** Remembers the last bytes of a copy; the oldest are forgotten when there are too many. */
  noteCopyEnd(end: Fingerprint): void {
    const others = this.copyEnds.filter(({ hash, offset }) => hash !== end.hash || offset !== end.offset);
    this.copyEnds = [...others, end].slice(-COPY_ENDS_MAX);
  }

  /** Notes that its checkpoint is written. */
  noteCheckpointed(): void {
    this.isCheckpointed = true;
    this.replay.settleFresh();
    this.earlierMarks.settleFresh();
  }

  /** What lies behind `readOffset` is read again, and may be other bytes after a power loss. */
  #keepSavedMarks(readOffset: number): void {
    const { savedMark, head } = this;
    const isEarlier = savedMark !== undefined && endOf(savedMark) > (head?.length ?? 0);
    const saved = isEarlier ? [...this.savedMarks, savedMark] : this.savedMarks;
    this.savedMarks = saved.filter((mark) => endOf(mark) <= readOffset);
    this.savedMark = undefined;
  }

  /**
   * Notes that the content was cut away. Nobody knows what was written between the last look and the cut, so it is a
   * possible loss also when everything that was seen is read.
   */
  noteTruncation(time: string): void {
    const endOffset = Math.max(this.size, this.readOffset);
    const { path, readOffset: startOffset } = this;
    this.addGap({ kind: 'possible_loss', startOffset, endOffset, reason: TRUNCATED, time, path });
    this.isTruncated = true;
  }

  /**
   * Takes out of the gap of the truncation what a copy holds, which ends at `endOffset`. Returns how many bytes are
   * known to have been written and are not in it.
   */
  settleTruncation(endOffset: number): number {
    const gap = this.gaps.at(-1);
    if (!this.isTruncated || gap === undefined) return 0;
    this.isTruncated = false;
    const lostEnd = Math.max(endOffset, gap.endOffset);
    this.gaps[this.gaps.length - 1] = { ...gap, startOffset: endOffset, endOffset: lostEnd, reason: COPIED };
    return lostEnd - endOffset;
  }

  /** Takes the place of the gap of a truncation, when that is open. */
  addFinalGap(gap: LedgerGap): void {
    if (this.isTruncated) this.gaps.pop();
    this.isTruncated = false;
    this.addGap(gap);
  }

  /** Notes what was cut away before the file was read, whole lines or not: nothing else will tell of it. */
  loseBeginning(time: string): void {
    const reason = 'the file was truncated before anything of it was read';
    const { path, size: endOffset } = this;
    if (endOffset > 0) this.addGap({ kind: 'possible_loss', startOffset: 0, endOffset, reason, time, path });
    this.size = 0;
  }

  addGap(gap: LedgerGap): void {
    const last = this.gaps.at(-1);
    if (this.gaps.length < GAPS_MAX || last === undefined) this.gaps.push(gap);
    else this.gaps[GAPS_MAX - 1] = { ...last, endOffset: gap.endOffset };
  }
}

/** Makes the file that a checkpoint tells of; it rests until it is found. */
export function restoreFile(saved: FileCheckpoint, isStampless: boolean): TailedFile {
  const file = new TailedFile({
    path: saved.path,
    inode: saved.inode,
    birthNs: saved.birthNs,
    generation: saved.generation,
    // Its date says which files are older, also once it was compressed and has no name any more.
    rotation: lastingRotationOf(saved.path.slice(saved.path.lastIndexOf('/') + 1)),
    modifiedNs: 0n,
  });
  file.phase = saved.isComplete ? 'done' : 'resting';
  file.id = saved.id;
  file.order = saved.order;
  file.head = saved.head;
  file.savedMark = saved.mark;
  file.savedMarks = saved.marks ?? [];
  file.copyEnds = saved.copyEnds ?? [];
  for (const inode of saved.also) file.also.add(inode);
  file.unwanted = saved.unwanted ?? [];
  file.replay = new ReplayState(saved.times, saved.cuts, isStampless);
  file.readOffset = saved.acknowledgedOffset;
  file.size = saved.size;
  file.verifiedSize = saved.size;
  file.unsureUntil = Number.POSITIVE_INFINITY;
  file.gaps = [...saved.gaps];
  file.skips = [...(saved.skips ?? [])];
  file.isTruncated = saved.isTruncated === true;
  file.ledgerSequence = saved.ledgerSequence;
  file.compression = saved.isArchive ? 'gz' : undefined;
  file.isListed = false;
  file.isUnverified = true;
  file.isCheckpointed = true;
  file.pendingGap = unappliedGapOf(saved);
  if (file.pendingGap !== undefined) file.phase = 'done';
  return file;
}

/** Returns the gap that ends a file and is not accounted for: the agent was killed between noting it and that. */
function unappliedGapOf(saved: FileCheckpoint): LedgerGap | undefined {
  const last = saved.gaps.at(-1);
  if (last === undefined || saved.isTruncated === true || saved.acknowledgedOffset >= saved.size)
    return undefined;
  return last.startOffset === saved.acknowledgedOffset && last.endOffset === saved.size ? last : undefined;
}
