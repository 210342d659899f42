/** Directories of pods in which nothing was written for long: what rotation would do with them, for people to see. */
import type { FollowedGroup } from '../agent/followed-files.ts';
import type { PolicyChooser } from '../agent/rotate/choose-policy.ts';
import { planPod } from '../agent/rotate/pod-plan.ts';
import { findOpenFile, podFacts } from '../agent/rotate/pod-removal.ts';
import { findPods, PodKept, type PodTree, readPodTree } from '../agent/rotate/pod-tree.ts';
import { systemCodeOf } from '../base/errors.ts';
import { nodeRotateMachine } from '../base/node/node-rotate-machine.ts';
import type { PlannedPod } from '../cli/context.ts';
import type { SourceConfig } from '../config/source-config.ts';

/** Pods count as gone after this time where the source says nothing: longer than nearly all are silent. */
const OLD_MS = 7 * 86_400_000;

export type AppsSource = Extract<SourceConfig, { kind: 'apps' }>;

/** Returns the pods' directories of a source that are old enough to be removed, or would be. */
export function findOldPods({ root, removeAfter = OLD_MS }: AppsSource, nowMs: number): PodTree[] {
  return attempt(() => findPods(nodeRotateMachine, root), []).flatMap((path) => {
    const tree = attempt(() => readPodTree(nodeRotateMachine, root, path), undefined);
    return tree !== undefined && nowMs - tree.writtenMs >= removeAfter ? [tree] : [];
  });
}

/** Returns what rotation would do with them; `groups` is what the agent said of the files last. */
export function planPods(
  source: AppsSource,
  groups: readonly FollowedGroup[],
  at: { readonly chooser: PolicyChooser; readonly nowMs: number },
): PlannedPod[] {
  const followed = {
    groups: (isWanted: (group: FollowedGroup) => boolean) => groups.filter(isWanted),
  };
  return findOldPods(source, at.nowMs).map((tree) => {
    const facts = podFacts(tree, {
      machine: nodeRotateMachine,
      chooser: at.chooser,
      followed,
      wallMs: at.nowMs,
    });
    const plan = planPod(tree, facts);
    const open = attempt(() => findOpenFile(nodeRotateMachine, tree.root, tree.entries), undefined);
    const written = new Date(tree.writtenMs).toISOString();
    const base = { path: tree.path, files: tree.entries.length, diskBytes: tree.diskBytes, written };
    if (plan.kind !== 'remove') return { ...base, action: 'nothing', because: plan.reason };
    if (open !== undefined) {
      return { ...base, action: 'nothing', because: `a process may have ${open} open for writing` };
    }
    if (source.removeAfter === undefined) {
      const because = `${source.root} has no removeAfter; removeAfter: 7d would remove it`;
      return { ...base, action: 'nothing', because };
    }
    const because =
      'all of it is acknowledged, and nothing was written in it for so long as removeAfter says';
    return { ...base, action: 'remove', because };
  });
}

/** What cannot be looked at just now is left out. */
function attempt<Result>(look: () => Result, otherwise: Result): Result {
  try {
    return look();
  } catch (error) {
    if (systemCodeOf(error) === undefined && !(error instanceof PodKept)) throw error;
    return otherwise;
  }
}
