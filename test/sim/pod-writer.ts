/** A container in the simulation: its runtime writes CRI lines, its kubelet rotates and compresses its files. */
import { gzipSync } from 'node:zlib';
import type { MemoryFileSystem } from '../../src/base/memory-file-system.ts';

type Stream = 'stdout' | 'stderr';

/** Lines that no runtime writes: without a stamp, without a tag, with bytes that are no text, JSON that breaks off. */
const MALFORMED = ['', '2026-11-23T00:00:00.000000000Z stdout ', '{"log":"', '\\u0000 { '] as const;

/** What the world lends to a container. */
export interface PodTools {
  readonly fileSystem: MemoryFileSystem;
  readonly random: () => number;
  /** A new text, unlike any other. */
  readonly text: () => string;
  /** The second half of a line, unlike any other. */
  readonly end: () => string;
  readonly stamp: () => string;
  /** Notes a line that is whole. */
  readonly remember: (text: string, namespace: string, pod: string, stream: Stream | 'file') => void;
  /** Removes the oldest rotated file when it may go. */
  readonly prune: (files: string[], namespace: string, pod: string) => void;
}

export class PodWriter {
  readonly #tools: PodTools;
  readonly #namespace: string;
  readonly #pod: string;
  readonly #directory: string;
  readonly #rotated: string[] = [];
  /** First halves of lines whose second half is still to come. */
  readonly #halves = new Map<Stream, string>();
  #restart = 0;
  #rotation = 0;

  constructor(index: number, tools: PodTools) {
    this.#tools = tools;
    this.#namespace = `ns${index % 2}`;
    this.#pod = `pod-${index}`;
    this.#directory = `/var/log/pods/${this.#namespace}_${this.#pod}_uid-${index}/main`;
  }

  act(): void {
    const dice = this.#tools.random();
    if (dice < 0.04) this.#writeMalformed();
    else if (dice < 0.85) for (let count = 1 + this.#pick(4); count > 0; count--) this.#writeLine();
    else if (dice < 0.96) this.#rotate();
    else this.#restartContainer();
  }

  /** Ends what is half written. */
  finish(): void {
    for (const [stream, half] of [...this.#halves]) {
      this.#halves.delete(stream);
      this.#write(stream, 'F', '');
      this.#remember(half, stream);
    }
  }

  #writeLine(): void {
    const stream = this.#tools.random() < 0.7 ? 'stdout' : 'stderr';
    const half = this.#halves.get(stream);
    if (half !== undefined) {
      this.#halves.delete(stream);
      const end = this.#tools.end();
      this.#write(stream, 'F', end);
      this.#remember(half + end, stream);
      return;
    }
    const text = this.#tools.text();
    if (this.#tools.random() < 0.15) {
      this.#write(stream, 'P', text);
      this.#halves.set(stream, text);
      return;
    }
    this.#write(stream, 'F', text);
    this.#remember(text, stream);
  }

  /** G7: it is a record of its own, in no stream, whatever it stands between. */
  #writeMalformed(): void {
    const { fileSystem, text } = this.#tools;
    const line = `${MALFORMED[this.#pick(MALFORMED.length)] ?? ''}${text()}`;
    fileSystem.append(this.#path, `${line}\n`);
    this.#tools.remember(line, this.#namespace, this.#pod, 'file');
  }

  /** Rotates as kubelet does: the file before is compressed, the current one renamed, a new one made. */
  #rotate(): void {
    const { fileSystem } = this.#tools;
    const path = this.#path;
    if (fileSystem.stat(path) === undefined) return;
    const previous = this.#rotated.at(-1);
    if (previous !== undefined && !previous.endsWith('.gz')) {
      fileSystem.append(`${previous}.tmp`, gzipSync(fileSystem.readFile(previous)));
      fileSystem.rename(`${previous}.tmp`, `${previous}.gz`);
      fileSystem.unlink(previous);
      this.#rotated[this.#rotated.length - 1] = `${previous}.gz`;
    }
    const target = `${path}.20261123-${String(100000 + this.#rotation++)}`;
    fileSystem.rename(path, target);
    this.#rotated.push(target);
    fileSystem.append(path, '');
    // With its file deleted, the first half of a line is honestly given out alone.
    if (this.#halves.size === 0) this.#tools.prune(this.#rotated, this.#namespace, this.#pod);
  }

  /** What the old container left half is whole now: nothing can follow it. */
  #restartContainer(): void {
    for (const [stream, half] of this.#halves) this.#remember(half, stream);
    this.#halves.clear();
    this.#restart += 1;
    this.#writeLine();
  }

  get #path(): string {
    return `${this.#directory}/${this.#restart}.log`;
  }

  #write(stream: Stream, tag: 'P' | 'F', content: string): void {
    this.#tools.fileSystem.append(this.#path, `${this.#tools.stamp()} ${stream} ${tag} ${content}\n`);
  }

  #remember(text: string, stream: Stream): void {
    this.#tools.remember(text, this.#namespace, this.#pod, stream);
  }

  #pick(count: number): number {
    return Math.floor(this.#tools.random() * count);
  }
}
