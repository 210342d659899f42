import type { Scheduler } from '../../../base/scheduler.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';

const DELAY_MS_MIN = 200;
const DELAY_MS_MAX = 10_000;

/** What keeps requests waiting. */
export interface WaitProblem {
  /** The same for problems that the log tells once: their texts may differ in numbers and in what a socket says. */
  readonly cause: string;
  /** A clause with its remedy, without a full stop. */
  readonly text: string;
}

/** How an engine that goes away is met, one after the other or at once: they are told as one cause. */
const AWAY: ReadonlySet<string> = new Set(['unavailable', 'unanswered']);

/**
 * What keeps the store from taking records just now. Each cause is told in the log once when it begins and once when all
 * of it is over, however many requests meet it.
 */
export class WaitBoard {
  readonly #scheduler: Scheduler;
  readonly #telemetry: Telemetry;
  /** By the request that waits: one entry per request under way. */
  readonly #waits = new Map<object, WaitProblem & { readonly signal: AbortSignal }>();
  readonly #told = new Set<string>();

  constructor(scheduler: Scheduler, telemetry: Telemetry) {
    this.#scheduler = scheduler;
    this.#telemetry = telemetry;
  }

  problem(): string | undefined {
    const [first] = this.#waits.values();
    return first === undefined ? undefined : `${first.text}.`;
  }

  /** Waits because of `problem`, longer with every attempt, and no longer than the signal. */
  async wait(
    who: object,
    problem: WaitProblem,
    {
      attempt,
      delayMs,
      signal,
    }: { readonly attempt: number; readonly delayMs?: number | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#waits.set(who, { ...problem, signal });
    const cause = AWAY.has(problem.cause) ? 'away' : problem.cause;
    if (!this.#told.has(cause)) {
      this.#told.add(cause);
      this.#telemetry.log('error', 'store_waiting', `The store takes no records: ${problem.text}.`);
    }
    const backoffMs = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(attempt, 16));
    await this.#scheduler.sleep(delayMs ?? backoffMs, signal);
  }

  /** Ends the wait of a request, whether it got what it wanted or gave up. */
  done(who: object): void {
    const isGivenUp = this.#waits.get(who)?.signal.aborted === true;
    this.#waits.delete(who);
    if (this.#waits.size > 0 || this.#told.size === 0) return;
    this.#told.clear();
    if (isGivenUp) return;
    this.#telemetry.log('info', 'store_resumed', 'The store takes records again.');
  }
}
