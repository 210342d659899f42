/**
 * Moves files through their phases when nothing is read: patience for multiline records, files without a name,
 * orphans, gaps, resting. Called now and then for the groups where something may be due.
 */
import { isMoved, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { DropReason } from '../../record/drop-reason.ts';
import type { LedgerGap } from '../../record/ledger.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { FileGroup } from './file-group.ts';
import type { FileReader } from './file-reader.ts';
import { applySkip } from './skips.ts';
import type { TailContext } from './tail-context.ts';
import type { TailedFile } from './tailed-file.ts';

/** How long a nameless file is held at its end: with its directory gone, with a successor, and without either. */
const LINGER_MS = { directoryGone: 1500, succeeded: 10_000, alone: 300_000 } as const;

/** A deleted file that nothing can follow gives out its unfinished last line after this time without growth. */
const ABANDONED_MS = 1000;

/** How long a truncated or vanished file's content is looked for in a copy or an archive. */
const ORPHAN_MS = 2000;
const ORPHAN_UNREADABLE_MS = 60_000;

/** A rotated file that is read and acknowledged is closed after this time without growth. */
const REST_MS = 30_000;

/** Attempts to read on in an archive that breaks off, one per rescan. */
const ARCHIVE_FAILURES_MAX = 20;

export class FileLifecycle {
  readonly #context: TailContext;
  readonly #reader: FileReader;

  constructor(context: TailContext, reader: FileReader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** Does what is due for the files of a group; returns whether more will be due without anything happening. */
  tend(group: FileGroup, nowMs: number): boolean {
    let isPending = false;
    for (const file of group.files) {
      this.#tendFile(group, file, nowMs);
      isPending ||= isAttentionDue(group, file, this.#context);
    }
    group.files = group.files.filter((file) => !isForgotten(file));
    return isPending;
  }

  /** Gives up the rest of a file: what was not read and is known to have been written becomes a gap. */
  giveUp(group: FileGroup, file: TailedFile, gap: { kind: LedgerGap['kind']; reason: string }): void {
    this.#reader.flush(group, file, 'gone');
    file.isFlushed = true;
    this.closeFile(file);
    file.pendingGap = {
      kind: gap.kind,
      startOffset: file.readOffset,
      endOffset: Math.max(file.size, file.readOffset),
      reason: gap.reason,
      time: formatTimestamp(this.#context.scheduler.nowNs()),
      path: file.path,
    };
    file.addFinalGap(file.pendingGap);
    file.phase = 'done';
    const { telemetry, noteChange } = this.#context;
    const lost = file.pendingGap.endOffset - file.pendingGap.startOffset;
    const what = lost > 0 ? `${lost} bytes` : `what follows byte ${file.pendingGap.startOffset}`;
    telemetry.log('warn', 'gap', `${file.path}: ${what} could not be collected: ${gap.reason}`, {
      path: file.path,
      fileId: file.id,
      startOffset: file.pendingGap.startOffset,
      endOffset: file.pendingGap.endOffset,
    });
    noteChange(group, file);
  }

  /** Ends a file at its end, before its time. */
  finishNow(group: FileGroup, file: TailedFile): void {
    this.#reader.flush(group, file, 'gone');
    file.isFlushed = true;
    this.#finish(group, file);
  }

  closeFile(file: TailedFile): void {
    if (file.fd !== undefined) this.#context.fileSystem.close(file.fd);
    file.fd = undefined;
    file.archive?.close();
    file.archive = undefined;
  }

  #tendFile(group: FileGroup, file: TailedFile, nowMs: number): void {
    this.#applyGap(group, file);
    switch (file.phase) {
      case 'unidentified':
        if (file.isUnlinked && file.size === 0 && !file.isProbing) this.#forgetEmpty(group, file, nowMs);
        return;
      case 'reading':
        this.#tendReading(group, file, nowMs);
        return;
      case 'orphaned':
        this.#tendOrphan(group, file, nowMs);
        return;
      case 'resting':
      case 'done':
        return;
    }
  }

  #tendReading(group: FileGroup, file: TailedFile, nowMs: number): void {
    if (file.isAtSkip) {
      this.#skip(group, file);
      return;
    }
    if (file.archive?.isEnded === true) this.#endArchive(group, file, nowMs);
    // An archive without bytes just now may still be inflating.
    if (file.phase !== 'reading' || file.hasUnread || file.archive?.isEnded === false) return;
    const { flushMs } = group.spec.source.multiline;
    if (file.decoder?.hasIdleRecord === true && nowMs - file.lastReadMs >= flushMs) {
      this.#reader.flush(group, file, 'idle');
    }
    // It stays open: whoever wrote it may go on writing.
    if (isAbandoned(group, file, nowMs)) this.#reader.flush(group, file, 'gone');
    if (this.#isOver(group, file, nowMs)) {
      if (!file.isFlushed) this.#reader.flush(group, file, 'gone');
      file.isFlushed = true;
    }
    if (!file.isSettled) return;
    if (this.#context.isOnce || (file.isFlushed && file.isUnlinked)) {
      this.#finish(group, file);
      return;
    }
    const isIdle = nowMs - file.lastReadMs >= REST_MS;
    if (
      file.rotation !== undefined &&
      file.isListed &&
      isIdle &&
      file.readOffset === file.acknowledgedOffset
    ) {
      this.closeFile(file);
      file.phase = 'resting';
      this.#context.noteChange(group, file);
    }
  }

  /** What was read before the skip is given out; once it is acknowledged and the skip durable, reading goes on behind it. */
  #skip(group: FileGroup, file: TailedFile): void {
    this.#reader.flush(group, file, 'gone');
    if (!applySkip(this.#context, file)) return;
    this.#reader.startDecoder(group, file);
    this.#context.noteChange(group, file);
  }

  /** Whether nothing will be appended any more, as far as can be known. */
  #isOver(group: FileGroup, file: TailedFile, nowMs: number): boolean {
    // A piece at the end of any of the group's files waits for what may follow in the others.
    if (this.#context.isOnce || group.isEnded) return group.isReadThrough(nowMs);
    if (!file.isUnlinked || group.isHeldBack(nowMs)) return false;
    // What was only compressed is not deleted: a piece at its end goes on waiting for the rest of its line.
    if (hasUnfinished(file) && group.hasCopyOf(file)) return false;
    return quietMs(file, nowMs) >= lingerMs(group, file);
  }

  #finish(group: FileGroup, file: TailedFile): void {
    this.closeFile(file);
    file.phase = 'done';
    this.#context.noteChange(group, file);
  }

  #endArchive(group: FileGroup, file: TailedFile, nowMs: number): void {
    const error = file.archive?.error;
    if (error === undefined) {
      this.#reader.settleTruncation(group, file, file.readOffset);
      if (file.isSettled) this.#finish(group, file);
      return;
    }
    file.archive?.close();
    file.archive = undefined;
    if (isMoved(error) && !file.isUnlinked) {
      // It is read on under the name that the directory gives it now.
      file.noteFailure(error, nowMs, nowMs);
      file.phase = 'resting';
      file.isUnverified = true;
      this.#context.retryLater(group.spec.directory);
      return;
    }
    file.archiveFailures++;
    const isHopeless = this.#context.isOnce && isBrokenContent(error);
    if (file.archiveFailures >= ARCHIVE_FAILURES_MAX || file.isUnlinked || isHopeless) {
      this.giveUp(group, file, {
        kind: 'possible_loss',
        reason: `the archive cannot be read: ${messageOf(error)}`,
      });
      return;
    }
    // A compressed file may still be being written: it is read on from where it broke off.
    file.noteFailure(error, nowMs, nowMs + this.#context.config.agent.rescanMs);
    file.phase = 'resting';
    file.isUnverified = true;
    this.#context.retryLater(group.spec.directory);
  }

  #tendOrphan(group: FileGroup, file: TailedFile, nowMs: number): void {
    if (group.files.some((other) => other.isProbing)) return;
    // What cannot be read just now may be its copy.
    const patienceMs = group.unreadable.size > 0 ? ORPHAN_UNREADABLE_MS : ORPHAN_MS;
    if (nowMs - file.unlistedMs < patienceMs) return;
    // How long an archive is tells only its end.
    const isArchive = file.compression !== undefined;
    const isRead = file.size <= file.readOffset && !file.isTruncated && !isArchive;
    if (isRead && file.isSettled) {
      this.#reader.flush(group, file, 'gone');
      this.#finish(group, file);
      return;
    }
    if (isRead) return;
    this.giveUp(group, file, { kind: 'possible_loss', reason: lossOf(file) });
  }

  #applyGap(group: FileGroup, file: TailedFile): void {
    const { pendingGap: gap, id } = file;
    if (gap === undefined || id === undefined || (file.progress?.queue.length ?? 0) > 0) return;
    file.pendingGap = undefined;
    const reason: DropReason = gap.kind;
    const bytes = gap.endOffset - gap.startOffset;
    if (bytes > 0) this.#context.telemetry.count('logboom_agent_dropped_bytes_total', bytes, { reason });
    if (gap.startOffset >= file.unsureUntil) {
      this.#context.ship.skip(id, gap.endOffset, reason);
      file.readOffset = Math.max(file.readOffset, gap.endOffset);
    } else {
      this.#context.ship.suspect(id, bytes, reason);
      file.size = file.readOffset;
    }
    this.#context.noteChange(group, file);
  }

  #forgetEmpty(group: FileGroup, file: TailedFile, nowMs: number): void {
    if (nowMs - file.unlistedMs < lingerMs(group, file)) return;
    this.closeFile(file);
    file.phase = 'done';
  }
}

/** What to say of the bytes of an orphan that nobody will read. */
function lossOf({ isTruncated, compression }: TailedFile): string {
  if (isTruncated) return 'the file was truncated, and no copy of it was found';
  if (compression !== undefined) return 'the archive vanished before it was read to its end';
  return 'the file vanished while it was not followed';
}

/** Whether an archive is broken or cut off, rather than its disk: nobody mends it while it is read once. */
function isBrokenContent(error: unknown): boolean {
  return /^(Z|ZSTD)_/.test(systemCodeOf(error) ?? '');
}

/** Whether a file was deleted under its active name, so that nothing else goes on with its last line. */
function isAbandoned(group: FileGroup, file: TailedFile, nowMs: number): boolean {
  if (!file.isUnlinked || file.rotation !== undefined || group.files.at(-1) !== file) return false;
  // It may have been rotated and compressed between two looks.
  if (group.suspects.size > 0 || group.hasCopyOf(file)) return false;
  return quietMs(file, nowMs) >= ABANDONED_MS && !group.isHeldBack(nowMs);
}

function hasUnfinished(file: TailedFile): boolean {
  return file.decoder !== undefined && file.decoder.safeOffset < file.readOffset;
}

function quietMs(file: TailedFile, nowMs: number): number {
  return nowMs - Math.max(file.lastReadMs, file.unlistedMs);
}

function lingerMs(group: FileGroup, file: TailedFile): number {
  if (group.isDirectoryGone) return LINGER_MS.directoryGone;
  return group.files.at(-1) === file ? LINGER_MS.alone : LINGER_MS.succeeded;
}

/** Whether `tend` has to look again although nothing happens. */
function isAttentionDue(group: FileGroup, file: TailedFile, context: TailContext): boolean {
  if (file.pendingGap !== undefined || file.phase === 'orphaned' || file.isProbing) return true;
  if (file.phase === 'unidentified') return file.isUnlinked || file.size > 0;
  if (file.phase !== 'reading') return false;
  if (file.isAtSkip) return true;
  if (file.isUnlinked || file.archive !== undefined || file.decoder?.hasIdleRecord === true) return true;
  if (context.isOnce || (group.isEnded && !file.isFlushed)) return true;
  return file.rotation !== undefined || file.retryAtMs > 0;
}

/** Whether nothing has to be remembered: the checkpoint of an identified file is removed elsewhere. */
function isForgotten(file: TailedFile): boolean {
  return file.phase === 'done' && file.id === undefined;
}
