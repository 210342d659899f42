/**
 * Applications whose files Logboom itself rotates, in the simulation: one whose file is punched, one that opens its file
 * again when it is told to, and one that writes more than its budget, so that bytes are given up.
 *
 * Whatever is freed is compared, in that very moment, with what is stored, and with what the checkpoint on the disk says
 * (G5): a line that is not stored then has to stand in a gap record in the end, each gap has to be exact, and a power
 * loss must not bring back an agent that looks for bytes which are gone.
 */
import type { ByteRange } from '../../src/base/log-directory.ts';
import type { Surroundings } from './simulated-machine.ts';
import { fileKey } from './simulated-machine.ts';
import type { PodTools } from './pod-writer.ts';
import type { Found } from './check-guarantees.ts';
import type { DurableCheckpoints } from './durable-checkpoints.ts';
import type { WrittenLine } from './world.ts';

const NAMESPACE = 'rotated';
const PID_FILE = '/run/rename.pid';

/** Policies with sizes that a run of the simulation reaches again and again. */
export const ROTATE_TEXT = `
rotate:
  - { match: { namespace: ${NAMESPACE}, app: rename }, method: rename, size: 8KiB, keep: 2, compress: gzip, signal: USR1, pidFile: ${PID_FILE} }
  - { match: { namespace: ${NAMESPACE}, app: punch }, method: punch, size: 10KiB }
  - { match: { namespace: ${NAMESPACE}, app: budget }, method: punch, size: 1MiB, overBudget: drop }
`;

/** Less than options allow, so that a few bursts exceed it. */
export const POD_BYTES_MAX = 12 * 1024;

const KINDS = ['punch', 'rename', 'budget'] as const;
type Kind = (typeof KINDS)[number];

/** What the world lends to these applications. */
export interface RotatedTools extends Pick<PodTools, 'fileSystem' | 'random' | 'text'> {
  readonly remember: (text: string, namespace: string, pod: string, stream: 'file') => WrittenLine;
}

interface Placed extends ByteRange {
  readonly line: WrittenLine;
  readonly file: string;
  readonly kind: Kind;
  isFreed: boolean;
}

export interface RotatedOptions {
  readonly isStored: (text: string) => boolean;
  readonly checkpoints: DurableCheckpoints;
}

/** Lines that were freed, and what stood on the disk in that moment. */
interface Freed {
  readonly lines: readonly Placed[];
  readonly disk: ReturnType<DurableCheckpoints['copy']>;
}

export class RotatedWriters {
  readonly #tools: RotatedTools;
  readonly #options: RotatedOptions;
  readonly #freed: Freed[] = [];
  readonly #byFile = new Map<string, Placed[]>();
  /** Files that are open, by what writes to them: `device:inode`. */
  readonly #open = new Map<Kind, string>();
  readonly #mustReopen = new Set<Kind>();
  readonly #violations: string[] = [];
  readonly counts = { freed: 0, givenUp: 0, signals: 0 };

  constructor(tools: RotatedTools, options: RotatedOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  /** The writers, as the world runs them: one of them in each run, because what they write is much. */
  get writers(): { readonly act: () => void; readonly finish: () => void }[] {
    const kind = KINDS[Math.floor(this.#tools.random() * KINDS.length)] ?? 'punch';
    return [{ act: () => this.#act(kind), finish: () => this.#write(kind, 1) }];
  }

  /** What the machine of the process asks and tells. */
  surroundings(onChange: () => void): Surroundings {
    return {
      onChange,
      isOpen: (inode) => [...this.#open.values()].includes(inode),
      onFreed: (file, ranges) => this.#onFreed(file, ranges),
      onSignal: () => {
        this.counts.signals += 1;
        this.#mustReopen.add('rename');
      },
    };
  }

  #act(kind: Kind): void {
    const { random } = this.#tools;
    if (random() < 0.1) {
      // It ends, and begins again with its next line.
      this.#open.delete(kind);
      return;
    }
    const isBurst = kind === 'budget' && random() < 0.3;
    this.#write(kind, isBurst ? 24 : 1 + Math.floor(random() * 6));
  }

  #write(kind: Kind, count: number): void {
    const { fileSystem, random, text, remember } = this.#tools;
    const path = this.#openedPath(kind);
    if (path === undefined) return;
    for (let left = count; left > 0; left--) {
      const line = text() + 'y'.repeat(Math.floor(random() * 1500));
      const startOffset = fileSystem.lstat(path)?.size ?? 0;
      fileSystem.append(path, `${line}\n`);
      const stat = fileSystem.lstat(path);
      const file = fileKey(`${stat?.device}:${stat?.inode}`, String(stat?.birthTimeNs));
      const remembered = remember(line, NAMESPACE, `${kind}-0`, 'file');
      remembered.isCertain = kind !== 'budget';
      const placed = {
        line: remembered,
        file,
        kind,
        startOffset,
        endOffset: stat?.size ?? 0,
        isFreed: false,
      };
      const earlier = this.#byFile.get(file);
      if (earlier === undefined) this.#byFile.set(file, [placed]);
      else earlier.push(placed);
    }
  }

  /** Returns where the file now stands that the writer has open; it opens it when it has none. */
  #openedPath(kind: Kind): string | undefined {
    const { fileSystem } = this.#tools;
    const directory = `/data/logs/${NAMESPACE}/${kind}/${kind}-0/log`;
    if (this.#mustReopen.delete(kind)) this.#open.delete(kind);
    const inode = this.#open.get(kind);
    if (inode === undefined) {
      fileSystem.append(`${directory}/app.log`, '');
      const stat = fileSystem.lstat(`${directory}/app.log`);
      this.#open.set(kind, `${stat?.device}:${stat?.inode}`);
      return `${directory}/app.log`;
    }
    for (const { name } of fileSystem.readDirectory(directory)) {
      const stat = fileSystem.lstat(`${directory}/${name}`);
      if (`${stat?.device}:${stat?.inode}` === inode) return `${directory}/${name}`;
    }
    this.#violations.push(`G5 the file that ${kind} has open was removed`);
    return undefined;
  }

  #onFreed(file: string, ranges: readonly ByteRange[]): void {
    const lines: Placed[] = [];
    for (const placed of this.#byFile.get(file) ?? []) {
      const isHit = ranges.some(
        ({ startOffset, endOffset }) => placed.startOffset < endOffset && placed.endOffset > startOffset,
      );
      if (!isHit || placed.isFreed) continue;
      placed.isFreed = true;
      lines.push(placed);
      this.counts.freed += 1;
      const isLost = !this.#options.isStored(placed.line.text) && placed.kind !== 'budget';
      if (isLost) this.#violations.push(`G5 freed before it was stored: ${placed.line.text.slice(0, 40)}`);
    }
    if (lines.length > 0) this.#freed.push({ lines, disk: this.#options.checkpoints.copy() });
  }

  /** G5: nothing is freed unless the checkpoint on the disk says that it is acknowledged or given up. */
  async #checkFreed({ lines, disk }: Freed): Promise<string[]> {
    const lives = await this.#options.checkpoints.open(disk);
    return lines
      .filter(({ file, endOffset }) =>
        (lives.get(file) ?? []).every(
          ({ acknowledgedOffset, skips = [] }) =>
            endOffset > acknowledgedOffset && skips.every((skip) => endOffset > skip.endOffset),
        ),
      )
      .map(({ line }) => `G5 freed before the disk knew: ${line.text.slice(0, 40)}`);
  }

  /** G5: what was given up, and nothing else, is missing, and stands in gap records from line to line. */
  async check(found: readonly Found[]): Promise<string[]> {
    const texts = new Set(found.map(({ message }) => message));
    const gaps = gapsOf(found);
    const violations = [...this.#violations];
    for (const freed of this.#freed) violations.push(...(await this.#checkFreed(freed)));
    const files = new Map(
      found.flatMap(({ message, event }) => (event.kind === 'gap' ? [] : [[message, event.id.slice(0, 20)]])),
    );
    for (const placed of this.#byFile.values()) {
      const [first] = placed;
      if (first?.kind !== 'budget') continue;
      const fileId = placed.map(({ line }) => files.get(line.text)).find((id) => id !== undefined);
      const own = fileId === undefined ? [] : (gaps.get(fileId) ?? []);
      violations.push(...checkFile(placed, own, texts));
      this.counts.givenUp += own.length;
    }
    return violations;
  }
}

interface Gap extends ByteRange {
  readonly kind: string;
  readonly reason: string;
}

function gapsOf(found: readonly Found[]): Map<string, Gap[]> {
  const gaps = new Map<string, Gap[]>();
  for (const { event, fields } of found) {
    const gap = fields?.gap;
    if (event.kind !== 'gap' || gap === undefined) continue;
    const range = {
      kind: gap.kind,
      reason: gap.reason,
      startOffset: gap.start_offset,
      endOffset: gap.end_offset,
    };
    gaps.set(gap.file_id, [...(gaps.get(gap.file_id) ?? []), range]);
  }
  return gaps;
}

function checkFile(placed: readonly Placed[], gaps: readonly Gap[], found: ReadonlySet<string>): string[] {
  const violations: string[] = [];
  const starts = new Set(placed.map(({ startOffset }) => startOffset));
  const ends = new Set(placed.map(({ endOffset }) => endOffset));
  for (const { kind, reason, startOffset, endOffset } of gaps) {
    // A hole that no checkpoint told of would be a possible loss; so is what was given up after an earlier run read it.
    if (kind !== 'gap' && !reason.startsWith('given up'))
      violations.push(`G5 a gap from ${startOffset} to ${endOffset} is a ${kind}`);
    if (starts.has(startOffset) && ends.has(endOffset)) continue;
    violations.push(`G5 a gap from ${startOffset} to ${endOffset} cuts a line`);
  }
  for (const { line, startOffset, endOffset } of placed) {
    const given = gaps.find((gap) => gap.startOffset < endOffset && gap.endOffset > startOffset);
    const isGiven = given !== undefined;
    const isFound = found.has(line.text);
    // An earlier run may have delivered what is told as a possible loss.
    if (isFound !== isGiven || (isFound && given?.kind === 'possible_loss')) continue;
    const what = isFound ? 'is found although it was given up' : 'is missing, and in no gap';
    violations.push(`G5 ${what}: ${line.text.slice(0, 40)} at ${startOffset}`);
  }
  return violations;
}
