/**
 * What a policy wants done with the files of one group now. Nothing is named here whose bytes are not done with for
 * good (G5), but for the active file of `rename` and `logrotate`, whose bytes stay under another name.
 */
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { bytesOf, punchRanges } from './punch-plan.ts';
import type { RotateAction, RotateFile, RotateGroup } from './rotate-types.ts';

/** Rotated files that stay where a policy with rename or logrotate does not say how many. */
const KEEP_DEFAULT = 5;

/** How long a writer may take to open the new file before it is told again. */
const REMIND_MS = 5000;

/** How long the last line of a rotated file may lack its end. */
const UNFINISHED_MS = 60_000;

/** Freeing less than this part of a policy's size is not worth the call. */
const PUNCH_PART = 8;

export interface PlanMoment {
  readonly nowMs: number;
  /** Whether the policy's schedule has come; only the active file waits for it. */
  readonly isDue: boolean;
  /** Whether the file system can free bytes inside a file, as far as is known. */
  readonly canPunch: boolean;
}

/** Returns what is to be done, in order. */
export function planGroup(
  group: RotateGroup,
  policy: RotatePolicyConfig,
  moment: PlanMoment,
): RotateAction[] {
  const actions: RotateAction[] = [];
  const active = group.files.filter(({ isActive }) => isActive);
  if (group.style === 'rotated' && moment.isDue) {
    for (const file of active) actions.push(...planActive({ group, file, policy, moment }));
  }
  actions.push(...planReminder(group, policy, moment.nowMs));
  actions.push(...planArchives(group, policy, moment.nowMs));
  actions.push(...planIdle(group, policy, moment.nowMs));
  return actions;
}

interface ActivePlan {
  readonly group: RotateGroup;
  readonly file: RotateFile;
  readonly policy: RotatePolicyConfig;
  readonly moment: PlanMoment;
}

function planActive(plan: ActivePlan): RotateAction[] {
  const { group, file, policy, moment } = plan;
  if (file.size === 0 && policy.notifempty) return [];
  const reason = rotateReason(file, policy, moment.nowMs);
  switch (policy.method) {
    case 'punch':
      return planPunch(plan, reason);
    case 'rename':
      return reason === undefined ? [] : [{ kind: 'rename', isReset: false, group: group.key, file, reason }];
    case 'logrotate':
      return reason === undefined ? [] : [{ kind: 'logrotate', group: group.key, file, reason }];
    case 'none':
      return [];
  }
}

/** Returns why a file is to be rotated, or undefined. */
function rotateReason(file: RotateFile, policy: RotatePolicyConfig, nowMs: number): string | undefined {
  if (file.diskBytes >= policy.size) {
    return `it has ${file.diskBytes} bytes on disk, and the policy's size is ${policy.size}`;
  }
  const ageMs = nowMs - file.bornMs;
  if (policy.age !== undefined && ageMs >= policy.age) {
    return `it is ${Math.floor(ageMs / 1000)} s old, and the policy's age is ${policy.age / 1000} s`;
  }
  return undefined;
}

function planPunch({ group, file, policy, moment }: ActivePlan, reason: string | undefined): RotateAction[] {
  const base = { group: group.key, file };
  const hasHole = file.diskBytes < file.size - group.blockBytes;
  // A new file is as good to everybody once nobody writes to this one: its size no longer frightens people.
  if (file.isDone && hasHole && file.size >= policy.size) {
    const why = 'all of it is acknowledged, its bytes are freed, and no process has it open for writing';
    return [{ kind: 'rename', isReset: true, ...base, reason: why }];
  }
  if (!moment.canPunch || reason === undefined) return [];
  const isOverSize = file.diskBytes >= policy.size;
  const ranges = punchRanges(file, group.blockBytes, isOverSize ? Math.floor(policy.size / 2) : 0);
  const freed = bytesOf(ranges) - (file.size - file.diskBytes);
  if (freed < Math.max(group.blockBytes, Math.floor(policy.size / PUNCH_PART))) return [];
  return [{ kind: 'punch', ranges, ...base, reason }];
}

/** A writer that was not told, because the agent was killed between renaming and telling, is told later. */
function planReminder(group: RotateGroup, policy: RotatePolicyConfig, nowMs: number): RotateAction[] {
  const isTold = policy.signal !== undefined || policy.postrotate !== undefined;
  if (policy.method !== 'rename' || !isTold || group.style === 's6') return [];
  const active = group.files.find(({ isActive }) => isActive);
  const newest = group.files.findLast(({ isActive }) => !isActive);
  const isUnused = active === undefined || (active.size === 0 && nowMs - active.bornMs >= REMIND_MS);
  if (newest === undefined || newest.isCompressed || !isUnused) return [];
  const reason = 'nobody has opened the new file';
  return [{ kind: 'remind', group: group.key, file: newest, reason }];
}

function planArchives(group: RotateGroup, policy: RotatePolicyConfig, nowMs: number): RotateAction[] {
  const actions: RotateAction[] = [];
  const archives = group.files.filter(({ isActive }) => !isActive);
  const keepCount = keepCountOf(group, policy);
  let keptCount = 0;
  let keptBytes = 0;
  for (const file of archives.toReversed()) {
    const base = { group: group.key, file };
    keptCount++;
    keptBytes += file.diskBytes;
    const reason = pruneReason(file, policy, { nowMs, keptCount, keepCount, keptBytes });
    if (!file.isDone) {
      const isOver = file.hasUnfinishedLine && nowMs - file.modifiedMs >= UNFINISHED_MS;
      if (isOver && (reason !== undefined || policy.compress !== 'none')) {
        actions.push({ kind: 'finish', ...base, reason: 'its last line has no end, and nobody writes it' });
      }
      continue;
    }
    if (reason !== undefined) actions.push({ kind: 'remove', ...base, reason });
    else if (policy.method === 'punch' && isFreed(file, group)) {
      actions.push({ kind: 'remove', ...base, reason: 'its bytes were freed before' });
    } else if (policy.compress !== 'none' && !file.isCompressed && file.size > 0) {
      const { compress: compression } = policy;
      actions.push({ kind: 'compress', compression, ...base, reason: 'all of it is acknowledged' });
    }
  }
  return actions;
}

/** Whether most of a rotated file is a hole: the rest of one that was punched. */
function isFreed(file: RotateFile, group: RotateGroup): boolean {
  return !file.isCompressed && group.style === 'rotated' && file.diskBytes < file.size / 2;
}

function keepCountOf(group: RotateGroup, policy: RotatePolicyConfig): number {
  if (policy.keep !== undefined) return policy.keep;
  const isOwn = group.style === 'rotated' && policy.method !== 'punch';
  const hasOther = policy.keepBytes !== undefined || policy.keepAge !== undefined;
  return isOwn && !hasOther ? KEEP_DEFAULT : Number.POSITIVE_INFINITY;
}

function pruneReason(
  file: RotateFile,
  policy: RotatePolicyConfig,
  at: {
    readonly nowMs: number;
    readonly keptCount: number;
    readonly keepCount: number;
    readonly keptBytes: number;
  },
): string | undefined {
  if (at.keptCount > at.keepCount) return `${at.keepCount} newer ones stay`;
  if (policy.keepBytes !== undefined && at.keptBytes > policy.keepBytes) {
    return `it and the newer ones have ${at.keptBytes} bytes, and ${policy.keepBytes} stay`;
  }
  const ageMs = at.nowMs - file.modifiedMs;
  if (policy.keepAge !== undefined && ageMs > policy.keepAge) {
    return `it is ${Math.floor(ageMs / 1000)} s old, and stays ${policy.keepAge / 1000} s`;
  }
  return undefined;
}

function planIdle(group: RotateGroup, policy: RotatePolicyConfig, nowMs: number): RotateAction[] {
  const { idleAge } = policy;
  if (idleAge === undefined || group.style === 's6') return [];
  return group.files
    .filter((file) => file.isActive && file.isDone && nowMs - file.modifiedMs >= idleAge)
    .map((file) => ({
      kind: 'remove',
      group: group.key,
      file,
      reason: `nobody has written to it for ${Math.floor((nowMs - file.modifiedMs) / 1000)} s`,
    }));
}

/** Returns in words why nothing is done with a file now. */
export function explainIdle(
  group: RotateGroup,
  file: RotateFile,
  policy: RotatePolicyConfig,
  nowMs: number,
): string {
  if (!file.isActive) {
    return file.isDone ? 'it stays' : 'it is not acknowledged yet';
  }
  if (group.style === 's6') return 's6-log rotates it';
  if (file.size === 0) return 'it is empty';
  const reason = rotateReason(file, policy, nowMs);
  if (reason === undefined) {
    return `it has ${file.diskBytes} bytes on disk, fewer than the policy's size of ${policy.size}`;
  }
  return `${reason}, but too little of it can be freed: ${file.freeOffset} of ${file.size} bytes are acknowledged`;
}
