/**
 * A writer and a host's logrotate whose steps happen between the operations of the agent on the file system: after a
 * directory was read and before its files are looked at, between a look and the opening, in the middle of a
 * comparison. The agent is killed now and then. In the end every line is there once; what a truncation cut off is lost.
 */
import { gzipSync } from 'node:zlib';
import { createRandom } from '../../base/prng.ts';
import { APPS_SOURCE, AgentWorld } from './agent-world.ts';

const DIRECTORY = '/data/logs/shop/cart/cart-1/log';
const LOG = `${DIRECTORY}/app.log`;

const ROUNDS = 30;
const LINES_MAX = 12;
const LETTERS_MAX = 30;
const PAUSE_MS_MAX = 400;
const DOWN_MS_MAX = 1000;

/** By then everything is read, and nothing is waited for. */
const SETTLE_MS = 15_000;

export interface RotationOptions {
  readonly method: 'rename' | 'copytruncate';
  /** Whether the file that was rotated before is compressed. */
  readonly isCompressed: boolean;
}

export interface Outcome {
  readonly written: readonly string[];
  readonly shown: readonly string[];
  /** Reasons of the gaps that were recorded. */
  readonly gaps: readonly string[];
  readonly rotations: number;
}

type Step = () => void;

/** Plays one case to its end, from `seed` alone. */
export async function playRotation(seed: number, options: RotationOptions): Promise<Outcome> {
  const play = new InterleavedRotation(createRandom(seed), options);
  return play.run();
}

class InterleavedRotation {
  readonly #world = new AgentWorld([APPS_SOURCE], { rescanMs: 1000 });
  readonly #random: () => number;
  readonly #options: RotationOptions;
  readonly #written: string[] = [];
  /** What each of the two does next. */
  #writer: Step[] = [];
  #rotator: Step[] = [];
  /** The name that the writer's file has. */
  #path = LOG;
  #rotations = 0;
  /** How likely a step is before an operation of the agent. */
  #density = 0;

  constructor(random: () => number, options: RotationOptions) {
    this.#random = random;
    this.#options = options;
  }

  async run(): Promise<Outcome> {
    const { fileSystem, producer } = this.#world;
    this.#world.write(LOG, '');
    fileSystem.onOperation = (_operation, path) => this.#interfere(path);
    this.#world.start();
    this.#burst();
    await this.#world.advance(3000);
    for (let round = 0; round < ROUNDS; round += 1) await this.#playRound();
    fileSystem.onOperation = undefined;
    this.#doAll();
    await this.#world.advance(SETTLE_MS);
    const gaps = [...producer.ledger.values()].flatMap((ledger) => ledger.gaps.map(({ reason }) => reason));
    const shown = producer.messages();
    await this.#world.stop();
    return { written: this.#written, shown, gaps, rotations: this.#rotations };
  }

  async #playRound(): Promise<void> {
    this.#density = this.#random() * 0.6;
    if (this.#isLikely(0.6)) this.#rotate();
    if (this.#isLikely(0.8)) this.#burst();
    if (this.#isLikely(0.3)) this.#doSome();
    if (this.#isLikely(0.12)) {
      this.#world.kill();
      if (this.#isLikely(0.5)) this.#doAll();
      else this.#doSome();
      await this.#world.advance(this.#upTo(DOWN_MS_MAX));
      // Of a file and a copy that are both seen for the first time nobody can tell that they are not two files.
      if (this.#options.method === 'copytruncate' && this.#rotator.length < 3) this.#doAll();
      this.#world.start();
    }
    await this.#world.advance(this.#upTo(PAUSE_MS_MAX));
    // They do not stand still while the agent has nothing to do. Of copies that were made and cut off between two looks
    // nobody can tell what they are of.
    if (this.#options.method === 'rename' && this.#isLikely(0.6)) this.#doAll();
  }

  /** Some lines, perhaps in two pieces, and then the writer opens its file again if another one has the name. */
  #burst(): void {
    let text = '';
    for (let lines = this.#upTo(LINES_MAX); lines >= 0; lines -= 1) {
      const line = `line ${this.#written.length} ${'x'.repeat(this.#upTo(LETTERS_MAX))}`;
      this.#written.push(line);
      text += `${line}\n`;
    }
    // What a truncation leaves of a line is no line.
    const cut = this.#options.method === 'copytruncate' ? text.length : this.#upTo(text.length);
    this.#writer.push(() => this.#append(this.#path, text.slice(0, cut)));
    if (cut < text.length) this.#writer.push(() => this.#append(this.#path, text.slice(cut)));
    this.#writer.push(() => {
      this.#path = LOG;
    });
  }

  /** Waits for the writer to be through with the file before: delayed compression counts on that. */
  #rotate(): void {
    if (this.#path !== LOG || this.#writer.length > 0 || this.#rotator.length > 0) return;
    this.#rotations += 1;
    if (this.#options.isCompressed && this.#exists(`${LOG}.1`)) this.#rotator.push(...this.#compression());
    let oldest = 0;
    while (this.#exists(`${LOG}.${oldest + 1}`) || this.#exists(`${LOG}.${oldest + 1}.gz`)) oldest += 1;
    for (let number = oldest; number > 0; number -= 1) {
      this.#rotator.push(() => {
        const end = this.#exists(`${LOG}.${number}.gz`) ? '.gz' : '';
        this.#rename(`${LOG}.${number}${end}`, `${LOG}.${number + 1}${end}`);
      });
    }
    this.#rotator.push(...(this.#options.method === 'rename' ? this.#renaming() : this.#copying()));
  }

  #renaming(): Step[] {
    return [() => this.#rename(LOG, `${LOG}.1`), () => this.#append(LOG, '')];
  }

  #copying(): Step[] {
    const { fileSystem } = this.#world;
    let copied = 0;
    return [
      () => {
        copied = Math.floor(fileSystem.readFile(LOG).length / 2);
        this.#append(`${LOG}.1`, fileSystem.readFile(LOG).subarray(0, copied));
      },
      () => this.#append(`${LOG}.1`, fileSystem.readFile(LOG).subarray(copied)),
      () => fileSystem.truncate(LOG, 0),
    ];
  }

  #compression(): Step[] {
    const { fileSystem } = this.#world;
    let whole = new Uint8Array(0);
    return [
      () => {
        whole = gzipSync(fileSystem.readFile(`${LOG}.1`));
        this.#append(`${LOG}.1.gz`, whole.subarray(0, whole.length / 2));
      },
      () => this.#append(`${LOG}.1.gz`, whole.subarray(whole.length / 2)),
      () => fileSystem.unlink(`${LOG}.1`),
    ];
  }

  #interfere(path: string): void {
    if (!path.startsWith(DIRECTORY)) return;
    while (this.#random() < this.#density) this.#do(this.#isLikely(0.7) ? this.#rotator : this.#writer);
  }

  /** Does the next step; what it does to the file system is not interfered with. */
  #do(steps: Step[]): void {
    const { fileSystem } = this.#world;
    const { onOperation } = fileSystem;
    fileSystem.onOperation = undefined;
    steps.shift()?.();
    fileSystem.onOperation = onOperation;
  }

  #doSome(): void {
    for (let steps = this.#upTo(8); steps > 0; steps -= 1)
      this.#do(this.#isLikely(0.6) ? this.#rotator : this.#writer);
  }

  #doAll(): void {
    while (this.#rotator.length > 0) this.#do(this.#rotator);
    while (this.#writer.length > 0) this.#do(this.#writer);
  }

  #append(path: string, content: string | Uint8Array): void {
    this.#world.fileSystem.append(path, content);
  }

  #rename(from: string, to: string): void {
    this.#world.fileSystem.rename(from, to);
    if (this.#path === from) this.#path = to;
  }

  #exists(path: string): boolean {
    const { fileSystem } = this.#world;
    const { onOperation } = fileSystem;
    fileSystem.onOperation = undefined;
    const isThere = fileSystem.stat(path) !== undefined;
    fileSystem.onOperation = onOperation;
    return isThere;
  }

  #isLikely(chance: number): boolean {
    return this.#random() < chance;
  }

  #upTo(max: number): number {
    return Math.floor(this.#random() * max);
  }
}
