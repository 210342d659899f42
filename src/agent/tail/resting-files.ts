/**
 * Sees that files grow which are not open any more because they rested: a writer that has kept an old file open, or
 * opens it again. Something has changed in their directory then, and what it was is not said; so the youngest of them
 * are looked at, within a second, and not more often than that where files are written all the time.
 */
import type { FileGroup } from './file-group.ts';
import type { FileMeasurer } from './file-measurer.ts';

/** Between two looks at the resting files of a group. */
const LOOK_MS = 1000;

/** Files of a group that are looked at, the youngest; older ones are found by the slow look at everything. */
const LOOKS_MAX = 16;

/** Groups that are remembered; beyond it they are looked at more often. */
const GROUPS_MAX = 10_000;

export class RestingFiles {
  readonly #measurer: FileMeasurer;
  readonly #due = new Set<FileGroup>();
  readonly #lookedMs = new Map<FileGroup, number>();

  constructor(measurer: FileMeasurer) {
    this.#measurer = measurer;
  }

  /** Notes a change in the directory of a group; returns whether `hasGrown` is to be asked in a while. */
  note(group: FileGroup): boolean {
    if (!group.files.some(isResting)) return false;
    this.#due.add(group);
    return true;
  }

  /** Whether `hasGrown` will have something to do for the group. */
  isDue(group: FileGroup): boolean {
    return this.#due.has(group);
  }

  /** Whether a resting file has another size than when it was closed; looks only when that is due. */
  hasGrown(group: FileGroup, nowMs: number): boolean {
    if (!this.#due.has(group)) return false;
    const lookedMs = this.#lookedMs.get(group);
    if (lookedMs !== undefined && nowMs - lookedMs < LOOK_MS) return false;
    this.#due.delete(group);
    if (this.#lookedMs.size >= GROUPS_MAX) this.#lookedMs.clear();
    this.#lookedMs.set(group, nowMs);
    let looks = 0;
    for (let index = group.files.length - 1; index >= 0 && looks < LOOKS_MAX; index -= 1) {
      const file = group.files[index];
      if (file === undefined || !isResting(file)) continue;
      looks += 1;
      if (this.#measurer.hasGrownAtRest(file)) return true;
    }
    return false;
  }

  forget(group: FileGroup): void {
    this.#due.delete(group);
    this.#lookedMs.delete(group);
  }
}

function isResting({ fd, archive, compression, isListed }: FileGroup['files'][number]): boolean {
  return fd === undefined && archive === undefined && compression === undefined && isListed;
}
