/**
 * Gathers files into logrotate's configurations, one per app and policy, has them checked and run beside the loop, and
 * tells what a run did. A logrotate that hangs delays its own app alone.
 */
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { FollowedView } from '../followed-files.ts';
import type { DuePolicies } from './due-policies.ts';
import type { LogrotateEngine, LogrotateJob } from './logrotate-engine.ts';
import type { PolicyChoice, RotateGroup } from './rotate-types.ts';
import { SideWork } from './side-work.ts';

/** Checks of configurations, and runs, at once. */
const CHECKS_MAX = 2;
const RUNS_MAX = 4;

/** How often a configuration that is not run is looked at again: a user, or logrotate itself, may be there by now. */
const RECHECK_MS = 60_000;

/** A configuration, and the groups whose files stand in it. */
export interface AppJob extends LogrotateJob {
  readonly groups: readonly string[];
}

/** Why a group waits. */
export interface GroupProblem {
  readonly group: string;
  readonly text: string;
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

export interface LogrotateRunsOptions {
  readonly engine: LogrotateEngine;
  readonly telemetry: Telemetry;
  readonly due: DuePolicies;
  readonly onDone: (results: readonly JobResult[]) => void;
  /** Something is known that was not known at the last look at these groups. */
  readonly onNews: (groups: readonly string[]) => void;
}

/** A look at all files, and which groups a run is wanted for. */
export interface LogrotateLook {
  readonly ruled: readonly Ruled[];
  readonly wanted: ReadonlySet<string>;
  readonly followed: TruncationNotes;
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export class LogrotateRuns {
  readonly #options: LogrotateRunsOptions;
  readonly #engine: LogrotateEngine;
  readonly #telemetry: Telemetry;
  /** By job: what went wrong last. */
  readonly #said = new Map<string, string>();
  /** By job: when its configuration was looked at last, in monotonic milliseconds. */
  readonly #checkedMs = new Map<string, number>();
  readonly #checks: SideWork;
  readonly #runs: SideWork;
  /** Groups of the runs that are under way or in line. */
  readonly #busy = new Map<string, readonly string[]>();

  constructor(options: LogrotateRunsOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#telemetry = options.telemetry;
    const onEnd = (): void => options.onNews([]);
    this.#checks = new SideWork({ parallelMax: CHECKS_MAX, onEnd });
    this.#runs = new SideWork({ parallelMax: RUNS_MAX, onEnd });
  }

  get isBusy(): boolean {
    return this.#checks.isBusy || this.#runs.isBusy;
  }

  /** Whether a run has to do with a group now. */
  isAtWork(group: string): boolean {
    return [...this.#busy.values()].some((groups) => groups.includes(group));
  }

  /** Brings configurations up to date and begins the runs that are due; returns why groups wait. */
  work({ ruled, wanted, followed, wallMs, monotonicMs }: LogrotateLook): readonly GroupProblem[] {
    this.#checks.check();
    this.#runs.check();
    const jobs = this.#jobsOf(ruled, wallMs);
    this.#keep(new Set(jobs.map(({ name }) => name)));
    for (const job of jobs) this.#bringUpToDate(job, monotonicMs);
    for (const job of this.#options.due.takeJobs(jobs, wanted, monotonicMs)) {
      this.#busy.set(job.name, job.groups);
      this.#runs.start(job.name, () => this.#perform(job, followed));
    }
    return this.#problemsOf(jobs);
  }

  /** Resolves when what is under way has ended. */
  async close(): Promise<void> {
    await Promise.all([this.#checks.close(), this.#runs.close()]);
  }

  /** Forgets apps that are gone. */
  #keep(names: ReadonlySet<string>): void {
    this.#engine.keep(names);
    for (const name of this.#checkedMs.keys()) {
      if (names.has(name)) continue;
      this.#checkedMs.delete(name);
      this.#said.delete(name);
    }
  }

  #bringUpToDate(job: AppJob, nowMs: number): void {
    const { name } = job;
    const isFailing = this.#engine.problemOf(name) !== undefined;
    if (isFailing && nowMs - (this.#checkedMs.get(name) ?? 0) >= RECHECK_MS) this.#engine.forget(name);
    if (this.#engine.isInstalled(job)) return;
    this.#checkedMs.set(name, nowMs);
    this.#checks.start(name, () => this.#install(job));
  }

  async #install(job: AppJob): Promise<void> {
    await this.#engine.install(job);
    this.#say(job, this.#engine.problemOf(job.name));
  }

  async #perform(job: AppJob, followed: TruncationNotes): Promise<void> {
    try {
      await this.#engine.install(job);
      this.#options.onDone(await this.#run(job, followed));
    } finally {
      if (!this.#runs.isInLine(job.name)) this.#busy.delete(job.name);
    }
  }

  /** Returns what is to be configured now. */
  #jobsOf(ruled: readonly Ruled[], nowMs: number): AppJob[] {
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

  /** Lists the groups whose configuration is not run, or failed when it was, with the reason. */
  #problemsOf(jobs: readonly AppJob[]): GroupProblem[] {
    return jobs.flatMap(({ name, groups }) => {
      const text = this.#said.get(name);
      return text === undefined ? [] : groups.map((group) => ({ group, text }));
    });
  }

  /**
   * Runs one configuration; returns what was rotated. Problems are logged, once per change. Whoever follows the files
   * hears of each that was truncated: one that has grown again by then does not show it.
   */
  async #run(job: AppJob, followed: TruncationNotes): Promise<JobResult[]> {
    const lives = new Map(job.groups.map((key) => [key, followed.lifeOf(key)]));
    const { report, problem } = await this.#engine.run(job.name);
    this.#say(job, problem);
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

  #say({ name, groups }: AppJob, problem: string | undefined): void {
    if (this.#said.get(name) === problem) return;
    this.#options.onNews(groups);
    if (problem === undefined) {
      this.#said.delete(name);
      return;
    }
    this.#said.set(name, problem);
    this.#telemetry.count('logboom_rotate_actions_total', 1, { action: 'logrotate', outcome: 'failed' });
    this.#telemetry.log('warn', 'rotate_problem', `${name}: ${problem}`);
  }
}
