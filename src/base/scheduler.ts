/**
 * Time as Logboom sees it. `base/node/node-scheduler.ts` is the real one, `base/virtual-scheduler.ts` the one of
 * the simulation, in which a minute passes at once and every interleaving is replayed from a seed.
 */
export interface Timer {
  cancel(): void;
}

export interface Scheduler {
  /** Wall clock, milliseconds since the Unix epoch. It can jump, also backwards. */
  nowMs(): number;
  /** Wall clock in nanoseconds. */
  nowNs(): bigint;
  /** Never goes backwards; milliseconds from an arbitrary start. */
  monotonicMs(): number;
  /** Calls `task` once after `delayMs`. A pending timer does not keep the process alive by itself. */
  schedule(delayMs: number, task: () => void): Timer;
  /** Resolves after `delayMs`, or at once when `signal` is aborted: check the signal afterwards. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Lets other work of the event loop run before going on. */
  yield(): Promise<void>;
}
