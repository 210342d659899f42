/** Which source takes a file, found by the layouts that collect it; and in words why the others do not. */
import path from 'node:path';
import { createLayout } from '../agent/discovery/create-layout.ts';
import type { GroupSpec, Layout } from '../agent/discovery/layout.ts';
import { namesBelow } from '../agent/discovery/layout.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { messageOf, systemCodeOf } from '../base/errors.ts';
import type { DirectoryEntry } from '../base/file-system.ts';
import type { SourceConfig } from '../config/source-config.ts';

/** What a source makes of a file: its group, or why it does not take it. */
export type SourceVerdict = { readonly group: GroupSpec } | { readonly reason: string };

/** Returns what the source makes of the absolute path `file`; one that is not there is judged by its name. */
export function judgeFile(source: SourceConfig, file: string): SourceVerdict {
  const warnings: string[] = [];
  const group = findGroup(source, file, warnings);
  return group === undefined ? { reason: refusalOf(source, file, warnings) } : { group };
}

/** Returns why nobody could collect what stands at `file`; undefined for a file that can be read. */
export function findObstacle(file: string): string | undefined {
  try {
    const stat = nodeFileSystem.stat(file);
    if (stat === undefined) return missingReason(file);
    if (stat.kind === 'directory') return 'it is a directory: name one of the files in it';
    if (stat.kind !== 'file') return 'it is neither a file nor a link to one';
    nodeFileSystem.close(nodeFileSystem.open(file, 'r'));
    return undefined;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EACCES' || code === 'EPERM') {
      return 'this user must not read it: run the agent as root, or let its user read the file';
    }
    return `it cannot be read: ${messageOf(error)}`;
  }
}

function missingReason(file: string): string {
  const isLink = entriesOf(path.dirname(file)).some(
    (entry) => entry.name === path.basename(file) && entry.kind === 'link',
  );
  return isLink ? 'it is a link that leads nowhere' : 'there is no such file';
}

function findGroup(source: SourceConfig, file: string, warnings: string[]): GroupSpec | undefined {
  const layout = layoutOf(source, (at, text) => {
    if (namesBelow(at, file) !== undefined) warnings.push(text);
  });
  const directory = path.dirname(file);
  if (findClosedDirectory(layout, directory) !== undefined) return undefined;
  const entries = withEntry(directory, path.basename(file), 'file');
  return layout.visit(directory, entries).files.find(({ name }) => name === path.basename(file))?.group;
}

function layoutOf(
  source: SourceConfig,
  onWarning: (at: string, text: string) => void = () => undefined,
): Layout {
  return createLayout(source, {
    fileSystem: nodeFileSystem,
    warnOnce: (_event, at, text) => onWarning(at, text),
    retryLater: () => undefined,
  });
}

/** Returns the first directory on the way to `directory` that the layout does not enter; '' beside every root. */
function findClosedDirectory(layout: Layout, directory: string): string | undefined {
  let closed: string | undefined = '';
  for (const root of layout.roots) {
    const names = namesBelow(root, directory);
    if (names === undefined) continue;
    closed = names
      .map((name, index) => ({ name, parent: [root, ...names.slice(0, index)].join('/').replace('//', '/') }))
      .map(({ name, parent }) => ({ parent, name, child: path.join(parent, name) }))
      .find(({ parent, name, child }) => {
        const { directories } = layout.visit(parent, withEntry(parent, name, 'directory'));
        return !directories.includes(child);
      })?.child;
    if (closed === undefined) return undefined;
  }
  return closed;
}

/** What stands in a directory, with `name` in any case. */
function withEntry(directory: string, name: string, kind: 'file' | 'directory'): DirectoryEntry[] {
  const entries = entriesOf(directory);
  return entries.some((entry) => entry.name === name) ? entries : [...entries, { name, kind }];
}

function entriesOf(directory: string): DirectoryEntry[] {
  try {
    return [...nodeFileSystem.readDirectory(directory)];
  } catch {
    // What cannot be listed is judged by its name.
    return [];
  }
}

function refusalOf(source: SourceConfig, file: string, warnings: readonly string[]): string {
  const layout = layoutOf(source);
  const closed = findClosedDirectory(layout, path.dirname(file));
  if (closed === '') return `the file is not below ${layout.roots.join(' or ')}`;
  const pattern = findExcluding(source, file);
  if (pattern !== undefined) return `its exclude pattern ${pattern} fits`;
  if (warnings.length > 0) return warnings.join('; ');
  const shape = shapeOf(source);
  if (closed !== undefined) return `it does not enter ${closed}: ${shape}`;
  return nodeFileSystem.stat(file)?.kind === 'directory' ? `it takes files only: ${shape}` : shape;
}

/** Returns the pattern without which the source would take the file. */
function findExcluding({ exclude, ...source }: SourceConfig, file: string): string | undefined {
  return exclude.find(
    (pattern) =>
      findGroup({ ...source, exclude: exclude.filter((other) => other !== pattern) }, file, []) !==
        undefined ||
      (findGroup({ ...source, exclude: [] }, file, []) !== undefined &&
        findGroup({ ...source, exclude: [pattern] }, file, []) === undefined),
  );
}

/** What a source takes, in words. */
function shapeOf(source: SourceConfig): string {
  switch (source.kind) {
    case 'apps': {
      const { root, include } = source;
      return `it takes <namespace>/<app>/<pod>/log/ below ${root}: s6-log directories, and files named ${include.join(' or ')}`;
    }
    case 'pods':
      return `it takes <namespace>_<pod>_<uid>/<container>/<number>.log below ${source.root}, with what is rotated`;
    case 'docker':
      return `it takes <id>/<id>-json.log below ${source.root}, with what is rotated`;
    case 'files':
      return `none of its paths fits: ${source.paths.join(', ')}`;
  }
}
