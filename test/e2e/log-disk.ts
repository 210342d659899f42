/** Looks at a tree of log files while they are rotated: how much they have on disk, and how often they were rotated. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const LOOK_MS = 250;

/** The unit of `stat.blocks`, whatever the file system's own is (stat(2)). */
const BLOCK_BYTES = 512;

/** Rotated files: of Logboom and logrotate, and of s6-log; what is compressed is the same file still. */
const ROTATED = /^(?<name>app\.log-[\d-]+(?:\.\d+)?|@[0-9a-f]{24}\.[su])/;

export interface LogDiskReport {
  /** The most that all files together had on disk. */
  readonly bytesMax: number;
  /** Files that were given another name. */
  readonly rotated: number;
  /** Looks at which a file had less on disk than at the look before: punched or truncated. */
  readonly shrunk: number;
}

/** Looks until it is stopped; a file that comes and goes between two looks is not seen. */
export class LogDisk {
  readonly #root: string;
  readonly #timer: NodeJS.Timeout;
  readonly #rotated = new Set<string>();
  #blocks = new Map<string, number>();
  #bytesMax = 0;
  #shrunk = 0;

  constructor(root: string) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Looks a last time. */
  stop(): LogDiskReport {
    clearInterval(this.#timer);
    this.#look();
    return { bytesMax: this.#bytesMax, rotated: this.#rotated.size, shrunk: this.#shrunk };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const blocks = new Map<string, number>();
    let sum = 0;
    for (const name of readdirSync(this.#root, { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(path.join(this.#root, name), { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) continue;
      sum += stat.blocks * BLOCK_BYTES;
      const rotated = ROTATED.exec(path.basename(name))?.groups?.['name'];
      if (rotated !== undefined) {
        this.#rotated.add(path.join(path.dirname(name), rotated));
        continue;
      }
      // A file of another inode has another history.
      const key = `${stat.ino} ${name}`;
      blocks.set(key, stat.blocks);
      if (stat.blocks < (this.#blocks.get(key) ?? 0)) this.#shrunk += 1;
    }
    this.#blocks = blocks;
    this.#bytesMax = Math.max(this.#bytesMax, sum);
  }
}
