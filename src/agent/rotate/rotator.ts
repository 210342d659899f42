/**
 * Rotates the files that the agent follows: looks around twice per second, asks the policies what is to be done, and
 * does it. Nothing is decided here: `rotate-plan.ts` and `budget-plan.ts` are the rules. What takes long, or may hang
 * (compressing, logrotate, commands of policies), is done beside the loop.
 */
import { must } from '../../base/assert.ts';
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { Service } from '../../base/service.ts';
import type { Config } from '../../config/config.ts';
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { FollowedGroup, FollowedView } from '../followed-files.ts';
import { joinPath } from '../discovery/layout.ts';
import type { PodLookup } from '../kubernetes/pod-lookup.ts';
import { ActionOutcomes } from './action-outcomes.ts';
import { type BudgetGroup, freedBy, planBudget } from './budget-plan.ts';
import { PolicyChooser } from './choose-policy.ts';
import { DuePolicies } from './due-policies.ts';
import { LogrotateEngine } from './logrotate-engine.ts';
import { LogrotateRuns } from './logrotate-runs.ts';
import { PodRemoval } from './pod-removal.ts';
import { performAction, runsCommand } from './rotate-actions.ts';
import { hintOf } from './rotate-errors.ts';
import { planGroup } from './rotate-plan.ts';
import { RotateLog, type RotateStatus } from './rotate-status.ts';
import type { HeldBudget, PolicyChoice, RotateAction, RotateGroup } from './rotate-types.ts';
import { RootLocks } from './root-locks.ts';
import { SideWork } from './side-work.ts';
import { StatusFile } from './status-file.ts';
import { describeGroup, rootOf, Survey } from './survey.ts';

/** New files have their policy, and grown ones are cut back, within this time; half as often while nothing changes. */
const TICK_MS = 500;
const QUIET_TICK_MS = 1000;

/** Labels may change all the time: they do not make ticks more frequent than this. */
const TICK_MS_MIN = 200;

/** How often everything is looked at although nothing changed: files grow old. */
const QUIET_LOOK_MS = 10_000;

/** How long a policy may fit nothing before it is warned of. */
const UNUSED_MS = 60_000;

/** How long what goes on beside the loop is waited for at the end. */
const STOP_MS = 1000;

/** Commands of policies at once. */
const TELLING_MAX = 16;

/** How long policies that ask for labels wait at the start for the API to tell of them; then it is away. */
const PODS_WAIT_MS = 60_000;

export interface RotatorOptions {
  readonly config: Config;
  /** The agent's files; undefined while it does not know them all. */
  readonly followed: () => FollowedView | undefined;
  readonly machine: RotateMachine;
  /** Without it policies know no label of a pod. */
  readonly pods?: PodLookup | undefined;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

/** A group with its policy. */
interface Ruled {
  readonly group: RotateGroup;
  readonly choice: PolicyChoice;
  readonly root: string;
}

export class Rotator implements Service {
  readonly name = 'rotation';
  readonly #options: RotatorOptions;
  readonly #chooser: PolicyChooser;
  readonly #choices = new Map<string, PolicyChoice>();
  readonly #survey: Survey;
  readonly #log = new RotateLog();
  readonly #statusFile: StatusFile;
  readonly #locks: RootLocks;
  readonly #outcomes: ActionOutcomes;
  readonly #runs: LogrotateRuns;
  readonly #pods: PodRemoval;
  readonly #due: DuePolicies;
  readonly #warned = new Set<string>();
  readonly #used = new Set<number>();
  #held: readonly HeldBudget[] = [];
  readonly #compressing: SideWork;
  /** By group: commands that make a writer open its file again. */
  readonly #telling: SideWork;
  #finished: Promise<void> | undefined;
  #isStopping = false;
  readonly #alarm = new AbortController();
  /** Ends the pause before the next tick. */
  #nudge = new AbortController();
  #podsVersion = 0;
  #hasNews = false;
  #hasWork = true;
  #stamp = 0;
  #lookedMs = 0;
  #startedMs = 0;

  constructor(options: RotatorOptions) {
    const { config, machine, telemetry, fileSystem, scheduler } = options;
    this.#options = options;
    this.#chooser = new PolicyChooser(config.rotate, options.pods);
    options.pods?.onChange(() => this.#nudge.abort('labels'));
    this.#survey = new Survey({
      machine,
      onUnreadable: (directory, error) => this.#warnOnce(directory, `${directory}: ${messageOf(error)}`),
    });
    this.#statusFile = new StatusFile({
      data: config.data,
      machine,
      fileSystem,
      onProblem: (text) => this.#warnOnce(text, text),
    });
    this.#locks = new RootLocks(machine, telemetry);
    const directory = joinPath(joinPath(config.data, 'agent'), 'logrotate');
    this.#pods = new PodRemoval({
      sources: config.sources,
      machine,
      telemetry,
      chooser: this.#chooser,
      isOwn: (root, nowMs) => this.#locks.take(root, nowMs),
      onFreed: (bytes) => this.#log.noteFreed(bytes),
    });
    this.#due = new DuePolicies(config.rotate, scheduler.nowMs());
    const onEnd = (): void => {
      this.#hasWork = true;
    };
    this.#compressing = new SideWork({ parallelMax: 1, onEnd });
    this.#telling = new SideWork({ parallelMax: TELLING_MAX, onEnd });
    this.#runs = new LogrotateRuns({
      engine: new LogrotateEngine({ machine, fileSystem, telemetry, directory }),
      telemetry,
      due: this.#due,
      onDone: (results) => this.#outcomes.noteLogrotate(results),
      onNews: (groups) => {
        this.#hasWork = true;
        for (const group of groups) {
          this.#survey.forget(group);
          this.#log.noteNothingWaits(group);
        }
      },
    });
    this.#outcomes = new ActionOutcomes({
      telemetry,
      scheduler,
      log: this.#log,
      forget: (group) => this.#survey.forget(group),
      warnOnce: (key, text) => this.#warnOnce(key, text),
    });
  }

  run(): Promise<void> {
    this.#finished ??= this.#run();
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm.abort();
    this.#nudge.abort();
    await this.#finished?.catch(() => undefined);
  }

  problem(): string | undefined {
    const [held] = this.#held;
    if (held !== undefined) {
      return `${held.scope} has ${held.usedBytes} bytes of logs on disk, its budget is ${held.bytesMax}, and no more can be freed: what is not acknowledged stays, and so does what stands in growing files where the file system has no holes`;
    }
    return this.#locks.problem;
  }

  async #run(): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    this.#startedMs = scheduler.monotonicMs();
    this.#pods.restore(this.#statusFile.restore(this.#log)?.pods);
    const { nodeBytesMax } = this.#options.config.rotateBudget;
    if (nodeBytesMax !== undefined) telemetry.gauge('logboom_rotate_budget_bytes', nodeBytesMax);
    try {
      while (!this.#isStopping) {
        this.#hasNews = false;
        await this.#tryTick();
        await this.#pause();
      }
      // What is compressed has no name yet and is gone with the process; logrotate ends by itself.
      const side = [this.#compressing.close(), this.#telling.close(), this.#runs.close()];
      await Promise.race([Promise.all(side), scheduler.sleep(STOP_MS)]);
    } finally {
      this.#locks.release();
    }
  }

  /** Waits for the next tick; a label that changes does not wait, but for what has to lie between two ticks. */
  async #pause(): Promise<void> {
    const { scheduler } = this.#options;
    await scheduler.sleep(TICK_MS_MIN, this.#alarm.signal);
    const restMs = (this.#hasNews ? TICK_MS : QUIET_TICK_MS) - TICK_MS_MIN;
    await scheduler.sleep(restMs, this.#nudge.signal);
    if (!this.#isStopping) this.#nudge = new AbortController();
  }

  /** A disk that is full, or a directory that cannot be written, delays rotation and nothing else. */
  async #tryTick(): Promise<void> {
    try {
      await this.#tick();
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      const hint = hintOf(error);
      const text = `cannot rotate just now (${messageOf(error)})${hint === undefined ? '' : `. ${hint}`}`;
      this.#warnOnce(text, text);
    }
  }

  async #tick(): Promise<void> {
    const { scheduler, telemetry } = this.#options;
    this.#compressing.check();
    this.#telling.check();
    const followed = this.#options.followed();
    if (followed === undefined) return;
    const wallMs = scheduler.nowMs();
    const monotonicMs = scheduler.monotonicMs();
    if (this.#waitsForPods(monotonicMs)) return;
    if (this.#pods.work(followed, { wallMs, monotonicMs })) this.#hasNews = this.#hasWork = true;
    const due = this.#due.take(wallMs);
    const arePodsNew = this.#takePods();
    if (due.size === 0 && !arePodsNew && this.#isQuiet(followed.stamp(), monotonicMs)) return;
    if (this.#choices.size >= CHOICES_MAX || arePodsNew) this.#choices.clear();
    const groups = followed.groups((group) => this.#choiceOf(group).kind === 'policy');
    const roots = new Map(groups.map((group) => [group.key, rootOf(group)]));
    const { groups: seen, fresh } = this.#survey.look(groups, { wallMs, monotonicMs });
    if (fresh.size > 0) this.#hasNews = true;
    const ruled = seen.map((group) => ({
      group,
      choice: must(this.#choices.get(group.key), 'choice'),
      root: roots.get(group.key) ?? group.directory,
    }));
    this.#warnOfUnused(monotonicMs);
    const own = ruled.filter(
      ({ choice, root, group }) =>
        choice.kind === 'policy' && this.#locks.takeDirectory(root, group.directory, monotonicMs),
    );
    this.#locks.keepDirectories(new Set(seen.map(({ directory }) => directory)));
    const planned = own.flatMap((one) => this.#plan(one, { wallMs, due }));
    const budget = this.#planBudget(own, planned);
    this.#held = budget.held;
    this.#hasWork = planned.length + budget.actions.length + budget.held.length > 0;
    telemetry.gauge('logboom_rotate_disk_bytes', diskBytesOf(own));
    telemetry.gauge('logboom_rotate_held_bytes', budget.heldBytes);
    const wanted = new Set(planned.filter(({ kind }) => kind === 'logrotate').map(({ group }) => group));
    const problems = this.#runs.work({ ruled: own, wanted, followed, wallMs, monotonicMs });
    for (const { group, text } of problems) this.#log.noteWait(group, text);
    const byKey = new Map(own.map((one) => [one.group.key, one]));
    for (const action of [...planned, ...budget.actions]) {
      const one = byKey.get(action.group);
      if (this.#isStopping || one === undefined || action.kind === 'logrotate') continue;
      await this.#act(action, one, { followed, wallMs, monotonicMs });
    }
    const at = { nowMs: monotonicMs, hasNews: this.#hasNews };
    this.#statusFile.write(() => this.#statusOf(ruled), at);
  }

  /** Whether nothing changed since the last look, which found nothing to do; ages are looked at now and then all the same. */
  #isQuiet(stamp: number, nowMs: number): boolean {
    const isBusy = this.#compressing.isBusy || this.#telling.isBusy || this.#runs.isBusy;
    const isSame = stamp === this.#stamp && !this.#hasWork && !isBusy;
    if (isSame && nowMs - this.#lookedMs < QUIET_LOOK_MS) return true;
    this.#stamp = stamp;
    this.#lookedMs = nowMs;
    return false;
  }

  /** Without its labels a file could have a policy that removes what the right one keeps. */
  #waitsForPods(nowMs: number): boolean {
    const { pods } = this.#options;
    if (pods === undefined || pods.hasListed || !this.#chooser.needsPods) return false;
    return nowMs - this.#startedMs < PODS_WAIT_MS;
  }

  /** Labels of pods may have changed what policy a group has; nothing else does. */
  #takePods(): boolean {
    const version = this.#options.pods?.version ?? 0;
    if (version === this.#podsVersion) return false;
    this.#podsVersion = version;
    return true;
  }

  /** What policy a group has does not change without that: it is found once. */
  #choiceOf(group: Omit<FollowedGroup, 'files'>): PolicyChoice {
    const known = this.#choices.get(group.key);
    if (known !== undefined) return known;
    const choice = this.#chooser.choose(describeGroup(group));
    this.#choices.set(group.key, choice);
    if (choice.index !== undefined) this.#used.add(choice.index);
    return choice;
  }

  #plan(
    { group, choice }: Ruled,
    at: { wallMs: number; due: ReadonlySet<RotatePolicyConfig> },
  ): RotateAction[] {
    if (choice.kind === 'none' || this.#isBusy(group.key)) return [];
    const { policy } = choice;
    const isDue = policy.schedule === undefined || at.due.has(policy);
    return planGroup(group, policy, { nowMs: at.wallMs, isDue, canPunch: this.#outcomes.canPunch(group) });
  }

  #planBudget(own: readonly Ruled[], planned: readonly RotateAction[]) {
    const taken = new Map<string, number>();
    for (const action of planned) {
      if (action.kind === 'remove' || action.kind === 'punch') taken.set(action.file.inode, freedBy(action));
    }
    const groups: BudgetGroup[] = [];
    for (const { group, choice } of own) {
      if (choice.kind === 'none') continue;
      groups.push({ group, policy: choice.policy, canPunch: this.#outcomes.canPunch(group) });
      for (const file of group.files) this.#outcomes.settleDropped(file, taken);
    }
    return planBudget(groups, this.#options.config.rotateBudget, taken);
  }

  async #act(
    action: RotateAction,
    { group, choice, root }: Ruled,
    at: { followed: FollowedView; wallMs: number; monotonicMs: number },
  ): Promise<void> {
    if (choice.kind === 'none' || !this.#outcomes.isDue(action, at.monotonicMs)) return;
    const { machine } = this.#options;
    const { directory, style } = group;
    const activeName = group.activePath.slice(group.activePath.lastIndexOf('/') + 1);
    const { followed, wallMs: nowMs } = at;
    const context = { machine, followed, policy: choice.policy, root, directory, style, activeName, nowMs };
    const perform = async (): Promise<void> => {
      try {
        this.#outcomes.note(action, await performAction(action, context), at.monotonicMs);
      } catch (error) {
        this.#outcomes.noteFailure(action, error, at.monotonicMs);
      }
    };
    if (action.kind === 'compress') {
      // What waits in line could not be rotated meanwhile.
      const isFree = !this.#compressing.isBusy && !this.#runs.isAtWork(group.key);
      if (isFree) this.#compressing.start(group.key, perform);
    } else if (runsCommand(action, choice.policy)) this.#telling.start(group.key, perform);
    else await perform();
  }

  #isBusy(group: string): boolean {
    return this.#compressing.has(group) || this.#telling.has(group);
  }

  #warnOfUnused(nowMs: number): void {
    if (nowMs - this.#startedMs < UNUSED_MS) return;
    for (const index of this.#options.config.rotate.keys()) {
      if (this.#used.has(index)) continue;
      this.#warnOnce(
        `unused ${index}`,
        `rotate[${index}] fits no file that is followed; see \`logboom rotate --dry-run\``,
      );
    }
  }

  #warnOnce(key: string, text: string): void {
    if (this.#warned.has(key)) return;
    if (this.#warned.size >= WARNED_MAX) this.#warned.clear();
    this.#warned.add(key);
    this.#options.telemetry.log('warn', 'rotate_problem', text);
  }

  #statusOf(ruled: readonly Ruled[]): RotateStatus {
    const problem = this.problem();
    return this.#log.status(ruled, {
      time: formatTimestamp(this.#options.scheduler.nowNs()),
      held: this.#held,
      problems: problem === undefined ? [] : [problem],
      pods: this.#pods.status(),
    });
  }
}

/** Groups whose policy is remembered; beyond it they are found again. */
const CHOICES_MAX = 200_000;

/** Paths and reasons remembered for saying something once; beyond it warnings may repeat. */
const WARNED_MAX = 10_000;

function diskBytesOf(ruled: readonly Ruled[]): number {
  return ruled.reduce(
    (sum, { group }) => sum + group.files.reduce((all, file) => all + file.diskBytes, 0),
    0,
  );
}
