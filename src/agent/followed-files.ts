/**
 * What the agent tells rotation of its files: how far each one is done with for good, so that nothing is freed that
 * is not both acknowledged and written down on disk (G5), and what rotation may ask of it.
 */
import { assert } from '../base/assert.ts';
import { systemCodeOf } from '../base/errors.ts';
import type { SourceConfig } from '../config/source-config.ts';
import type { FileNames } from './discovery/layout.ts';
import type { FileIdentity } from './file-identity.ts';
import type { CheckpointStore, DurableProgress } from './ship/checkpoint-store.ts';
import type { FileGroup } from './tail/file-group.ts';
import { addSkip, lineEndAt } from './tail/skips.ts';
import type { TailContext } from './tail/tail-context.ts';
import type { TailedFile } from './tail/tailed-file.ts';
import type { Tailer } from './tail/tailer.ts';

/** The files that one writer fills one after another. */
export interface FollowedGroup {
  readonly key: string;
  readonly source: SourceConfig;
  readonly directory: string;
  readonly style: 'rotated' | 's6';
  readonly names: FileNames;
  readonly files: readonly FollowedFile[];
}

export interface FollowedFile extends FileIdentity {
  /** Undefined until the first line is whole. */
  readonly id: string | undefined;
  readonly path: string;
  /** `device:inode@birth` of copies of it, whose content was not read again. */
  readonly copies: readonly string[];
  /** Whether it stands under the name that its writer opens. */
  readonly isActive: boolean;
  /** Bytes: size when last seen. */
  readonly size: number;
  readonly readOffset: number;
  /** Every byte below is acknowledged, and a checkpoint on disk says so. */
  readonly freeOffset: number;
  /** Whether all that is known to have been written is below `freeOffset`. */
  readonly isDone: boolean;
  /** Whether only a last line without its end is left. */
  readonly hasUnfinishedLine: boolean;
  /** Ranges behind `freeOffset` that were given up, as a checkpoint on disk says. */
  readonly given: readonly { readonly startOffset: number; readonly endOffset: number }[];
}

const NOTHING: readonly never[] = [];

/** A prime that spreads numbers over 32 bits (FNV-1), and what lies above those of an offset. */
const STAMP_FACTOR = 16_777_619;
const STAMP_HIGH = 2 ** 32;

export interface FollowedFilesParts {
  readonly context: TailContext;
  readonly tailer: Tailer;
  readonly store: CheckpointStore;
}

/** What rotation uses of them. */
export type FollowedView = Pick<
  FollowedFiles,
  'stamp' | 'groups' | 'giveUp' | 'finish' | 'noteCopy' | 'lifeOf' | 'noteTruncation'
>;

export class FollowedFiles {
  readonly #parts: FollowedFilesParts;

  constructor(parts: FollowedFilesParts) {
    this.#parts = parts;
  }

  /** Returns a number that is another one as soon as anything changed that `groups` tells of: cheap to ask for. */
  stamp(): number {
    let stamp = 0;
    const mix = (value: number): void => {
      stamp = Math.imul(stamp ^ (value | 0), STAMP_FACTOR) + Math.floor(value / STAMP_HIGH);
    };
    for (const group of this.#parts.tailer.groups) {
      mix(group.files.length);
      for (const file of group.files) {
        mix(file.size);
        mix(file.readOffset);
        mix(file.acknowledgedOffset);
        mix(this.#durableOf(file)?.acknowledgedOffset ?? 0);
        mix(this.#durableOf(file)?.skips?.at(-1)?.endOffset ?? 0);
        mix(file.also.size + (file.phase === 'done' ? 1 : 0) + (file.isListed ? 2 : 0));
      }
    }
    return stamp;
  }

  /** Returns the groups that are wanted; what they are is told by their key first, so that the others cost nothing. */
  groups(isWanted: (group: Omit<FollowedGroup, 'files'>) => boolean): FollowedGroup[] {
    const wanted: FollowedGroup[] = [];
    for (const group of this.#parts.tailer.groups) {
      if (!isWanted(group.spec)) continue;
      const { key, source, directory, style, names } = group.spec;
      const files: FollowedFile[] = [];
      for (const file of group.files) if (file.inode !== '') files.push(this.#viewOf(file));
      wanted.push({ key, source, directory, style, names, files });
    }
    return wanted;
  }

  /**
   * Gives up what was not read below `untilOffset`, in whole lines: from the end of the line that reading stopped in
   * to the end of the line there. Returns the range, which is freed only once `given` tells of it; undefined when there is nothing to give up.
   */
  giveUp(
    fileId: string,
    untilOffset: number,
    reason: string,
  ): { readonly startOffset: number; readonly endOffset: number } | undefined {
    const found = this.#find(fileId);
    const fd = found?.file.fd;
    if (found === undefined || fd === undefined || found.file.phase !== 'reading') return undefined;
    const { context } = this.#parts;
    const { file } = found;
    try {
      const { size } = context.fileSystem.fstat(fd);
      const lastEnd = file.skips.at(-1)?.endOffset ?? 0;
      // The line that reading stopped in is read to its end.
      const lineEnd = lineEndAt(context, fd, Math.max(0, file.readOffset - 1), size);
      const startOffset = Math.max(lineEnd, lastEnd);
      if (untilOffset <= startOffset) return undefined;
      const endOffset = lineEndAt(context, fd, Math.min(untilOffset, size) - 1, size);
      if (endOffset <= startOffset) return undefined;
      const isUnsure = startOffset < file.unsureUntil;
      const drop = isUnsure ? ('possible_loss' as const) : ('gap' as const);
      addSkip(file, { startOffset, endOffset, reason: drop, text: reason });
      context.noteChange(found.group, file);
      this.#parts.tailer.attend(found.group);
      return { startOffset, endOffset };
    } catch (error) {
      assert(systemCodeOf(error) !== undefined, String(error));
      return undefined;
    }
  }

  /** Gives out the last line of a rotated file without its end, because nobody will write it. */
  finish(fileId: string): void {
    const found = this.#find(fileId);
    if (found?.file.phase !== 'reading' || found.file.hasUnread) return;
    this.#parts.tailer.lifecycle.finishNow(found.group, found.file);
  }

  /** Notes that a file which is done stands in another one as well, so that the other one is not looked into. */
  noteCopy(fileId: string, alias: string): void {
    const found = this.#find(fileId);
    if (found === undefined) return;
    const { file } = found;
    file.also.add(alias);
    // Resting, it would be looked for in the other one once its own name is gone.
    if (file.phase === 'resting' && file.isSettled) file.phase = 'done';
    this.#parts.context.noteChange(found.group, file);
  }

  /** Returns which life of its active file a group is in: every truncation that is noticed begins the next one. */
  lifeOf(key: string): number | undefined {
    return this.#activeOf(key)?.file.generation;
  }

  /**
   * Notes that the active file of a group was truncated in its life `life`, whatever it has grown to since; does nothing
   * when that was noticed already. So every truncation by one of our own rotators is recorded.
   */
  noteTruncation(key: string, life: number): void {
    const found = this.#activeOf(key);
    if (found?.file.generation === life) this.#parts.tailer.endLife(found.group, found.file);
  }

  #activeOf(key: string): { group: FileGroup; file: TailedFile } | undefined {
    for (const group of this.#parts.tailer.groups) {
      if (group.spec.key !== key) continue;
      const file = group.files.findLast(({ isActive, inode }) => isActive && inode !== '');
      return file === undefined ? undefined : { group, file };
    }
    return undefined;
  }

  #durableOf(file: TailedFile): DurableProgress | undefined {
    return file.id === undefined ? undefined : this.#parts.store.durableProgress(file.id);
  }

  #viewOf(file: TailedFile): FollowedFile {
    const durable = this.#durableOf(file);
    const freeOffset = durable?.acknowledgedOffset ?? 0;
    const isCompressed = file.compression !== undefined;
    const isRead = file.phase === 'done' || (!isCompressed && file.phase !== 'unidentified');
    return {
      id: file.id,
      path: file.path,
      inode: file.inode,
      birthNs: file.birthNs,
      copies: file.also.size === 0 ? NOTHING : [...file.also],
      isActive: file.isActive,
      size: file.size,
      readOffset: file.readOffset,
      freeOffset,
      isDone: isRead && file.pendingGap === undefined && freeOffset >= file.size && file.isSettled,
      hasUnfinishedLine:
        file.phase === 'reading' && !file.hasUnread && !file.isSettled && file.progress?.queue.length === 0,
      given: durable?.skips ?? NOTHING,
    };
  }

  #find(fileId: string): { group: FileGroup; file: TailedFile } | undefined {
    for (const group of this.#parts.tailer.groups) {
      for (const file of group.files) if (file.id === fileId) return { group, file };
    }
    return undefined;
  }
}
