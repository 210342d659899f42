/** Compares files by the last bytes that are known of them; see `fingerprint.ts`. */
import type { Fingerprint } from '../ship/checkpoint-store.ts';
import {
  endOf,
  fingerprintOf,
  hasFingerprint,
  isFingerprintOf,
  isSameBytes,
  MARK_BYTES,
  readAt,
} from './fingerprint.ts';
import type { TailContext } from './tail-context.ts';
import type { TailedFile } from './tailed-file.ts';

/** See `FileCheckpoint`. */
export interface CheckpointMarks {
  readonly mark: Fingerprint | undefined;
  readonly marks: readonly Fingerprint[] | undefined;
}

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
    return this.endOfCopy(file.fd, this.#context.fileSystem.fstat(file.fd).size);
  }

  /** Returns the fingerprint of the last bytes of what is open as `fd`. */
  endOfCopy(fd: number, size: number): Fingerprint {
    const { fileSystem, sha256 } = this.#context;
    const start = Math.max(0, size - MARK_BYTES);
    return fingerprintOf(readAt(fileSystem, fd, start, size - start), start, sha256);
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
    // It was seen to be shorter: what it has grown to since may look the same.
    if (file.isShrunk) return true;
    return !this.hasMark(file, file.fd, this.#context.fileSystem.fstat(file.fd).size);
  }

  /**
   * Like `hasMark`, for a file whose inode and head fit and which holds what was acknowledged: a power loss may have taken
   * bytes that were read, not acknowledged.
   */
  isPlausible(file: TailedFile, fd: number, size: number): boolean {
    const mark = this.markOf(file);
    if (mark === undefined) return true;
    if (size >= endOf(mark)) return this.hasMark(file, fd, size);
    const acknowledged = this.shortMarksOf(file).findLast((one) => endOf(one) <= file.acknowledgedOffset);
    if (acknowledged === undefined) return true;
    const { fileSystem, sha256 } = this.#context;
    const bytes = readAt(fileSystem, fd, acknowledged.offset, acknowledged.length);
    // Of bytes that were freed nothing can be told.
    return isFingerprintOf(bytes, acknowledged, sha256) || bytes.every((byte) => byte === 0);
  }

  /**
   * Whether reading of `file` goes on in what is open as `fd`: it has the last bytes that were read, or is a copy of the
   * truncated file that ends before them and not before what was acknowledged. The latter is only after a restart.
   */
  canGoOnIn(file: TailedFile, fd: number, size: number): boolean {
    const mark = this.markOf(file);
    if (mark === undefined || size >= endOf(mark)) return this.hasMark(file, fd, size);
    return file.isTruncated && size >= file.readOffset && this.#hasShortMark(file, fd, size);
  }

  /**
   * Has a file that goes on in what is open as `fd` known by its bytes: the mark of an earlier run is none of theirs when
   * they end before it.
   */
  takeOver(file: TailedFile, fd: number, size: number): void {
    const { savedMark } = file;
    if (savedMark === undefined || size >= endOf(savedMark)) return;
    const { fileSystem, sha256 } = this.#context;
    const start = Math.max(0, size - MARK_BYTES);
    file.savedMark = fingerprintOf(readAt(fileSystem, fd, start, size - start), start, sha256);
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
    return size < file.readOffset && this.#hasShortMark(file, fd, size);
  }

  /**
   * Returns the fingerprints by which a copy of `file` is known that ends before what was read, by offset: none is within
   * the first line.
   */
  shortMarksOf({ savedMarks, earlierMarks }: TailedFile): Fingerprint[] {
    const { sha256 } = this.#context;
    // Places of this run are all behind the saved ones.
    const marks = earlierMarks.all().map(({ offset, bytes }) => fingerprintOf(bytes, offset, sha256));
    return [...savedMarks, ...marks];
  }

  /**
   * Returns the fingerprints that a checkpoint of `file` has: the last one, and the earlier ones, or undefined when they
   * follow from the checkpoints before. Only the active file is copied and truncated: of others none is kept.
   */
  checkpointMarksOf(file: TailedFile): CheckpointMarks {
    const mark = this.markOf(file);
    if (file.rotation !== undefined || file.phase === 'done') return { mark, marks: [] };
    return { mark, marks: file.earlierMarks.hasFresh ? this.shortMarksOf(file) : undefined };
  }

  /** Whether the last earlier mark before `size` stands at its place. */
  #hasShortMark(file: TailedFile, fd: number, size: number): boolean {
    const { fileSystem, sha256 } = this.#context;
    const mark = this.shortMarksOf(file).findLast((one) => endOf(one) <= size);
    return mark !== undefined && hasFingerprint(fileSystem, fd, mark, sha256);
  }
}
