/** `logboom rotate`: what the policies would do with the files that are there now, and what rotation did last. */
import { createLayout } from '../agent/discovery/create-layout.ts';
import type { GroupSpec, Layout, LayoutFile } from '../agent/discovery/layout.ts';
import type { FollowedFile, FollowedGroup } from '../agent/followed-files.ts';
import { type BudgetGroup, planBudget } from '../agent/rotate/budget-plan.ts';
import { PolicyChooser } from '../agent/rotate/choose-policy.ts';
import { logrotateConfig } from '../agent/rotate/logrotate-config.ts';
import { explainIdle, planGroup } from '../agent/rotate/rotate-plan.ts';
import { describeChoice, parseStatus, type FileStatus } from '../agent/rotate/rotate-status.ts';
import type { RotateStatus } from '../agent/rotate/rotate-status.ts';
import type { PolicyChoice, RotateAction, RotateGroup } from '../agent/rotate/rotate-types.ts';
import { statusPathOf } from '../agent/rotate/status-file.ts';
import { Survey } from '../agent/rotate/survey.ts';
import { messageOf, systemCodeOf } from '../base/errors.ts';
import type { DirectoryEntry } from '../base/file-system.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeRotateMachine } from '../base/node/node-rotate-machine.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { PlannedFile, RotatePlan, RotateReport } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import { nextCronMs } from '../config/cron.ts';
import type { RotatePolicyConfig } from '../config/rotate-config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { withDemo } from './demo/demo.ts';
import { readKnownPods } from './pod-watching.ts';
import { planPods } from './pods-view.ts';

/** Directories that are entered before the walk is given up. */
const DIRECTORIES_MAX = 200_000;

/** A status that is older was written by an agent that does not run any more. */
const FRESH_MS = 90_000;

interface Ruled {
  readonly group: RotateGroup;
  readonly choice: PolicyChoice;
}

/** Returns what rotation would do now; nothing is changed. What is acknowledged is what the agent said last. */
export function planRotation(given: Config): RotatePlan {
  const config = withDemo(given);
  const warnings: string[] = [];
  const status = readStatus(config.data);
  const known = new Map(status?.groups.flatMap(({ files }) => files.map((file) => [file.path, file])));
  const followed = config.sources.flatMap((source) => findGroups(source, known));
  const survey = new Survey({
    machine: nodeRotateMachine,
    onUnreadable: (directory, error) => warnings.push(`${directory}: ${messageOf(error)}`),
  });
  const nowMs = nodeScheduler.nowMs();
  const chooser = new PolicyChooser(config.rotate, readKnownPods(config));
  const { groups } = survey.look(followed, { wallMs: nowMs, monotonicMs: 0 });
  const ruled = groups.map((group) => ({ group, choice: chooser.choose(group) }));
  const actions = planAll(ruled, config, nowMs);
  if (status === undefined) {
    warnings.push(
      `the agent of ${config.data} has not said what is acknowledged: only what needs none is shown`,
    );
  } else if (nowMs - Date.parse(status.time) > FRESH_MS) {
    warnings.push(`the agent does not run: what is acknowledged is as of ${status.time}`);
  }
  warnings.push(...unusedPolicies(config, ruled), ...userProblems(config));
  return {
    files: ruled.flatMap((one) => one.group.files.map((file) => describeFile(one, file, { actions, nowMs }))),
    logrotate: logrotateTexts(ruled),
    pods: config.sources.flatMap((source) =>
      source.kind === 'apps' ? planPods(source, followed, { chooser, nowMs }) : [],
    ),
    warnings,
  };
}

/** Returns what rotation wrote of itself last; undefined when there is nothing. */
export function reportRotation(config: Config): RotateReport | undefined {
  const status = readStatus(config.data);
  if (status === undefined) return undefined;
  return { ...status, isRunning: nodeScheduler.nowMs() - Date.parse(status.time) <= FRESH_MS };
}

function readStatus(data: string): RotateStatus | undefined {
  try {
    return parseStatus(new TextDecoder().decode(nodeFileSystem.readFile(statusPathOf(data))));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function planAll(ruled: readonly Ruled[], config: Config, nowMs: number): RotateAction[] {
  const groups: BudgetGroup[] = [];
  const actions: RotateAction[] = [];
  for (const { group, choice } of ruled) {
    if (choice.kind === 'none') continue;
    groups.push({ group, policy: choice.policy, canPunch: true });
    actions.push(...planGroup(group, choice.policy, { nowMs, isDue: true, canPunch: true }));
  }
  return [...actions, ...planBudget(groups, config.rotateBudget, new Map()).actions];
}

function describeFile(
  { group, choice }: Ruled,
  file: RotateGroup['files'][number],
  at: { readonly actions: readonly RotateAction[]; readonly nowMs: number },
): PlannedFile {
  const next = at.actions.find((action) => action.file === file);
  const { policy, method, reason } = describeChoice(choice);
  const policyOf = choice.kind === 'policy' ? choice.policy : undefined;
  const wait = next !== undefined && file.isActive ? whenDue(policyOf, at.nowMs) : '';
  return {
    path: file.path,
    size: file.size,
    diskBytes: file.diskBytes,
    acknowledged: file.isDone ? file.size : file.freeOffset,
    policy,
    method,
    why: reason,
    action: next?.kind ?? 'nothing',
    because:
      next === undefined
        ? choice.kind === 'none'
          ? reason
          : explainIdle(group, file, choice.policy, at.nowMs)
        : `${next.reason}${wait}`,
  };
}

/** Says when a policy with a schedule comes next. */
function whenDue(policy: RotatePolicyConfig | undefined, nowMs: number): string {
  const { schedule, timeZone } = policy ?? {};
  if (schedule === undefined) return '';
  const nextMs = nextCronMs(schedule, timeZone, nowMs);
  const next = nextMs === undefined ? 'never again' : `next ${new Date(nextMs).toISOString()}`;
  return ` (at ${schedule}${timeZone === undefined ? '' : ` in ${timeZone}`}, ${next})`;
}

function unusedPolicies(config: Config, ruled: readonly Ruled[]): string[] {
  const used = new Set(ruled.map(({ choice }) => choice.index));
  return [...config.rotate.keys()].flatMap((index) =>
    used.has(index) ? [] : [`rotate[${index}] fits no file that is there`],
  );
}

function userProblems(config: Config): string[] {
  return config.rotate.flatMap(({ su }, index) => {
    const [user = '', group = ''] = su?.split(/[\s:]+/) ?? [];
    const problem = su === undefined ? undefined : nodeRotateMachine.findUserProblem(user, group);
    return problem === undefined ? [] : [`rotate[${index}].su: ${problem}`];
  });
}

function logrotateTexts(ruled: readonly Ruled[]): string[] {
  return ruled.flatMap(({ group, choice }) => {
    if (choice.kind === 'none' || choice.policy.method !== 'logrotate' || group.style === 's6') return [];
    return [logrotateConfig([{ path: group.activePath, isDueByAge: false }], choice.policy)];
  });
}

/** Finds what a source would collect, as the agent does. */
function findGroups(source: SourceConfig, known: ReadonlyMap<string, FileStatus>): FollowedGroup[] {
  const layout = createLayout(source, {
    fileSystem: nodeFileSystem,
    warnOnce: () => undefined,
    retryLater: () => undefined,
  });
  const groups = new Map<string, { spec: GroupSpec; files: FollowedFile[] }>();
  for (const file of walk(layout)) {
    const followed = followedOf(file, known.get(file.path));
    if (followed === undefined) continue;
    const group = groups.get(file.group.key) ?? { spec: file.group, files: [] };
    groups.set(file.group.key, group);
    group.files.push(followed);
  }
  return [...groups.values()].map(({ spec, files }) => ({ ...spec, files }));
}

function* walk(layout: Layout): Generator<LayoutFile> {
  const queue = [...layout.roots];
  for (let count = 0; queue.length > 0 && count < DIRECTORIES_MAX; count += 1) {
    const directory = queue.pop() ?? '/';
    const { directories, files } = layout.visit(directory, entriesOf(directory));
    queue.push(...directories);
    yield* files;
  }
}

function entriesOf(directory: string): DirectoryEntry[] {
  try {
    return nodeFileSystem.readDirectory(directory);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return [];
  }
}

function followedOf(file: LayoutFile, status: FileStatus | undefined): FollowedFile | undefined {
  const stat = nodeFileSystem.stat(file.path);
  if (stat === undefined) return undefined;
  const acknowledged = status?.acknowledged ?? 0;
  return {
    id: undefined,
    path: file.path,
    inode: `${stat.device}:${stat.inode}`,
    birthNs: stat.birthTimeNs.toString(),
    copies: [],
    isActive: file.rotated.rotation === undefined,
    size: stat.size,
    readOffset: acknowledged,
    freeOffset: acknowledged,
    isDone: status?.isDone === true && acknowledged >= stat.size,
    hasUnfinishedLine: false,
    given: [],
  };
}
