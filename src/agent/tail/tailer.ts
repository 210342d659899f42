/**
 * Follows all files of the agent: takes in what discovery finds, and reads in turns, a slice per group, so that a
 * container that writes a lot does not keep the others waiting (G9).
 *
 * A group is ready when one of its files may have unread bytes. Ready groups stand in a queue; a group that still
 * has bytes after its slice goes to the back.
 */
import { must } from '../../base/assert.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { GroupSpec, LayoutFile } from '../discovery/layout.ts';
import type { FileCheckpoint } from '../ship/checkpoint-store.ts';
import { FileGroup } from './file-group.ts';
import { FileLifecycle } from './file-lifecycle.ts';
import { type CheckpointMarks, FileMarks } from './file-marks.ts';
import { FileMatcher } from './file-matcher.ts';
import { FileMeasurer } from './file-measurer.ts';
import { FileReader } from './file-reader.ts';
import { GroupPods } from './group-pods.ts';
import { InodeOwners } from './inode-owners.ts';
import { compareObserved, isKnownIn, leaveInodesToLatest, standsThere } from './inode-rules.ts';
import type { TailContext } from './tail-context.ts';
import { Truncations } from './truncations.ts';
import { aliasOf, type Observed, restoreFile, type TailedFile } from './tailed-file.ts';
import { RestingFiles } from './resting-files.ts';

/** How often groups are looked at in which something may be due. */
const TEND_MS = 200;

export class Tailer {
  readonly #context: TailContext;
  readonly #reader: FileReader;
  readonly #marks: FileMarks;
  readonly #matcher: FileMatcher;
  readonly #measurer: FileMeasurer;
  readonly #resting: RestingFiles;
  readonly #truncations: Truncations;
  readonly lifecycle: FileLifecycle;
  readonly #pods: GroupPods;
  readonly #groups = new Map<string, FileGroup>();
  readonly #byDirectory = new Map<string, Set<FileGroup>>();
  readonly #owners: InodeOwners;
  readonly #successions = new Map<string, number>();
  #ready: FileGroup[] = [];
  readonly #truncated = new Set<FileGroup>();
  #attention = new Set<FileGroup>();
  #tendAtMs = 0;

  constructor(context: TailContext, saved: Iterable<FileCheckpoint>) {
    this.#context = context;
    this.#reader = new FileReader(context);
    this.#marks = new FileMarks(context);
    const onReady = (group: FileGroup): void => this.#onArchive(group);
    this.#matcher = new FileMatcher(context, { reader: this.#reader, marks: this.#marks, onReady });
    this.#measurer = new FileMeasurer(context, this.#reader);
    this.#resting = new RestingFiles(this.#measurer);
    this.#truncations = new Truncations(context, { matcher: this.#matcher, measurer: this.#measurer });
    this.#pods = new GroupPods(context);
    this.lifecycle = new FileLifecycle(context, this.#reader);
    this.#owners = new InodeOwners(context, {
      saved,
      marksOf: (file) => this.marksOf(file),
      remove: (group, file) => this.remove(group, file),
    });
  }

  get groups(): IterableIterator<FileGroup> {
    return this.#groups.values();
  }

  /** Checkpoints whose group was not found so far. */
  get unclaimed(): IterableIterator<FileCheckpoint[]> {
    return this.#owners.unclaimed;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** When `tend` has something to do, in monotonic milliseconds. */
  get tendAtMs(): number {
    return this.#attention.size > 0 ? this.#tendAtMs : Number.POSITIVE_INFINITY;
  }

  /** Forgets checkpoints that nothing claimed. */
  dropUnclaimed(group: string): void {
    this.#owners.claim(group);
  }

  /** Returns what the checkpoint of a file says of the bytes that were read of it. */
  marksOf(file: TailedFile): CheckpointMarks {
    return this.#marks.checkpointMarksOf(file);
  }

  /** Takes in what stands in a directory now, as far as it belongs to `source`. */
  onListing(
    directory: string,
    files: readonly LayoutFile[],
    { isGone, source }: { isGone: boolean; source: SourceConfig },
  ): void {
    const byGroup = new Map<string, Observed[]>();
    const failed = new Set<string>();
    const seen = files.map((file) => this.#measurer.observe(file));
    this.#letOthersLook(source, seen);
    for (const group of this.#byDirectory.get(directory) ?? []) {
      if (group.spec.source === source) byGroup.set(group.spec.key, []);
    }
    for (const [index, file] of files.entries()) {
      const observed = seen[index];
      if (observed === 'failed') failed.add(file.group.key);
      if (observed === undefined || observed === 'failed') continue;
      // Another source that names this very group has it already.
      if (this.#groupOf(file.group).spec.source !== source) continue;
      const list = byGroup.get(file.group.key);
      if (list === undefined) byGroup.set(file.group.key, [observed]);
      else list.push(observed);
    }
    for (const [key, observed] of byGroup) {
      // A file that could not be looked at is not gone: the directory is read again before anything is decided.
      if (failed.has(key)) continue;
      const group = this.#groups.get(key);
      // The last of its files may have gone over to another group just now.
      if (group === undefined) continue;
      group.isDirectoryGone = isGone;
      this.#reconcile(group, observed);
    }
  }

  /** Looks at the sizes of a directory's open files; returns whether one has changed. */
  onPoke(directory: string): boolean {
    let hasGrown = false;
    for (const group of this.#byDirectory.get(directory) ?? []) {
      for (const file of group.files) if (this.#measurer.measure(file)) hasGrown = true;
      if (this.#resting.note(group)) this.#attention.add(group);
      this.#makeReady(group);
    }
    return hasGrown;
  }

  /** Looks at the size of every file, whether anything told of a change or not. */
  measureAll(): void {
    for (const group of this.#groups.values()) {
      let isOutdated = false;
      for (const file of group.files) {
        if (file.fd === undefined) isOutdated ||= this.#measurer.hasGrownAtRest(file);
        else this.#measurer.measure(file);
      }
      if (isOutdated) this.#context.scanNow(group.spec.directory);
      this.#makeReady(group);
    }
    if (this.#ready.length > 0 || this.#truncated.size > 0) this.#context.wake();
  }

  /** Begins new lives for files that were truncated, credits or not: a copy may not stand there for long. */
  settleTruncated(): void {
    for (const group of this.#truncated) {
      this.#truncated.delete(group);
      for (const file of [...group.files]) if (file.isShrunk) this.#truncations.end(group, file);
      this.#makeReady(group);
    }
  }

  /** Begins a new life of a file that somebody is known to have truncated. */
  endLife(group: FileGroup, file: TailedFile): void {
    file.isShrunk = true;
    this.#truncated.add(group);
    this.settleTruncated();
    this.#context.wake();
  }

  /** Reads slices in turns while `canRead`; returns the bytes read. */
  serve(canRead: () => boolean): number {
    let bytes = 0;
    while (this.#ready.length > 0 && canRead()) {
      const group = must(this.#ready.shift(), 'ready group');
      group.isReady = false;
      bytes += this.#serveGroup(group);
    }
    return bytes;
  }

  /** Does what is due by time. */
  tend(nowMs: number): void {
    if (nowMs < this.#tendAtMs) return;
    this.#tendAtMs = nowMs + TEND_MS;
    for (const group of this.#attention) {
      for (const file of group.files)
        if (file.fd !== undefined && needsMeasuring(file)) this.#measurer.measure(file);
      const isPending = this.lifecycle.tend(group, nowMs);
      const isSuspecting = this.#lookAtSuspects(group);
      if (this.#resting.hasGrown(group, nowMs)) this.#context.scanNow(group.spec.directory);
      const isDue = isPending || isSuspecting || this.#resting.isDue(group) || group.isWaitingForPod;
      if (!isDue) this.#attention.delete(group);
      this.#makeReady(group);
    }
  }

  /** Marks a group as one where something may be due by time. */
  attend(group: FileGroup): void {
    this.#attention.add(group);
  }

  /** Removes a file of which nothing has to be remembered, and its group with the last one. */
  remove(group: FileGroup, file: TailedFile): void {
    this.lifecycle.closeFile(file);
    this.#owners.leave(group, file.inode);
    group.files = group.files.filter((other) => other !== file);
    if (group.files.length > 0 || group.listed.size > 0) return;
    this.#groups.delete(group.spec.key);
    this.#attention.delete(group);
    this.#resting.forget(group);
    const siblings = this.#byDirectory.get(group.spec.directory);
    siblings?.delete(group);
    if (siblings?.size === 0) this.#byDirectory.delete(group.spec.directory);
  }

  /** Groups that may hold files without a name. */
  unlinkedGroups(): Iterable<FileGroup> {
    return this.#attention;
  }

  /** Closes a file without a name to free its bytes: what was not read of it becomes a gap. */
  release(group: FileGroup, file: TailedFile): void {
    const reason = 'deleted files held more bytes than deletedBytesMax allows';
    if (file.id === undefined) this.lifecycle.closeFile(file);
    else if (file.hasUnread) this.lifecycle.giveUp(group, file, { kind: 'gap', reason });
    else this.lifecycle.finishNow(group, file);
  }

  close(): void {
    for (const group of this.#groups.values()) for (const file of group.files) this.lifecycle.closeFile(file);
  }

  /** A copy in the making is looked at until it is whole. */
  #lookAtSuspects(group: FileGroup): boolean {
    for (const inode of group.suspects.keys()) if (!group.listed.has(inode)) group.suspects.delete(inode);
    if (group.suspects.size === 0) return false;
    this.#context.scanNow(group.spec.directory);
    return true;
  }

  /** Sources that come before in the configuration look first at where new files really are: the first one wins. */
  #letOthersLook(source: SourceConfig, seen: readonly (Observed | 'failed' | undefined)[]): void {
    if (this.#context.isFirstScan()) return;
    const paths: string[] = [];
    for (const observed of seen) {
      if (observed === undefined || observed === 'failed') continue;
      const group = this.#groups.get(observed.file.group.key);
      if (group?.listed.has(observed.inode) !== true) paths.push(observed.file.path);
    }
    if (paths.length > 0) this.#context.lookBefore(source, paths);
  }

  #groupOf(spec: GroupSpec): FileGroup {
    const known = this.#groups.get(spec.key);
    if (known !== undefined) {
      // Whether a processor works in a directory shows only when it has worked once.
      if (known.spec.hasProcessor !== spec.hasProcessor) known.spec = spec;
      if (known.spec.source === spec.source) this.#rename(known, spec);
      return known;
    }
    const restored = this.#owners.claim(spec.key).map((file) => restoreFile(file, true));
    const group = new FileGroup(spec, restored);
    if (this.#context.pods !== undefined) group.foundMs = this.#context.scheduler.monotonicMs();
    for (const file of restored) file.progress = this.#context.ship.progressOf(must(file.id, 'file id'));
    this.#groups.set(spec.key, group);
    const siblings = this.#byDirectory.get(spec.directory);
    if (siblings === undefined) this.#byDirectory.set(spec.directory, new Set([group]));
    else siblings.add(group);
    this.#succeed(group);
    // Whether the documents of their gaps arrived is not known.
    for (const file of restored) if (file.gaps.length > 0) this.#context.noteChange(group, file);
    return group;
  }

  /** Names can come later than the file, as those of Docker do. */
  #rename(group: FileGroup, spec: GroupSpec): void {
    if (JSON.stringify(group.spec.names) === JSON.stringify(spec.names)) return;
    group.spec = spec;
    this.#pods.describe(group);
    for (const file of group.files) this.#context.noteChange(group, file);
  }

  /** Takes in what is newly known of pods: later records say it, and those that waited for it go on. */
  notePods(): void {
    for (const group of this.#pods.takeNews(this.#groups.values())) this.#makeReady(group);
  }

  /** Tells whose pods are still needed, deleted or not. */
  tellFollowedPods(): void {
    this.#pods.tellFollowed(this.#groups.values());
  }

  /** A container's greater restart number ends the groups of the smaller ones. */
  #succeed(group: FileGroup): void {
    const { succession } = group.spec;
    if (succession === undefined) return;
    const newest = Math.max(this.#successions.get(succession.key) ?? 0, succession.number);
    this.#successions.set(succession.key, newest);
    for (const other of this.#byDirectory.get(group.spec.directory) ?? []) {
      const theirs = other.spec.succession;
      if (theirs === undefined || theirs.number >= newest || other.isEnded) continue;
      other.isEnded = true;
      this.#attention.add(other);
    }
  }

  #reconcile(group: FileGroup, observed: readonly Observed[]): void {
    const nowMs = this.#context.scheduler.monotonicMs();
    const byInode = new Map<string, Observed>();
    for (const one of observed) {
      if (this.#owners.isElsewhere(group, one)) continue;
      if (!byInode.has(one.inode)) byInode.set(one.inode, one);
    }
    if (group.noteListing([...byInode.values()], nowMs)) this.#context.retryLater(group.spec.directory);
    leaveInodesToLatest(group);
    for (const file of [...group.files])
      this.#update(group, file, standsThere(file, byInode.get(file.inode)), nowMs);
    const present = [...byInode.values()].sort(compareObserved);
    this.#truncations.look(group, present);
    for (const one of present) this.#consider(group, one, present);
    group.isKnown = true;
    this.#owners.take(group);
    this.#attention.add(group);
    this.#makeReady(group);
  }

  /** All directories were read once: what was left to others, and not taken by them, is taken now. */
  endFirstScan(): void {
    for (const directory of this.#owners.passedDirectories) this.#context.scanNow(directory);
  }

  #update(group: FileGroup, file: TailedFile, observed: Observed | undefined, nowMs: number): void {
    if (observed === undefined) {
      this.#unlist(file, nowMs);
      return;
    }
    // It was missing for a moment: its directory was read while it was renamed.
    if (file.phase === 'orphaned') file.phase = 'resting';
    if (file.isUnverified && file.phase !== 'unidentified') {
      this.#matcher.resume(group, file, observed);
      return;
    }
    if (file.fd === undefined && file.archive === undefined) {
      const hasChanged = observed.size !== file.size;
      if (
        (file.phase === 'resting' || file.phase === 'done') &&
        hasChanged &&
        file.compression === undefined
      ) {
        this.#matcher.resume(group, file, observed);
        return;
      }
    }
    file.observe(observed);
    if (file.archive === undefined && file.compression === undefined && file.fd !== undefined)
      this.#measurer.measure(file);
  }

  #unlist(file: TailedFile, nowMs: number): void {
    if (file.isListed || file.unlistedMs === 0) {
      file.unlistedMs = Math.max(nowMs, 1);
      // Other groups know it by another name, perhaps.
      for (const directory of this.#owners.directoriesOf(file.inode)) this.#context.retryLater(directory);
    }
    file.isListed = false;
    if (file.fd !== undefined || file.archive !== undefined) {
      file.isUnlinked = true;
      if (file.fd !== undefined) this.#measurer.measure(file);
      return;
    }
    if (file.phase === 'resting') file.phase = 'orphaned';
  }

  #consider(group: FileGroup, observed: Observed, present: readonly Observed[]): void {
    const alias = aliasOf(observed);
    if (group.ignored.has(alias)) return;
    if (this.#matcher.goesOnInCopy(group, observed)) return;
    if (!isKnownIn(group, observed)) this.#matcher.adopt(group, observed, present);
  }

  #onArchive(group: FileGroup): void {
    this.#attention.add(group);
    this.#makeReady(group);
    this.#context.wake();
  }

  #makeReady(group: FileGroup): void {
    const nowMs = this.#context.scheduler.monotonicMs();
    if (group.files.some((file) => file.isShrunk)) this.#truncated.add(group);
    if (group.isReady || group.nextReadable(nowMs) === undefined) return;
    if (this.#pods.mustWait(group)) {
      this.#attention.add(group);
      return;
    }
    group.isReady = true;
    this.#ready.push(group);
  }

  #serveGroup(group: FileGroup): number {
    this.#attention.add(group);
    const file = group.nextReadable(this.#context.scheduler.monotonicMs());
    if (file === undefined) return 0;
    const outcome = this.#reader.readSlice(group, file);
    if (outcome.kind === 'truncated') this.#truncations.endOverwritten(group, file);
    if (outcome.kind === 'read' && file.size === file.readOffset) this.#measurer.measure(file);
    this.#makeReady(group);
    return outcome.kind === 'read' ? outcome.bytes : 0;
  }
}

/** Files without a name, or in a directory that changes, are measured by time: no event tells of their growth. */
function needsMeasuring(file: TailedFile): boolean {
  return file.isUnlinked || file.phase === 'unidentified';
}
