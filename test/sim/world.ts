/**
 * The world outside Logboom in the simulation: applications that write, rotate, restart and disappear, in the ways
 * of kubelet, s6-log and logrotate. It remembers every line it wrote and what may honestly be expected of it.
 *
 *   certain    the line stands in a file until it is stored: it must be found, once
 *   possible   the line was truncated away, without a copy, while nobody may have read it: at most once
 */
import type { MemoryFileSystem } from '../../src/base/memory-file-system.ts';
import { LINKS_ROOT, type LinkTools, LinkWriter } from './link-writer.ts';
import { PlainWriter } from './plain-writer.ts';
import { PodWriter } from './pod-writer.ts';
import type { PodTools } from './pod-writer.ts';

export interface WrittenLine {
  readonly text: string;
  readonly namespace: string;
  readonly pod: string;
  readonly stream: 'stdout' | 'stderr' | 'file';
  isCertain: boolean;
}

export interface WorldOptions {
  readonly fileSystem: MemoryFileSystem;
  readonly random: () => number;
  readonly nowMs: () => number;
  /** Whether a line is already stored: then nothing that happens to its file can lose it. */
  readonly isStored: (text: string) => boolean;
  /** Other applications in place of the link that is a second way to a pod's file. */
  readonly addWriters?: (tools: LinkTools) => readonly Writer[];
}

interface Writer {
  readonly act: () => void;
  /** Ends what is half written, so that every line is whole. */
  readonly finish: () => void;
}

const ROTATED_KEEP_MAX = 4;

export class World {
  readonly lines: WrittenLine[] = [];
  readonly #options: WorldOptions;
  readonly #writers: Writer[] = [];
  #count = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    const tools: PodTools = {
      fileSystem: options.fileSystem,
      random: options.random,
      text: () => this.#text(),
      end: () => ` end-${this.#count++}`,
      stamp: () => this.#stamp(),
      remember: (text, namespace, pod, stream) => this.#remember(text, namespace, pod, stream),
      prune: (files, namespace, pod) => this.#prune(files, namespace, pod),
    };
    const podCount = 1 + this.#pick(3);
    for (let index = 0; index < podCount; index++) this.#writers.push(new PodWriter(index, tools));
    const plainTools = { ...this.#linkTools(tools), end: tools.end };
    for (let index = 0; index < 1 + this.#pick(2); index++)
      this.#writers.push(new PlainWriter(index, plainTools));
    for (let index = 0; index < 1 + this.#pick(2); index++)
      this.#writers.push(this.#createS6Directory(index));
    const linkTools = this.#linkTools(tools);
    this.#writers.push(new LinkWriter(0, linkTools));
    this.#writers.push(...(options.addWriters?.(linkTools) ?? [this.#createPodLink()]));
  }

  #linkTools(tools: PodTools): LinkTools {
    return {
      ...tools,
      remember: (text, namespace, pod, stream) => this.#remember(text, namespace, pod, stream),
      markUncertain: (lines) => this.#markUncertain(lines),
    };
  }

  /** Lets one application do one thing. */
  act(): void {
    this.#writers[this.#pick(this.#writers.length)]?.act();
  }

  finish(): void {
    for (const writer of this.#writers) writer.finish();
  }

  /** Removes every log, as the end of all pods does. */
  removeAll(): void {
    for (const root of ['/var/log/pods', '/data/logs', LINKS_ROOT])
      this.#options.fileSystem.removeDirectory(root);
  }

  /** An s6-log directory, rotated in the steps of s6-log, between any two of which time passes. */
  #createS6Directory(index: number): Writer {
    const { fileSystem } = this.#options;
    const namespace = 'apps';
    const pod = `s6-${index}`;
    const directory = `/data/logs/${namespace}/svc/${pod}/log/main`;
    let step = 0;
    let archive = 0;
    const archives: string[] = [];
    const writeLine = (): void => {
      const text = this.#text();
      fileSystem.append(`${directory}/current`, `${text}\n`);
      this.#remember(text, namespace, pod, 'file');
    };
    const rotate = (): void => {
      if (step === 0 && (fileSystem.stat(`${directory}/current`)?.size ?? 0) === 0) return;
      const target = `${directory}/@40000000${(0x69000000 + archive).toString(16)}00000000.s`;
      if (step === 0) fileSystem.rename(`${directory}/current`, `${directory}/previous`);
      else if (step === 1) fileSystem.append(`${directory}/current`, '');
      else if (step === 2) fileSystem.link(`${directory}/previous`, target);
      else {
        fileSystem.unlink(`${directory}/previous`);
        archives.push(target);
        archive += 1;
        this.#prune(archives, namespace, pod);
      }
      step = (step + 1) % 4;
    };
    fileSystem.append(`${directory}/lock`, '');
    return {
      act: () => {
        if (this.#chance(0.3) || step !== 0) rotate();
        else for (let count = 1 + this.#pick(4); count > 0; count--) writeLine();
      },
      finish: () => {
        while (step !== 0) rotate();
      },
    };
  }

  /** A second way to the first pod's file, below a later source, with other names: nobody may come by it. */
  #createPodLink(): Writer {
    const { fileSystem } = this.#options;
    const link = `${LINKS_ROOT}/wrong_names.log`;
    return {
      act: () => {
        if (fileSystem.lstat(link) !== undefined) fileSystem.unlink(link);
        fileSystem.symlink(`/var/log/pods/ns0_pod-0_uid-0/main/${this.#pick(3)}.log`, link);
      },
      finish: () => undefined,
    };
  }

  /** Removes the oldest rotated file, as its rotator would, once everything of that pod is stored. */
  #prune(files: string[], namespace: string, pod: string): void {
    const oldest = files[0];
    if (files.length <= ROTATED_KEEP_MAX || oldest === undefined) return;
    const own = this.lines.filter((line) => line.namespace === namespace && line.pod === pod);
    if (!own.every((line) => this.#options.isStored(line.text))) return;
    this.#options.fileSystem.unlink(oldest);
    files.shift();
  }

  #markUncertain(lines: readonly WrittenLine[]): void {
    for (const line of lines) if (!this.#options.isStored(line.text)) line.isCertain = false;
  }

  #remember(text: string, namespace: string, pod: string, stream: WrittenLine['stream']): WrittenLine {
    const line: WrittenLine = { text, namespace, pod, stream, isCertain: true };
    this.lines.push(line);
    return line;
  }

  #text(): string {
    const filler = 'x'.repeat(this.#pick(this.#chance(0.05) ? 3000 : 60));
    return `line-${this.#count++} ${filler}ü`;
  }

  #stamp(): string {
    return new Date(this.#options.nowMs())
      .toISOString()
      .replace('Z', `${String(this.#count % 1_000_000).padStart(6, '0')}Z`);
  }

  #chance(probability: number): boolean {
    return this.#options.random() < probability;
  }

  #pick(count: number): number {
    return Math.floor(this.#options.random() * count);
  }
}
