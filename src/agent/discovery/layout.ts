/**
 * Where a kind of source keeps its log files, and what their paths say. A layout looks at one directory at a time
 * and names the directories below it to enter and the log files in it, gathered into groups.
 *
 * A group is the files that one writer fills one after another: the active file and what was rotated. It shares
 * the state of partial lines, keeps its order, and is where a renamed or compressed file is looked for.
 */
import { systemCodeOf } from '../../base/errors.ts';
import type { DirectoryEntry, FileSystem } from '../../base/file-system.ts';
import type { LineFormat } from '../../capture/decoder-types.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { RotatedName } from './rotated-name.ts';

/** What a path says about who wrote the file; undefined where it says nothing. */
export interface FileNames {
  readonly namespace?: string | undefined;
  readonly app?: string | undefined;
  readonly pod?: string | undefined;
  readonly podUid?: string | undefined;
  readonly container?: string | undefined;
  readonly containerId?: string | undefined;
  readonly containerName?: string | undefined;
  readonly image?: string | undefined;
  /** Docker's labels but for those of Kubernetes, by their names with dots. */
  readonly containerLabels?: Readonly<Record<string, string>> | undefined;
  readonly isLabelLeftOut?: boolean;
  readonly restart?: number | undefined;
  /** Fields of a path template, by dotted name. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

export interface GroupSpec {
  /** Unique over all sources: the directory and the name of the active file. */
  readonly key: string;
  readonly source: SourceConfig;
  readonly directory: string;
  readonly style: 'rotated' | 's6';
  /** An s6-log directory whose archives are written by a processor, not renamed. */
  readonly hasProcessor: boolean;
  /** Part of the file ids: what stays the same when the tree is mounted elsewhere. */
  readonly identity: string;
  readonly format: LineFormat;
  readonly stream: 'file' | 'stdout' | 'stderr';
  readonly names: FileNames;
  /** Containers that follow one another: a group with a greater number ends those before it. */
  readonly succession: { readonly key: string; readonly number: number } | undefined;
}

export interface LayoutFile {
  readonly name: string;
  /** Where the file is opened; differs from directory and name for links. */
  readonly path: string;
  readonly rotated: RotatedName;
  readonly group: GroupSpec;
}

export interface LayoutVisit {
  readonly directories: readonly string[];
  readonly files: readonly LayoutFile[];
}

export interface Layout {
  readonly source: SourceConfig;
  /** Directories where the source begins; what a missing one is called in messages. */
  readonly roots: readonly string[];
  visit(directory: string, entries: readonly DirectoryEntry[]): LayoutVisit;
}

/** What layouts need of the world. */
export interface LayoutContext {
  readonly fileSystem: FileSystem;
  /** Says something about a path once. */
  readonly warnOnce: (event: string, path: string, text: string) => void;
  /** Has a directory read again soon, because something in it could not be read yet. */
  readonly retryLater: (directory: string) => void;
}

/** Joins a directory and a name. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
}

/** Splits what stands below `root` into names; undefined when `path` is not below it, empty for the root itself. */
export function namesBelow(root: string, path: string): string[] | undefined {
  if (path === root) return [];
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length).split('/') : undefined;
}

/**
 * Returns the kind of an entry with links resolved, and undefined for links that lead nowhere. One of which that cannot
 * be told counts as a file: whoever opens it finds out why.
 */
export function resolvedKind(
  fileSystem: FileSystem,
  directory: string,
  entry: DirectoryEntry,
): 'file' | 'directory' | 'other' | undefined {
  if (entry.kind !== 'link') return entry.kind;
  try {
    const kind = fileSystem.stat(joinPath(directory, entry.name))?.kind;
    return kind === 'link' ? 'other' : kind;
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return 'file';
  }
}

/** Removes a slash at the end, except of the root directory. */
export function trimSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
