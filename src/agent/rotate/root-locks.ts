/**
 * One process per tree, and per directory in it: two that rotate the same files would free what the other one has not
 * read. Trees of two processes may stand in one another, so that the directories themselves decide. Paths of this
 * process that lead to one directory share its lock.
 */
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { hintOf } from './rotate-errors.ts';

const RETRY_MS = 10_000;

/** What came of taking a path: its lock, or why there is none. */
type Attempt =
  | { readonly lock: { release(): void }; readonly problem?: undefined }
  | { readonly lock?: undefined; readonly problem: string; readonly isOthers: boolean };

type PathLock = Attempt & { readonly retryAtMs: number };

/** A directory that this process has, and how many of its paths lead to it. */
interface SharedLock {
  readonly lock: { release(): void };
  users: number;
}

export class RootLocks {
  readonly #machine: Pick<RotateMachine, 'openDirectory' | 'lockRoot'>;
  readonly #telemetry: Telemetry;
  readonly #roots = new Map<string, PathLock>();
  /** Those of groups that are there now. */
  readonly #directories = new Map<string, PathLock>();
  /** By path without links. */
  readonly #shared = new Map<string, SharedLock>();

  constructor(machine: Pick<RotateMachine, 'openDirectory' | 'lockRoot'>, telemetry: Telemetry) {
    this.#machine = machine;
    this.#telemetry = telemetry;
  }

  /** Why a tree is not rotated, or undefined. */
  get problem(): string | undefined {
    for (const { problem } of [...this.#roots.values(), ...this.#directories.values()]) {
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Returns whether the tree is this process's; one that another has is tried again now and then. */
  take(root: string, nowMs: number): boolean {
    return this.#take(this.#roots, root, nowMs);
  }

  /** Returns whether a directory in the tree `root` is this process's, as `take` does. */
  takeDirectory(root: string, directory: string, nowMs: number): boolean {
    return this.take(root, nowMs) && this.#take(this.#directories, directory, nowMs);
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
    const attempt = this.#tryLock(path);
    if (attempt === 'gone') {
      locks.delete(path);
      return false;
    }
    locks.set(path, { ...attempt, retryAtMs: nowMs + RETRY_MS });
    if (attempt.problem !== known?.problem) this.#tell(path, attempt);
    return attempt.lock !== undefined;
  }

  #tryLock(path: string): Attempt | 'gone' {
    try {
      const lock = this.#share(path);
      if (lock !== undefined) return { lock };
      return { problem: `another process rotates the files below ${path}`, isOthers: true };
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      if (systemCodeOf(error) === 'ENOENT') return 'gone';
      const hint = hintOf(error);
      const text = `cannot lock ${path} (${messageOf(error)}): its files are not rotated`;
      return { problem: hint === undefined ? text : `${text}. ${hint}`, isOthers: false };
    }
  }

  #tell(path: string, attempt: Attempt): void {
    if (attempt.problem === undefined) return;
    if (!attempt.isOthers) {
      this.#telemetry.log('warn', 'rotate_problem', attempt.problem, { root: path });
      return;
    }
    const text = `${attempt.problem}: this one only collects them. Stop the other one, or give it other sources`;
    this.#telemetry.log('error', 'rotate_locked', text, { root: path });
  }

  /** Locks a directory, or shares the lock that this process has: a second one would wait for the first. */
  #share(path: string): { release(): void } | undefined {
    const realPath = this.#realPathOf(path);
    let shared = this.#shared.get(realPath);
    if (shared === undefined) {
      const lock = this.#machine.lockRoot(realPath);
      if (lock === undefined) return undefined;
      shared = { lock, users: 0 };
      this.#shared.set(realPath, shared);
    }
    const own = shared;
    own.users += 1;
    return { release: () => this.#leave(realPath, own) };
  }

  #leave(realPath: string, shared: SharedLock): void {
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#shared.delete(realPath);
    shared.lock.release();
  }

  #realPathOf(path: string): string {
    const directory = this.#machine.openDirectory(path, path);
    try {
      return directory.realPath;
    } finally {
      directory.close();
    }
  }
}
