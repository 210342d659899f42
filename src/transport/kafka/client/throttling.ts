import type { Scheduler, Timer } from '../../../base/scheduler.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import { KafkaError, problemOf } from './kafka-problem.ts';
import type { ProblemBook } from './problem-book.ts';

export interface ThrottlingOptions {
  readonly scheduler: Scheduler;
  readonly problems: ProblemBook;
  readonly telemetry: Telemetry;
  /** What is throttled. */
  readonly action: 'read' | 'write';
  /** Tells apart who does the same in one process. */
  readonly subject: string;
}

/** Throttling that a client does not notice is what quotas are for. */
const THROTTLED_MS_MIN = 1_000;

/** A quota that is still used up is told again within this time. */
const THROTTLED_GRACE_MS = 2_000;

/** Says that brokers throttle, while they do: a quota is used up, and nothing is wrong but that it takes longer. */
export class Throttling {
  readonly #options: ThrottlingOptions;
  #ending: Timer | undefined;
  #isClosed = false;

  constructor(options: ThrottlingOptions) {
    this.#options = options;
  }

  /** Notes how long a broker makes this client wait, as its answer says. */
  note(throttleMs: number): void {
    const { scheduler, problems, telemetry, action } = this.#options;
    if (throttleMs > 0)
      telemetry.count('logboom_transport_throttled_seconds_total', throttleMs / 1_000, { action });
    if (throttleMs < THROTTLED_MS_MIN || this.#isClosed) return;
    const error = new KafkaError('THROTTLING_QUOTA_EXCEEDED', '');
    problems.note(this.#subject, problemOf(error, `${action} faster`));
    this.#ending?.cancel();
    this.#ending = scheduler.schedule(throttleMs + THROTTLED_GRACE_MS, () => {
      problems.note(this.#subject, undefined);
    });
  }

  /** From now on nothing is noted, and what was is forgotten. */
  close(): void {
    this.#isClosed = true;
    this.#ending?.cancel();
    this.#options.problems.forget(this.#subject);
  }

  get #subject(): string {
    return `${this.#options.subject} without being throttled`;
  }
}
