/** One process per tree: two that rotate the same files would free what the other one has not read. */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';

const RETRY_MS = 10_000;

interface RootLock {
  lock: { release(): void } | undefined;
  retryAtMs: number;
}

export class RootLocks {
  readonly #machine: RotateMachine;
  readonly #telemetry: Telemetry;
  readonly #roots = new Map<string, RootLock>();

  constructor(machine: RotateMachine, telemetry: Telemetry) {
    this.#machine = machine;
    this.#telemetry = telemetry;
  }

  /** Why a tree is not rotated, or undefined. */
  get problem(): string | undefined {
    for (const [root, { lock }] of this.#roots) {
      if (lock === undefined) return `another process rotates the files below ${root}`;
    }
    return undefined;
  }

  /** Returns whether the tree is this process's; one that another has is tried again now and then. */
  take(root: string, nowMs: number): boolean {
    const known = this.#roots.get(root);
    if (known?.lock !== undefined) return true;
    if (known !== undefined && nowMs < known.retryAtMs) return false;
    const lock = this.#tryLock(root);
    this.#roots.set(root, { lock, retryAtMs: nowMs + RETRY_MS });
    if (lock === undefined && known === undefined) {
      const text = `another process rotates the files below ${root}: this one only collects them. Stop the other one, or give it other sources`;
      this.#telemetry.log('error', 'rotate_locked', text, { root });
    }
    return lock !== undefined;
  }

  release(): void {
    for (const { lock } of this.#roots.values()) lock?.release();
    this.#roots.clear();
  }

  #tryLock(root: string): { release(): void } | undefined {
    try {
      return this.#machine.lockRoot(root);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      const text = `cannot lock ${root} (${messageOf(error)}): its files are not rotated`;
      this.#telemetry.log('warn', 'rotate_problem', text, { root });
      return undefined;
    }
  }
}
