/**
 * Removes the directories of pods that are gone, where a source says `removeAfter`: a directory in which nothing was
 * written for so long, whose every byte is acknowledged and written down, and of which no process has a file open for
 * writing. Its parents stay: they are the operator's, with owners and permissions of their own.
 */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { LogDirectory, RotateMachine } from '../../base/log-directory.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { FollowedGroup, FollowedView } from '../followed-files.ts';
import { namesBelow } from '../discovery/layout.ts';
import type { PolicyChooser } from './choose-policy.ts';
import { planPod, type PodFacts, type PodPlan } from './pod-plan.ts';
import { findPods, PodKept, type PodTree, readPodTree, type TreeEntry, withDirectory } from './pod-tree.ts';
import { isReplaced } from './rotate-errors.ts';
import type { PodsStatus, RemovedPod } from './rotate-status.ts';
import { describeGroup, Survey } from './survey.ts';

/** How often all pods are looked at, and how many of them at a time. */
const LOOK_MS = 60_000;
const PODS_PER_TURN = 8;

/**
 * How long a directory must have been seen unchanged by this process before it is removed, whatever the clock says: one
 * that jumps, and is set right, makes nothing old.
 */
const SEEN_MS = 120_000;

/** Kept in the status: the last ones, and the first ones. */
const REMOVED_SHOWN = 50;
const KEPT_SHOWN = 200;

export interface PodRemovalOptions {
  readonly sources: readonly SourceConfig[];
  readonly machine: RotateMachine;
  readonly telemetry: Telemetry;
  readonly chooser: PolicyChooser;
  /** Whether a tree is this process's. */
  readonly isOwn: (root: string, nowMs: number) => boolean;
  readonly onFreed: (bytes: number) => void;
}

interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface Candidate {
  readonly root: string;
  readonly path: string;
  readonly removeAfterMs: number;
}

export class PodRemoval {
  readonly #options: PodRemovalOptions;
  readonly #queue: Candidate[] = [];
  /** Since when a directory looks as it does. */
  readonly #seen = new Map<string, { readonly writtenMs: number; readonly sinceMs: number }>();
  readonly #kept = new Map<string, string>();
  #removed: readonly RemovedPod[] = [];
  #lookAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PodRemovalOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier run removed. */
  restore(status: PodsStatus | undefined): void {
    this.#removed = status?.removed ?? [];
  }

  /** What was removed last, and what stays although it is old; undefined where no source says `removeAfter`. */
  status(): PodsStatus | undefined {
    if (this.#removed.length === 0 && !this.#options.sources.some(hasRemoval)) return undefined;
    const kept = [...this.#kept].slice(0, KEPT_SHOWN).map(([path, reason]) => ({ path, reason }));
    return { removed: this.#removed, kept };
  }

  /** Looks at a few pods when it is time; returns whether something changed. */
  work(followed: FollowedView, now: Moment): boolean {
    if (this.#queue.length === 0 && now.monotonicMs >= this.#lookAtMs) this.#fill(now.monotonicMs);
    let hasChanged = false;
    for (const candidate of this.#queue.splice(0, PODS_PER_TURN)) {
      const before = this.#kept.get(candidate.path);
      const isRemoved = this.#consider(candidate, followed, now);
      hasChanged ||= isRemoved || this.#kept.get(candidate.path) !== before;
    }
    return hasChanged;
  }

  #fill(nowMs: number): void {
    this.#lookAtMs = nowMs + LOOK_MS;
    for (const source of this.#options.sources) {
      if (!hasRemoval(source) || !this.#options.isOwn(source.root, nowMs)) continue;
      const { root, removeAfter: removeAfterMs } = source;
      try {
        for (const path of findPods(this.#options.machine, root)) {
          this.#queue.push({ root, path, removeAfterMs });
        }
      } catch (error) {
        // The root is not there yet, or changes just now: it is looked at again.
        if (systemCodeOf(error) === undefined && !(error instanceof PodKept)) throw error;
      }
    }
    const paths = new Set(this.#queue.map(({ path }) => path));
    for (const path of this.#seen.keys()) if (!paths.has(path)) this.#seen.delete(path);
    for (const path of this.#kept.keys()) if (!paths.has(path)) this.#kept.delete(path);
  }

  /** Returns whether the directory is gone. */
  #consider(candidate: Candidate, followed: FollowedView, now: Moment): boolean {
    const { machine } = this.#options;
    const { root, path } = candidate;
    try {
      const tree = readPodTree(machine, root, path);
      if (!this.#isOld(tree, candidate, now)) {
        this.#kept.delete(path);
        return false;
      }
      const plan = planPod(tree, podFacts(tree, { ...this.#options, followed, wallMs: now.wallMs }));
      if (plan.kind === 'finish') for (const id of plan.fileIds) followed.finish(id);
      if (plan.kind !== 'remove') {
        this.#kept.set(path, plan.reason);
        return false;
      }
      this.#remove(tree, plan, now.wallMs);
      return true;
    } catch (error) {
      this.#onFailed(path, error);
      return false;
    }
  }

  #isOld({ path, writtenMs }: PodTree, { removeAfterMs }: Candidate, now: Moment): boolean {
    const seen = this.#seen.get(path);
    const sinceMs = seen?.writtenMs === writtenMs ? seen.sinceMs : now.monotonicMs;
    this.#seen.set(path, { writtenMs, sinceMs });
    return now.wallMs - writtenMs >= removeAfterMs && now.monotonicMs - sinceMs >= SEEN_MS;
  }

  /** What was removed is told of, also when something new keeps the rest. */
  #remove(
    { root, path, entries, writtenMs }: PodTree,
    plan: Extract<PodPlan, { kind: 'remove' }>,
    wallMs: number,
  ): void {
    const { machine, telemetry } = this.#options;
    const gone: TreeEntry['entry'][] = [];
    try {
      removeEntries(machine, root, plan.entries, gone);
      this.#kept.delete(path);
      this.#seen.delete(path);
      telemetry.count('logboom_rotate_actions_total', 1, { action: 'remove_pod', outcome: 'done' });
    } finally {
      const files = gone.filter(({ kind }) => kind !== 'directory');
      const freedBytes = files.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
      const isWhole = files.length === entries.length;
      if (files.length > 0) {
        telemetry.count('logboom_rotate_freed_bytes_total', freedBytes, { action: 'remove_pod' });
        telemetry.gauge('logboom_rotate_last_timestamp_seconds', wallMs / 1000);
        this.#options.onFreed(freedBytes);
      }
      if (gone.length > 0) {
        const removed = { time: timeOf(wallMs), path, files: files.length, freedBytes };
        this.#removed = [...this.#removed, removed].slice(-REMOVED_SHOWN);
        const part = isWhole ? `${files.length}` : `${files.length} of ${entries.length}`;
        const text = `${path}: removed ${part} files, because nothing was written in it since ${timeOf(writtenMs)}`;
        telemetry.log('info', 'pod_removed', text, { freedBytes });
      }
    }
  }

  #onFailed(path: string, error: unknown): void {
    if (systemCodeOf(error) === undefined && !(error instanceof PodKept)) throw error;
    const isEarlier = this.#kept.has(path);
    this.#kept.set(path, reasonOf(error));
    if (isEarlier || isReplaced(error) || error instanceof PodKept) return;
    const { telemetry } = this.#options;
    telemetry.count('logboom_rotate_actions_total', 1, { action: 'remove_pod', outcome: 'failed' });
    telemetry.log('warn', 'rotate_problem', `cannot remove ${path} (${messageOf(error)})`);
  }
}

export interface FactsOptions {
  readonly machine: RotateMachine;
  readonly chooser: PolicyChooser;
  readonly followed: Pick<FollowedView, 'groups'>;
  readonly wallMs: number;
}

/** Returns what the agent knows of the files of a pod's directory, and of the pod. */
export function podFacts(
  { path, names }: PodTree,
  { machine, chooser, followed, wallMs }: FactsOptions,
): PodFacts {
  const own = followed.groups(({ directory }) => namesBelow(path, directory) !== undefined);
  const isOfPod = (group: Omit<FollowedGroup, 'files'>): boolean =>
    group.source.kind === 'pods' &&
    group.names.namespace === names.namespace &&
    group.names.pod === names.pod;
  const survey = new Survey({ machine, onUnreadable: () => undefined });
  const left = own.find((group) => {
    const choice = chooser.choose(describeGroup(group));
    return choice.kind === 'none' && choice.index !== undefined;
  });
  return {
    groups: survey.look(own, { wallMs, monotonicMs: 0 }).groups,
    isAlive: followed.groups(isOfPod).length > 0,
    leftAlone: left?.key,
  };
}

/** Returns the path of a file that may be written to by somebody, or undefined. */
export function findOpenFile(
  machine: RotateMachine,
  root: string,
  entries: readonly TreeEntry[],
): string | undefined {
  const files = entries.filter(({ entry }) => entry.kind === 'file');
  for (const [directory, found] of Map.groupBy(files, (file) => file.directory)) {
    const open = withDirectory(machine, directory, root, (opened) =>
      found.find(({ entry }) => mayBeWritten(opened, entry)),
    );
    if (open !== undefined) return open.path;
  }
  return undefined;
}

/** Where nobody can tell, on NFS for one, a silent pod looks like one that is gone: its files count as open. */
function mayBeWritten(opened: LogDirectory, entry: TreeEntry['entry']): boolean {
  return opened.findWriter(entry) !== 'none';
}

/** Removes what was planned, adds it to `gone`, and stops at the first thing that is not as it was. */
function removeEntries(
  machine: RotateMachine,
  root: string,
  entries: readonly TreeEntry[],
  gone: TreeEntry['entry'][],
): void {
  const open = findOpenFile(machine, root, entries);
  if (open !== undefined) throw new PodKept(`a process may have ${open} open for writing`);
  while (gone.length < entries.length) {
    const directory = entries[gone.length]?.directory ?? '';
    withDirectory(machine, directory, root, (opened) => {
      for (let next = entries[gone.length]; next?.directory === directory; next = entries[gone.length]) {
        removeEntry(opened, next);
        gone.push(next.entry);
      }
    });
  }
}

function removeEntry(opened: LogDirectory, { entry, path }: TreeEntry): void {
  if (entry.kind === 'file') {
    // Looked at after the writer: who has closed it cannot write any more.
    const isOpen = mayBeWritten(opened, entry);
    if (isOpen || opened.stat(entry.name)?.size !== entry.size) throw new PodKept(`${path} is written to`);
  }
  opened.remove(entry);
}

function timeOf(ms: number): string {
  return formatTimestamp(BigInt(Math.floor(ms)) * 1_000_000n);
}

function reasonOf(error: unknown): string {
  if (systemCodeOf(error) === 'ENOTEMPTY') return 'something new appeared in it';
  return isReplaced(error) ? 'it changed just now' : messageOf(error);
}

type RemovingSource = Extract<SourceConfig, { kind: 'apps' }> & { readonly removeAfter: number };

function hasRemoval(source: SourceConfig): source is RemovingSource {
  return source.kind === 'apps' && source.removeAfter !== undefined;
}
