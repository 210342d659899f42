/**
 * The model of the tailer: a writer that writes, rotates, truncates and deletes at random while the agent reads,
 * waits, is killed and comes back. The model knows every line that was written and which of them can have been lost.
 *
 * Invariants, checked at the end of every case:
 *   1. no line is shown twice;
 *   2. no line is shown that was not written;
 *   3. every line is shown, except those that vanished before the agent can have read them;
 *   4. what is delivered again is the same as before, its time included;
 *   5. the ledger counts exactly what was delivered below its acknowledged offset.
 */
import { AgentWorld, gzipFile, type SentRecord } from './agent-world.ts';
import type { Flavour } from './tailer-flavours.ts';

const POLL_MS_MAX = 300;

/** One file's content, by inode: the lines in it, and what the agent can know of them. */
interface Content {
  lines: string[];
  /** The agent had a turn while the file had a name, so that it holds it open. */
  isOpened: boolean;
  isDeleted: boolean;
}

/** The writer, and what is known of its lines. */
export class Model {
  readonly world: AgentWorld;
  readonly #random: () => number;
  readonly #flavour: Flavour;
  readonly written = new Set<string>();
  readonly maybeLost = new Set<string>();
  /** By name in the directory; the active one first. */
  #files = new Map<string, Content>();
  #deleted: Content[] = [];
  #open = '';
  #openPieces = new Map<string, string>();
  #count = 0;
  #isUp = false;

  constructor(flavour: Flavour, random: () => number) {
    this.#random = random;
    this.#flavour = flavour;
    const { multiline } = flavour.source;
    const source = { ...flavour.source, multiline: { ...multiline, flushMs: 100 } };
    this.world = new AgentWorld([source], {
      checkpointMs: this.pick([20, 200, 1000]),
      rescanMs: 1000,
      ledgerMs: 500,
      bufferBytesMax: this.pick([1, 200, 1_000_000]),
    });
    this.world.fileSystem.isInodeReused = random() < 0.5;
    this.world.fileSystem.makeDirectory(flavour.directory);
    if (flavour.active === 'current') this.world.write(this.#path('current'), '');
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }

  async write(): Promise<void> {
    const count = 1 + Math.floor(this.#random() * 3);
    for (let index = 0; index < count; index++) this.#line(this.#text());
  }

  /** The first part of a line; the next step that writes or rotates completes it. */
  async piece(): Promise<void> {
    if (this.#open !== '') return;
    this.#open = this.#text();
    const half = Math.floor(this.#open.length / 2);
    this.#content();
    this.world.write(this.#path(this.#flavour.active), this.#open.slice(0, half));
  }

  async trace(): Promise<void> {
    this.#line(`java.lang.IllegalStateException: ${this.#text()}`);
    for (let index = Math.floor(this.#random() * 3); index > 0; index--)
      this.#line(`\tat a.B.c(B.java:${++this.#count})`);
    if (this.#random() < 0.5) await this.look();
    this.#line(`\tat a.B.d(B.java:${++this.#count})`);
  }

  async writeCri(): Promise<void> {
    const stream = this.pick(['stdout', 'stderr']);
    const text = this.#openPieces.get(stream) ?? this.#text();
    const isEnd = this.#openPieces.has(stream) || this.#random() < 0.7;
    const half = Math.floor(text.length / 2);
    const piece = this.#openPieces.has(stream) ? text.slice(half) : isEnd ? text : text.slice(0, half);
    if (isEnd) this.#openPieces.delete(stream);
    else this.#openPieces.set(stream, text);
    this.#content().lines.push(text);
    this.written.add(text);
    const stamp = `2026-11-23T01:00:00.${String(++this.#count).padStart(9, '0')}Z`;
    this.world.write(this.#path(this.#flavour.active), `${stamp} ${stream} ${isEnd ? 'F' : 'P'} ${piece}\n`);
  }

  async look(): Promise<void> {
    const durationMs = this.pick([1, 5, 30, 300, 1200]);
    await this.world.advance(durationMs);
    // A busy directory is polled, at most this far apart.
    if (!this.#isUp || durationMs < POLL_MS_MAX) return;
    for (const content of this.#files.values()) content.isOpened = true;
  }

  async rename(): Promise<void> {
    this.#completeLine();
    if (!this.#files.has(this.#flavour.active)) return;
    this.#shift();
    if (this.#random() < 0.5) await this.write();
  }

  async compress(): Promise<void> {
    const name = this.pick([...this.#files.keys()].filter((other) => /\.[2-9]$/.test(other)));
    if (name === undefined) return;
    gzipFile(this.world.fileSystem, this.#path(name));
    this.#moveName(name, `${name}.gz`);
  }

  async copyTruncate(): Promise<void> {
    this.#completeLine();
    const { active } = this.#flavour;
    const content = this.#files.get(active);
    if (content === undefined || content.lines.length === 0) return;
    for (let index = 8; index >= 1; index--) this.#renameIfThere(index);
    this.world.write(this.#path(`${active}.1`), this.world.fileSystem.readFile(this.#path(active)));
    this.world.fileSystem.truncate(this.#path(active), 0);
    this.#files.set(`${active}.1`, { lines: content.lines, isOpened: false, isDeleted: false });
    content.lines = [];
    // The agent has to see the copy before it can be rotated away.
    await this.look();
  }

  /** Between the copy and the truncation the writer goes on; the agent reads, or sees the copy only when it comes back. */
  async copySlowly(): Promise<void> {
    this.#completeLine();
    const { active } = this.#flavour;
    const content = this.#files.get(active);
    // A copy that holds the first line alone is known by nothing, nor is one that is seen as soon as the file itself.
    if (content === undefined || content.lines.length < 2) return;
    if (!deliveredLines(this.world.producer.records).includes(content.lines[0] ?? '')) return;
    const copied = this.world.fileSystem.readFile(this.#path(active));
    const lines = [...content.lines];
    const isSeen = this.#random() < 0.3;
    for (let index = 8; index >= 1; index--) this.#renameIfThere(index);
    if (isSeen) this.world.write(this.#path(`${active}.1`), copied);
    await this.write();
    if (this.#random() < 0.8) await this.look();
    const isKilled = this.#isUp && this.#random() < 0.6;
    if (isKilled) await this.kill();
    if (!isSeen) this.world.write(this.#path(`${active}.1`), copied);
    this.#loseUndelivered({ ...content, lines: content.lines.slice(lines.length) });
    this.world.fileSystem.truncate(this.#path(active), 0);
    this.#files.set(`${active}.1`, { lines, isOpened: false, isDeleted: false });
    content.lines = [];
    if (this.#random() < 0.5) await this.write();
    if (isKilled) await this.start();
    await this.look();
  }

  async truncate(): Promise<void> {
    this.#completeLine();
    const content = this.#files.get(this.#flavour.active);
    if (content === undefined) return;
    this.#loseUndelivered(content);
    this.world.fileSystem.truncate(this.#path(this.#flavour.active), 0);
    content.lines = [];
    if (this.#random() < 0.5) await this.write();
  }

  async remove(): Promise<void> {
    this.#completeLine();
    this.#delete(this.#flavour.active);
    if (this.#random() < 0.5) await this.write();
  }

  /** Removes the oldest rotated file. */
  async prune(): Promise<void> {
    const oldest = [...this.#files.keys()]
      .filter((name) => name !== this.#flavour.active && name !== 'previous')
      .toSorted();
    const name = this.#flavour.active === 'current' ? oldest[0] : oldest.at(-1);
    if (name !== undefined) this.#delete(name);
  }

  async rotateS6(): Promise<void> {
    this.#completeLine();
    if ((this.#files.get('current')?.lines.length ?? 0) === 0) return;
    const { fileSystem } = this.world;
    const archive = `@40000000${(++this.#count).toString(16).padStart(16, '0')}.s`;
    fileSystem.rename(this.#path('current'), this.#path('previous'));
    this.#moveName('current', 'previous');
    this.world.write(this.#path('current'), '');
    if (this.#random() < 0.3) await this.look();
    fileSystem.link(this.#path('previous'), this.#path(archive));
    if (this.#random() < 0.3) await this.look();
    fileSystem.unlink(this.#path('previous'));
    this.#moveName('previous', archive);
  }

  async rotateKubelet(): Promise<void> {
    const { active } = this.#flavour;
    if (!this.#files.has(active)) return;
    for (const name of [...this.#files.keys()]) {
      if (name === active || name.endsWith('.gz')) continue;
      gzipFile(this.world.fileSystem, this.#path(name));
      this.#moveName(name, `${name}.gz`);
    }
    const rotated = `${active}.20261123-${String(100_000 + ++this.#count)}`;
    this.world.fileSystem.rename(this.#path(active), this.#path(rotated));
    this.#moveName(active, rotated);
    if (this.#random() < 0.5) await this.look();
    this.world.write(this.#path(active), '');
    this.#files.set(active, { lines: [], isOpened: false, isDeleted: false });
  }

  /** The active name is a link that is switched to a new file, as some applications do. */
  async switchLink(): Promise<void> {
    this.#completeLine();
    const { active } = this.#flavour;
    if (this.#files.has(active)) this.#shift();
    const target = `${this.#flavour.directory}/.${++this.#count}`;
    this.world.write(target, '');
    this.world.fileSystem.symlink(target, this.#path(active));
    this.#files.set(active, { lines: [], isOpened: false, isDeleted: false });
    await this.write();
    await this.look();
    this.world.fileSystem.unlink(this.#path(active));
    this.world.fileSystem.rename(target, this.#path(active));
  }

  async hold(): Promise<void> {
    this.world.producer.isHeld = true;
  }

  async release(): Promise<void> {
    this.world.producer.release();
  }

  async kill(): Promise<void> {
    if (!this.#isUp) return;
    this.world.kill();
    this.#isUp = false;
    for (const content of this.#files.values()) content.isOpened = false;
    for (const content of this.#deleted) this.#loseUndelivered(content);
    this.#deleted = [];
  }

  async restart(): Promise<void> {
    if (this.#isUp) {
      if (this.#random() < 0.5) await this.kill();
      else {
        this.world.producer.release();
        await this.world.stop();
        this.#isUp = false;
        for (const content of this.#files.values()) content.isOpened = false;
        for (const content of this.#deleted) this.#loseUndelivered(content);
        this.#deleted = [];
      }
    }
    await this.start();
  }

  async start(): Promise<void> {
    if (this.#isUp) return;
    this.world.start();
    this.#isUp = true;
    await this.world.advance(1);
    for (const content of this.#files.values()) content.isOpened = true;
  }

  async finish(): Promise<void> {
    this.#completeLine();
    for (const stream of ['stdout', 'stderr']) {
      const text = this.#openPieces.get(stream);
      if (text === undefined) continue;
      const stamp = `2026-11-23T01:00:01.${String(++this.#count).padStart(9, '0')}Z`;
      const rest = text.slice(Math.floor(text.length / 2));
      this.world.write(this.#path(this.#flavour.active), `${stamp} ${stream} F ${rest}\n`);
    }
    await this.start();
    this.world.producer.release();
    await this.world.advance(4000);
    await this.world.stop();
  }

  #text(): string {
    const number = ++this.#count;
    return `line-${number}-${'x'.repeat(Math.floor(this.#random() * 80))}`;
  }

  #line(text: string): void {
    this.#completeLine();
    this.#content().lines.push(text);
    this.written.add(text);
    this.world.write(this.#path(this.#flavour.active), `${text}\n`);
  }

  #completeLine(): void {
    if (this.#open === '') return;
    const text = this.#open;
    this.#open = '';
    this.#content().lines.push(text);
    this.written.add(text);
    this.world.write(this.#path(this.#flavour.active), `${text.slice(Math.floor(text.length / 2))}\n`);
  }

  #content(): Content {
    const { active } = this.#flavour;
    let content = this.#files.get(active);
    if (content === undefined) {
      content = { lines: [], isOpened: false, isDeleted: false };
      this.#files.set(active, content);
    }
    return content;
  }

  #shift(): void {
    for (let index = 8; index >= 1; index--) this.#renameIfThere(index);
    const { active } = this.#flavour;
    this.world.fileSystem.rename(this.#path(active), this.#path(`${active}.1`));
    this.#moveName(active, `${active}.1`);
  }

  #renameIfThere(index: number): void {
    for (const ending of ['', '.gz']) {
      const from = `${this.#flavour.active}.${index}${ending}`;
      const to = `${this.#flavour.active}.${index + 1}${ending}`;
      if (!this.#files.has(from)) continue;
      if (index === 8) this.#delete(from);
      else {
        this.world.fileSystem.rename(this.#path(from), this.#path(to));
        this.#moveName(from, to);
      }
    }
  }

  #moveName(from: string, to: string): void {
    const content = this.#files.get(from);
    this.#files.delete(from);
    if (content !== undefined) this.#files.set(to, content);
  }

  #delete(name: string): void {
    const content = this.#files.get(name);
    if (content === undefined) return;
    this.world.fileSystem.unlink(this.#path(name));
    this.#files.delete(name);
    if (content.isOpened && this.#isUp && !name.endsWith('.gz')) this.#deleted.push(content);
    else this.#loseUndelivered(content);
  }

  #loseUndelivered(content: Content): void {
    const delivered = new Set(deliveredLines(this.world.producer.records));
    for (const line of content.lines) if (!delivered.has(line)) this.maybeLost.add(line);
  }

  #path(name: string): string {
    return `${this.#flavour.directory}/${name}`;
  }
}

/** Returns the lines in records, those of joined ones apart. */
export function deliveredLines(records: readonly SentRecord[]): string[] {
  return records.flatMap((record) => record.message.split('\n'));
}
