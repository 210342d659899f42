/** Gathers files into logrotate's configurations, one per app and policy, and tells what a run did. */
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { FollowedView } from '../followed-files.ts';
import type { LogrotateEngine, LogrotateJob } from './logrotate-engine.ts';
import type { PolicyChoice, RotateGroup } from './rotate-types.ts';

/** A configuration, and the groups whose files stand in it. */
export interface AppJob extends LogrotateJob {
  readonly groups: readonly string[];
}

export interface JobResult {
  readonly group: string;
  readonly path: string;
  readonly text: string;
}

export type TruncationNotes = Pick<FollowedView, 'lifeOf' | 'noteTruncation'>;

interface Ruled {
  readonly group: RotateGroup;
  readonly choice: PolicyChoice;
}

export class LogrotateRuns {
  readonly #engine: LogrotateEngine;
  readonly #telemetry: Telemetry;
  readonly #said = new Map<string, string>();

  constructor(engine: LogrotateEngine, telemetry: Telemetry) {
    this.#engine = engine;
    this.#telemetry = telemetry;
  }

  /** Returns what is to be configured now. */
  jobsOf(ruled: readonly Ruled[], nowMs: number): AppJob[] {
    const jobs = new Map<string, { policy: RotatePolicyConfig; groups: RotateGroup[] }>();
    for (const { group, choice } of ruled) {
      if (choice.kind === 'none' || choice.policy.method !== 'logrotate' || group.style === 's6') continue;
      const { namespace = '', app } = group.names;
      const name = `${namespace}.${app ?? group.key}.rotate-${choice.index ?? 0}`;
      const job = jobs.get(name) ?? { policy: choice.policy, groups: [] };
      job.groups.push(group);
      jobs.set(name, job);
    }
    return [...jobs].map(([name, { policy, groups }]) => ({
      name,
      policy,
      groups: groups.map(({ key }) => key),
      files: groups
        .map(({ activePath, files }) => {
          const active = files.find(({ isActive }) => isActive);
          const isOld = active !== undefined && nowMs - active.bornMs >= (policy.age ?? Infinity);
          return { path: activePath, isDueByAge: isOld && active.diskBytes < policy.size };
        })
        .toSorted((left, right) => (left.path < right.path ? -1 : 1)),
    }));
  }

  /** Brings the configurations up to date. */
  async install(jobs: readonly AppJob[]): Promise<void> {
    await this.#engine.install(jobs);
    for (const { name } of jobs) this.#say(name, this.#engine.problemOf(name));
  }

  /** Lists the groups whose configuration is not run, with the reason. */
  problemsOf(jobs: readonly AppJob[]): { readonly group: string; readonly text: string }[] {
    return jobs.flatMap(({ name, groups }) => {
      const text = this.#engine.problemOf(name);
      return text === undefined ? [] : groups.map((group) => ({ group, text }));
    });
  }

  /**
   * Runs one configuration; returns what was rotated. Problems are logged, once per change. Whoever follows the files
   * hears of each that was truncated: one that has grown again by then does not show it.
   */
  async run(job: AppJob, followed: TruncationNotes): Promise<JobResult[]> {
    const lives = new Map(job.groups.map((key) => [key, followed.lifeOf(key)]));
    const { report, problem } = await this.#engine.run(job.name);
    this.#say(job.name, problem);
    for (const { path, isCopied } of report.rotated) {
      const life = lives.get(path);
      if (isCopied && life !== undefined) followed.noteTruncation(path, life);
    }
    for (const { path, to, isCopied } of report.rotated) {
      const text = isCopied
        ? `logrotate copied ${path} to ${to} and truncated it: what was written between the two is lost`
        : `logrotate renamed ${path} to ${to}`;
      this.#telemetry.log('info', 'rotated', text, { path, to });
      this.#telemetry.count('logboom_rotate_actions_total', 1, { action: 'logrotate', outcome: 'done' });
    }
    const groups = new Set(job.groups);
    return report.rotated
      .filter(({ path }) => groups.has(path))
      .map(({ path, to }) => ({ group: path, path, text: `logrotate rotated it to ${to}` }));
  }

  #say(name: string, problem: string | undefined): void {
    if (this.#said.get(name) === problem) return;
    if (problem === undefined) {
      this.#said.delete(name);
      return;
    }
    this.#said.set(name, problem);
    this.#telemetry.count('logboom_rotate_actions_total', 1, { action: 'logrotate', outcome: 'failed' });
    this.#telemetry.log('warn', 'rotate_problem', `${name}: ${problem}`);
  }
}
