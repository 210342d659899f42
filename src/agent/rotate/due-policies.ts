/**
 * When policies are due: those with a schedule when it comes, logrotate without one once in a while. A policy of
 * logrotate whose time came while something else was at work stays due until it has run.
 */
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { nextCronMs } from '../../config/cron.ts';
import type { AppJob } from './logrotate-runs.ts';
import { ScheduleState } from './schedule-state.ts';

/** logrotate without a schedule of its own. */
const LOGROTATE_MS = 60_000;

export class DuePolicies {
  readonly #schedules = new Map<RotatePolicyConfig, ScheduleState>();
  /** When logrotate may run next, by configuration, in monotonic milliseconds. */
  readonly #logrotateAtMs = new Map<string, number>();
  /** Policies whose time came while logrotate or something else was at work. */
  readonly #waiting = new Set<RotatePolicyConfig>();

  /** `wallMs` is the time of now: what would have been due before is not made up for. */
  constructor(policies: readonly RotatePolicyConfig[], wallMs: number) {
    for (const policy of policies) {
      const { schedule, timeZone } = policy;
      if (schedule === undefined) continue;
      const next = (afterMs: number) => nextCronMs(schedule, timeZone, afterMs);
      this.#schedules.set(policy, new ScheduleState(next, wallMs));
    }
  }

  /** Returns the policies whose schedule has come; those of logrotate stay due until `takeJobs`. */
  take(wallMs: number): ReadonlySet<RotatePolicyConfig> {
    const due = new Set<RotatePolicyConfig>();
    for (const [policy, schedule] of this.#schedules) if (schedule.isDue(wallMs)) due.add(policy);
    for (const policy of due) if (policy.method === 'logrotate') this.#waiting.add(policy);
    for (const policy of this.#waiting) due.add(policy);
    return due;
  }

  /** Returns which of the jobs run now; `wanted` are the groups that need one. */
  takeJobs(jobs: readonly AppJob[], wanted: ReadonlySet<string>, monotonicMs: number): AppJob[] {
    const due = jobs.filter(
      (job) => job.groups.some((key) => wanted.has(key)) && this.#isRunDue(job, monotonicMs),
    );
    this.#waiting.clear();
    return due;
  }

  #isRunDue({ name, policy }: AppJob, nowMs: number): boolean {
    if (policy.schedule !== undefined) return this.#waiting.has(policy);
    if (nowMs < (this.#logrotateAtMs.get(name) ?? 0)) return false;
    this.#logrotateAtMs.set(name, nowMs + LOGROTATE_MS);
    return true;
  }
}
