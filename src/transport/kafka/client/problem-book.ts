import type { Telemetry } from '../../../telemetry/telemetry.ts';
import type { KafkaProblem } from './kafka-problem.ts';

/**
 * What keeps the transport from working, by what cannot be done. Many things fail at once when a broker goes away, and
 * in turns in several ways, so the log has one line when a cause begins and one when nothing suffers from it any more.
 */
export class ProblemBook {
  readonly #telemetry: Telemetry;
  readonly #problems = new Map<string, KafkaProblem>();
  /** By cause: what the log was told, and has not been told the end of. */
  readonly #told = new Map<string, string>();
  #isClosed = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Notes that something cannot be done, or with undefined that it can be. */
  note(subject: string, problem: KafkaProblem | undefined): void {
    if (this.#isClosed) return;
    if (problem === undefined) {
      if (this.#problems.delete(subject)) this.#endCauses(true);
      return;
    }
    this.#problems.set(subject, problem);
    const { cause, code, reason, remedy } = problem;
    if (this.#told.has(cause)) return;
    this.#told.set(cause, reason);
    this.#telemetry.log('warn', 'kafka_waits', `waiting: ${reason}`, { code, hint: remedy });
  }

  /** Notes that nobody tries any more whether something can be done. */
  forget(subject: string): void {
    if (this.#problems.delete(subject)) this.#endCauses(false);
  }

  /** The oldest problem as a sentence with its remedy, or undefined. */
  get first(): string | undefined {
    for (const { reason, remedy } of this.#problems.values()) return `${reason}. ${remedy}`;
    return undefined;
  }

  /** From now on nothing is noted: what fails because of the end is no problem. */
  close(): void {
    this.#isClosed = true;
    this.#problems.clear();
  }

  #endCauses(isSolved: boolean): void {
    const causes = new Set([...this.#problems.values()].map(({ cause }) => cause));
    for (const [cause, reason] of this.#told) {
      if (causes.has(cause)) continue;
      this.#told.delete(cause);
      if (!isSolved) continue;
      this.#telemetry.log('info', 'kafka_recovered', `Kafka works again, after: ${reason}`);
    }
  }
}
