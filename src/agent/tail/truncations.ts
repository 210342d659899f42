/** Ends the life of files whose content was cut away, and begins what follows it. */
import { formatTimestamp } from '../../record/timestamp.ts';
import type { FileGroup } from './file-group.ts';
import type { FileMatcher } from './file-matcher.ts';
import type { FileMeasurer } from './file-measurer.ts';
import { isKnownIn } from './inode-rules.ts';
import type { TailContext } from './tail-context.ts';
import { aliasOf, type Observed, type TailedFile } from './tailed-file.ts';

export class Truncations {
  readonly #context: TailContext;
  readonly #matcher: FileMatcher;
  readonly #measurer: FileMeasurer;

  constructor(context: TailContext, parts: { matcher: FileMatcher; measurer: FileMeasurer }) {
    this.#context = context;
    this.#matcher = parts.matcher;
    this.#measurer = parts.measurer;
  }

  /**
   * Begins the new life of files that were truncated and filled again between two looks, before archives are looked
   * into: one of a nameless file holds its new life, and one that appears beside a file may be a copy of its old one.
   */
  look(group: FileGroup, present: readonly Observed[]): void {
    const hasNewArchive = present.some(
      (one) =>
        one.file.rotated.compression !== undefined &&
        !isKnownIn(group, one) &&
        !group.ignored.has(aliasOf(one)),
    );
    for (const file of [...group.files]) {
      if (hasNewArchive && file.isShrunk) this.end(group, file);
      else if ((hasNewArchive || file.isUnlinked) && this.#measurer.isOverwritten(file)) {
        this.endOverwritten(group, file);
      }
    }
  }

  /** Ends the life of a file that does not hold any more what was read of it, whatever its size. */
  endOverwritten(group: FileGroup, file: TailedFile): void {
    file.size = Math.max(file.readOffset, file.verifiedSize);
    this.end(group, file);
  }

  /**
   * The content was cut away under the same inode. What was not read may stand in a copy; what is there now begins
   * a new life.
   */
  end(group: FileGroup, file: TailedFile): void {
    file.isShrunk = false;
    const { fd } = file;
    if (fd === undefined) return;
    const time = formatTimestamp(this.#context.scheduler.nowNs());
    if (file.id === undefined) {
      file.loseBeginning(time);
      this.#measurer.measure(file);
      return;
    }
    file.fd = undefined;
    file.phase = 'orphaned';
    file.noteTruncation(time);
    const { inode, isListed, isUnlinked } = file;
    file.inode = '';
    file.isListed = false;
    file.unlistedMs = Math.max(this.#context.scheduler.monotonicMs(), 1);
    if (file.rotation !== undefined && isListed) {
      // What replaces a rotated file in place may be a copy of the active one, as `cp` makes it over the one before.
      this.#context.fileSystem.close(fd);
      file.also.delete(aliasOf({ inode, birthNs: file.birthNs }));
    } else {
      const next = this.#matcher.beginNextLife(group, file, fd, inode);
      this.#measurer.measure(next);
      next.isListed = isListed;
      next.isUnlinked = isUnlinked;
    }
    this.#context.noteChange(group, file);
    // The copy was made before the truncation, so it stands there now, perhaps already known as a copy.
    this.#context.scanNow(group.spec.directory);
  }
}
