/**
 * Joins what stands in the directories with what the agent knows of it. Groups in which nothing has changed are not
 * looked at again for a while: an idle node costs next to nothing.
 */
import { systemCodeOf } from '../../base/errors.ts';
import type { LogDirectory, LogEntry, RotateMachine } from '../../base/log-directory.ts';
import { isSameFile } from '../file-identity.ts';
import type { FollowedFile, FollowedGroup } from '../followed-files.ts';
import { globRoot } from '../discovery/path-glob.ts';
import { joinPath } from '../discovery/layout.ts';
import type { RotateFile, RotateGroup } from './rotate-types.ts';

/**
 * A group without news is looked at again after this time: what somebody else removes or rotates is news of the agent,
 * but not that bytes were freed inside a file.
 */
const RELOOK_MS = 600_000;

export interface SurveyOptions {
  readonly machine: RotateMachine;
  /** Says once that a directory cannot be looked at. */
  readonly onUnreadable: (directory: string, error: unknown) => void;
}

interface Known {
  readonly signature: string;
  readonly group: RotateGroup;
  readonly lookedMs: number;
}

export class Survey {
  readonly #options: SurveyOptions;
  readonly #known = new Map<string, Known>();
  readonly #born = new Map<string, number>();

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** Returns all groups; `fresh` are those that were looked at in this call. */
  look(
    followed: readonly FollowedGroup[],
    now: { readonly wallMs: number; readonly monotonicMs: number },
  ): { readonly groups: readonly RotateGroup[]; readonly fresh: ReadonlySet<string> } {
    const fresh = new Set<string>();
    const groups: RotateGroup[] = [];
    const directories = new Map<string, readonly LogEntry[]>();
    const keys = new Set<string>();
    for (const group of followed) {
      keys.add(group.key);
      const signature = signatureOf(group);
      const known = this.#known.get(group.key);
      if (known?.signature === signature && now.monotonicMs - known.lookedMs < RELOOK_MS) {
        groups.push(known.group);
        continue;
      }
      const looked = this.#lookAt(group, directories, now.wallMs);
      if (looked === undefined) continue;
      this.#known.set(group.key, { signature, group: looked, lookedMs: now.monotonicMs });
      groups.push(looked);
      fresh.add(group.key);
    }
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    this.#forgetBorn();
    return { groups, fresh };
  }

  /** Has a group looked at again by the next call. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  #lookAt(
    group: FollowedGroup,
    directories: Map<string, readonly LogEntry[]>,
    wallMs: number,
  ): RotateGroup | undefined {
    const root = rootOf(group);
    let directory: LogDirectory | undefined;
    try {
      directory = this.#options.machine.openDirectory(group.directory, root);
      const entries = directories.get(group.directory) ?? directory.list();
      directories.set(group.directory, entries);
      const files = this.#filesOf(group, entries, wallMs);
      return { ...describeGroup(group), blockBytes: directory.blockBytes, files };
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      if (systemCodeOf(error) !== 'ENOENT') this.#options.onUnreadable(group.directory, error);
      return undefined;
    } finally {
      directory?.close();
    }
  }

  #filesOf(group: FollowedGroup, entries: readonly LogEntry[], wallMs: number): RotateFile[] {
    const byInode = new Map(group.files.map((file) => [file.inode, file]));
    const byCopy = new Map(group.files.flatMap((file) => file.copies.map((copy) => [copy, file] as const)));
    const order = new Map(group.files.map((file, index) => [file, index]));
    return entries
      .flatMap((entry) => {
        const named = byInode.get(entry.inode);
        const own = named !== undefined && isSameFile(named, entry) ? named : undefined;
        const followed = own ?? byCopy.get(`${entry.inode}@${entry.birthNs}`);
        if (entry.kind !== 'file' || followed === undefined) return [];
        const file = fileOf(group, entry, { followed, isCopy: own === undefined });
        return [{ file: { ...file, bornMs: this.#bornOf(entry, wallMs) }, order: order.get(followed) ?? 0 }];
      })
      .toSorted(
        (left, right) =>
          Number(left.file.isActive) - Number(right.file.isActive) ||
          left.order - right.order ||
          left.file.modifiedMs - right.file.modifiedMs,
      )
      .map(({ file }) => file);
  }

  #bornOf(entry: LogEntry, wallMs: number): number {
    if (entry.birthNs !== '0') return Number(BigInt(entry.birthNs) / 1_000_000n);
    const known = this.#born.get(entry.inode) ?? Math.min(wallMs, entry.modifiedMs);
    this.#born.set(entry.inode, known);
    return known;
  }

  #forgetBorn(): void {
    if (this.#born.size === 0) return;
    const inodes = new Set(
      [...this.#known.values()].flatMap(({ group }) => group.files.map(({ inode }) => inode)),
    );
    for (const inode of this.#born.keys()) if (!inodes.has(inode)) this.#born.delete(inode);
  }
}

/** Returns the directory that everything of a group must stay below. */
export function rootOf({ source, directory }: Pick<FollowedGroup, 'source' | 'directory'>): string {
  if (source.kind !== 'files') return source.root;
  const roots = source.paths.map(globRoot).filter((root) => isBelow(directory, root));
  return roots.toSorted((left, right) => right.length - left.length)[0] ?? directory;
}

/** Returns what policies look at. */
export function describeGroup(
  group: Omit<FollowedGroup, 'files'>,
): Omit<RotateGroup, 'files' | 'blockBytes'> {
  const { names, source } = group;
  const { fields = {} } = names;
  return {
    key: group.key,
    directory: group.directory,
    style: group.style,
    sourceKind: source.kind,
    activePath: group.key,
    names: {
      namespace: names.namespace ?? fields['kubernetes.namespace'],
      app: names.app ?? fields['service.name'],
      pod: names.pod ?? fields['kubernetes.pod.name'],
      container: names.container ?? fields['kubernetes.container.name'],
    },
    labels: source.fields,
  };
}

function fileOf(
  group: FollowedGroup,
  entry: LogEntry,
  { followed, isCopy }: { readonly followed: FollowedFile; readonly isCopy: boolean },
): Omit<RotateFile, 'bornMs'> {
  const activeName = group.key.slice(group.key.lastIndexOf('/') + 1);
  const isActive = entry.name === activeName;
  const isCompressed = /\.(?:gz|zst)$/.test(entry.name) || (isCopy && group.style === 's6');
  return {
    name: entry.name,
    path: joinPath(group.directory, entry.name),
    inode: entry.inode,
    birthNs: entry.birthNs,
    fileId: followed.id,
    isActive,
    isCompressed,
    size: entry.size,
    diskBytes: entry.diskBytes,
    modifiedMs: entry.modifiedMs,
    readOffset: isCopy ? 0 : followed.readOffset,
    freeOffset: isCopy || isCompressed ? 0 : Math.min(followed.freeOffset, entry.size),
    // What was written since the agent looked is not done with.
    isDone: followed.isDone && (isCopy || isCompressed || followed.freeOffset >= entry.size),
    hasUnfinishedLine: !isCopy && followed.hasUnfinishedLine && followed.size >= entry.size,
    given: isCopy || isCompressed ? [] : followed.given,
  };
}

function signatureOf(group: FollowedGroup): string {
  return group.files
    .map(({ inode, path, size, freeOffset, isDone, hasUnfinishedLine, copies, given }) =>
      [inode, path, size, freeOffset, isDone, hasUnfinishedLine, copies.length, given.at(-1)?.endOffset].join(
        ' ',
      ),
    )
    .join('\n');
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}
