/** One Java process that serves on the loopback address, for as long as a test needs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Characters of output that are kept for the message of a failing test, the last ones. */
const OUTPUT_LENGTH_MAX = 32 * 1024;

/** A loaded machine needs far longer than the usual ten seconds. */
const START_MS_MAX = 120_000;

const STOP_MS_MAX = 20_000;

/** Writing a class archive takes about as long as a start. */
const ARCHIVE_MS_MAX = 60_000;

const PROBE_MS = 150;

export interface JavaServiceOptions {
  readonly name: string;
  readonly java: string;
  readonly args: readonly string[];
  /** File with its classes as they are after loading: used when it is there, made at the end of the service when not. */
  readonly archive: string;
  /** Its address: `http://…`, or HOST:PORT. */
  readonly url: string;
  /** Whether the service can be used; `output` is what it printed since its start. */
  readonly isReady: (output: string) => Promise<boolean> | boolean;
  /** Called once the process has ended for good. */
  readonly dispose: () => void;
}

/** A running service. It ends with its standard input, so with the process that started it, and keeps its data and port through `restart`. */
export class JavaService implements AsyncDisposable {
  readonly url: string;
  readonly #options: JavaServiceOptions;
  #child: ChildProcess | undefined;
  #output = '';
  /** What the class archive is called until it is whole; undefined when there was one. */
  #partial: string | undefined;

  private constructor(options: JavaServiceOptions) {
    this.#options = options;
    this.url = options.url;
  }

  /** Starts the service and resolves when it answers; rejects with its output when it does not. */
  static async start(options: JavaServiceOptions): Promise<JavaService> {
    const service = new JavaService(options);
    try {
      await service.#launch();
    } catch (error) {
      await service.stop();
      throw error;
    }
    return service;
  }

  /** What it printed, the last part of it. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** SIGKILL: nothing is written any more. The data stays for `restart`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Starts it again with its data, on its port; one that still runs is killed before. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Ends the service and removes its data. */
  async stop(): Promise<void> {
    await this.#end('input');
    if (this.#partial !== undefined && existsSync(this.#partial))
      renameSync(this.#partial, this.#options.archive);
    this.#options.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(): Promise<void> {
    const { name, java, args, archive, isReady } = this.#options;
    this.#output = '';
    this.#partial = existsSync(archive) ? undefined : `${archive}.${process.pid}`;
    const sharing =
      this.#partial === undefined
        ? `-XX:SharedArchiveFile=${archive}`
        : `-XX:ArchiveClassesAtExit=${this.#partial}`;
    // What cannot be archived, or does not fit any more, costs time and nothing else.
    const child = spawn(java, ['-Xlog:cds=off', '-Xlog:cds+dynamic=off', sharing, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_LENGTH_MAX);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      keep(Buffer.from(`${error.message}\n`));
    });
    const deadlineMs = performance.now() + START_MS_MAX;
    while (!(await isReady(this.#output))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended\n${this.#output}`);
      if (performance.now() > deadlineMs) throw new Error(`${name} does not start\n${this.#output}`);
      await sleep(PROBE_MS);
    }
  }

  /** Kills the process, or lets it end with its input. */
  async #end(means: 'SIGKILL' | 'input'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    if (means === 'input') child.stdin?.end();
    else child.kill(means);
    const msMax = this.#partial === undefined ? STOP_MS_MAX : ARCHIVE_MS_MAX;
    const isClosed = await Promise.race([closed.then(() => true), sleep(msMax, false, { ref: false })]);
    if (!isClosed) {
      child.kill('SIGKILL');
      await closed;
    }
    this.#child = undefined;
  }
}

/** Whether a GET of the address answers 200. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
