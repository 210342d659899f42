/**
 * A process whose cost is measured from outside, by Linux's own account of it, and a role of Logboom run as such: the
 * compiled program, with a configuration file, on a port of its own.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** `getconf CLK_TCK` on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

const READY_MS_MAX = 60_000;
const PROBE_MS = 20;

/** Characters of output that are kept for the message of a run that failed, the last ones. */
const OUTPUT_LENGTH_MAX = 16_384;

export interface RoleOptions {
  /** Path of the compiled `main.js`. */
  readonly program: string;
  readonly role: 'agent' | 'indexer' | 'server' | 'up';
  /** Of this process alone; its configuration and its data go there. */
  readonly directory: string;
  /** HOST:PORT of its own listener. */
  readonly listen: string;
  /** Lines of the configuration besides `data` and the listener. */
  readonly config: readonly string[];
}

// What is started here ends when this process exits, and a signal alone would not let it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Returns the seconds of processor time that a process has taken, user and system, all threads (`proc_pid_stat(5)`). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}

/** Returns the mebibytes that a process has in memory, now or at most so far (`proc_pid_status(5)`). */
export function residentMebibytesOf(pid: number, which: 'now' | 'most'): number {
  const name = which === 'now' ? 'VmRSS' : 'VmHWM';
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  return Math.round(Number(kibibytes) / 1024);
}

/** A program that is measured. It ends with the process that started it. */
export class MeasuredProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #endWithParent = (): void => void this.#child.kill('SIGKILL');
  #output = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_LENGTH_MAX);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve));
    process.once('exit', this.#endWithParent);
    if (this.#child.pid === undefined) throw new Error(`cannot start ${command}`);
    this.pid = this.#child.pid;
  }

  get cpuSeconds(): number {
    return cpuSecondsOf(this.pid);
  }

  /** Throws with its output when it has ended. */
  assertAlive(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) throw new Error(`a process has ended\n${this.#output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#endWithParent);
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** A role of Logboom that is measured. */
export class RoleProcess extends MeasuredProcess {
  readonly url: string;

  private constructor(options: RoleOptions, args: readonly string[]) {
    super(process.execPath, args);
    this.url = `http://${options.listen}`;
  }

  /** Starts a role; resolves when its listener answers, whatever it waits for itself. */
  static async start(options: RoleOptions): Promise<RoleProcess> {
    const { program, role, directory, listen, config } = options;
    const file = path.join(directory, `${role}.yaml`);
    const listener = role === 'up' ? 'server' : role;
    const own = [`data: ${path.join(directory, role)}`, `${listener}: { listen: "${listen}" }`];
    writeFileSync(file, `${[...own, ...config].join('\n')}\n`);
    const child = new RoleProcess(options, [program, role, '--config', file]);
    await until(`${role} to listen`, READY_MS_MAX, async () => {
      child.assertAlive();
      return (await fetch(`${child.url}/healthz`).catch(() => undefined))?.ok === true;
    });
    return child;
  }

  /** Returns the sum of a metric over those of its labels that `labels` leaves open. */
  async metric(name: string, labels = ''): Promise<number> {
    this.assertAlive();
    const text = await (await fetch(`${this.url}/metrics`)).text();
    let sum = 0;
    for (const [, given = '', value] of text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm')))
      if (given.includes(labels)) sum += Number(value);
    return sum;
  }
}

/** Calls `check` until it returns true; rejects after `msMax` naming what was waited for. */
export async function until(what: string, msMax: number, check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + msMax;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${msMax} ms for ${what}`);
    await sleep(PROBE_MS);
  }
}
