/**
 * When a policy is due. A clock that jumps forward makes it due once, however many times it missed; one that jumps
 * back is noticed, and the next time is computed anew.
 */
export type NextTime = (afterMs: number) => number | undefined;

export class ScheduleState {
  readonly #next: NextTime;
  #nextMs: number | undefined;
  #computedMs: number;

  /** `next` returns the first time after another, in milliseconds since the Unix epoch; undefined: never again. */
  constructor(next: NextTime, nowMs: number) {
    this.#next = next;
    this.#computedMs = nowMs;
    this.#nextMs = next(nowMs);
  }

  /** When it is due next. */
  get nextMs(): number | undefined {
    return this.#nextMs;
  }

  /** Returns whether it is due now, once per time. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.#computedMs) {
      this.#compute(nowMs);
      return false;
    }
    if (this.#nextMs === undefined || nowMs < this.#nextMs) return false;
    this.#compute(nowMs);
    return true;
  }

  #compute(nowMs: number): void {
    this.#computedMs = nowMs;
    this.#nextMs = this.#next(nowMs);
  }
}
