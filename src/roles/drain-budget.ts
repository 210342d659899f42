/**
 * The time in which everything drains, shared by parts that stop one after the other: the agent waits for most of
 * it, the indexer for what is left, and a little remains for closing files.
 */
import type { Scheduler } from '../base/scheduler.ts';

/** What those behind the agent have at least, as long as a quarter of the whole is not less. */
const RESERVE_MS = 2_000;

export class DrainBudget {
  readonly totalMs: number;
  readonly #scheduler: Pick<Scheduler, 'monotonicMs'>;
  readonly #reserveMs: number;
  #endMs: number | undefined;

  constructor(totalMs: number, scheduler: Pick<Scheduler, 'monotonicMs'>) {
    this.totalMs = totalMs;
    this.#scheduler = scheduler;
    this.#reserveMs = Math.min(RESERVE_MS, totalMs / 4);
  }

  /** How long the agent, which stops first, may wait. */
  get agentMs(): number {
    return this.totalMs - this.#reserveMs;
  }

  /** Starts the clock, unless it runs. */
  begin(): void {
    this.#endMs ??= this.#scheduler.monotonicMs() + this.totalMs;
  }

  /** How long the indexer, which stops now, may wait. */
  get indexerMs(): number {
    this.begin();
    const leftMs = (this.#endMs ?? 0) - this.#scheduler.monotonicMs();
    return Math.max(0, leftMs - this.#reserveMs / 2);
  }
}
