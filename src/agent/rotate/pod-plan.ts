/**
 * Whether the directory of a pod may be removed: only when every byte in it is one that the agent collected, that is
 * acknowledged, and of which a checkpoint on disk says so (G5). Whatever else stands in it keeps all of it.
 */
import { joinPath, namesBelow } from '../discovery/layout.ts';
import { isSameFile } from '../file-identity.ts';
import type { PodTree, TreeEntry } from './pod-tree.ts';
import type { RotateFile, RotateGroup } from './rotate-types.ts';

/** Files of s6-log itself in its directories, and of the base image's logger beside them: nobody's lines. */
const S6_NAMES: ReadonlySet<string> = new Set(['lock', 'state']);
const IMAGE_NAME = /^\.(?:reserve|probe)\.(?:stdout|stderr)$/;

export interface PodFacts {
  /** What the agent knows of the files below the directory, freshly looked at. */
  readonly groups: readonly RotateGroup[];
  /** Whether kubelet still has a directory of a pod with these names. */
  readonly isAlive: boolean;
  /** Path of a file that a policy leaves alone by `method: none`. */
  readonly leftAlone: string | undefined;
}

export type PodPlan =
  /** In the order in which they go: what holds no lines, files of lines, and then directories from below. */
  | { readonly kind: 'remove'; readonly entries: readonly TreeEntry[] }
  /** Last lines without an end are given out first. */
  | { readonly kind: 'finish'; readonly fileIds: readonly string[]; readonly reason: string }
  | { readonly kind: 'keep'; readonly reason: string };

/** Returns what is to be done with a directory that is old enough. */
export function planPod(tree: PodTree, facts: PodFacts): PodPlan {
  if (facts.isAlive) return keep('Kubernetes still has a pod of this name');
  if (facts.leftAlone !== undefined)
    return keep(`a policy with method: none leaves ${facts.leftAlone} alone`);
  const files = new Map(facts.groups.flatMap((group) => group.files.map((file) => [file.path, file])));
  const s6 = new Set(facts.groups.filter(({ style }) => style === 's6').map(({ directory }) => directory));
  const first: TreeEntry[] = [];
  const lines: TreeEntry[] = [];
  const unfinished: string[] = [];
  for (const found of tree.entries) {
    const file = files.get(found.path);
    const reason = obstacleOf(found, file, { tree, s6 });
    if (reason !== undefined) return keep(reason);
    (file === undefined ? first : lines).push(found);
    if (file !== undefined && !isDone(found, file)) unfinished.push(file.fileId ?? '');
  }
  if (unfinished.length > 0) {
    const reason = 'a last line has no end, and is given out as it is';
    return { kind: 'finish', fileIds: unfinished, reason };
  }
  return { kind: 'remove', entries: [...first, ...lines, ...tree.directories.toReversed()] };
}

/** Returns why something may not go, or undefined; a last line without its end is no obstacle. */
function obstacleOf(
  found: TreeEntry,
  file: RotateFile | undefined,
  { tree, s6 }: { readonly tree: PodTree; readonly s6: ReadonlySet<string> },
): string | undefined {
  const { path, entry, directory } = found;
  if (entry.kind === 'link') {
    const isInside = namesBelow(tree.path, targetOf(found)) !== undefined;
    return isInside ? undefined : `${path} is a link that leads out of it`;
  }
  if (entry.kind !== 'file') return `${path} is no file`;
  if (file !== undefined && isSameFile(file, entry)) {
    const canGo = isDone(found, file) || (file.hasUnfinishedLine && file.fileId !== undefined);
    return canGo ? undefined : `${path} is not acknowledged to its end`;
  }
  if (entry.size === 0 || IMAGE_NAME.test(entry.name)) return undefined;
  if (s6.has(directory) && S6_NAMES.has(entry.name)) return undefined;
  return `${path} is a file that the agent does not collect`;
}

function isDone({ entry }: TreeEntry, file: RotateFile): boolean {
  return entry.size === 0 || (file.isDone && file.size === entry.size);
}

/** Returns where a link leads by its words alone, with `.` and `..` taken out. */
function targetOf({ directory, linkTarget = '' }: TreeEntry): string {
  const names: string[] = [];
  for (const name of (linkTarget.startsWith('/') ? linkTarget : joinPath(directory, linkTarget)).split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

function keep(reason: string): PodPlan {
  return { kind: 'keep', reason };
}
