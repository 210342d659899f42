/**
 * How far behind something is, in its own unit and in seconds: a pure state, sampled now and then.
 *
 * Of each key a mark is kept: where its end was at some moment. Once it is done up to there, the next mark is taken.
 * What is not done up to the mark has waited at least since then; so the seconds are a lower bound that is at most one
 * mark too small, in memory that does not grow with the lag.
 */
export interface ProgressSample {
  readonly key: string;
  /** Where it ends, and up to where it is done: bytes, records. */
  readonly end: number;
  readonly done: number;
}

export interface Lag {
  readonly key: string;
  readonly amount: number;
  readonly seconds: number;
}

interface Mark {
  end: number;
  sinceMs: number;
  done: number;
}

export class LagState {
  readonly #marks = new Map<string, Mark>();
  /** Amounts that were done since the beginning, however keys come and go. */
  #doneTotal = 0;

  get doneTotal(): number {
    return this.#doneTotal;
  }

  /** Takes the samples of all keys that there are now; returns what is behind, the furthest in time first. */
  update(samples: readonly ProgressSample[], nowMs: number): Lag[] {
    const lags: Lag[] = [];
    const keys = new Set<string>();
    for (const { key, end, done } of samples) {
      keys.add(key);
      const mark = this.#marks.get(key) ?? { end, sinceMs: nowMs, done };
      this.#marks.set(key, mark);
      this.#doneTotal += Math.max(0, done - mark.done);
      mark.done = done;
      if (done >= mark.end) {
        mark.end = end;
        mark.sinceMs = nowMs;
      }
      const amount = Math.max(0, end - done);
      if (amount > 0) lags.push({ key, amount, seconds: Math.max(0, nowMs - mark.sinceMs) / 1000 });
    }
    for (const key of this.#marks.keys()) if (!keys.has(key)) this.#marks.delete(key);
    return lags.toSorted((left, right) => right.seconds - left.seconds || right.amount - left.amount);
  }
}
