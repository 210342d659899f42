/**
 * Files named by globs. A rotated sibling is followed when its active name fits. A template such as
 * `/srv/{kubernetes.namespace}/{service.name}.log` takes fields out of the active file's path.
 */
import type { SourceConfig } from '../../config/source-config.ts';
import { compileGlob, compileGlobDirectories, globRoot } from './path-glob.ts';
import { joinPath, type Layout, type LayoutContext, type LayoutFile, resolvedKind } from './layout.ts';
import { parseRotatedName } from './rotated-name.ts';

type FilesSource = Extract<SourceConfig, { kind: 'files' }>;

/** Makes the layout of files that are named by globs. */
export function createFilesLayout(source: FilesSource, context: LayoutContext): Layout {
  const globs = source.paths.map(compileGlob);
  const enters = source.paths.map(compileGlobDirectories);
  const exclude = source.exclude.map(compileGlob);
  const readFields = source.template === undefined ? undefined : compileTemplate(source.template);
  return {
    source,
    roots: [...new Set(source.paths.map(globRoot))],
    visit(directory, entries) {
      const directories: string[] = [];
      const files: LayoutFile[] = [];
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        const kind = resolvedKind(context.fileSystem, directory, entry);
        if (kind === 'directory' && entry.kind !== 'link' && enters.some((test) => test(path))) {
          directories.push(path);
        }
        if (kind !== 'file' || exclude.some((glob) => glob.test(path))) continue;
        const rotated = parseRotatedName(entry.name);
        const active = joinPath(directory, rotated.base);
        if (!globs.some((glob) => glob.test(path) || glob.test(active))) continue;
        const fields = readFields?.(active);
        files.push({
          name: entry.name,
          path,
          rotated,
          group: {
            key: active,
            source,
            directory,
            style: 'rotated',
            hasProcessor: false,
            identity: `files/${active}`,
            format: source.format,
            stream: 'file',
            names: { fields },
            succession: undefined,
          },
        });
      }
      return { directories, files };
    },
  };
}

/** Returns a reader of the fields that a path template names; it gives undefined where the path does not fit. */
export function compileTemplate(
  template: string,
): (path: string) => Readonly<Record<string, string>> | undefined {
  const names: string[] = [];
  const source = template
    .split(/(\{[^}/]+\})/)
    .map((piece) => {
      if (!piece.startsWith('{') || !piece.endsWith('}')) {
        return piece.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '[^/]*');
      }
      names.push(piece.slice(1, -1));
      return '([^/]+?)';
    })
    .join('');
  const pattern = new RegExp(`^${source}$`, 's');
  return (path) => {
    const match = pattern.exec(path);
    if (match === null) return undefined;
    return Object.fromEntries(names.map((name, index) => [name, match[index + 1] ?? '']));
  };
}
