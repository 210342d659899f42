/**
 * An application whose file a host's own logrotate rotates, as cron runs it there: it writes all the time, and opens
 * its file again between two lines once another file has the name. Nothing of it waits for a collector.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { sequenceLine } from './sequence-line.ts';

/** How logrotate treats the file; see logrotate(8). */
export interface RotationStyle {
  readonly method: 'rename' | 'copytruncate';
  readonly compress: 'none' | 'delayed' | 'at once';
  readonly suffix: 'number' | 'date';
}

export interface RotatedAppOptions extends RotationStyle {
  readonly name: string;
  /** Directory of the log, which is made. */
  readonly directory: string;
  /** Directory for logrotate's configuration and state, outside of all sources. */
  readonly desk: string;
  readonly logrotate: string;
  /** Numbers from 0 to 1 that decide what happens next. */
  readonly random: () => number;
}

/** So many that none is removed in a test, however long it runs. */
const ARCHIVES_MAX = 9999;

const BURST_LINES_MAX = 50;
const BURST_PAUSE_MS_MAX = 250;
const HALF_PAUSE_MS_MAX = 30;
const ROTATION_PAUSE_MS_MAX = 1200;

/** Names with a date have seconds: two rotations in one second would want the same. */
const DATED_PAUSE_MS_MIN = 1100;

export class RotatedApp {
  readonly name: string;
  readonly isTruncated: boolean;
  readonly #options: RotatedAppOptions;
  readonly #file: string;
  readonly #configuration: string;
  readonly #asking: string;
  readonly #tasks: Promise<void>[] = [];
  #fd: number;
  #count = 0;
  #turns = 0;
  #rotations = 0;
  #isStopping = false;
  #isRotating = false;

  constructor(options: RotatedAppOptions) {
    this.#options = options;
    this.name = options.name;
    this.isTruncated = options.method === 'copytruncate';
    this.#file = path.join(options.directory, 'app.log');
    this.#configuration = path.join(options.desk, `${options.name}.conf`);
    this.#asking = path.join(options.desk, `${options.name}.asking`);
    mkdirSync(options.directory, { recursive: true });
    // logrotate refuses directories that others may write to.
    chmodSync(options.directory, 0o755);
    writeFileSync(this.#configuration, this.#configurationText());
    chmodSync(this.#configuration, 0o644);
    this.#fd = openSync(this.#file, 'a', 0o644);
  }

  /** How often its file was rotated. */
  get rotations(): number {
    return this.#rotations;
  }

  /** How many lines it has written by now. */
  get lines(): number {
    return this.#count;
  }

  startWriting(): void {
    this.#tasks.push(this.#write());
  }

  startRotating(): void {
    this.#isRotating = true;
    this.#tasks.push(this.#rotate());
  }

  /** Ends both after whole lines and whole rotations; resolves with how many lines were written. */
  async stop(): Promise<number> {
    this.#isStopping = true;
    try {
      const results = await Promise.allSettled(this.#tasks);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      closeSync(this.#fd);
    }
    return this.#count;
  }

  /** Writes until the last rotation is over: its script waits for the file to be opened again. */
  async #write(): Promise<void> {
    while (!this.#isStopping || this.#isRotating) {
      this.#reopen();
      await this.#writeBurst();
      this.#turns += 1;
      await sleep(this.#upTo(BURST_PAUSE_MS_MAX));
    }
  }

  async #writeBurst(): Promise<void> {
    let burst = '';
    for (let lines = this.#upTo(BURST_LINES_MAX); lines >= 0; lines -= 1, this.#count += 1)
      burst += `${sequenceLine(this.name, this.#count)}\n`;
    const bytes = Buffer.from(burst);
    // What copytruncate leaves of a line is no line; how writers meet it otherwise is a matter of whole lines.
    const cut = this.isTruncated ? bytes.length : this.#upTo(bytes.length);
    writeAll(this.#fd, bytes.subarray(0, cut));
    if (cut === bytes.length) return;
    await sleep(this.#upTo(HALF_PAUSE_MS_MAX));
    writeAll(this.#fd, bytes.subarray(cut));
  }

  async #rotate(): Promise<void> {
    const { suffix } = this.#options;
    try {
      while (!this.#isStopping) {
        await sleep((suffix === 'date' ? DATED_PAUSE_MS_MIN : 0) + this.#upTo(ROTATION_PAUSE_MS_MAX));
        await this.#runLogrotate();
        this.#rotations += 1;
        // Delayed compression counts on writers that are through with a file when the next one is rotated.
        for (const turns = this.#turns; this.#turns < turns + 2;) await sleep(10);
      }
    } finally {
      this.#isRotating = false;
    }
  }

  async #runLogrotate(): Promise<void> {
    const { logrotate, desk, name } = this.#options;
    const state = path.join(desk, `${name}.state`);
    const child = spawn(logrotate, ['--force', '--state', state, this.#configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = once(child, 'close');
    const problem = await text(child.stderr);
    const [code] = (await exited) as [number | null];
    if (code !== 0) throw new Error(`logrotate of ${name} ended with ${code}: ${problem}`);
  }

  #reopen(): void {
    const isReplaced = statSync(this.#file, { throwIfNoEntry: false })?.ino !== fstatSync(this.#fd).ino;
    if (isReplaced) {
      closeSync(this.#fd);
      this.#fd = openSync(this.#file, 'a', 0o644);
    }
    if (existsSync(this.#asking)) rmSync(this.#asking);
  }

  /** The script asks the application to open its file again, and compression waits until it has. */
  #configurationText(): string {
    const { method, compress, suffix } = this.#options;
    const asking =
      method === 'rename' && compress === 'at once'
        ? [
            'postrotate',
            `touch "${this.#asking}"`,
            `while [ -e "${this.#asking}" ]; do sleep 0.02; done`,
            'endscript',
          ]
        : [];
    const lines = [
      `rotate ${ARCHIVES_MAX}`,
      method === 'rename' ? 'create 0644' : 'copytruncate',
      compress === 'none' ? 'nocompress' : 'compress',
      compress === 'delayed' ? 'delaycompress' : 'nodelaycompress',
      ...(suffix === 'date' ? ['dateext', 'dateformat -%Y%m%d-%s'] : ['nodateext']),
      ...asking,
    ];
    return [`"${this.#file}" {`, ...lines.map((line) => `  ${line}`), '}', ''].join('\n');
  }

  #upTo(max: number): number {
    return Math.floor(this.#options.random() * max);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}
