/** Looks at files: their sizes, and who they are. */
import { systemCodeOf } from '../../base/errors.ts';
import type { LayoutFile } from '../discovery/layout.ts';
import type { FileReader } from './file-reader.ts';
import type { TailContext } from './tail-context.ts';
import type { Observed, TailedFile } from './tailed-file.ts';

/**
 * What is written within one tick of the file system's clock has one time of modification: a file that was modified so
 * shortly before it was measured may have been modified since, with the same time and size. Linux ticks at least every
 * 10 ms (`CONFIG_HZ`, time(7)).
 */
const MODIFIED_TICK_NS = 10_000_000n;

export class FileMeasurer {
  readonly #context: TailContext;
  readonly #reader: FileReader;

  constructor(context: TailContext, reader: FileReader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** Looks at the size of an open file; returns whether there is something to read or to decide. */
  measure(file: TailedFile): boolean {
    if (file.fd === undefined) return false;
    const before = file.size;
    try {
      const stat = this.#context.fileSystem.fstat(file.fd);
      // Logs only grow: one that is smaller than it was has been truncated, whatever it has grown to since.
      if (stat.size < Math.max(file.readOffset, file.size)) file.isShrunk = true;
      else file.size = stat.size;
      const isTouched = stat.modifiedTimeNs !== file.measuredNs;
      if (isTouched && stat.size === file.readOffset && !this.#reader.isUnchanged(file)) file.isShrunk = true;
      const isSettled = this.#context.scheduler.nowNs() - stat.modifiedTimeNs > MODIFIED_TICK_NS;
      file.measuredNs = isSettled ? stat.modifiedTimeNs : -1n;
      file.measureError = undefined;
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      file.measureError = error;
    }
    return file.size !== before || file.isShrunk;
  }

  /** Whether an open file does not hold any more what was read of it, whatever its size. */
  isOverwritten(file: TailedFile): boolean {
    try {
      return !this.#reader.isUnchanged(file);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      return false;
    }
  }

  /** Whether a file that is not open has another size than when it was closed. */
  hasGrownAtRest(file: TailedFile): boolean {
    if (!file.isListed || file.compression !== undefined || file.archive !== undefined) return false;
    try {
      const stat = this.#context.fileSystem.stat(file.path);
      file.measureError = undefined;
      return stat !== undefined && `${stat.device}:${stat.inode}` === file.inode && stat.size !== file.size;
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      file.measureError = error;
      return false;
    }
  }

  /** Looks at what stands under a name; `failed` when it cannot be told just now, and is looked at again. */
  observe(file: LayoutFile): Observed | 'failed' | undefined {
    try {
      const { fileSystem, retryLater } = this.#context;
      const stat = fileSystem.stat(file.path);
      // It may have got another name since the directory was read; a link that leads nowhere is there.
      if (stat === undefined && fileSystem.lstat(file.path) === undefined) retryLater(file.group.directory);
      if (stat?.kind !== 'file') return undefined;
      return {
        file,
        inode: `${stat.device}:${stat.inode}`,
        birthNs: stat.birthTimeNs.toString(),
        size: stat.size,
        modifiedNs: stat.modifiedTimeNs,
      };
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      this.#context.retryLater(file.group.directory);
      this.#context.obstacles.note(file.group, { path: file.path, kind: 'file', error });
      return 'failed';
    }
  }
}
