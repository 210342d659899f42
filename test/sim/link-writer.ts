/**
 * A file that is reached only through a link, in a directory of links: it is renamed and made anew behind the link, and
 * the link is switched to another one. What was not stored by then may honestly be lost, because nothing that is
 * collected names the file any more.
 */
import type { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import type { WrittenLine } from './world.ts';

export interface LinkTools {
  readonly fileSystem: MemoryFileSystem;
  readonly random: () => number;
  readonly text: () => string;
  readonly remember: (text: string, namespace: string, pod: string, stream: 'file') => WrittenLine;
  /** Says of lines that are not stored that they may be lost. */
  readonly markUncertain: (lines: readonly WrittenLine[]) => void;
}

export const LINKS_ROOT = '/links';

export class LinkWriter {
  readonly #tools: LinkTools;
  readonly #pod: string;
  readonly #present: WrittenLine[] = [];
  #target = 0;

  constructor(index: number, tools: LinkTools) {
    this.#tools = tools;
    this.#pod = `linked-${index}`;
  }

  act(): void {
    const { fileSystem, random } = this.#tools;
    if (fileSystem.lstat(this.#link) === undefined) fileSystem.symlink(this.#path, this.#link);
    const dice = random();
    if (dice < 0.9) for (let count = 1 + Math.floor(random() * 4); count > 0; count--) this.#writeLine();
    else if (dice < 0.95) this.#renew();
    else this.#switch();
  }

  finish(): void {
    this.#writeLine();
  }

  #writeLine(): void {
    const { fileSystem, text, remember } = this.#tools;
    const line = text();
    fileSystem.append(this.#path, `${line}\n`);
    this.#present.push(remember(line, 'links', this.#pod, 'file'));
  }

  #renew(): void {
    const { fileSystem } = this.#tools;
    if (fileSystem.stat(this.#path) === undefined) return;
    fileSystem.rename(this.#path, `${this.#path}.old`);
    this.#leave();
    this.#writeLine();
  }

  #switch(): void {
    const { fileSystem } = this.#tools;
    this.#target += 1;
    this.#leave();
    this.#writeLine();
    fileSystem.symlink(this.#path, `${this.#link}.tmp`);
    fileSystem.rename(`${this.#link}.tmp`, this.#link);
  }

  #leave(): void {
    this.#tools.markUncertain(this.#present);
    this.#present.length = 0;
  }

  get #link(): string {
    return `${LINKS_ROOT}/links_${this.#pod}.log`;
  }

  get #path(): string {
    return `/srv/${this.#pod}/${this.#target}/out.log`;
  }
}
