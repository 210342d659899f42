/**
 * Virtual time: nothing happens between two timers, so a simulated minute takes as long as the work in it. Timers
 * that are due at the same instant run in the order that `random` gives, which is how a seed explores interleavings.
 */
import type { Scheduler, Timer } from './scheduler.ts';

interface VirtualTimer {
  readonly atMs: number;
  readonly rank: number;
  readonly task: () => void;
}

export interface VirtualSchedulerOptions {
  /** Wall clock at the start, milliseconds since the Unix epoch. */
  readonly startMs?: number;
  /** Orders simultaneous timers; without it they run in the order they were made. */
  readonly random?: () => number;
}

/** 2026-11-23T00:00:00Z. */
const START_MS = 1795392000000;

/** Microtask turns granted to promises between two timers: more than any chain of awaits in the program is long. */
const SETTLE_TURNS = 64;

export class VirtualScheduler implements Scheduler {
  readonly #timers = new Set<VirtualTimer>();
  readonly #random: (() => number) | undefined;
  readonly #startMs: number;
  #elapsedMs = 0;
  #count = 0;
  /** Added to the wall clock, so that a test can let it jump. */
  wallSkewMs = 0;

  constructor(options: VirtualSchedulerOptions = {}) {
    this.#startMs = options.startMs ?? START_MS;
    this.#random = options.random;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs + this.wallSkewMs;
  }

  nowNs(): bigint {
    return BigInt(Math.round(this.nowMs() * 1000)) * 1000n;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  schedule(delayMs: number, task: () => void): Timer {
    const order = ++this.#count;
    const rank = this.#random === undefined ? order : this.#random();
    const timer: VirtualTimer = { atMs: this.#elapsedMs + Math.max(0, delayMs), rank, task };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timer = this.schedule(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer.cancel();
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  yield(): Promise<void> {
    return this.sleep(0);
  }

  /** Runs everything that is due within the next `durationMs` of virtual time. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + durationMs;
    await settle();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      next.task();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  /** Advances in steps until `isDone`, at most `limitMs`; returns whether it came true. */
  async advanceUntil(isDone: () => boolean, limitMs: number, stepMs = 10): Promise<boolean> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += stepMs) {
      if (isDone()) return true;
      await this.advance(stepMs);
    }
    return isDone();
  }

  /** Forgets every timer, as the end of a process does. */
  clear(): void {
    this.#timers.clear();
  }

  #earliest(): VirtualTimer | undefined {
    let best: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (
        best === undefined ||
        timer.atMs < best.atMs ||
        (timer.atMs === best.atMs && timer.rank < best.rank)
      ) {
        best = timer;
      }
    }
    return best;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await Promise.resolve();
}
