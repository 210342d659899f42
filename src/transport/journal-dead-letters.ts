/**
 * Dead letters in a journal of the data directory, for a process whose transport is memory.
 *
 * All letters are held in memory too, so their bytes are bounded: when there is no room, `send` waits until a person
 * has replayed or discarded some, which is what `problem` says. The journal is compacted when most of it is history.
 */
import { AppError } from '../base/errors.ts';
import type { FileSystem } from '../base/file-system.ts';
import { openJournal, type Journal } from '../base/journal.ts';
import type { Scheduler } from '../base/scheduler.ts';
import type { DeadLetter } from '../record/dead-letter.ts';
import type { DeadLetterQueue } from './transport.ts';

export interface JournalDeadLettersOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly scheduler: Scheduler;
  /** Bytes of letters, about; default 64 MiB. */
  readonly bytesMax?: number;
}

type Entry = { readonly put: DeadLetter } | { readonly remove: readonly string[] };

const NAME = 'dead-letters';
const VERSION = 1;

const BYTES_MAX = 64 * 2 ** 20;

/** A journal shorter than this is not worth the writing of a snapshot. */
const COMPACT_BYTES_MIN = 2 ** 20;

/** How often a `send` without room looks for some. */
const ROOM_MS = 1_000;

/** Opens the queue. Throws `corrupt` when its snapshot cannot be read. */
export async function openJournalDeadLetters(
  options: JournalDeadLettersOptions,
): Promise<JournalDeadLetters> {
  const { fileSystem, directory } = options;
  const opened = await openJournal<Entry>({ fileSystem, directory, name: NAME, version: VERSION });
  return new JournalDeadLetters(options, opened.journal, opened.entries);
}

export class JournalDeadLetters implements DeadLetterQueue {
  readonly #scheduler: Scheduler;
  readonly #journal: Journal<Entry>;
  readonly #bytesMax: number;
  readonly #letters = new Map<string, DeadLetter>();
  readonly #closing = new AbortController();
  #bytes = 0;
  #waitingCount = 0;
  /** Writes stand in a row: a compaction must not lose what is appended meanwhile. */
  #writing: Promise<void> = Promise.resolve();

  /** Called by `openJournalDeadLetters` only. */
  constructor(options: JournalDeadLettersOptions, journal: Journal<Entry>, entries: readonly Entry[]) {
    this.#scheduler = options.scheduler;
    this.#bytesMax = options.bytesMax ?? BYTES_MAX;
    this.#journal = journal;
    for (const entry of entries) this.#apply(entry);
  }

  /** Why no letter can be taken just now. */
  problem(): string | undefined {
    if (this.#waitingCount === 0) return undefined;
    return `the dead letters fill their ${Math.round(this.#bytesMax / 2 ** 20)} MiB: replay or discard some with logboom replay`;
  }

  async send(letters: readonly DeadLetter[]): Promise<void> {
    await this.#awaitRoom(letters);
    await this.#write(letters.map((letter) => ({ put: letter })));
  }

  async *read(signal: AbortSignal): AsyncIterable<DeadLetter> {
    for (const letter of [...this.#letters.values()]) {
      signal.throwIfAborted();
      yield letter;
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.#letters.has(id));
    if (known.length > 0) await this.#write([{ remove: known }]);
  }

  /** Ends the sends that wait for room with `closed`, and closes the journal. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing.catch(() => undefined);
    this.#journal.close();
  }

  async #awaitRoom(letters: readonly DeadLetter[]): Promise<void> {
    const bytes = letters.reduce((total, letter) => total + bytesOf(letter), 0);
    const freed = (): number => letters.reduce((total, { id }) => total + bytesOf(this.#letters.get(id)), 0);
    const hasRoom = (): boolean => this.#bytes === 0 || this.#bytes - freed() + bytes <= this.#bytesMax;
    if (hasRoom()) return;
    this.#waitingCount++;
    try {
      while (!hasRoom()) {
        await this.#scheduler.sleep(ROOM_MS, this.#closing.signal);
        if (this.#closing.signal.aborted) throw new AppError('closed', 'cannot keep dead letters');
      }
    } finally {
      this.#waitingCount--;
    }
  }

  #write(entries: readonly Entry[]): Promise<void> {
    const written = this.#writing.catch(() => undefined).then(() => this.#append(entries));
    this.#writing = written;
    return written;
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    if (this.#closing.signal.aborted) throw new AppError('closed', 'cannot keep dead letters');
    for (const entry of entries) this.#journal.append(entry);
    await this.#journal.sync();
    for (const entry of entries) this.#apply(entry);
    if (this.#journal.bytes < COMPACT_BYTES_MIN || this.#journal.bytes < 2 * this.#bytes) return;
    await this.#journal.replace(this.#letters.values().map((letter): Entry => ({ put: letter })));
  }

  #apply(entry: Entry): void {
    const ids = 'put' in entry ? [entry.put.id] : entry.remove;
    for (const id of ids) {
      this.#bytes -= bytesOf(this.#letters.get(id));
      this.#letters.delete(id);
    }
    if (!('put' in entry)) return;
    this.#letters.set(entry.put.id, entry.put);
    this.#bytes += bytesOf(entry.put);
  }
}

/** About what a letter takes in the journal. */
function bytesOf(letter: DeadLetter | undefined): number {
  return letter === undefined ? 0 : letter.document.length + letter.error.reason.length + 400;
}
