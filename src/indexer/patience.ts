/** Waits out what keeps others from working, and remembers why, for as long as it takes. */
import { AppError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

const RETRY_DELAY_MS_MIN = 100;
const RETRY_DELAY_MS_MAX = 10_000;

/** What an indexer does with others; the word is a label of metrics, the text a part of sentences. */
const ACTIONS = {
  read: 'read from the transport',
  store: 'write to the store',
  dead_letter: 'write dead letters',
} as const;

export type PatientAction = keyof typeof ACTIONS;

export class Patience {
  readonly #scheduler: Scheduler;
  readonly #telemetry: Telemetry;
  readonly #problems = new Map<PatientAction, string>();

  constructor(scheduler: Scheduler, telemetry: Telemetry) {
    this.#scheduler = scheduler;
    this.#telemetry = telemetry;
  }

  /** What cannot be done just now, and why. */
  problem(): string | undefined {
    const [first] = this.#problems.values();
    return first;
  }

  /** Tries until it works; undefined when the signal is aborted first, or the other side is closed for good. */
  async until<T>(
    action: PatientAction,
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T | undefined> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const result = await attempt();
        if (failures > 0) this.#recover(action);
        return result;
      } catch (error) {
        if (signal.aborted || isOver(error)) return undefined;
        if (!isExpected(error)) throw error;
        this.#complain(action, error);
      }
      const delayMs = Math.min(RETRY_DELAY_MS_MIN * 2 ** Math.min(failures, 16), RETRY_DELAY_MS_MAX);
      await this.#scheduler.sleep(delayMs, signal);
    }
    return undefined;
  }

  #complain(action: PatientAction, error: unknown): void {
    const problem = `cannot ${ACTIONS[action]}: ${messageOf(error)}`;
    const isNew = !this.#problems.has(action);
    this.#problems.set(action, problem);
    this.#telemetry.count('logboom_indexer_retries_total', 1, { action });
    if (isNew) this.#telemetry.log('error', 'indexer_waits', problem, { hint: hintOf(error) });
  }

  #recover(action: PatientAction): void {
    if (!this.#problems.delete(action)) return;
    this.#telemetry.log('info', 'indexer_recovered', `the indexer can ${ACTIONS[action]} again`);
  }
}

/** The environment's failures, which may pass; anything else is a bug. */
export function isExpected(error: unknown): boolean {
  return error instanceof AppError || systemCodeOf(error) !== undefined;
}

function isOver(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'closed' || error.code === 'aborted');
}

function hintOf(error: unknown): string | undefined {
  return error instanceof AppError ? error.hint : undefined;
}
