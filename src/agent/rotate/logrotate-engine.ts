/**
 * Runs the real logrotate: a configuration per app and policy, checked by `logrotate -d` before it is used, each
 * with a state file of its own.
 */
import { crc32 } from '../../base/crc32.ts';
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { RotateMachine } from '../../base/log-directory.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { RotatePolicyConfig } from '../../config/rotate-config.ts';
import { parseSu } from '../../config/rotate-options.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { joinPath } from '../discovery/layout.ts';
import { isLogrotatePath, logrotateConfig, type LogrotateFile } from './logrotate-config.ts';
import { logrotateHint, type LogrotateReport, parseLogrotateOutput } from './logrotate-output.ts';

/** A copy of gigabytes takes its time; beyond this logrotate hangs. */
const RUN_MS_MAX = 600_000;
const CHECK_MS_MAX = 30_000;

/** Readable by root alone would do, but logrotate refuses what others can write. */
const CONFIG_MODE = 0o644;

/** Characters of names of apps that stand in the name of a configuration. */
const NAME_CHARACTERS_MAX = 180;

export interface LogrotateJob {
  /** Name of the configuration: app and policy. */
  readonly name: string;
  readonly policy: RotatePolicyConfig;
  readonly files: readonly LogrotateFile[];
}

export interface LogrotateOutcome {
  readonly report: LogrotateReport;
  /** What went wrong as a whole, as a sentence; undefined when nothing did. */
  readonly problem: string | undefined;
}

export interface LogrotateEngineOptions {
  readonly machine: RotateMachine;
  readonly fileSystem: FileSystem;
  readonly telemetry: Telemetry;
  /** Directory of configurations and state files. */
  readonly directory: string;
}

interface Installed {
  readonly text: string;
  /** Why it must not be run. */
  readonly problem: string | undefined;
}

export class LogrotateEngine {
  readonly #options: LogrotateEngineOptions;
  readonly #installed = new Map<string, Installed>();
  readonly #installing = new Map<string, Promise<void>>();
  #isCleared = false;

  constructor(options: LogrotateEngineOptions) {
    this.#options = options;
  }

  /** Removes the configurations of apps that are gone; the others' names are given. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#installed.keys()) if (!names.has(name)) this.#remove(name);
  }

  /** Whether a job's configuration is there as it has to be, and was checked. */
  isInstalled({ name, files, policy }: LogrotateJob): boolean {
    return this.#installed.get(name)?.text === logrotateConfig(files, policy);
  }

  /** Writes a job's configuration where it is not what it has to be, and has logrotate check it. */
  async install(job: LogrotateJob): Promise<void> {
    // Of one job at most two are at it: the one who runs it, and the one who brings all of them up to date.
    const other = this.#installing.get(job.name);
    if (other !== undefined) await other;
    if (this.isInstalled(job)) return;
    const installing = this.#install(job).finally(() => this.#installing.delete(job.name));
    this.#installing.set(job.name, installing);
    await installing;
  }

  async #install(job: LogrotateJob): Promise<void> {
    this.#clear();
    const text = logrotateConfig(job.files, job.policy);
    // Nothing runs it before it is checked.
    this.#installed.delete(job.name);
    this.#installed.set(job.name, { text, problem: await this.#write(job, text) });
  }

  /** Has a configuration checked again by the next `install`: what was missing may be there. */
  forget(name: string): void {
    this.#installed.delete(name);
  }

  /** Returns why a configuration is not run, or undefined. */
  problemOf(name: string): string | undefined {
    return this.#installed.get(name)?.problem;
  }

  /** Runs logrotate with an installed configuration. */
  async run(name: string): Promise<LogrotateOutcome> {
    const { telemetry } = this.#options;
    const problem = this.problemOf(name);
    const outcome =
      problem === undefined
        ? await this.#call(['-v', '-s', this.#pathOf(name, 'state'), this.#pathOf(name, 'conf')], RUN_MS_MAX)
        : { report: parseLogrotateOutput(''), problem };
    const result = outcome.problem === undefined ? 'ok' : 'failed';
    telemetry.count('logboom_rotate_logrotate_runs_total', 1, { outcome: result });
    return outcome;
  }

  /** Returns what is wrong with the configuration. */
  async #write(job: LogrotateJob, text: string): Promise<string | undefined> {
    const { machine, telemetry } = this.#options;
    for (const { path } of job.files) {
      if (isLogrotatePath(path)) continue;
      const shown = JSON.stringify(path);
      telemetry.log(
        'warn',
        'rotate_refused',
        `logrotate cannot be told of ${shown}: rename it, or use punch`,
      );
    }
    const su = job.policy.su === undefined ? undefined : parseSu(job.policy.su);
    const userProblem = su === undefined ? undefined : machine.findUserProblem(su.user, su.group);
    if (userProblem !== undefined) return `su: ${userProblem}. Create it, or name another with \`su\``;
    try {
      machine.writeFile(this.#pathOf(job.name, 'conf'), text, CONFIG_MODE);
    } catch (error) {
      return `cannot write ${this.#pathOf(job.name, 'conf')} (${messageOf(error)})`;
    }
    const args = ['-d', '-s', this.#pathOf(job.name, 'state'), this.#pathOf(job.name, 'conf')];
    return (await this.#call(args, CHECK_MS_MAX)).problem;
  }

  async #call(args: readonly string[], timeoutMs: number): Promise<LogrotateOutcome> {
    try {
      const result = await this.#options.machine.run('logrotate', { args, timeoutMs });
      const report = parseLogrotateOutput(result.output);
      const [error] = report.errors;
      if (result.isTimedOut) return { report, problem: `logrotate did not end within ${timeoutMs / 1000} s` };
      if (result.code === 0 && error === undefined) return { report, problem: undefined };
      const code = result.code === undefined ? 'was killed' : `ended with ${result.code}`;
      const hint = error === undefined ? undefined : logrotateHint(error);
      const text = `logrotate ${code}${error === undefined ? '' : `: ${error}`}`;
      return { report, problem: hint === undefined ? text : `${text}. ${hint}` };
    } catch (error) {
      const report = parseLogrotateOutput('');
      if (systemCodeOf(error) === 'ENOENT') {
        return { report, problem: 'logrotate is not installed. Install it, or use method: punch' };
      }
      return { report, problem: `logrotate cannot be started: ${messageOf(error)}` };
    }
  }

  /** What an earlier run installed is written anew where it is still wanted. */
  #clear(): void {
    if (this.#isCleared) return;
    this.#isCleared = true;
    const { fileSystem, directory } = this.#options;
    fileSystem.makeDirectory(directory);
    for (const { name } of fileSystem.readDirectory(directory)) {
      if (name.endsWith('.conf')) fileSystem.unlink(joinPath(directory, name));
    }
  }

  #remove(name: string): void {
    const { fileSystem } = this.#options;
    this.#installed.delete(name);
    for (const ending of ['conf', 'state'] as const) {
      const path = this.#pathOf(name, ending);
      if (fileSystem.lstat(path) !== undefined) fileSystem.unlink(path);
    }
  }

  #pathOf(name: string, ending: 'conf' | 'state'): string {
    const plain = name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, NAME_CHARACTERS_MAX);
    // Two names must not become one.
    const sum = crc32(new TextEncoder().encode(name)).toString(16).padStart(8, '0');
    return joinPath(this.#options.directory, `${plain}-${sum}.${ending}`);
  }
}
