/**
 * One process per tree, and per directory in it: two that rotate the same files would free what the other one has not
 * read. Trees of two processes may stand in one another, so that the directories themselves decide.
 */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';

const RETRY_MS = 10_000;

interface PathLock {
  /** Undefined while somebody else has it. */
  readonly lock: { release(): void } | undefined;
  readonly retryAtMs: number;
}

export class RootLocks {
  readonly #machine: RotateMachine;
  readonly #telemetry: Telemetry;
  readonly #roots = new Map<string, PathLock>();
  /** Those of groups that are there now; a root among them is in `#roots` alone. */
  readonly #directories = new Map<string, PathLock>();

  constructor(machine: RotateMachine, telemetry: Telemetry) {
    this.#machine = machine;
    this.#telemetry = telemetry;
  }

  /** Why a tree is not rotated, or undefined. */
  get problem(): string | undefined {
    for (const [path, { lock }] of [...this.#roots, ...this.#directories]) {
      if (lock === undefined) return `another process rotates the files below ${path}`;
    }
    return undefined;
  }

  /** Returns whether the tree is this process's; one that another has is tried again now and then. */
  take(root: string, nowMs: number): boolean {
    const own = this.#roots.has(root) ? undefined : this.#directories.get(root);
    // A tree in another one of this process: its directory was taken as one of that.
    if (own !== undefined) {
      this.#directories.delete(root);
      this.#roots.set(root, own);
    }
    return this.#take(this.#roots, root, nowMs);
  }

  /** Returns whether a directory in the tree `root` is this process's, as `take` does. */
  takeDirectory(root: string, directory: string, nowMs: number): boolean {
    if (!this.take(root, nowMs)) return false;
    return this.#roots.get(directory)?.lock !== undefined || this.#take(this.#directories, directory, nowMs);
  }

  /** Gives back the directories that are not among those given. */
  keepDirectories(directories: ReadonlySet<string>): void {
    for (const [directory, { lock }] of this.#directories) {
      if (directories.has(directory)) continue;
      lock?.release();
      this.#directories.delete(directory);
    }
  }

  release(): void {
    for (const locks of [this.#roots, this.#directories]) {
      for (const { lock } of locks.values()) lock?.release();
      locks.clear();
    }
  }

  #take(locks: Map<string, PathLock>, path: string, nowMs: number): boolean {
    const known = locks.get(path);
    if (known?.lock !== undefined) return true;
    if (known !== undefined && nowMs < known.retryAtMs) return false;
    const lock = this.#tryLock(path);
    if (lock === 'gone') return false;
    locks.set(path, { lock, retryAtMs: nowMs + RETRY_MS });
    if (lock === undefined && known === undefined) {
      const text = `another process rotates the files below ${path}: this one only collects them. Stop the other one, or give it other sources`;
      this.#telemetry.log('error', 'rotate_locked', text, { root: path });
    }
    return lock !== undefined;
  }

  #tryLock(path: string): { release(): void } | 'gone' | undefined {
    try {
      return this.#machine.lockRoot(path);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      if (systemCodeOf(error) === 'ENOENT') return 'gone';
      const text = `cannot lock ${path} (${messageOf(error)}): its files are not rotated`;
      this.#telemetry.log('warn', 'rotate_problem', text, { root: path });
      return undefined;
    }
  }
}
