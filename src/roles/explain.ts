/** `logboom explain`: which source, pipeline and index a file or a line would take, found by the parts themselves. */
import path from 'node:path';
import type { GroupSpec } from '../agent/discovery/layout.ts';
import { podNamesOf } from '../agent/kubernetes/pod-lookup.ts';
import { compileSelection, podMembers } from '../agent/kubernetes/pod-members.ts';
import { buildResource } from '../agent/resource.ts';
import { PolicyChooser } from '../agent/rotate/choose-policy.ts';
import { describeChoice } from '../agent/rotate/rotate-status.ts';
import { describeGroup } from '../agent/rotate/survey.ts';
import { createZoneOffset } from '../agent/tail/zone-offset.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import { BufferPool } from '../capture/buffer-pool.ts';
import { ContainerLanes } from '../capture/container-lanes.ts';
import { createDecoder } from '../capture/decoder.ts';
import type { ExplainOptions, Explanation } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import { explainLine, formatExplanation } from '../indexer/explain.ts';
import { placeOf } from './agent-parts.ts';
import { withDemo } from './demo/demo.ts';
import { findObstacle, judgeFile } from './explain-source.ts';
import { readKnownPods } from './pod-watching.ts';

/** Bytes of a file that are decoded to show its first record. */
const HEAD_BYTES = 64 * 1024;

/** TAI64N labels of Debian's s6 are this far ahead; only the shown time depends on it. */
const TAI_OFFSET_SECONDS_USUAL = 37;

/** Explains a file when the subject is a path, and a line otherwise. */
export function explain({ loaded, subject, fields }: ExplainOptions): Explanation {
  const isPath = /^\.{0,2}\/\S*$/.test(subject) || isThere(subject);
  if (isPath) return explainFile(withDemo(loaded.config), path.resolve(subject));
  return explainText(loaded.config, subject, fields);
}

/** Whether a subject without a slash in front is the name of something; a line may be too long for a name. */
function isThere(subject: string): boolean {
  try {
    return nodeFileSystem.stat(subject) !== undefined;
  } catch {
    return false;
  }
}

function explainText(
  config: Config,
  line: string,
  members: Readonly<Record<string, string>>,
  time = new Date(nodeScheduler.nowMs()).toISOString().replace('Z', '000000Z'),
): Explanation {
  const explanation = explainLine({ pipelines: config.indexer.pipelines, line, members, time });
  return { lines: formatExplanation(explanation), json: { ...explanation }, isCollected: true };
}

interface SourceFinding {
  readonly source: string;
  readonly isTaken: boolean;
  readonly reason: string;
}

function explainFile(config: Config, file: string): Explanation {
  const { findings, group } = askSources(config, file);
  const lines = [
    `file: ${file}`,
    'sources:',
    ...findings.map(({ source, reason }) => `  ${source}: ${reason}`),
  ];
  if (findings.length === 0) lines.push('  none is configured');
  const obstacle = findObstacle(file);
  if (group === undefined || obstacle !== undefined) {
    const reason = obstacle ?? (findings.length === 0 ? 'no source is configured' : 'no source takes it');
    return {
      lines: [...lines, `the file is not collected: ${reason}`],
      json: { file, sources: findings, isCollected: false, reason },
      isCollected: false,
    };
  }
  const record = explainFirstRecord(config, group, file);
  const chooser = new PolicyChooser(config.rotate, readKnownPods(config));
  const rotation = describeChoice(chooser.choose(describeGroup(group)));
  const { members, json: line } = record;
  return {
    lines: [
      ...lines,
      `rotation: ${rotation.policy}, ${rotation.method}: ${rotation.reason}`,
      ...record.lines,
    ],
    json: { file, sources: findings, isCollected: true, rotation, members, line },
    isCollected: true,
  };
}

/** Asks the sources in their order: the first one that takes the file is the one. */
function askSources(
  config: Config,
  file: string,
): { findings: readonly SourceFinding[]; group: GroupSpec | undefined } {
  const findings: SourceFinding[] = [];
  let group: GroupSpec | undefined;
  for (const source of config.sources) {
    const name = `${source.kind} ${placeOf(source)}`;
    if (group !== undefined) {
      const reason = 'is not asked, because an earlier source takes it';
      findings.push({ source: name, isTaken: false, reason });
      continue;
    }
    const verdict = judgeFile(source, file);
    if ('group' in verdict) group = verdict.group;
    const reason = 'group' in verdict ? 'takes it' : `does not take it: ${verdict.reason}`;
    findings.push({ source: name, isTaken: 'group' in verdict, reason });
  }
  return { findings, group };
}

interface RecordExplanation {
  readonly members: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}

function explainFirstRecord(config: Config, group: GroupSpec, file: string): RecordExplanation {
  const isCompressed = /\.(gz|zst)$/.test(file);
  const document = isCompressed ? undefined : decodeFirst(config, group, file);
  const standIn = {
    stream: group.stream,
    log: { file: { path: file } },
    ...resourceOf(config, group),
  };
  const members = membersOf(document ?? standIn);
  const lines = ['says of itself:', ...Object.entries(members).map(([name, value]) => `  ${name}: ${value}`)];
  const message = document?.['message'];
  if (isCompressed) lines.push('it is compressed, so an empty line stands in for its first one');
  else if (typeof message !== 'string')
    lines.push('it has no whole line yet, so an empty one stands in for it');
  const time = document?.['@timestamp'];
  const inner = explainText(
    config,
    typeof message === 'string' ? message : '',
    members,
    typeof time === 'string' ? time : undefined,
  );
  lines.push('first record:', ...inner.lines.map((line) => `  ${line}`));
  return { members, lines, json: inner.json };
}

function resourceOf(config: Config, group: GroupSpec): Record<string, unknown> {
  const { node, cluster, kubernetes } = config;
  const pod = readKnownPods(config).find(podNamesOf(group.names));
  const members = pod && podMembers(pod, group.names, compileSelection(kubernetes));
  return buildResource(group, { node: node.name, cluster: cluster.name, version: '' }, members);
}

/** Returns the document of the file's first record, or undefined when there is none to read. */
function decodeFirst(config: Config, group: GroupSpec, file: string): Record<string, unknown> | undefined {
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
      s6LineBytes: source.s6LineBytesMax,
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
    /^(kubernetes|container|service|labels|input|stream|log\.file)\b/.test(name) &&
    !name.startsWith('kubernetes.node');
  const visit = (value: unknown, name: string): void => {
    if (typeof value === 'string' && isShown(name)) members[name] = value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, name === '' ? key : `${name}.${key}`);
  };
  visit(document, '');
  return members;
}
