/**
 * The program as people run it: `node src/main.ts up` in a process of its own, with a configuration file, on ports
 * of its own. What it prints is kept for the message of a failing test.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname, '../..');

/** Characters of output that are kept, the last ones. */
const OUTPUT_LENGTH_MAX = 64 * 1024;

/** Of what scripts read, all: as JSON it is worth nothing without its beginning. */
const STDOUT_LENGTH_MAX = 16 * 1024 * 1024;

const READY_MS_MAX = 30_000;

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Path of what Node runs instead of the sources. */
  readonly program?: string;
  /** Number of the user and of the group that run it; by default who runs the tests. */
  readonly user?: number | undefined;
}

/** The program as its sources. */
const SOURCES = path.join(root, 'src/main.ts');

/** One run of the program. Ends with the scope that holds it, by SIGKILL if need be. */
export class LogboomProcess implements AsyncDisposable {
  readonly exited: Promise<ExitFacts>;
  readonly #child: ChildProcess;
  #output = '';
  #stdout = '';
  #exit: ExitFacts | undefined;

  constructor({ args, environment = {}, program = SOURCES, user }: StartOptions) {
    this.#child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(), NO_COLOR: '1', ...environment },
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_LENGTH_MAX);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout = (this.#stdout + chunk.toString()).slice(-STDOUT_LENGTH_MAX);
    });
    this.#child.stderr?.on('data', keep);
    this.exited = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  /** Standard output and error together, the last part of it. */
  get output(): string {
    return this.#output;
  }

  /** What scripts read: standard output alone, the last part of it. */
  get stdout(): string {
    return this.#stdout;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('cannot start the program');
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** Resolves once `/readyz` answers 200; rejects when the program exits or takes too long. */
  async waitUntilReady(baseUrl: string, msMax = READY_MS_MAX): Promise<void> {
    await waitFor(`${baseUrl}/readyz to answer 200`, msMax, async () => {
      if (this.hasExited) throw new Error(`the program exited before it was ready\n${this.#output}`);
      return (await statusOf(`${baseUrl}/readyz`)) === 200;
    }).catch((error: unknown) => {
      throw new Error(`cannot wait for readiness\n${this.#output}`, { cause: error });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills the process and resolves when it is gone. */
  async kill(): Promise<ExitFacts> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Asks the process to drain, and resolves with how it ended. */
  async stop(): Promise<ExitFacts> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasExited) await this.kill();
  }
}

/** Runs a command of the program to its end. */
export async function runLogboom(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ExitFacts & { readonly output: string; readonly stdout: string }> {
  await using child = new LogboomProcess({ args, environment });
  const exit = await child.exited;
  return { ...exit, output: child.output, stdout: child.stdout };
}

/** Returns the status of a GET, or undefined when nobody answers. */
export async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

/** Calls `check` until it returns true; rejects after `msMax` naming what was waited for. */
export async function waitFor(
  what: string,
  msMax: number,
  check: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadlineMs = Date.now() + msMax;
  while (!(await check())) {
    if (Date.now() > deadlineMs) throw new Error(`waited ${msMax} ms for ${what}`);
    await sleep(50);
  }
}

/**
 * Where ports for tests are looked for: below those that systems give to clients by themselves (RFC 6335 and Linux's
 * ip_local_port_range), so that no connection takes one before the program that it was found for does.
 */
const PORT_MIN = 10_000;
const PORT_MAX = 32_000;

/** Ports that are tried: even a machine with many services has far more free ones than taken ones. */
const PORT_TRIES_MAX = 100;

/** Returns a port of the loopback address that was free a moment ago; tests beside this one find others. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES_MAX; tries += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await canListen(port)) return port;
  }
  throw new Error(`found no free port from ${PORT_MIN} to ${PORT_MAX}`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}

/** The tests' environment without what would configure the program. */
function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:LOGBOOM_|NODE_TEST|NODE_OPTIONS)/.test(name)),
  );
}
