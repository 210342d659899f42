/** `logboom explain`: which source, pipeline and index a file or a line would take, found by the parts themselves. */
import path from 'node:path';
import { createLayout } from '../agent/discovery/create-layout.ts';
import type { GroupSpec } from '../agent/discovery/layout.ts';
import { namesBelow } from '../agent/discovery/layout.ts';
import { buildResource } from '../agent/resource.ts';
import { createZoneOffset } from '../agent/tail/zone-offset.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import { systemCodeOf } from '../base/errors.ts';
import { BufferPool } from '../capture/buffer-pool.ts';
import { ContainerLanes } from '../capture/container-lanes.ts';
import { createDecoder } from '../capture/decoder.ts';
import type { ExplainOptions, Explanation } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { explainLine, formatExplanation } from '../indexer/explain.ts';
import { placeOf } from './agent-parts.ts';

/** Bytes of a file that are decoded to show its first record. */
const HEAD_BYTES = 64 * 1024;

/** TAI64N labels of Debian's s6 are this far ahead; only the shown time depends on it. */
const TAI_OFFSET_SECONDS_USUAL = 37;

/** Explains a file when the subject is a path, and a line otherwise. */
export function explain({ loaded, subject, fields }: ExplainOptions): Explanation {
  const isPath = /^\.{0,2}\/\S*$/.test(subject) || nodeFileSystem.stat(subject)?.kind === 'file';
  if (isPath) return explainFile(loaded.config, path.resolve(subject));
  return explainText(loaded.config, subject, fields);
}

function explainText(
  config: Config,
  line: string,
  members: Readonly<Record<string, string>>,
  time = new Date(nodeScheduler.nowMs()).toISOString().replace('Z', '000000Z'),
): Explanation {
  const explanation = explainLine({ pipelines: config.indexer.pipelines, line, members, time });
  return { lines: formatExplanation(explanation), json: { ...explanation } };
}

interface SourceVerdict {
  readonly source: string;
  readonly isTaken: boolean;
  readonly reason: string;
}

function explainFile(config: Config, file: string): Explanation {
  const verdicts: SourceVerdict[] = [];
  let group: GroupSpec | undefined;
  for (const source of config.sources) {
    const found = group === undefined ? findGroup(source, file) : undefined;
    const name = `${source.kind} ${placeOf(source)}`;
    if (found === undefined) {
      const reason =
        group === undefined ? 'does not take it' : 'is not asked, because an earlier source takes it';
      verdicts.push({ source: name, isTaken: false, reason });
    } else {
      group = found;
      verdicts.push({ source: name, isTaken: true, reason: 'takes it' });
    }
  }
  const lines = [
    `file: ${file}`,
    'sources:',
    ...verdicts.map(({ source, reason }) => `  ${source}: ${reason}`),
  ];
  if (group === undefined) {
    if (verdicts.length === 0) lines.push('  none is configured');
    return {
      lines: [...lines, 'the file is not collected'],
      json: { file, sources: verdicts, isCollected: false },
    };
  }
  const document = decodeFirst(config, group, file);
  const members = membersOf(document ?? resourceOf(config, group));
  lines.push('says of itself:', ...Object.entries(members).map(([name, value]) => `  ${name}: ${value}`));
  const message = document?.['message'];
  if (typeof message !== 'string') lines.push('it has no whole line yet, so an empty one stands in for it');
  const time = document?.['@timestamp'];
  const inner = explainText(
    config,
    typeof message === 'string' ? message : '',
    members,
    typeof time === 'string' ? time : undefined,
  );
  const json = { file, sources: verdicts, isCollected: true, members, line: inner.json };
  return { lines: [...lines, 'first record:', ...inner.lines.map((line) => `  ${line}`)], json };
}

/** Returns what the source makes of the file, whether it is there or not. */
function findGroup(source: SourceConfig, file: string): GroupSpec | undefined {
  const layout = createLayout(source, { fileSystem: nodeFileSystem, warnOnce: () => undefined });
  const directory = path.dirname(file);
  if (!layout.roots.some((root) => namesBelow(root, directory) !== undefined)) return undefined;
  const name = path.basename(file);
  const entries = listDirectory(directory);
  const all = entries.some((entry) => entry.name === name)
    ? entries
    : [...entries, { name, kind: 'file' as const }];
  return layout.visit(directory, all).files.find((candidate) => candidate.name === name)?.group;
}

function listDirectory(directory: string): ReturnType<typeof nodeFileSystem.readDirectory> {
  try {
    return nodeFileSystem.readDirectory(directory);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function resourceOf({ node, cluster }: Config, group: GroupSpec): Record<string, unknown> {
  return buildResource(group, { node: node.name, cluster: cluster.name, version: '' });
}

/** Returns the document of the file's first record, or undefined when there is none to read. */
function decodeFirst(config: Config, group: GroupSpec, file: string): Record<string, unknown> | undefined {
  if (nodeFileSystem.stat(file)?.kind !== 'file' || /\.(gz|zst)$/.test(file)) return undefined;
  const { source, format, stream } = group;
  const resource = resourceOf(config, group);
  const decoder = createDecoder(
    { fileId: '0'.repeat(20), path: file, format, stream, resource },
    new ContainerLanes(),
    {
      lineBytesMax: config.agent.lineBytesMax,
      longLines: config.agent.longLines,
      multiline: source.multiline,
      encoding: source.encoding,
      timeZone: createZoneOffset(source.timeZone),
      taiOffsetSeconds: source.taiOffsetSeconds ?? TAI_OFFSET_SECONDS_USUAL,
      buffers: new BufferPool(2 * HEAD_BYTES),
    },
  );
  const head = Buffer.alloc(HEAD_BYTES);
  const fd = nodeFileSystem.open(file, 'r');
  try {
    const length = nodeFileSystem.read(fd, head, 0, HEAD_BYTES, 0);
    decoder.push(head, 0, length, 0, nodeScheduler.nowNs());
  } finally {
    nodeFileSystem.close(fd);
  }
  decoder.flush('idle');
  const [batch] = decoder.take();
  if (batch === undefined) return undefined;
  const text = Buffer.from(batch.body.subarray(0, batch.ends[0])).toString();
  return JSON.parse(text) as Record<string, unknown>;
}

/** Members that pipelines are chosen by and that a path tells, by dotted name. */
function membersOf(document: Record<string, unknown>): Record<string, string> {
  const members: Record<string, string> = {};
  const isShown = (name: string): boolean =>
    /^(kubernetes|container|service|labels|input|log\.file)\b/.test(name) &&
    !name.startsWith('kubernetes.node');
  const visit = (value: unknown, name: string): void => {
    if (typeof value === 'string' && isShown(name)) members[name] = value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, name === '' ? key : `${name}.${key}`);
  };
  visit(document, '');
  return members;
}
