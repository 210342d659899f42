import type { BulkAnswer, BulkLimitState } from './bulk-limit-state.ts';

/** Lets as many bulk requests of all appends together go at once as the limit allows, in the order of asking. */
export class BulkGate {
  readonly #limit: BulkLimitState;
  /** Bounded by the appends that the indexer has under way times the requests of each. */
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(limit: BulkLimitState) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit.limit;
  }

  /** Resolves when a request may be sent; `leave` must follow. */
  async enter(): Promise<void> {
    if (this.#underWay >= this.#limit.limit)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#underWay += 1;
  }

  /** Ends a request, with its answer unless there was none; returns how long to wait before sending it again. */
  leave(answer: BulkAnswer | undefined): number {
    const pauseMs = answer === undefined ? 0 : this.#limit.answered(answer);
    this.#underWay -= 1;
    while (this.#underWay < this.#limit.limit && this.#waiting.length > 0) {
      this.#underWay += 1;
      this.#waiting.shift()?.();
    }
    return pauseMs;
  }
}
