/** What rotation did and holds, written to a file for `logboom rotate status`, and read by it. */
import type { HeldBudget, PolicyChoice, RotateAction, RotateFile, RotateGroup } from './rotate-types.ts';

/** Groups in the file; a node with more has the first ones. */
const GROUPS_MAX = 10_000;

const VERSION = 1;

export interface GroupStatus {
  readonly path: string;
  /** `rotate[0]`, `built-in`, or `none`. */
  readonly policy: string;
  readonly method: string;
  readonly reason: string;
  readonly files: readonly FileStatus[];
  readonly diskBytes: number;
  /** What was done last. */
  readonly last: DoneStatus | undefined;
  /** Why the next thing waits. */
  readonly waits: string | undefined;
  readonly freedBytes: number;
}

export interface FileStatus {
  readonly path: string;
  readonly size: number;
  readonly diskBytes: number;
  readonly acknowledged: number;
  readonly isDone: boolean;
}

export interface DoneStatus {
  readonly time: string;
  readonly action: RotateAction['kind'];
  readonly path: string;
  readonly text: string;
}

export interface RotateStatus {
  readonly version: number;
  readonly time: string;
  readonly freedBytes: number;
  readonly groups: readonly GroupStatus[];
  readonly held: readonly HeldBudget[];
  readonly problems: readonly string[];
  /** Absent where directories of pods are not removed. */
  readonly pods?: PodsStatus | undefined;
}

export interface PodsStatus {
  /** The last ones, oldest first. */
  readonly removed: readonly RemovedPod[];
  /** Directories that are old enough and stay, and why. */
  readonly kept: readonly { readonly path: string; readonly reason: string }[];
}

export interface RemovedPod {
  readonly time: string;
  readonly path: string;
  /** Number of files and links. */
  readonly files: number;
  readonly freedBytes: number;
}

interface Memory {
  last: DoneStatus | undefined;
  waits: string | undefined;
  freedBytes: number;
}

/** Remembers what was done, by group. */
export class RotateLog {
  readonly #groups = new Map<string, Memory>();
  #freedBytes = 0;

  noteDone(group: string, done: DoneStatus, freedBytes: number): void {
    const memory = this.#memoryOf(group);
    memory.last = done;
    memory.waits = undefined;
    memory.freedBytes += freedBytes;
    this.#freedBytes += freedBytes;
  }

  noteWait(group: string, text: string): void {
    this.#memoryOf(group).waits = text;
  }

  noteNothingWaits(group: string): void {
    const memory = this.#groups.get(group);
    if (memory !== undefined) memory.waits = undefined;
  }

  /** Takes over what an earlier run wrote, and returns it; anything else than a status is ignored. */
  restore(text: string): RotateStatus | undefined {
    const status = parseStatus(text);
    for (const { path, last, freedBytes } of status?.groups ?? []) {
      const memory = this.#memoryOf(path);
      memory.last = last;
      memory.freedBytes = freedBytes;
    }
    this.#freedBytes = status?.freedBytes ?? 0;
    return status;
  }

  /** Adds what was freed otherwise than by an action on a file. */
  noteFreed(bytes: number): void {
    this.#freedBytes += bytes;
  }

  /** Returns the status, with what is not there any more forgotten. */
  status(
    groups: readonly { readonly group: RotateGroup; readonly choice: PolicyChoice }[],
    rest: Pick<RotateStatus, 'time' | 'held' | 'problems' | 'pods'>,
  ): RotateStatus {
    const keys = new Set(groups.map(({ group }) => group.key));
    for (const key of this.#groups.keys()) if (!keys.has(key)) this.#groups.delete(key);
    return {
      version: VERSION,
      ...rest,
      freedBytes: this.#freedBytes,
      groups: groups.slice(0, GROUPS_MAX).map(({ group, choice }) => {
        const memory = this.#groups.get(group.key);
        return {
          path: group.activePath,
          ...describeChoice(choice),
          files: group.files.map(fileStatusOf),
          diskBytes: group.files.reduce((sum, file) => sum + file.diskBytes, 0),
          last: memory?.last,
          waits: memory?.waits,
          freedBytes: memory?.freedBytes ?? 0,
        };
      }),
    };
  }

  #memoryOf(group: string): Memory {
    const memory = this.#groups.get(group) ?? { last: undefined, waits: undefined, freedBytes: 0 };
    this.#groups.set(group, memory);
    return memory;
  }
}

/** Returns the name of a policy, its method, and why it holds. */
export function describeChoice(choice: PolicyChoice): Pick<GroupStatus, 'policy' | 'method' | 'reason'> {
  if (choice.kind === 'none') return { policy: 'none', method: 'none', reason: choice.reason };
  const policy = choice.index === undefined ? 'built-in' : `rotate[${choice.index}]`;
  return { policy, method: choice.policy.method, reason: choice.reason };
}

/** Returns the status that a file holds; undefined when it holds something else. */
export function parseStatus(text: string): RotateStatus | undefined {
  try {
    const value = JSON.parse(text) as RotateStatus | null;
    return value?.version === VERSION && Array.isArray(value.groups) ? value : undefined;
  } catch {
    return undefined;
  }
}

function fileStatusOf(file: RotateFile): FileStatus {
  const { path, size, diskBytes, freeOffset, isDone } = file;
  return { path, size, diskBytes, acknowledged: isDone ? size : freeOffset, isDone };
}
