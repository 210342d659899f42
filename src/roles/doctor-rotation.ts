/** What rotation needs of the machine: holes where files are punched, logrotate and users where policies name them. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { globRoot } from '../agent/discovery/path-glob.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { probeHoles } from '../base/node/hole-probe.ts';
import { nodeRotateMachine } from '../base/node/node-rotate-machine.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Finding } from '../cli/context.ts';
import { formatPlural, formatSize } from '../cli/output.ts';
import type { Config } from '../config/config.ts';
import { findAccess } from './pod-watching.ts';
import { type AppsSource, findOldPods } from './pods-view.ts';

/** Old directories of pods that are named. */
const PODS_SHOWN = 3;

/** Returns what was found by trying, tree by tree and policy by policy. */
export function examineRotation(config: Config): Finding[] {
  const roots = config.sources.flatMap((source) => {
    if (source.kind === 'apps') return [source.root];
    return source.kind === 'files' && config.rotate.length > 0 ? source.paths.map(globRoot) : [];
  });
  return [
    ...[...new Set(roots)].filter((root) => fs.existsSync(root)).map(examineTree),
    ...config.sources.flatMap((source) => (source.kind === 'apps' ? examinePods(source) : [])),
    ...examineLogrotate(config),
    ...examineUsers(config),
    ...examinePodLabels(config),
  ];
}

function examineTree(root: string): Finding {
  const check = 'rotation';
  try {
    const { canPunch, canFindWriters, reason } = probeHoles(root);
    const kind = fileSystemOf(root);
    if (!canPunch) {
      const text = `${root} (${kind}): bytes inside a file are not given back: ${reason}`;
      const remedy =
        'ext4, xfs, btrfs and tmpfs can. Here take method rename for writers that open their file again, or logrotate with copytruncate, which loses lines.';
      return { status: 'warn', check, text, remedy };
    }
    const open = canFindWriters
      ? ''
      : '; who has a file open cannot be told, so files are closed to it after a quiet minute';
    const text = `${root} (${kind}): bytes inside a file are given back${open}`;
    return { status: 'ok', check, text, remedy: undefined };
  } catch (error) {
    const text = `${root}: cannot write there (${messageOf(error)})`;
    const remedy = 'Files are collected and not rotated. Run the agent as root, or as the owner of the tree.';
    return { status: 'warn', check, text, remedy };
  }
}

/** Directories of deleted pods stay until somebody says after how long they may go. */
function examinePods(source: AppsSource): Finding[] {
  if (source.removeAfter !== undefined) return [];
  const pods = findOldPods(source, nodeScheduler.nowMs());
  if (pods.length === 0) return [];
  const bytes = pods.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  const shown = pods.slice(0, PODS_SHOWN).map(({ path }) => path);
  const more = pods.length > shown.length ? ', …' : '';
  const text = `${source.root}: nothing was written for a week in the directories of ${formatPlural(pods.length, 'pod')}, ${formatSize(bytes)}: ${shown.join(', ')}${more}`;
  const remedy =
    'Give the source removeAfter, such as 7d, and they are removed once they are acknowledged; `logboom rotate --dry-run` tells of each.';
  return [{ status: 'warn', check: 'rotation', text, remedy }];
}

function examineLogrotate({ rotate }: Config): Finding[] {
  if (!rotate.some(({ method }) => method === 'logrotate')) return [];
  const check = 'logrotate';
  const { error, stdout, stderr } = spawnSync('logrotate', ['--version'], { encoding: 'utf8' });
  if (error === undefined) {
    const text = `${stdout}${stderr}`.split('\n')[0]?.trim() ?? 'it runs';
    return [{ status: 'ok', check, text, remedy: undefined }];
  }
  const text = 'policies name it, and it cannot be started';
  return [{ status: 'fail', check, text, remedy: 'Install logrotate, or take method punch.' }];
}

function examineUsers({ rotate }: Config): Finding[] {
  return rotate.flatMap(({ su }, index) => {
    const [user = '', group = ''] = su?.split(/[\s:]+/) ?? [];
    const problem = su === undefined ? undefined : nodeRotateMachine.findUserProblem(user, group);
    if (problem === undefined) return [];
    const remedy = 'Create it, or name another one.';
    return [{ status: 'fail' as const, check: 'rotation', text: `rotate[${index}].su: ${problem}`, remedy }];
  });
}

/** Access that is configured wrongly is another finding. */
function watchesPods(config: Config): boolean {
  try {
    return findAccess(config) !== undefined;
  } catch (error) {
    if (error instanceof ConfigError) return true;
    throw error;
  }
}

/** Without a watch of pods a policy that asks for their labels or annotations never fits, and another one is taken. */
function examinePodLabels(config: Config): Finding[] {
  if (watchesPods(config)) return [];
  const own = new Set(config.sources.flatMap(({ fields }) => Object.keys(fields)));
  return config.rotate.flatMap(({ match }, index) => {
    const asked = [
      ...Object.keys(match.labels).flatMap((name) => (own.has(name) ? [] : [`label ${name}`])),
      ...Object.keys(match.annotations).map((name) => `annotation ${name}`),
    ];
    if (asked.length === 0) return [];
    const text = `rotate[${index}] asks for ${asked.join(', ')} of pods, and nobody watches pods: it never fits`;
    const remedy = 'Turn on kubernetes.enabled where the Kubernetes API can be reached.';
    return [{ status: 'warn' as const, check: 'rotation', text, remedy }];
  });
}

/** Magic numbers of statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0x6969: 'nfs',
  0x2fc12fc1: 'zfs',
  0x65735546: 'fuse',
};

function fileSystemOf(directory: string): string {
  const { type } = fs.statfsSync(directory);
  return FILE_SYSTEMS[type] ?? `file system 0x${type.toString(16)}`;
}
