/**
 * What stands in the directory of one pod, `<root>/<namespace>/<app>/<pod>`: every file, link and directory below it,
 * read without following a link and without leaving the file system that it stands on.
 */
import type { LogDirectory, LogEntry, RotateMachine } from '../../base/log-directory.ts';
import { joinPath, namesBelow } from '../discovery/layout.ts';
import { foreignOwnerOf } from './choose-policy.ts';

/** What one pod may have before its directory is left to people: far more than any keeps of its logs. */
const ENTRIES_MAX = 20_000;

/** Pods that are looked for below one root: a node has some hundred. */
const PODS_MAX = 20_000;

const POD_DEPTH = 3;

/** Why a directory stays: its message is the reason. */
export class PodKept extends Error {
  override readonly name = 'PodKept';
}

export interface PodNames {
  readonly namespace: string;
  readonly app: string;
  readonly pod: string;
}

export interface PodTree {
  readonly root: string;
  readonly path: string;
  readonly names: PodNames;
  /** Those above come before those below; the pod's own is the first. */
  readonly directories: readonly TreeEntry[];
  /** Everything else. */
  readonly entries: readonly TreeEntry[];
  /** When something was last written, made, renamed or removed in it; milliseconds since the Unix epoch. */
  readonly writtenMs: number;
  readonly diskBytes: number;
}

export interface TreeEntry {
  /** The directory that it stands in. */
  readonly directory: string;
  readonly path: string;
  readonly entry: LogEntry;
  /** What a link says. */
  readonly linkTarget: string | undefined;
}

/** Returns the paths of the directories of all pods below a root; throws the system's errors. */
export function findPods(machine: RotateMachine, root: string): string[] {
  let paths = [root];
  for (let depth = 0; depth < POD_DEPTH; depth++) {
    paths = paths.flatMap((path) => directoriesIn(machine, path, root)).slice(0, PODS_MAX);
  }
  return paths;
}

function directoriesIn(machine: RotateMachine, path: string, root: string): string[] {
  return withDirectory(machine, path, root, (opened) =>
    opened
      .list()
      .filter(({ kind }) => kind === 'directory')
      .map(({ name }) => joinPath(path, name)),
  );
}

/**
 * Reads the directory of a pod. Throws the system's errors, and `PodKept` for what makes it a directory that must be
 * left alone: something is mounted in it, it stands in somebody else's tree, it is too large.
 */
export function readPodTree(machine: RotateMachine, root: string, path: string): PodTree {
  const [namespace = '', app = '', pod = ''] = namesBelow(root, path) ?? [];
  const directories: TreeEntry[] = [topOf(machine, root, path)];
  const entries: TreeEntry[] = [];
  const device = deviceOf(directories[0]?.entry);
  for (let next = 0; next < directories.length; next++) {
    const at = directories[next]?.path ?? path;
    for (const found of entriesOf(machine, at, root)) {
      if (deviceOf(found.entry) !== device) throw new PodKept(`${found.path} stands on another file system`);
      (found.entry.kind === 'directory' ? directories : entries).push(found);
      if (directories.length + entries.length > ENTRIES_MAX) {
        throw new PodKept(`it holds more than ${ENTRIES_MAX} files and directories`);
      }
    }
  }
  const all = [...directories, ...entries].map(({ entry }) => entry);
  return {
    root,
    path,
    names: { namespace, app, pod },
    directories,
    entries,
    writtenMs: all.reduce((latest, { modifiedMs }) => Math.max(latest, modifiedMs), 0),
    diskBytes: entries.reduce((sum, { entry }) => sum + entry.diskBytes, 0),
  };
}

/** Opens a directory of the tree for one use; it must stand where its path says, with no link on the way. */
export function withDirectory<Result>(
  machine: RotateMachine,
  path: string,
  root: string,
  use: (opened: LogDirectory) => Result,
): Result {
  const top = machine.openDirectory(root, root);
  const { realPath } = top;
  top.close();
  const opened = machine.openDirectory(path, root);
  try {
    const expected = [realPath, ...(namesBelow(root, path) ?? [])].reduce(joinPath);
    if (opened.realPath !== expected) throw new PodKept(`${path} is reached through a link`);
    return use(opened);
  } finally {
    opened.close();
  }
}

function topOf(machine: RotateMachine, root: string, path: string): TreeEntry {
  const parent = path.slice(0, path.lastIndexOf('/'));
  const name = path.slice(parent.length + 1);
  withDirectory(machine, path, root, ({ realPath }) => {
    const owner = foreignOwnerOf(realPath);
    if (owner !== undefined) throw new PodKept(`it stands in a tree that ${owner} rotates`);
    const mounted = machine.mountPoints().find((point) => namesBelow(realPath, point) !== undefined);
    if (mounted !== undefined) throw new PodKept(`something is mounted on ${mounted}`);
  });
  const entry = withDirectory(machine, parent, root, (opened) => opened.stat(name));
  if (entry?.kind !== 'directory') throw new PodKept('it is no directory any more');
  return { directory: parent, path, entry, linkTarget: undefined };
}

function entriesOf(machine: RotateMachine, directory: string, root: string): TreeEntry[] {
  return withDirectory(machine, directory, root, (opened) =>
    opened.list().map((entry) => ({
      directory,
      path: joinPath(directory, entry.name),
      entry,
      linkTarget: entry.kind === 'link' ? opened.readLink(entry.name) : undefined,
    })),
  );
}

function deviceOf(entry: LogEntry | undefined): string | undefined {
  return entry?.inode.split(':')[0];
}
