/**
 * Decides what a file that stands in a directory is: one that is followed already, the continuation of one that was
 * followed before, a copy of one, or a new one (semantics 8, 9, 11).
 *
 *   same inode, same birth, same head, same last bytes, not shorter    the same file
 *   same inode otherwise                                               truncated or reused: a new life
 *   other inode, same head and last bytes, the old one has no name     the same file, moved or copied
 *   other inode, same head and last bytes, the old one has a name      a copy: remembered, not read
 *   the same, and another copy goes on where this one ends             an earlier copy: remembered, not read
 *   other inode, same head, ends where bytes of a truncated one stood  a copy that ends before what was read: the same
 *   compressed: the same by what it inflates to
 */
import { isMoved, messageOf, movedError, systemCodeOf } from '../../base/errors.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import { ArchiveMatcher } from './archive-matcher.ts';
import { CopyFinder } from './copy-finder.ts';
import { type FileGroup, HELD_BACK_MS_MAX } from './file-group.ts';
import type { FileMarks } from './file-marks.ts';
import { type FileReader, isStampless } from './file-reader.ts';
import { compressionOf, hasFingerprint, HEAD_CHECK_BYTES, readHead } from './fingerprint.ts';
import type { OpenCopy } from './longer-copy.ts';
import { findProcessed } from './processed-archives.ts';
import type { TailContext } from './tail-context.ts';
import { aliasOf, type Observed, TailedFile } from './tailed-file.ts';

/** Its successors wait so long for a file that could not be opened; the directory is read again before. */
const REOPEN_MS = 2000;

const DENIALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

export class FileMatcher {
  readonly #context: TailContext;
  readonly #reader: FileReader;
  readonly #marks: FileMarks;
  readonly #copies: CopyFinder;
  readonly #archives: ArchiveMatcher;

  /** `onReady` is called when an archive of a group has bytes, or has ended, or was looked into. */
  constructor(
    context: TailContext,
    parts: { reader: FileReader; marks: FileMarks; onReady: (group: FileGroup) => void },
  ) {
    this.#context = context;
    this.#reader = parts.reader;
    this.#marks = parts.marks;
    this.#copies = new CopyFinder(context, parts.marks);
    this.#archives = new ArchiveMatcher({
      ...parts,
      context,
      begin: (group, observed) => this.begin(group, observed, undefined, 0),
      noteUnreadable: (group, observed, error) => this.#noteUnreadable(group, observed, error),
    });
  }

  /** Takes in a file whose inode the group does not know; `beside` is all that stands in its directory now. */
  adopt(group: FileGroup, observed: Observed, beside: readonly Observed[]): void {
    const { fileSystem } = this.#context;
    let fd: number | undefined;
    let isKept = false;
    try {
      fd = fileSystem.open(observed.file.path, 'r');
      const stat = fileSystem.fstat(fd);
      // Between reading the directory and opening, the name may have moved to another file.
      if (`${stat.device}:${stat.inode}` !== observed.inode) {
        this.#noteUnreadable(group, observed, undefined);
        return;
      }
      for (const file of group.files) this.#reader.identifyEarly(group, file);
      isKept = this.#adoptOpen(group, { observed, fd }, beside);
      group.unreadable.delete(observed.inode);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      this.#noteUnreadable(group, observed, error);
    } finally {
      if (fd !== undefined && !isKept) fileSystem.close(fd);
    }
  }

  /**
   * What was recorded as a copy of a file, or as compressed, and stands under the active name now is written to from
   * now on. It is read on where its file was left, when that has no name any more, and is another file otherwise: an
   * inode, and on coarse clocks a time of birth, can be used again. Returns whether it was taken.
   */
  goesOnInCopy(group: FileGroup, observed: Observed): boolean {
    const { rotation, compression } = observed.file.rotated;
    if (rotation !== undefined || compression !== undefined) return false;
    const alias = aliasOf(observed);
    const original = group.files.find((file) => file.phase !== 'orphaned' && file.also.has(alias));
    if (original === undefined || original.inode === observed.inode) return false;
    let fd: number | undefined;
    try {
      fd = this.#open(observed);
      original.also.delete(alias);
      this.#context.noteChange(group, original);
      const isWhole = !original.isListed && original.archive === undefined && original.size <= observed.size;
      const canGoOn =
        isWhole && original.phase !== 'unidentified' && this.#isStill(original, fd, observed.size);
      if (!canGoOn || !this.#marks.hasMark(original, fd, observed.size)) {
        this.#context.fileSystem.close(fd);
        return false;
      }
      original.compression = undefined;
      this.continueAt(group, original, observed, fd);
      return true;
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      if (fd !== undefined) this.#context.fileSystem.close(fd);
      this.#warnUnreadable(observed, error);
      return true;
    }
  }

  /** Compares a file from the checkpoint with the file that now has its inode, and goes on or begins a new life. */
  resume(group: FileGroup, file: TailedFile, observed: Observed): void {
    const { fileSystem, noteChange } = this.#context;
    if (file.compression !== undefined) {
      file.isUnverified = false;
      file.observe(observed);
      if (file.phase === 'resting') this.#archives.open(group, file, observed);
      return;
    }
    let fd: number | undefined;
    try {
      fd = this.#open(observed);
      if (this.#isStill(file, fd, observed.size)) {
        this.continueAt(group, file, observed, fd);
        return;
      }
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      if (fd !== undefined) fileSystem.close(fd);
      // Directories that change are read often: failures count once per time of waiting.
      const nowMs = this.#context.scheduler.monotonicMs();
      if (nowMs >= file.retryAtMs) file.noteFailure(error, nowMs, nowMs + REOPEN_MS);
      this.#warnUnreadable(observed, error);
      return;
    }
    file.isListed = false;
    file.inode = '';
    if (file.phase === 'resting') {
      file.phase = 'orphaned';
      file.unlistedMs = Math.max(this.#context.scheduler.monotonicMs(), 1);
      // Under another name than the active one it may as well be another file with the same inode, born later.
      if (observed.file.rotated.rotation === undefined || isBornTogether(file, observed)) {
        file.noteTruncation(formatTimestamp(this.#context.scheduler.nowNs()));
      }
    }
    // An active file was truncated. A rotated one is taken in like any that the group does not know: its inode
    // was used again, perhaps for a copy or an archive.
    if (observed.file.rotated.rotation === undefined) this.begin(group, observed, fd, file.generation + 1);
    else fileSystem.close(fd);
    noteChange(group, file);
  }

  /** Whether what is open as `fd`, under the inode of `file`, still holds what was read of it. */
  #isStill(file: TailedFile, fd: number, size: number): boolean {
    const { fileSystem, sha256 } = this.#context;
    if (file.head === undefined || size < file.acknowledgedOffset) return false;
    if (!hasFingerprint(fileSystem, fd, file.head, sha256)) return false;
    return !file.isUnverified || this.#marks.isPlausible(file, fd, size);
  }

  /** Goes on with a file at its read offset, in what is open as `fd` now. */
  continueAt(group: FileGroup, file: TailedFile, observed: Observed, fd: number): void {
    const { fileSystem } = this.#context;
    // Reading fails before anything has changed, or not at all.
    const head = readHead(fileSystem, fd);
    this.#marks.takeOver(file, fd, observed.size);
    if (file.fd !== undefined) fileSystem.close(file.fd);
    // It was compared with what stands there now: the next look opens it no second time.
    file.isUnverified = false;
    file.noteSuccess();
    file.unsureUntil = Math.min(file.unsureUntil, observed.size);
    file.inode = observed.inode;
    file.birthNs = observed.birthNs;
    file.fd = fd;
    file.phase = 'reading';
    file.size = Math.max(observed.size, file.readOffset);
    file.observe(observed);
    file.headBytes = head.bytes.slice(0, HEAD_CHECK_BYTES);
    file.replay.isStampless = isStampless(group, head.bytes);
    group.suspects.delete(observed.inode);
    if (file.decoder === undefined) this.#reader.startDecoder(group, file);
    this.#context.noteChange(group, file);
  }

  /** Begins a new life for the file that is open as `fd`. */
  begin(group: FileGroup, observed: Observed, fd: number | undefined, generation: number): TailedFile {
    const file = new TailedFile({
      path: observed.file.path,
      inode: observed.inode,
      birthNs: observed.birthNs,
      generation,
      rotation: observed.file.rotated.rotation,
      modifiedNs: observed.modifiedNs,
    });
    file.fd = fd;
    file.size = observed.size;
    group.add(file);
    return file;
  }

  /** Begins the life that follows `file` under the same inode after a truncation. */
  beginNextLife(group: FileGroup, file: TailedFile, fd: number, inode: string): TailedFile {
    const next = new TailedFile({
      path: file.path,
      inode,
      birthNs: file.birthNs,
      generation: file.generation + 1,
      rotation: file.rotation,
      modifiedNs: file.modifiedNs,
    });
    next.fd = fd;
    group.add(next);
    return next;
  }

  /** Opens what was observed; fails with `ESTALE` when its name has moved to another file since. */
  #open(observed: Observed): number {
    const { fileSystem } = this.#context;
    const { path } = observed.file;
    const fd = fileSystem.open(path, 'r');
    try {
      const stat = fileSystem.fstat(fd);
      if (`${stat.device}:${stat.inode}` === observed.inode) return fd;
      throw movedError(path);
    } catch (error) {
      fileSystem.close(fd);
      throw error;
    }
  }

  /** Returns whether the descriptor is kept. */
  #adoptOpen(group: FileGroup, copy: OpenCopy, beside: readonly Observed[]): boolean {
    const { fileSystem } = this.#context;
    const { observed, fd } = copy;
    const head = readHead(fileSystem, fd);
    const { rotated } = observed.file;
    const compression =
      rotated.compression ?? (rotated.rotation === undefined ? undefined : compressionOf(head.bytes));
    if (this.#isUnwantedHistory(group, observed, compression !== undefined)) {
      group.ignored.add(aliasOf(observed));
      return false;
    }
    if (compression !== undefined) {
      this.#archives.adopt(group, observed, compression);
      return false;
    }
    const match = this.#copies.findByContent(group, copy, head);
    if (match === 'suspect') return false;
    group.suspects.delete(observed.inode);
    const origin =
      match ?? findProcessed(group, observed) ?? this.#copies.findReadInLonger(group, copy, beside);
    if (origin === undefined) {
      this.begin(group, observed, fd, group.generationOf(observed));
      return true;
    }
    const isContinued =
      match?.phase === 'orphaned' &&
      !this.#copies.isShort(match, copy) &&
      !this.#copies.isEarlier(match, copy, beside);
    if (match !== undefined && isContinued) {
      this.continueAt(group, match, observed, fd);
      this.#reader.settleTruncation(group, match, match.size);
      return true;
    }
    if (!group.spec.hasProcessor) origin.noteCopyEnd(this.#marks.endOfCopy(fd, observed.size));
    this.#archives.remember(group, origin, observed);
    return false;
  }

  #isUnwantedHistory(group: FileGroup, observed: Observed, isCompressed: boolean): boolean {
    const { history } = group.spec.source;
    const isHistory = observed.file.rotated.rotation !== undefined || isCompressed;
    if (!isHistory || history === 'all' || group.hasHistory) return false;
    if (!this.#context.isFirstScan()) return false;
    return history === 'none' || isCompressed;
  }

  /** Looks again at what could not be looked into; younger files wait for it, unless it is forbidden. */
  #noteUnreadable(group: FileGroup, observed: Observed, error: unknown): void {
    const nowMs = this.#context.scheduler.monotonicMs();
    const isForbidden = DENIALS.has(systemCodeOf(error) ?? '');
    const known = group.unreadable.get(observed.inode)?.heldUntilMs;
    group.unreadable.set(observed.inode, {
      rotation: observed.file.rotated.rotation,
      modifiedNs: observed.modifiedNs,
      heldUntilMs: known ?? nowMs + (isForbidden ? 0 : HELD_BACK_MS_MAX),
    });
    this.#warnUnreadable(observed, error ?? movedError(observed.file.path));
  }

  #warnUnreadable(observed: Observed, error: unknown): void {
    const { warnOnce, retryLater, obstacles } = this.#context;
    const { path, group } = observed.file;
    retryLater(group.directory);
    obstacles.note(group, { path, kind: 'file', error });
    if (isMoved(error)) return;
    const remedy =
      systemCodeOf(error) === 'EACCES'
        ? 'Give the agent read permission on the file and search permission on the directories above it'
        : 'It is tried again';
    warnOnce(
      'file_unreadable',
      path,
      `cannot read ${path} (${messageOf(error)}). ${remedy}; other files go on`,
    );
  }
}

/** Whether a file and what stands under its inode are known to have the same time of birth. */
function isBornTogether(file: TailedFile, observed: Observed): boolean {
  return file.birthNs !== '0' && file.birthNs === observed.birthNs;
}
