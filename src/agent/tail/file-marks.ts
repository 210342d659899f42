/** Compares files by the last bytes that are known of them; see `fingerprint.ts`. */
import type { Fingerprint } from '../ship/checkpoint-store.ts';
import { fingerprintOf, hasFingerprint, isSameBytes, MARK_BYTES, readAt } from './fingerprint.ts';
import type { TailContext } from './tail-context.ts';
import type { TailedFile } from './tailed-file.ts';

export class FileMarks {
  readonly #context: TailContext;

  constructor(context: TailContext) {
    this.#context = context;
  }

  /** Returns the fingerprint of the last bytes that were read. */
  markOf(file: TailedFile): Fingerprint | undefined {
    if (file.markLength === 0) return file.savedMark;
    const bytes = file.markBytes.subarray(0, file.markLength);
    return fingerprintOf(bytes, file.readOffset - file.markLength, this.#context.sha256);
  }

  /** Returns the fingerprint of a file's last bytes, read or not, as far as it can be looked into. */
  endMarkOf(file: TailedFile): Fingerprint | undefined {
    if (file.fd === undefined) return this.markOf(file);
    const { fileSystem, sha256 } = this.#context;
    const { size } = fileSystem.fstat(file.fd);
    const start = Math.max(0, size - MARK_BYTES);
    return fingerprintOf(readAt(fileSystem, file.fd, start, size - start), start, sha256);
  }

  /** Whether the last bytes that were read of `file` stand at their place in what is open as `fd`. */
  hasMark(file: TailedFile, fd: number, size: number): boolean {
    const mark = this.markOf(file);
    if (mark === undefined) return size >= file.readOffset;
    if (size < mark.offset + mark.length) return false;
    return hasFingerprint(this.#context.fileSystem, fd, mark, this.#context.sha256);
  }

  /** Whether an open file does not hold any more what was read of it: it was truncated, and may have grown since. */
  hasChanged(file: TailedFile): boolean {
    if (file.fd === undefined) return false;
    return !this.hasMark(file, file.fd, this.#context.fileSystem.fstat(file.fd).size);
  }

  /** Like `hasMark`, for a file whose inode and head fit: a power loss may have taken bytes that were read, not acknowledged. */
  isPlausible(file: TailedFile, fd: number, size: number): boolean {
    const mark = this.markOf(file);
    return mark === undefined || size < mark.offset + mark.length || this.hasMark(file, fd, size);
  }

  /** Whether what is open as `fd` is a copy of `file`, whole or still growing: the last bytes that both have are the same. */
  isCopy(file: TailedFile, fd: number, size: number): boolean {
    if (file.fd === undefined) return this.hasMark(file, fd, size);
    const { fileSystem } = this.#context;
    const end = Math.min(size, fileSystem.fstat(file.fd).size);
    // Of a file that was truncated meanwhile only what was remembered can be compared.
    if (this.hasChanged(file)) return this.hasMark(file, fd, size);
    const start = Math.max(0, end - MARK_BYTES);
    return isSameBytes(
      readAt(fileSystem, fd, start, end - start),
      readAt(fileSystem, file.fd, start, end - start),
    );
  }

  /**
   * Whether what is open as `fd` is a copy of the truncated `file` that ends before its read offset: all of it was read
   * already. The first line alone does not tell, because others may begin with it too.
   */
  isShortCopy(file: TailedFile, fd: number, size: number): boolean {
    if (size >= file.readOffset) return false;
    const { fileSystem, sha256 } = this.#context;
    const mark = this.shortMarksOf(file).findLast(({ offset, length }) => offset + length <= size);
    return mark !== undefined && hasFingerprint(fileSystem, fd, mark, sha256);
  }

  /**
   * Returns the fingerprints by which a copy of `file` is known that ends before its read offset, by offset: none is
   * within the first line.
   */
  shortMarksOf(file: TailedFile): Fingerprint[] {
    const { sha256 } = this.#context;
    const { savedMark } = file;
    const headLength = file.head?.length ?? 0;
    const marks = file.earlierMarks.all().map(({ offset, bytes }) => fingerprintOf(bytes, offset, sha256));
    return [...(savedMark === undefined ? [] : [savedMark]), ...marks]
      .filter(({ offset, length }) => offset + length > headLength)
      .toSorted((left, right) => left.offset + left.length - right.offset - right.length);
  }
}
