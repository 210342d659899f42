/**
 * Tells a stage that stands still from one that is slow or has nothing to do: its lag grows, and nothing gets done. A
 * pure state, sampled now and then.
 */
export interface StallSample {
  /** What waits, in any unit. */
  readonly lag: number;
  /** What was done since the beginning: never less than before. */
  readonly done: number;
}

/** A store that is merged, a broker that fails over, a garbage collection: all of them end sooner. */
const STALL_MS_MIN = 60_000;

export class StallState {
  #done = 0;
  /** When something was done last, and what waited then. */
  #since: { readonly ms: number; readonly lag: number } | undefined;
  #last: StallSample = { lag: 0, done: 0 };

  update(sample: StallSample, nowMs: number): void {
    const isMoving = sample.done > this.#done || sample.lag === 0;
    if (this.#since === undefined || isMoving) this.#since = { ms: nowMs, lag: sample.lag };
    this.#done = sample.done;
    this.#last = sample;
  }

  /** Returns for how long nothing was done although more and more waits; undefined when that is not so. */
  stalledMs(nowMs: number): number | undefined {
    if (this.#since === undefined || this.#last.lag <= this.#since.lag) return undefined;
    const stalledMs = nowMs - this.#since.ms;
    return stalledMs >= STALL_MS_MIN ? stalledMs : undefined;
  }
}
