/**
 * The logs of Kubernetes pods as the kubelet keeps them:
 *
 *   <root>/<namespace>_<pod>_<uid>/<container>/<restart>.log        active
 *   …/<restart>.log.<YYYYMMDD-HHMMSS>, the same with .gz            rotated
 *   /var/log/containers/<pod>_<namespace>_<container>-<id>.log      links to the active files
 *
 * Links are followed: with Docker as the runtime the files here are links to its json-files. A file that is reached
 * by two ways is read once, because files are told apart by device and inode.
 */
import type { DirectoryEntry } from '../../base/file-system.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { compileGlob } from './path-glob.ts';
import {
  type FileNames,
  type GroupSpec,
  joinPath,
  type Layout,
  type LayoutContext,
  type LayoutFile,
  namesBelow,
  resolvedKind,
  trimSlash,
} from './layout.ts';
import { parseRotatedName, type RotatedName } from './rotated-name.ts';

const CONTAINER_DEPTH = 2;
const RESTART_LOG = /^(\d+)\.log$/;
const CONTAINER_LINK = /^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$/;

type PodsSource = Extract<SourceConfig, { kind: 'pods' }>;

/** Makes the layout of a tree of pod logs, or of a directory of links to them. */
export function createPodsLayout(source: PodsSource, context: LayoutContext): Layout {
  const root = trimSlash(source.root);
  const exclude = source.exclude.map(compileGlob);
  return {
    source,
    roots: [root],
    visit(directory, entries) {
      const below = namesBelow(root, directory) ?? [];
      const directories: string[] = [];
      const files: LayoutFile[] = [];
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        if (exclude.some((glob) => glob.test(path))) continue;
        const kind = resolvedKind(context.fileSystem, directory, entry);
        if (kind === 'directory' && below.length < CONTAINER_DEPTH) directories.push(path);
        if (kind !== 'file') continue;
        const file =
          below.length === CONTAINER_DEPTH
            ? containerFile(source, directory, below, entry)
            : linkedFile(source, directory, entry, context);
        if (file !== undefined) files.push(file);
      }
      return { directories, files };
    },
  };
}

function containerFile(
  source: PodsSource,
  directory: string,
  below: readonly string[],
  entry: DirectoryEntry,
): LayoutFile | undefined {
  const rotated = parseRotatedName(entry.name);
  const restart = RESTART_LOG.exec(rotated.base)?.[1];
  if (restart === undefined) return undefined;
  const [podDirectory = '', container = ''] = below;
  const names: FileNames = { ...parsePodDirectory(podDirectory), container, restart: Number(restart) };
  const group = podGroup({ source, directory, names, rotated });
  return { name: entry.name, path: joinPath(directory, entry.name), rotated, group };
}

function podGroup(at: {
  source: PodsSource;
  directory: string;
  names: FileNames;
  rotated: RotatedName;
}): GroupSpec {
  const { source, directory, names, rotated } = at;
  const owner = `pods/${names.podUid ?? `${names.namespace}/${names.pod}`}/${names.container}`;
  return {
    key: joinPath(directory, rotated.base),
    source,
    directory,
    style: 'rotated',
    hasProcessor: false,
    identity: owner,
    format: formatOf(source),
    stream: 'file',
    names,
    succession: { key: directory, number: names.restart ?? 0 },
  };
}

/** The runtime frames every line here: one that is neither CRI's nor Docker's is malformed. */
function formatOf({ format }: PodsSource): GroupSpec['format'] {
  return format === 'auto' ? 'cri' : format;
}

/** A link such as those in /var/log/containers: the names stand in it, the restart number in what it leads to. */
function linkedFile(
  source: PodsSource,
  directory: string,
  entry: DirectoryEntry,
  context: LayoutContext,
): LayoutFile | undefined {
  const link = entry.kind === 'link' ? CONTAINER_LINK.exec(entry.name) : null;
  if (link === null) return undefined;
  const [, pod = '', namespace = '', container = '', containerId = ''] = link;
  const path = joinPath(directory, entry.name);
  const real = realPathOf(path, context);
  const podDirectory = real?.split('/').at(-3) ?? '';
  const uid = parsePodDirectory(podDirectory).podUid;
  const names: FileNames = { namespace, pod, podUid: uid, container, containerId };
  const group: GroupSpec = {
    key: path,
    source,
    directory,
    style: 'rotated',
    hasProcessor: false,
    identity: `pods/${uid ?? `${namespace}/${pod}`}/${container}`,
    format: formatOf(source),
    stream: 'file',
    names,
    succession: undefined,
  };
  return {
    name: entry.name,
    path,
    rotated: { base: entry.name, compression: undefined, rotation: undefined },
    group,
  };
}

function realPathOf(path: string, context: LayoutContext): string | undefined {
  try {
    return context.fileSystem.realPath(path);
  } catch {
    return undefined;
  }
}

/** Splits the name of a pod's directory; neither names nor uids hold an underscore. Older kubelets wrote the uid alone. */
export function parsePodDirectory(name: string): FileNames {
  const [namespace, pod, uid] = name.split('_');
  if (pod === undefined) return namespace === undefined ? {} : { podUid: namespace };
  return { namespace, pod, podUid: uid };
}
