/**
 * The files of Docker's json-file driver:
 *
 *   <root>/<id>/<id>-json.log, .1, .2.gz, …
 *   <root>/<id>/config.v2.json             name, image and labels of the container
 */
import { messageOf } from '../../base/errors.ts';
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
import { parseRotatedName } from './rotated-name.ts';

/** A larger one is no configuration that Docker wrote. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;

/** Labels stand in every document: a container with more, or longer ones, keeps the first by name. */
const LABELS_MAX = 64;
const LABEL_CHARACTERS_MAX = 1024;

type DockerSource = Extract<SourceConfig, { kind: 'docker' }>;

/** Makes the layout of Docker's directory of containers. */
export function createDockerLayout(source: DockerSource, context: LayoutContext): Layout {
  const root = trimSlash(source.root);
  const exclude = source.exclude.map(compileGlob);
  return {
    source,
    roots: [root],
    visit(directory, entries) {
      const below = namesBelow(root, directory) ?? [];
      const isRoot = below.length === 0;
      const directories: string[] = [];
      const files: LayoutFile[] = [];
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        const kind = resolvedKind(context.fileSystem, directory, entry);
        if (kind === 'directory' && isRoot) directories.push(path);
        if (kind !== 'file' || isRoot || exclude.some((glob) => glob.test(path))) continue;
        const rotated = parseRotatedName(entry.name);
        const id = /^([0-9a-f]+)-json\.log$/.exec(rotated.base)?.[1];
        if (id === undefined) continue;
        files.push({
          name: entry.name,
          path,
          rotated,
          group: dockerGroup(source, directory, id, entries, context),
        });
      }
      return { directories, files };
    },
  };
}

function dockerGroup(
  source: DockerSource,
  directory: string,
  id: string,
  entries: readonly DirectoryEntry[],
  context: LayoutContext,
): GroupSpec {
  const hasConfig = entries.some((entry) => entry.name === 'config.v2.json');
  const names = hasConfig ? readNames(joinPath(directory, 'config.v2.json'), context) : {};
  return {
    key: joinPath(directory, `${id}-json.log`),
    source,
    directory,
    style: 'rotated',
    hasProcessor: false,
    identity: `docker/${id}`,
    format: source.format === 'auto' ? 'docker' : source.format,
    stream: 'file',
    names: { ...names, containerId: id },
    succession: undefined,
  };
}

function readNames(path: string, context: LayoutContext): FileNames {
  try {
    const size = context.fileSystem.stat(path)?.size ?? 0;
    if (size > CONFIG_BYTES_MAX) return {};
    const names = parseDockerConfig(new TextDecoder().decode(context.fileSystem.readFile(path)));
    if (names.isLabelLeftOut === true) {
      const text = `${path} has more than ${LABELS_MAX} labels, or longer ones than ${LABEL_CHARACTERS_MAX} characters: not all are taken`;
      context.warnOnce('docker_labels', path, text);
    }
    return names;
  } catch (error) {
    const text = `cannot read ${path} (${messageOf(error)}); until it can be, the container's name is not known`;
    context.warnOnce('docker_config', path, text);
    // It may be half written: no event tells of its end.
    context.retryLater(path.slice(0, path.lastIndexOf('/')));
    return {};
  }
}

interface DockerConfig {
  readonly Name?: unknown;
  readonly Config?: {
    readonly Image?: unknown;
    readonly Labels?: Readonly<Record<string, unknown>> | null;
  } | null;
}

/** Reads the names out of a container's `config.v2.json`; throws when it is no JSON. */
export function parseDockerConfig(json: string): FileNames {
  const config = JSON.parse(json) as DockerConfig;
  const labels = config.Config?.Labels ?? {};
  return {
    containerName: textOf(config.Name)?.replace(/^\//, ''),
    image: textOf(config.Config?.Image),
    namespace: textOf(labels['io.kubernetes.pod.namespace']),
    pod: textOf(labels['io.kubernetes.pod.name']),
    podUid: textOf(labels['io.kubernetes.pod.uid']),
    container: textOf(labels['io.kubernetes.container.name']),
    ...ownLabels(labels),
  };
}

/** Labels that are not the kubelet's own, with their dots, as many and as long as is bearable in every document. */
function ownLabels(
  labels: Readonly<Record<string, unknown>>,
): Pick<FileNames, 'containerLabels' | 'isLabelLeftOut'> {
  const own = Object.entries(labels).filter(([key, value]) => {
    return typeof value === 'string' && !key.startsWith('io.kubernetes.') && !key.startsWith('annotation.');
  });
  const short = own.filter(([key, value]) => key.length + String(value).length <= LABEL_CHARACTERS_MAX);
  const taken = short.toSorted(([left], [right]) => (left < right ? -1 : 1)).slice(0, LABELS_MAX);
  if (own.length === 0) return {};
  const isLabelLeftOut = taken.length < own.length;
  return {
    containerLabels: Object.fromEntries(taken) as Record<string, string>,
    ...(isLabelLeftOut ? { isLabelLeftOut } : {}),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
