/**
 * What has to go when the files of a pod, a namespace or the node have more bytes on disk than their budget: first
 * rotated files that are done with, the oldest first; then what is done with inside growing files; then, where the
 * policy says so, the oldest bytes that were not even read. What is left over is held, and somebody has to look.
 */
import type { RotateBudgetConfig, RotatePolicyConfig } from '../../config/rotate-config.ts';
import { bytesOf, punchRanges } from './punch-plan.ts';
import type { HeldBudget, RotateAction, RotateFile, RotateGroup } from './rotate-types.ts';

/** A group that rotation may touch. */
export interface BudgetGroup {
  readonly group: RotateGroup;
  readonly policy: RotatePolicyConfig;
  readonly canPunch: boolean;
}

export interface BudgetPlan {
  readonly actions: readonly RotateAction[];
  readonly held: readonly HeldBudget[];
  /** Bytes that are held; those that exceed the budgets of a pod and of its node count once. */
  readonly heldBytes: number;
}

type Level = 'pod' | 'namespace' | 'node';

interface Scope {
  readonly level: Level;
  readonly name: string;
  readonly bytesMax: number;
  readonly groups: BudgetGroup[];
}

/**
 * Returns what is to be done. `isTaken` says which files other actions touch already: what these free counts, and
 * they are not touched twice.
 */
export function planBudget(
  groups: readonly BudgetGroup[],
  budget: RotateBudgetConfig,
  taken: ReadonlyMap<string, number>,
): BudgetPlan {
  const actions: RotateAction[] = [];
  const held: HeldBudget[] = [];
  const heldBytes: Record<Level, number> = { pod: 0, namespace: 0, node: 0 };
  const freed = new Map(taken);
  for (const scope of scopesOf(groups, budget)) {
    const files = scope.groups.flatMap(({ group }) => group.files);
    const used = files.reduce((sum, file) => sum + file.diskBytes - (freed.get(file.inode) ?? 0), 0);
    if (used <= scope.bytesMax) continue;
    const why = `${scope.name} has ${used} bytes on disk, and its budget is ${scope.bytesMax}`;
    let over = used - scope.bytesMax;
    for (const step of [pruneOldest, punchActive, dropOldest]) {
      for (const action of step(scope, { over, why, freed })) {
        const bytes = freedBy(action);
        freed.set(action.file.inode, (freed.get(action.file.inode) ?? 0) + bytes);
        over -= bytes;
        actions.push(action);
      }
    }
    if (over <= 0) continue;
    held.push({ scope: scope.name, usedBytes: used, bytesMax: scope.bytesMax });
    heldBytes[scope.level] += over;
  }
  return { actions, held, heldBytes: Math.max(...Object.values(heldBytes)) };
}

/** The smallest scopes first: what they free counts for the larger ones. */
function scopesOf(groups: readonly BudgetGroup[], budget: RotateBudgetConfig): Scope[] {
  const pods = new Map<string, Scope>();
  const namespaces = new Map<string, Scope>();
  const add = (scopes: Map<string, Scope>, empty: Omit<Scope, 'groups'>, group: BudgetGroup): void => {
    const scope = scopes.get(empty.name) ?? { ...empty, groups: [] };
    scope.groups.push(group);
    scopes.set(empty.name, scope);
  };
  for (const group of groups) {
    const { namespace, pod } = group.group.names;
    if (pod !== undefined && budget.podBytesMax !== undefined) {
      const name = `pod ${namespace ?? ''}/${pod}`;
      add(pods, { level: 'pod', name, bytesMax: budget.podBytesMax }, group);
    }
    if (namespace !== undefined && budget.namespaceBytesMax !== undefined) {
      const name = `namespace ${namespace}`;
      add(namespaces, { level: 'namespace', name, bytesMax: budget.namespaceBytesMax }, group);
    }
  }
  const scopes = [...pods.values(), ...namespaces.values()];
  if (budget.nodeBytesMax !== undefined) {
    scopes.push({ level: 'node', name: 'the node', bytesMax: budget.nodeBytesMax, groups: [...groups] });
  }
  return scopes;
}

interface Pressure {
  /** Bytes that are too many. */
  readonly over: number;
  readonly why: string;
  readonly freed: ReadonlyMap<string, number>;
}

function pruneOldest(scope: Scope, { over, why, freed }: Pressure): RotateAction[] {
  const candidates = scope.groups
    .flatMap(({ group }) => group.files.map((file) => ({ group: group.key, file })))
    .filter(({ file }) => !file.isActive && file.isDone && !freed.has(file.inode))
    .toSorted((left, right) => left.file.modifiedMs - right.file.modifiedMs);
  const actions: RotateAction[] = [];
  let left = over;
  for (const candidate of candidates) {
    if (left <= 0) break;
    actions.push({ kind: 'remove', ...candidate, reason: why });
    left -= candidate.file.diskBytes;
  }
  return actions;
}

function punchActive(scope: Scope, { over, why, freed }: Pressure): RotateAction[] {
  const actions: RotateAction[] = [];
  let left = over;
  for (const { group, canPunch } of scope.groups) {
    if (!canPunch || group.style === 's6') continue;
    for (const file of group.files) {
      if (left <= 0) return actions;
      if (file.isCompressed || freed.has(file.inode)) continue;
      const ranges = punchRanges(file, group.blockBytes, 0);
      const bytes = punchedBytes(file, bytesOf(ranges));
      if (bytes < group.blockBytes) continue;
      actions.push({ kind: 'punch', ranges, group: group.key, file, reason: why });
      left -= bytes;
    }
  }
  return actions;
}

function dropOldest(scope: Scope, { over, why }: Pressure): RotateAction[] {
  const candidates = scope.groups
    .filter(({ group, policy, canPunch }) => {
      return policy.overBudget === 'drop' && canPunch && group.style === 'rotated';
    })
    .flatMap(({ group }) => group.files.map((file) => ({ group: group.key, file })))
    .filter(({ file }) => file.fileId !== undefined && !file.isCompressed)
    .toSorted((left, right) => left.file.modifiedMs - right.file.modifiedMs);
  const actions: RotateAction[] = [];
  let left = over;
  for (const candidate of candidates) {
    if (left <= 0) break;
    const { file } = candidate;
    const startOffset = Math.max(file.readOffset, file.given.at(-1)?.endOffset ?? 0);
    const untilOffset = Math.min(file.size, startOffset + left);
    if (untilOffset <= startOffset) continue;
    actions.push({ kind: 'drop', untilOffset, ...candidate, reason: why });
    left -= untilOffset - startOffset;
  }
  return actions;
}

/** Bytes that the disk gets back by an action, as far as can be told before it is done. */
export function freedBy(action: RotateAction): number {
  const { file } = action;
  switch (action.kind) {
    case 'remove':
      return file.diskBytes;
    case 'punch':
      return punchedBytes(file, bytesOf(action.ranges));
    case 'drop':
      return action.untilOffset - Math.max(file.readOffset, file.given.at(-1)?.endOffset ?? 0);
    case 'rename':
    case 'remind':
    case 'finish':
    case 'compress':
    case 'logrotate':
      return 0;
  }
}

/** What ranges have on disk: holes that are there already give nothing. */
function punchedBytes(file: RotateFile, rangeBytes: number): number {
  const holeBytes = Math.max(0, file.size - file.diskBytes);
  return Math.max(0, Math.min(file.diskBytes, rangeBytes - holeBytes));
}
