/**
 * The tree that applications write into past the container engine:
 *
 *   <root>/<namespace>/<app>/<pod>/log/              an s6-log directory (it holds `current`), and plain files
 *   <root>/<namespace>/<app>/<pod>/log/<directory>/  the same, at any depth
 *
 * Links are followed only as long as they stay below the root: an application may write here, and must not be able
 * to make a privileged agent read something else.
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
      const isS6 = isLog && entries.some((entry) => entry.name === 'current' && entry.kind === 'file');
      const hasProcessor = isS6 && entries.some((entry) => isProcessorFile(directory, entry));
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        const kind = resolvedKind(context.fileSystem, directory, entry);
        if (kind === undefined || (entry.kind === 'link' && !staysBelow(path, root, context))) continue;
        if (kind === 'directory' && isEntered(below, entry)) directories.push(path);
        if (kind !== 'file' || !isLog) continue;
        const file = classify({ directory, entry, below, isS6, hasProcessor });
        if (file !== undefined) files.push(file);
      }
      return { directories, files };
    },
  };

  /**
   * s6-log creates an empty `state` beside `lock` in every directory. A processor writes to it, and even one that
   * writes nothing leaves a new `state` behind each rotation.
   */
  function isProcessorFile(directory: string, { name, kind }: DirectoryEntry): boolean {
    if (name !== 'state' || kind !== 'file') return PROCESSOR_NAMES.has(name);
    const state = context.fileSystem.stat(joinPath(directory, name));
    const lock = context.fileSystem.stat(joinPath(directory, 'lock'));
    if (state === undefined || lock === undefined) return false;
    return state.size > 0 || state.modifiedTimeNs > lock.modifiedTimeNs + SAME_TIME_NS;
  }

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

function s6Group(
  source: AppsSource,
  directory: string,
  below: readonly string[],
  hasProcessor: boolean,
): GroupSpec {
  const last = below.at(-1) ?? '';
  const container = below.length > LOG_DEPTH + 1 ? below.slice(LOG_DEPTH + 1).join('/') : undefined;
  return {
    ...group(source, directory, below, 'current'),
    style: 's6',
    hasProcessor,
    format: source.format === 'auto' ? 's6' : source.format,
    stream: last === 'stdout' || last === 'stderr' ? last : 'file',
    names: { ...appNames(below), container },
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
