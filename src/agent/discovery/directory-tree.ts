/**
 * Keeps the directories of one source under observation and tells which log files are in them.
 *
 * Events only mark directories; `work` scans. A directory is watched before it is read, so that nothing appears
 * unseen between the two. Three nets under each other: events, polling of busy directories, and a slow rescan that
 * compares modification times. A directory whose time is so recent that another change could carry the same stamp
 * is read again on the next rescan. What links lead to is looked at by time (`link-poll.ts`).
 */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { DirectoryEntry, FileSystem, Watcher } from '../../base/file-system.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { Obstacles } from '../obstacles.ts';
import { joinPath, type Layout, type LayoutFile, type LayoutVisit, namesBelow } from './layout.ts';
import { LinkPoll, LINKS_MAX } from './link-poll.ts';
import { isReachedByLink, lookAt, parentOf, statOf } from './look-at.ts';
import { createWatchState, noteEvent, notePoll, noteWatch, type WatchState } from './watch-state.ts';

/** Directories of one source; a tree with more is cut there, with a warning. */
const DIRECTORIES_MAX = 200_000;
/** How often a root that does not exist is looked for: there is no directory yet whose events would tell. */
const MISSING_ROOT_POLL_MS = 1000;

/** Two changes within this time may leave the same modification time. */
const RACY_NS = 50_000_000n;

export interface DirectoryTreeOptions {
  readonly layout: Layout;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly obstacles: Obstacles;
  readonly warnOnce: (event: string, key: string, text: string, fields?: Record<string, unknown>) => void;
  /** Marks a directory to be read again soon, because something in it could not be looked at. */
  readonly retryLater: (directory: string) => void;
  readonly onWatchRefused: (code: string) => void;
  /** Everything that stands in a directory now; an empty list when the directory is gone. */
  readonly onListing: (directory: string, files: readonly LayoutFile[], isGone: boolean) => void;
  /** Files in this directory may have grown; returns whether one has. */
  readonly onPoke: (directory: string) => boolean;
  readonly onWake: () => void;
}

interface DirectoryNode {
  readonly path: string;
  readonly isRoot: boolean;
  readonly children: Set<string>;
  readonly watch: WatchState;
  watcher: Watcher | undefined;
  inode: bigint;
  modifiedNs: bigint;
  isRacy: boolean;
}

export class DirectoryTree {
  readonly #options: DirectoryTreeOptions;
  readonly #nodes = new Map<string, DirectoryNode>();
  readonly #polled = new Set<DirectoryNode>();
  readonly #dirty = new Set<string>();
  readonly #poked = new Set<string>();
  readonly #missingRoots = new Set<string>();
  readonly #links: LinkPoll;
  #rootsAtMs = 0;
  #isClosed = false;

  constructor(options: DirectoryTreeOptions) {
    this.#options = options;
    this.#links = new LinkPoll(options.fileSystem);
  }

  get layout(): Layout {
    return this.#options.layout;
  }

  get watchCount(): number {
    let count = 0;
    for (const node of this.#nodes.values()) if (node.watcher !== undefined) count++;
    return count;
  }

  /** Roots that are not there. */
  get missingRoots(): readonly string[] {
    return [...this.#missingRoots];
  }

  get directoryCount(): number {
    return this.#nodes.size;
  }

  /** Whether everything in and below `directory` would have been found: its root is there. */
  covers(directory: string): boolean {
    return this.layout.roots.some(
      (root) => this.#nodes.has(root) && namesBelow(root, directory) !== undefined,
    );
  }

  /** Marks a directory to be read again. */
  mark(path: string): void {
    if (this.#nodes.has(path)) this.#dirty.add(path);
  }

  hasDirectory(path: string): boolean {
    return this.#nodes.has(path);
  }

  get hasWork(): boolean {
    return this.#dirty.size > 0 || this.#poked.size > 0;
  }

  /** Begins at the roots; what they hold is found by the following calls of `work`. */
  start(): void {
    for (const root of this.layout.roots) this.#enter(root, true);
  }

  /** Scans what is marked until it is done or `isTimeUp`. */
  work(isTimeUp: () => boolean): void {
    for (const path of this.#poked) {
      this.#poked.delete(path);
      this.#options.onPoke(path);
    }
    for (const path of this.#dirty) {
      this.#dirty.delete(path);
      this.#scan(path);
      if (isTimeUp()) return;
    }
  }

  /** Polls what is due; returns when the next poll is due, in the scheduler's monotonic milliseconds. */
  poll(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    if (this.#missingRoots.size > 0) {
      if (nowMs >= this.#rootsAtMs) {
        this.#rootsAtMs = nowMs + MISSING_ROOT_POLL_MS;
        for (const root of this.#missingRoots) this.#enter(root, true);
      }
      nextMs = this.#rootsAtMs;
    }
    for (const node of this.#polled) {
      if (node.watch.pollAtMs <= nowMs) this.#pollNode(node, nowMs);
      nextMs = Math.min(nextMs, node.watch.pollAtMs);
    }
    this.#lookAtLinks(nowMs, false);
    return Math.min(nextMs, this.#links.nextMs);
  }

  /** Looks at every directory's modification time, and at the size of every open file. */
  rescan(): void {
    for (const root of this.#missingRoots) this.#enter(root, true);
    for (const node of this.#nodes.values()) {
      this.#checkDirectory(node);
      this.#poked.add(node.path);
    }
    this.#lookAtLinks(this.#options.scheduler.monotonicMs(), true);
  }

  /** Reads one directory at once, because a decision about its files depends on what stands there now. */
  scanNow(path: string): void {
    this.#dirty.delete(path);
    this.#scan(path);
  }

  /** Reads the directories down to `directory` that are not known yet, and then itself: for what no event told yet. */
  reach(directory: string): void {
    for (const root of this.layout.roots) {
      const names = namesBelow(root, directory);
      if (names === undefined) continue;
      this.#enter(root, true);
      let path = root;
      for (const name of names) {
        const next = joinPath(path, name);
        if (!this.#nodes.has(next)) this.scanNow(path);
        path = next;
      }
      this.scanNow(directory);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const node of this.#nodes.values()) node.watcher?.close();
    this.#nodes.clear();
    this.#polled.clear();
    this.#dirty.clear();
    this.#poked.clear();
  }

  #enter(path: string, isRoot: boolean): void {
    const { fileSystem, warnOnce } = this.#options;
    if (this.#nodes.has(path)) return;
    if (this.#nodes.size >= DIRECTORIES_MAX) {
      const reason = `more than ${DIRECTORIES_MAX} directories`;
      warnOnce('too_many_directories', path, `${reason}; ${path} is not collected`);
      this.#noteObstacle(isRoot ? path : parentOf(path), path, new Error(reason));
      return;
    }
    const { stat, error } = lookAt(fileSystem, path);
    if (error !== undefined) {
      this.#onHidden(isRoot ? path : parentOf(path), path, error);
      if (isRoot) this.#missingRoots.add(path);
      return;
    }
    if (stat?.kind !== 'directory') {
      if (isRoot) this.#clearObstacles(path);
      if (isRoot) {
        this.#missingRoots.add(path);
        warnOnce('root_missing', path, `${path} does not exist; it is collected when it appears`);
      }
      return;
    }
    this.#missingRoots.delete(path);
    const node: DirectoryNode = {
      path,
      isRoot,
      children: new Set(),
      watch: createWatchState(),
      watcher: undefined,
      inode: stat.inode,
      modifiedNs: -1n,
      isRacy: true,
    };
    this.#nodes.set(path, node);
    this.#watch(node);
    this.#dirty.add(path);
  }

  #watch(node: DirectoryNode): void {
    const { fileSystem, scheduler, onWatchRefused } = this.#options;
    const nowMs = scheduler.monotonicMs();
    try {
      node.watcher = fileSystem.watch(node.path, (event) => this.#onEvent(node, event));
      noteWatch(node.watch, true, nowMs);
      this.#polled.delete(node);
    } catch (error) {
      onWatchRefused(systemCodeOf(error) ?? messageOf(error));
      noteWatch(node.watch, false, nowMs);
      this.#polled.add(node);
    }
  }

  #onEvent(node: DirectoryNode, event: 'renamed' | 'changed'): void {
    if (this.#isClosed) return;
    const { scheduler, onWake } = this.#options;
    if (event === 'renamed') this.#dirty.add(node.path);
    else this.#poked.add(node.path);
    if (event === 'changed' && noteEvent(node.watch, scheduler.monotonicMs())) {
      node.watcher?.close();
      node.watcher = undefined;
      this.#polled.add(node);
      this.#dirty.add(node.path);
    }
    onWake();
  }

  #lookAtLinks(nowMs: number, isForced: boolean): void {
    for (const { directory, kind } of this.#links.look(nowMs, isForced)) {
      // What grew and is not open rests: reading the directory opens it again.
      if (kind === 'switched' || !this.#options.onPoke(directory)) this.#dirty.add(directory);
    }
  }

  #pollNode(node: DirectoryNode, nowMs: number): void {
    const hasNames = this.#checkDirectory(node);
    const hasGrown = this.#options.onPoke(node.path);
    if (!notePoll(node.watch, hasNames || hasGrown, nowMs)) return;
    this.#watch(node);
    // What appeared before the watch stood is found by reading the directory once more.
    this.#dirty.add(node.path);
    this.#poked.add(node.path);
  }

  /** Marks a directory that may have changed names; returns whether it has. */
  #checkDirectory(node: DirectoryNode): boolean {
    const stat = statOf(this.#options.fileSystem, node.path);
    if (stat !== undefined && stat.modifiedTimeNs === node.modifiedNs && !node.isRacy) return false;
    const hasChanged = stat?.modifiedTimeNs !== node.modifiedNs;
    this.#dirty.add(node.path);
    return hasChanged;
  }

  #scan(path: string): void {
    const node = this.#nodes.get(path);
    if (node === undefined) return;
    const { fileSystem, scheduler, layout, obstacles, onListing } = this.#options;
    const { stat, error: hidden } = lookAt(fileSystem, path);
    if (hidden !== undefined) return this.#onHidden(path, path, hidden);
    if (stat?.kind !== 'directory') {
      this.#leave(node);
      return;
    }
    let entries: DirectoryEntry[];
    let visit: LayoutVisit;
    try {
      entries = fileSystem.readDirectory(path);
      visit = layout.visit(path, entries);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      if (code === 'ENOENT') return this.#leave(node);
      return this.#onHidden(path, path, error);
    }
    if (stat.inode !== node.inode) this.#rewatch(node, stat.inode);
    node.modifiedNs = stat.modifiedTimeNs;
    node.isRacy = scheduler.nowNs() - stat.modifiedTimeNs < RACY_NS;
    const place = { source: layout.source, directory: path };
    obstacles.begin(place);
    this.#noteLinks(node, entries, visit);
    const present = new Set(visit.directories);
    for (const child of node.children) if (!present.has(child)) this.#scanGone(node, child);
    for (const child of present) {
      if (this.#nodes.has(child)) continue;
      node.children.add(child);
      this.#enter(child, false);
    }
    onListing(path, visit.files, false);
    obstacles.end(place);
  }

  /** Of what cannot be looked at nobody knows whether it is gone: it is left as it is, and tried again. */
  #onHidden(directory: string, path: string, error: unknown): void {
    const { warnOnce, retryLater } = this.#options;
    const text = `cannot read directory ${path} (${messageOf(error)}); it is tried again. Give the agent read and search permission on it`;
    warnOnce('directory_unreadable', path, text);
    this.#noteObstacle(directory, path, error);
    retryLater(directory);
  }

  #noteObstacle(directory: string, path: string, error: unknown): void {
    const { layout, obstacles } = this.#options;
    obstacles.note({ source: layout.source, directory }, { path, kind: 'directory', error });
  }

  #clearObstacles(directory: string): void {
    this.#options.obstacles.clear({ source: this.layout.source, directory });
  }

  /** Links that lead to what is collected, and those that lead nowhere yet; a root that is a link belongs to its own. */
  #noteLinks(node: DirectoryNode, entries: readonly DirectoryEntry[], visit: LayoutVisit): void {
    const { fileSystem, scheduler, warnOnce } = this.#options;
    const wanted = new Set([...visit.directories, ...visit.files.map((file) => file.path)]);
    const links: string[] = node.isRoot && isReachedByLink(fileSystem, node.path) ? [node.path] : [];
    for (const { name, kind } of entries) {
      if (kind !== 'link') continue;
      const path = joinPath(node.path, name);
      if (!wanted.has(path) && statOf(fileSystem, path) !== undefined) continue;
      links.push(path);
      // Its watch is on what the link led to before.
      const child = this.#nodes.get(path);
      if (child !== undefined && statOf(fileSystem, path)?.inode !== child.inode) this.#dirty.add(path);
    }
    if (this.#links.set(node.path, links, scheduler.monotonicMs())) return;
    const text = `more than ${LINKS_MAX} links; what those in ${node.path} lead to is looked at every agent.rescanMs only`;
    warnOnce('too_many_links', node.path, text);
  }

  /** A directory was replaced by another of the same name: the watch is on the old one. */
  #rewatch(node: DirectoryNode, inode: bigint): void {
    node.inode = inode;
    node.watcher?.close();
    node.watcher = undefined;
    this.#watch(node);
    this.#dirty.add(node.path);
  }

  #scanGone(parent: DirectoryNode, child: string): void {
    parent.children.delete(child);
    const node = this.#nodes.get(child);
    if (node !== undefined) this.#leave(node);
  }

  #leave(node: DirectoryNode): void {
    for (const child of node.children) this.#scanGone(node, child);
    node.watcher?.close();
    node.watcher = undefined;
    this.#polled.delete(node);
    this.#links.remove(node.path);
    this.#nodes.delete(node.path);
    this.#dirty.delete(node.path);
    this.#clearObstacles(node.path);
    this.#options.onListing(node.path, [], true);
    if (node.isRoot) this.#enter(node.path, true);
  }
}
