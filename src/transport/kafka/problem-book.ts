import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { KafkaProblem } from './kafka-problem.ts';

/**
 * What keeps the transport from working, by what cannot be done. Each problem is logged when it begins, changes and
 * ends, and not while it lasts.
 */
export class ProblemBook {
  readonly #telemetry: Telemetry;
  readonly #problems = new Map<string, KafkaProblem>();
  #isClosed = false;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Notes that something cannot be done, or with undefined that it can be. */
  note(subject: string, problem: KafkaProblem | undefined): void {
    if (this.#isClosed) return;
    const before = this.#problems.get(subject);
    if (problem === undefined) {
      if (!this.#problems.delete(subject)) return;
      this.#telemetry.log('info', 'kafka_recovered', `Kafka works again: ${subject}`);
      return;
    }
    this.#problems.set(subject, problem);
    if (before?.code === problem.code && before.remedy === problem.remedy) return;
    this.#telemetry.log('warn', 'kafka_waits', `waiting: ${problem.reason}`, {
      code: problem.code,
      hint: problem.remedy,
    });
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
}
