import type { Scheduler } from '../../base/scheduler.ts';
import type { FileTally } from './segment-engine.ts';

/** How long a count holds: segments never change, but a disk may lose them, and an audit is to see that. */
const HOLDS_MS = 60_000;

/** Counts of one log file each that are kept, of about 200 bytes; those of further segments are made anew. */
const TALLIES_MAX = 100_000;

interface Kept {
  readonly tallies: readonly FileTally[];
  readonly countedMs: number;
}

/** What segments hold of each file, so that an audit which looks again and again reads each of them once. */
export class SegmentTallies {
  readonly #scheduler: Scheduler;
  readonly #kept = new Map<string, Kept>();
  #size = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Returns what was counted of a segment a moment ago, or what `count` finds. */
  async of(path: string, count: () => Promise<readonly FileTally[]>): Promise<readonly FileTally[]> {
    const nowMs = this.#scheduler.monotonicMs();
    this.#forgetOld(nowMs);
    const known = this.#kept.get(path);
    if (known !== undefined) return known.tallies;
    const tallies = await count();
    // One that cannot be read has none, and is asked again.
    const isKept = tallies.length > 0 && this.#size + tallies.length <= TALLIES_MAX && !this.#kept.has(path);
    if (isKept) {
      this.#kept.set(path, { tallies, countedMs: nowMs });
      this.#size += tallies.length;
    }
    return tallies;
  }

  #forgetOld(nowMs: number): void {
    for (const [path, { tallies, countedMs }] of this.#kept) {
      if (nowMs - countedMs < HOLDS_MS) continue;
      this.#kept.delete(path);
      this.#size -= tallies.length;
    }
  }
}
