/**
 * Finds the file of which a plain file is the content: its continuation, its whole copy, one that ends before what was
 * read, or one that ends before another copy. See `file-matcher.ts` for what follows from it.
 */
import { UNDECIDED } from '../obstacles.ts';
import type { FileGroup } from './file-group.ts';
import type { FileMarks } from './file-marks.ts';
import { hasFingerprint, type Head, isHeadOf } from './fingerprint.ts';
import { findLongerCopy, type OpenCopy } from './longer-copy.ts';
import type { TailContext } from './tail-context.ts';
import { aliasOf, type Observed, type TailedFile } from './tailed-file.ts';

/** How long a rotated file that begins like an active one may take to become its whole copy. */
const COPY_MS_MAX = 10_000;

export class CopyFinder {
  readonly #context: TailContext;
  readonly #marks: FileMarks;

  constructor(context: TailContext, marks: FileMarks) {
    this.#context = context;
    this.#marks = marks;
  }

  /** Looks for the file whose content this is; `suspect` when it may become a copy of one. */
  findByContent(group: FileGroup, copy: OpenCopy, head: Head): TailedFile | 'suspect' | undefined {
    const { observed, fd } = copy;
    const isRotated = observed.file.rotated.rotation !== undefined;
    // Whether it begins like another file is not known before its first line is whole.
    const mayBecomeCopy = isRotated && (group.isKnown || (group.hasHistory && !this.#context.isOnce));
    if (mayBecomeCopy && !head.isWhole && this.#isFreshSuspect(group, observed)) return 'suspect';
    // What holds all that was read of one file tells more than what ends before that in another.
    let readFurther: TailedFile | undefined;
    for (const file of group.files) {
      if (file.head === undefined || !isHeadOf(head, file.head, this.#context.sha256)) continue;
      // A new active file that begins like one that vanished is a new file, such as one with the same banner.
      if (!isRotated) continue;
      if (file.phase === 'orphaned') {
        if (this.#marks.hasMark(file, fd, observed.size)) return file;
        if (this.isShort(file, copy) || this.#marks.canGoOnIn(file, fd, observed.size)) readFurther = file;
        continue;
      }
      const hasChanged = this.#marks.hasChanged(file);
      const mayBeCopy = hasChanged || canBeCopied(group, file, observed);
      if (mayBeCopy && this.#marks.isCopy(file, fd, this.#sizeOf(fd))) return file;
      // It may have been truncated while the two were compared.
      if (!this.#marks.hasChanged(file)) continue;
      // Its copy was whole before that.
      const size = this.#sizeOf(fd);
      if (!hasChanged && this.#marks.hasMark(file, fd, size)) return file;
      if (this.#marks.isShortCopy(file, fd, size)) readFurther = file;
    }
    return readFurther;
  }

  #sizeOf(fd: number): number {
    return this.#context.fileSystem.fstat(fd).size;
  }

  #isFreshSuspect(group: FileGroup, observed: Observed): boolean {
    const nowMs = this.#context.scheduler.monotonicMs();
    const sinceMs = group.suspects.get(observed.inode) ?? nowMs;
    group.suspects.set(observed.inode, sinceMs);
    const isFresh = nowMs - sinceMs < COPY_MS_MAX;
    const { path } = observed.file;
    if (isFresh && observed.size > 0)
      this.#context.obstacles.note(group.spec, { path, kind: 'file', error: UNDECIDED });
    return isFresh;
  }

  /** Whether a copy of `file`, which is gone, ends before what was read of it, so that nothing goes on in it. */
  isShort(file: TailedFile, { observed, fd }: OpenCopy): boolean {
    if (observed.size >= file.readOffset) return false;
    // What was known as its copy before was compared while the file was whole.
    const isKnown = file.also.has(aliasOf(observed));
    return isKnown || (file.isTruncated && this.#marks.isShortCopy(file, fd, observed.size));
  }

  /** Whether `copy` was made of the truncated `file` before another copy, which holds all of it and more. */
  isEarlier(file: TailedFile, copy: OpenCopy, beside: readonly Observed[]): boolean {
    if (!file.isTruncated) return false;
    const { fileSystem, sha256 } = this.#context;
    const { head } = file;
    const isOfSame = (fd: number, size: number): boolean =>
      head !== undefined &&
      hasFingerprint(fileSystem, fd, head, sha256) &&
      this.#marks.canGoOnIn(file, fd, size);
    const longer = beside.filter(({ size }) => size > copy.observed.size);
    return findLongerCopy(copy, longer, { fileSystem, isOfSame }) !== undefined;
  }

  /** Looks for the truncated file that is, or will be, read in another copy, which holds all of this one. */
  findReadInLonger(group: FileGroup, copy: OpenCopy, beside: readonly Observed[]): TailedFile | undefined {
    const { fileSystem, sha256 } = this.#context;
    const { inode, file: here } = copy.observed;
    if (here.rotated.rotation === undefined) return undefined;
    return group.files.find((file) => {
      const { head } = file;
      const isOpen = file.phase === 'orphaned' && file.isTruncated;
      if (head === undefined || file.inode === inode || !(isOpen || file.isReadInCopy)) return false;
      if (!hasFingerprint(fileSystem, copy.fd, head, sha256)) return false;
      const isOfSame = (fd: number, size: number): boolean =>
        hasFingerprint(fileSystem, fd, head, sha256) && (!isOpen || this.#marks.canGoOnIn(file, fd, size));
      const others = beside.filter(
        (other) => other.inode !== inode && (isOpen || other.inode === file.inode),
      );
      return findLongerCopy(copy, others, { fileSystem, isOfSame }) !== undefined;
    });
  }
}

/** Whether a rotated file that just appeared can be a copy of `file`: copies are made of the active one. */
function canBeCopied(group: FileGroup, file: TailedFile, observed: Observed): boolean {
  if (!group.isKnown && !file.isCheckpointed) {
    // Files that are alike at first sight are two files, unless the rotated one is the younger one: copies only are.
    return group.hasHistory && file.isActive && isBornLater(observed, file);
  }
  return file.isActive || file.isShrunk || !file.isListed || group.spec.hasProcessor;
}

/** Whether what stands there is known to be younger than a file; renaming changes the age of neither. */
function isBornLater(observed: Observed, file: TailedFile): boolean {
  return file.birthNs !== '0' && BigInt(observed.birthNs) > BigInt(file.birthNs);
}
