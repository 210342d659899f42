/**
 * An application of the simulation that appends to a file of its own, rotated by rename or copytruncate in the ways of
 * logrotate: numbered, plain, compressed at once, or from the second one on; or truncated without a copy.
 */
import { gzipSync } from 'node:zlib';
import type { LinkTools } from './link-writer.ts';
import type { WrittenLine } from './world.ts';

export interface PlainTools extends LinkTools {
  /** The second half of a line, unlike any other. */
  readonly end: () => string;
}

/** Which rotated file is compressed first; none with `undefined`. */
const COMPRESSED_FIRST = [undefined, 1, 2] as const;

/** So many that none has to go. */
const ARCHIVES_MAX = 40;

export class PlainWriter {
  readonly #tools: PlainTools;
  readonly #pod: string;
  readonly #path: string;
  readonly #compressedFirst: number | undefined;
  /** Lines that stand in the active file. */
  readonly #present: WrittenLine[] = [];
  #half = '';
  #rotated = 0;

  constructor(index: number, tools: PlainTools) {
    this.#tools = tools;
    this.#pod = `plain-${index}`;
    this.#path = `/data/logs/apps/web/${this.#pod}/log/out.log`;
    this.#compressedFirst = COMPRESSED_FIRST[this.#pick(COMPRESSED_FIRST.length)];
  }

  act(): void {
    const dice = this.#tools.random();
    if (dice < 0.88) for (let count = 1 + this.#pick(5); count > 0; count--) this.#writeLine();
    else if (!this.#canRotate) this.#writeLine();
    else if (dice < 0.95) this.#rename();
    else this.#copyAndTruncate();
  }

  finish(): void {
    if (this.#half !== '') this.#writeLine();
  }

  #writeLine(): void {
    const { fileSystem, random, text, end, remember } = this.#tools;
    const written = this.#half === '' ? text() : end();
    if (this.#half === '' && random() < 0.1) {
      this.#half = written;
      fileSystem.append(this.#path, written);
      return;
    }
    fileSystem.append(this.#path, `${written}\n`);
    this.#present.push(remember(this.#half + written, 'apps', this.#pod, 'file'));
    this.#half = '';
  }

  get #canRotate(): boolean {
    const isThere = this.#tools.fileSystem.stat(this.#path) !== undefined;
    return this.#half === '' && isThere && this.#rotated < ARCHIVES_MAX;
  }

  #rename(): void {
    this.#shift();
    this.#tools.fileSystem.rename(this.#path, `${this.#path}.1`);
    this.#compress();
    this.#present.length = 0;
  }

  #copyAndTruncate(): void {
    const { fileSystem, random, markUncertain } = this.#tools;
    this.#shift();
    if (random() < 0.7) fileSystem.append(`${this.#path}.1`, fileSystem.readFile(this.#path));
    else markUncertain(this.#present);
    fileSystem.truncate(this.#path, 0);
    this.#compress();
    this.#present.length = 0;
  }

  /** Moves the names of all rotated files on. */
  #shift(): void {
    const { fileSystem } = this.#tools;
    for (let number = this.#rotated; number >= 1; number--) {
      for (const ending of ['', '.gz']) {
        const from = `${this.#path}.${number}${ending}`;
        if (fileSystem.stat(from) !== undefined)
          fileSystem.rename(from, `${this.#path}.${number + 1}${ending}`);
      }
    }
    this.#rotated += 1;
  }

  #compress(): void {
    const { fileSystem } = this.#tools;
    const path = `${this.#path}.${this.#compressedFirst}`;
    if (this.#compressedFirst === undefined || fileSystem.stat(path) === undefined) return;
    fileSystem.append(`${path}.gz`, gzipSync(fileSystem.readFile(path)));
    fileSystem.unlink(path);
  }

  #pick(count: number): number {
    return Math.floor(this.#tools.random() * count);
  }
}
