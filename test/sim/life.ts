import type { FileSystem, WatchListener } from '../../src/base/file-system.ts';
import { systemError } from '../../src/base/memory-file-system.ts';
import type { Scheduler, Timer } from '../../src/base/scheduler.ts';

/** One process of a simulation: when it dies, nothing that it still waits for ever happens. */
export class Life {
  readonly scheduler: Scheduler;
  readonly #listeners: (() => void)[] = [];
  #isDead = false;

  constructor(world: Scheduler) {
    this.scheduler = mortalScheduler(world, () => this.#isDead);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Ends the life at once. */
  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener when the life ends by `kill`. */
  onDeath(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/** The world's time for one process: its timers die with it. */
function mortalScheduler(world: Scheduler, isDead: () => boolean): Scheduler {
  const schedule = (delayMs: number, task: () => void): Timer =>
    world.schedule(delayMs, () => {
      if (!isDead()) task();
    });
  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = schedule(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer.cancel();
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  return {
    nowMs: () => world.nowMs(),
    nowNs: () => world.nowNs(),
    monotonicMs: () => world.monotonicMs(),
    schedule,
    sleep,
    yield: () => sleep(0),
  };
}

const ASYNCHRONOUS: ReadonlySet<string | symbol> = new Set(['writeAsync', 'sync', 'syncDirectory']);

/** A file system whose calls fail for good once the process that uses it is dead, and which tells it nothing then. */
export function mortalFileSystem(fileSystem: FileSystem, isDead: () => boolean): FileSystem {
  return new Proxy(fileSystem, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]): unknown => {
        if (isDead() && ASYNCHRONOUS.has(property)) return new Promise(() => undefined);
        if (isDead()) throw systemError('EIO', 'the process is dead');
        if (property !== 'watch') return Reflect.apply(member, target, parameters) as unknown;
        const [directory, listener] = parameters as [string, WatchListener];
        return target.watch(directory, (event, name) => {
          if (!isDead()) listener(event, name);
        });
      };
    },
  });
}
