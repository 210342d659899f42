/**
 * The tree that applications write into past the container engine:
 *
 *   <root>/<namespace>/<app>/<pod>/log/              an s6-log directory (it holds `current`), and plain files
 *   <root>/<namespace>/<app>/<pod>/log/<directory>/  the same, at any depth
 *
 * An s6-log directory `<container>/stdout` or `<container>/stderr` is one stream of that container.
 *
 * Links are followed only as long as they stay below the root: an application may write here, and must not be able
 * to make a privileged agent read something else. A link to a directory that is entered anyway is a second name for
 * it, for people: the files keep the names of the place where they stand.
 */
import type { DirectoryEntry } from '../../base/file-system.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { compileGlob } from './path-glob.ts';
import {
  type GroupSpec,
  joinPath,
  type Layout,
  type LayoutContext,
  type LayoutFile,
  namesBelow,
  resolvedKind,
  trimSlash,
} from './layout.ts';
import { parseRotatedName, parseS6Name } from './rotated-name.ts';

/** Names below the root: namespace, app, pod, `log`, and up to eight directories. */
const DEPTH_MAX = 12;
const LOG_DEPTH = 3;

/** Files that s6-log has only while a processor works. */
const PROCESSOR_NAMES: ReadonlySet<string> = new Set(['newstate', 'processed']);

/** Files that one call of s6-log creates have times that are no further apart. */
const SAME_TIME_NS = 100_000_000n;

type AppsSource = Extract<SourceConfig, { kind: 'apps' }>;

/** Makes the layout of an application tree. */
export function createAppsLayout(source: AppsSource, context: LayoutContext): Layout {
  const root = trimSlash(source.root);
  const include = source.include.map(compileGlob);
  const exclude = source.exclude.map(compileGlob);
  const isIncluded = (path: string, name: string): boolean =>
    include.some((glob) => glob.test(name) || glob.test(path)) && !exclude.some((glob) => glob.test(path));

  return {
    source,
    roots: [root],
    visit(directory, entries) {
      const below = namesBelow(root, directory) ?? [];
      const directories: string[] = [];
      const files: LayoutFile[] = [];
      const isLog = below.length > LOG_DEPTH;
      const isS6 = isLog && isS6Directory(entries);
      const hasProcessor = isS6 && entries.some((entry) => isProcessorFile(directory, entry, context));
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        const kind = resolvedKind(context.fileSystem, directory, entry);
        if (kind === undefined || (entry.kind === 'link' && !staysBelow(path, root, context))) continue;
        if (
          kind === 'directory' &&
          isEntered(below, entry) &&
          !(entry.kind === 'link' && isAlias(path, root, below, context))
        ) {
          directories.push(path);
        }
        if (kind !== 'file' || !isLog) continue;
        const file = classify({ directory, entry, below, isS6, hasProcessor });
        if (file !== undefined) files.push(file);
      }
      return { directories, files };
    },
  };

  function classify(at: {
    directory: string;
    entry: DirectoryEntry;
    below: readonly string[];
    isS6: boolean;
    hasProcessor: boolean;
  }): LayoutFile | undefined {
    const { directory, entry, below, isS6 } = at;
    const path = joinPath(directory, entry.name);
    const s6 = isS6 ? parseS6Name(entry.name) : undefined;
    if (s6 !== undefined) {
      if (exclude.some((glob) => glob.test(path))) return undefined;
      return {
        name: entry.name,
        path,
        rotated: s6,
        group: s6Group(source, directory, below, at.hasProcessor),
      };
    }
    const rotated = parseRotatedName(entry.name);
    if (!isIncluded(joinPath(directory, rotated.base), rotated.base)) return undefined;
    return { name: entry.name, path, rotated, group: plainGroup(source, directory, below, rotated.base) };
  }
}

/** Between two steps of a rotation, or when s6-log was killed there, its lock and archives stand without `current`. */
function isS6Directory(entries: readonly DirectoryEntry[]): boolean {
  const files = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  if (files.includes('current')) return true;
  return files.includes('lock') && files.some((name) => parseS6Name(name) !== undefined);
}

function isEntered(below: readonly string[], entry: DirectoryEntry): boolean {
  if (below.length === LOG_DEPTH) return entry.name === 'log';
  return below.length < DEPTH_MAX;
}

function staysBelow(path: string, root: string, context: LayoutContext): boolean {
  const { fileSystem } = context;
  let real: string;
  try {
    real = fileSystem.realPath(path);
  } catch {
    return false;
  }
  if (namesBelow(fileSystem.realPath(root), real) !== undefined) return true;
  context.warnOnce('link_outside', path, `${path} is a link that leads out of ${root}; it is not followed`);
  return false;
}

/** Whether a link below `log/` leads to a directory below a `log/` of this tree, which is entered by its own name. */
function isAlias(
  path: string,
  root: string,
  below: readonly string[],
  { fileSystem }: LayoutContext,
): boolean {
  try {
    const names = namesBelow(fileSystem.realPath(root), fileSystem.realPath(path)) ?? [];
    return below.length > LOG_DEPTH && names[LOG_DEPTH] === 'log' && names.length <= DEPTH_MAX;
  } catch {
    // What it led to has gone meanwhile.
    return true;
  }
}

/**
 * s6-log creates an empty `state` beside `lock` in every directory. A processor writes to it, and even one that
 * writes nothing leaves a new `state` behind each rotation.
 */
function isProcessorFile(directory: string, { name, kind }: DirectoryEntry, context: LayoutContext): boolean {
  if (name !== 'state' || kind !== 'file') return PROCESSOR_NAMES.has(name);
  const state = context.fileSystem.stat(joinPath(directory, name));
  const lock = context.fileSystem.stat(joinPath(directory, 'lock'));
  if (state === undefined || lock === undefined) return false;
  return state.size > 0 || state.modifiedTimeNs > lock.modifiedTimeNs + SAME_TIME_NS;
}

function s6Group(
  source: AppsSource,
  directory: string,
  below: readonly string[],
  hasProcessor: boolean,
): GroupSpec {
  const inner = below.slice(LOG_DEPTH + 1);
  const last = inner.at(-1);
  const stream = last === 'stdout' || last === 'stderr' ? last : 'file';
  const owner = stream !== 'file' && inner.length > 1 ? inner.slice(0, -1) : inner;
  return {
    ...group(source, directory, below, 'current'),
    style: 's6',
    hasProcessor,
    format: source.format === 'auto' ? 's6' : source.format,
    stream,
    names: { ...appNames(below), container: owner.length > 0 ? owner.join('/') : undefined },
  };
}

function plainGroup(
  source: AppsSource,
  directory: string,
  below: readonly string[],
  base: string,
): GroupSpec {
  const inner = below.slice(LOG_DEPTH + 1);
  const name = base.replace(/\.log$/, '');
  return {
    ...group(source, directory, below, base),
    names: { ...appNames(below), container: [...inner, name].join('/') },
  };
}

function group(source: AppsSource, directory: string, below: readonly string[], base: string): GroupSpec {
  return {
    key: joinPath(directory, base),
    source,
    directory,
    style: 'rotated',
    hasProcessor: false,
    identity: `apps/${below.join('/')}/${base}`,
    format: source.format,
    stream: 'file',
    names: {},
    succession: undefined,
  };
}

function appNames(below: readonly string[]): { namespace?: string; app?: string; pod?: string } {
  const [namespace, app, pod] = below;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(app === undefined ? {} : { app }),
    ...(pod === undefined ? {} : { pod }),
  };
}
