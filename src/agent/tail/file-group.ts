import { ContainerLanes } from '../../capture/container-lanes.ts';
import type { GroupSpec } from '../discovery/layout.ts';
import { compareAge, isLasting, type Rotation } from '../discovery/rotated-name.ts';
import type { PodFacts } from '../kubernetes/pod-facts.ts';
import { aliasOf, type Observed, type TailedFile } from './tailed-file.ts';

/** How long the successors of a file that cannot be read wait for it, counted from its first failure. */
export const HELD_BACK_MS_MAX = 60_000;

/** Files remembered for comparing them with what could not be looked into yet; beyond it they are forgotten. */
const REMEMBERED_MAX = 1000;

/** What is renamed while its directory is read can be missing in it: it counts as standing there for so long. */
const MISSED_MS = 2000;
const PRESENT = Number.POSITIVE_INFINITY;

/** A file that stands in the directory and could not be looked into. */
export interface Unreadable {
  readonly rotation: Rotation | undefined;
  readonly modifiedNs: bigint;
  /** Younger files wait for it until then. */
  readonly heldUntilMs: number;
}

/**
 * The files that one writer fills one after another, in the order in which they were written: only when one is read
 * to its end is the next one begun, so that a line which begins in one file finds its end in the next.
 */
export class FileGroup {
  spec: GroupSpec;
  readonly lanes = new ContainerLanes();
  /** In the order in which they were written: names change, and files without one keep their place. */
  files: TailedFile[] = [];
  /** Inodes that had a name in the directory when it was last read. */
  listed: ReadonlySet<string> = new Set();
  /** Aliases (inode and birth) of what stands there, or did a moment ago, and since when each is missing. */
  readonly #missingMs = new Map<string, number>();
  /** Aliases of what is not collected: history that is not wanted, archives of nothing. */
  readonly ignored = new Set<string>();
  /** Rotated files that may be an unfinished copy of an active one: inode, and when each was first seen. */
  readonly suspects = new Map<string, number>();
  /** What could not be looked into when the directory was last read, by inode. */
  readonly unreadable = new Map<string, Unreadable>();
  /** Archives that are being looked into. */
  readonly probes = new Set<Promise<unknown>>();
  /** Whether the directory was read at least once. */
  isKnown = false;
  /** Whether a checkpoint spoke of this group when the agent started. */
  readonly hasHistory: boolean;
  isDirectoryGone = false;
  /** A later container of the same name has begun. */
  isEnded = false;
  isReady = false;
  /** What its documents say of their pod now. */
  pod: PodFacts | undefined;
  /** When it was found, in monotonic milliseconds; undefined once its records wait for nothing. */
  foundMs: number | undefined;
  /** Whether bytes are there that are not read before something is known of its pod. */
  isWaitingForPod = false;

  constructor(spec: GroupSpec, restored: readonly TailedFile[]) {
    this.spec = spec;
    this.files = [...restored].sort((left, right) => left.order - right.order);
    this.hasHistory = restored.length > 0;
    // Unwanted history stays unwanted after a restart, whatever becomes of the files beside it.
    for (const { unwanted } of restored) for (const alias of unwanted) this.ignored.add(alias);
    for (const file of restored)
      for (const alias of [aliasOf(file), ...file.also, ...file.unwanted])
        this.#missingMs.set(alias, PRESENT);
  }

  /**
   * Takes in what stands in the directory now, and forgets what has been gone for a while. Returns whether something
   * is missing that is not forgotten yet: the directory is to be read again.
   */
  noteListing(observed: readonly Observed[], nowMs: number): boolean {
    this.listed = new Set(observed.map(({ inode }) => inode));
    for (const [alias, missingMs] of this.#missingMs) {
      if (missingMs === PRESENT) this.#missingMs.set(alias, nowMs);
      else if (nowMs - missingMs >= MISSED_MS) this.#missingMs.delete(alias);
    }
    // A directory that is gone is not read again.
    if (this.isDirectoryGone) this.#missingMs.clear();
    for (const one of observed) this.#missingMs.set(aliasOf(one), PRESENT);
    for (const alias of this.ignored) if (!this.#missingMs.has(alias)) this.ignored.delete(alias);
    for (const { also } of this.files) {
      for (const alias of also) if (!this.#missingMs.has(alias)) also.delete(alias);
    }
    for (const inode of this.unreadable.keys()) if (!this.listed.has(inode)) this.unreadable.delete(inode);
    return this.#missingMs.size > this.listed.size;
  }

  /** Whether a file, or what is in it, stands in the directory, or did a moment ago. */
  isAround(file: TailedFile): boolean {
    return this.listed.has(file.inode) || this.#missingMs.has(aliasOf(file)) || this.hasCopyOf(file);
  }

  /** Whether what is in a file stands under another inode as well: in a copy of it, or compressed. */
  hasCopyOf({ also }: TailedFile): boolean {
    return [...also].some((alias) => this.#missingMs.has(alias));
  }

  /** Takes in a file: before those that its name says are younger, and behind all others. */
  add(file: TailedFile): void {
    const younger = this.files.find(
      (other) => (other.isListed || isLasting(other.rotation)) && compareAge(file, other) < 0,
    );
    if (younger === undefined) {
      file.order = (this.files.at(-1)?.order ?? 0) + 1;
      this.files.push(file);
      return;
    }
    const index = this.files.indexOf(younger);
    file.order = ((this.files[index - 1]?.order ?? younger.order - 1) + younger.order) / 2;
    this.files.splice(index, 0, file);
  }

  /**
   * Returns which life of its inode begins with a file that continues no other: it shares the inode and the time of
   * birth with earlier ones, and perhaps the first line, so that its id would be theirs.
   */
  generationOf({ inode, birthNs }: Observed): number {
    const earlier = this.files.filter(
      (file) => birthNs !== '0' && file.birthNs === birthNs && (file.inode === inode || file.inode === ''),
    );
    return Math.max(-1, ...earlier.map(({ generation }) => generation)) + 1;
  }

  /** Whether something that may go on with what was read cannot be looked into just now. */
  isHeldBack(nowMs: number): boolean {
    for (const { heldUntilMs } of this.unreadable.values()) if (nowMs < heldUntilMs) return true;
    return this.files.some((file) => file.isProbing || isHeldBackBy(file, nowMs));
  }

  /** Whether everything that is known to be there was read, and nothing is waited for. */
  isReadThrough(nowMs: number): boolean {
    return !this.isHeldBack(nowMs) && this.files.every(isFileReadThrough);
  }

  /** Whether something that was not looked into yet may hold the content of a file that is over. */
  get mayHoldCopies(): boolean {
    if (this.files.length > REMEMBERED_MAX) return false;
    return this.unreadable.size > 0 || this.files.some((file) => file.isProbing);
  }

  /** Returns the file that is to be read next, or undefined when nothing can be read now. */
  nextReadable(nowMs: number): TailedFile | undefined {
    // An archive that is not looked into yet may be older than everything that could be read.
    if (this.files.some((file) => file.isProbing)) return undefined;
    for (const file of this.files) {
      if (isReadable(file, nowMs)) return this.#isBehindUnreadable(file, nowMs) ? undefined : file;
      // A line that begins in a file that cannot be read just now has its end in the next one.
      if (isHeldBackBy(file, nowMs)) return undefined;
      if (file.phase === 'reading' && (file.isAtSkip || file.archive?.isReadThrough === false)) {
        return undefined;
      }
    }
    return undefined;
  }

  #isBehindUnreadable(file: TailedFile, nowMs: number): boolean {
    for (const older of this.unreadable.values()) {
      if (nowMs < older.heldUntilMs && compareAge(older, file) < 0) return true;
    }
    return false;
  }
}

function isFileReadThrough(file: TailedFile): boolean {
  switch (file.phase) {
    case 'unidentified':
      return file.size === 0 || isFailing(file);
    case 'reading':
      return isFailing(file) || (!file.hasUnread && !file.isAtSkip && file.archive?.isReadThrough !== false);
    case 'orphaned':
      return false;
    case 'resting':
    case 'done':
      return true;
  }
}

function isFailing(file: TailedFile): boolean {
  return file.failingSinceMs > 0;
}

function isReadable(file: TailedFile, nowMs: number): boolean {
  if (file.retryAtMs > nowMs || file.isShrunk) return false;
  if (file.phase === 'unidentified') return file.fd !== undefined && file.size > 0;
  return file.phase === 'reading' && file.hasUnread;
}

/** Whether the successors of a file that fails wait for it: for a bounded time, and only while more can come of it. */
function isHeldBackBy(file: TailedFile, nowMs: number): boolean {
  if (!isFailing(file) || file.phase === 'done' || file.phase === 'orphaned') return false;
  return nowMs - file.failingSinceMs < HELD_BACK_MS_MAX;
}
