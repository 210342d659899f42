/**
 * Looks at what symbolic links lead to. A watch on a directory tells nothing of what happens behind a link in it:
 * not that the file grew, nor that it was renamed and made anew, nor that a link on the way leads elsewhere now. So
 * links are looked at by time, often where they change, and once a second where they do not: one system call each.
 */
import type { FileStat, FileSystem } from '../../base/file-system.ts';
import { createWatchState, notePoll, noteWatch, type WatchState } from './watch-state.ts';

/** Links of one source that are looked at; a second's look at so many costs a few hundredths of a core. */
export const LINKS_MAX = 10_000;

interface LinkedDirectory {
  readonly state: WatchState;
  /** What each link led to when last looked at. */
  targets: Map<string, FileStat | undefined>;
}

/** What was found of one directory's links: other targets than before, or only growth. */
export interface LinkChange {
  readonly directory: string;
  readonly kind: 'switched' | 'grown';
}

export class LinkPoll {
  readonly #fileSystem: FileSystem;
  readonly #directories = new Map<string, LinkedDirectory>();
  #count = 0;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** Notes which links a directory holds; returns false when they are too many to be looked at. */
  set(directory: string, paths: readonly string[], nowMs: number): boolean {
    const known = this.#directories.get(directory);
    if (paths.length === 0) {
      if (known !== undefined) this.remove(directory);
      return true;
    }
    if (this.#count - (known?.targets.size ?? 0) + paths.length > LINKS_MAX) {
      this.remove(directory);
      return false;
    }
    this.#count += paths.length - (known?.targets.size ?? 0);
    const targets = new Map(paths.map((path) => [path, statOf(this.#fileSystem, path)]));
    if (known !== undefined) {
      known.targets = targets;
      return true;
    }
    const state = createWatchState();
    noteWatch(state, false, nowMs);
    this.#directories.set(directory, { state, targets });
    return true;
  }

  remove(directory: string): void {
    this.#count -= this.#directories.get(directory)?.targets.size ?? 0;
    this.#directories.delete(directory);
  }

  /** When the next look is due, in monotonic milliseconds. */
  get nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { state } of this.#directories.values()) nextMs = Math.min(nextMs, state.pollAtMs);
    return nextMs;
  }

  /** Looks at the links whose time has come, or at all of them; returns the directories where something changed. */
  look(nowMs: number, isForced = false): LinkChange[] {
    const changes: LinkChange[] = [];
    for (const [directory, linked] of this.#directories) {
      if (!isForced && linked.state.pollAtMs > nowMs) continue;
      const kind = this.#lookAt(linked);
      notePoll(linked.state, kind !== undefined, nowMs);
      if (kind !== undefined) changes.push({ directory, kind });
    }
    return changes;
  }

  #lookAt({ targets }: LinkedDirectory): LinkChange['kind'] | undefined {
    let kind: LinkChange['kind'] | undefined;
    for (const [path, before] of targets) {
      const now = statOf(this.#fileSystem, path);
      targets.set(path, now);
      if (now?.inode !== before?.inode || now?.device !== before?.device) kind = 'switched';
      else if (hasGrown(before, now)) kind ??= 'grown';
    }
    return kind;
  }
}

/** Directories are watched themselves: of them only the identity counts. */
function hasGrown(before: FileStat | undefined, now: FileStat | undefined): boolean {
  if (now?.kind !== 'file') return false;
  return now.size !== before?.size || now.modifiedTimeNs !== before.modifiedTimeNs;
}

function statOf(fileSystem: FileSystem, path: string): FileStat | undefined {
  try {
    return fileSystem.stat(path);
  } catch {
    return undefined;
  }
}
