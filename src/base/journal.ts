/**
 * An append-only journal of small JSON entries with a snapshot, for state that must survive a crash at any byte:
 * checkpoints, the store's catalog, the ledger.
 *
 *   <name>.snapshot   the entries that rebuild the state, written anew now and then and put in place by a rename
 *   <name>.journal    the entries since then
 *
 * Both are lines of the form `CCCCCCCC {json}\n`, where C is the CRC-32 of the JSON in hexadecimal. The first line
 * of each is a header `{"format":<name>,"version":N,"generation":G}`; a journal whose generation is not the
 * snapshot's is left over from before the snapshot and is ignored.
 *
 * One `append` is one line: it is there as a whole or not at all. A torn last line is cut off when opening. A
 * damaged line in the middle ends what can be trusted: what stands before it is used, the file is kept aside as
 * `<name>.journal.damaged-<generation>`, and the caller is told. A newer version is refused rather than misread.
 */
import { AppError, messageOf } from './errors.ts';
import { crc32 } from './crc32.ts';
import type { FileSystem } from './file-system.ts';

export interface JournalOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** Name of the format and of the files. */
  readonly name: string;
  readonly version: number;
}

export interface OpenedJournal<Entry> {
  readonly journal: Journal<Entry>;
  /** What was appended since the beginning or the last snapshot, the snapshot's entries first. */
  readonly entries: readonly Entry[];
  /** What was wrong with the files, in words, and where the damaged one was put; undefined when nothing was. */
  readonly damage: { readonly reason: string; readonly keptAs: string } | undefined;
}

interface Header {
  readonly format: string;
  readonly version: number;
  readonly generation: number;
}

interface ReadLines {
  readonly values: readonly unknown[];
  /** Bytes of the lines that are whole and sound. */
  readonly soundBytes: number;
  readonly totalBytes: number;
  /** Whether what follows the sound lines is more than one torn line at the end. */
  readonly isDamaged: boolean;
}

/** Opens or creates a journal. Throws `corrupt` when the snapshot cannot be read, or a newer version wrote it. */
export async function openJournal<Entry>(options: JournalOptions): Promise<OpenedJournal<Entry>> {
  const { fileSystem, directory, name } = options;
  fileSystem.makeDirectory(directory);
  const snapshotPath = `${directory}/${name}.snapshot`;
  const journalPath = `${directory}/${name}.journal`;
  const snapshot = readSnapshot<Entry>(options, snapshotPath);
  const generation = snapshot?.generation ?? 0;
  const lines =
    fileSystem.stat(journalPath) === undefined ? undefined : readLines(fileSystem.readFile(journalPath));
  const header = lines?.values[0] as Header | undefined;
  const isCurrent = header !== undefined && checkHeader(options, journalPath, header) === generation;
  const journal = new Journal<Entry>(options, generation);
  const entries: Entry[] = snapshot?.entries.slice() ?? [];
  if (isCurrent) entries.push(...((lines?.values.slice(1) ?? []) as Entry[]));
  const damage =
    lines?.isDamaged === true && (isCurrent || header === undefined)
      ? setAside(options, journalPath, generation)
      : undefined;
  if (damage !== undefined) await journal.replace(entries);
  else if (isCurrent && lines !== undefined) journal.continueAt(lines.soundBytes, lines.totalBytes);
  else await journal.begin();
  return { journal, entries, damage };
}

export class Journal<Entry> {
  readonly #options: JournalOptions;
  #generation: number;
  #fd: number | undefined;
  #bytes = 0;
  #isBroken = false;

  constructor(options: JournalOptions, generation: number) {
    this.#options = options;
    this.#generation = generation;
  }

  /** Bytes since the last snapshot: a reason to make the next one. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends one entry to the page cache: it survives the process, and the machine after the next `sync`. */
  append(entry: Entry): void {
    const line = encodeLine(entry);
    if (this.#isBroken) this.#cutTornLine();
    try {
      this.#options.fileSystem.write(this.#openedFd(), line);
      this.#bytes += line.length;
    } catch (error) {
      // A torn line would hide everything appended behind it: it is cut off before the next append.
      this.#isBroken = true;
      throw error;
    }
  }

  async sync(): Promise<void> {
    await this.#options.fileSystem.sync(this.#openedFd());
  }

  /** Replaces everything by a snapshot of `entries`, durably and atomically. */
  async replace(entries: Iterable<Entry>): Promise<void> {
    const { fileSystem, directory, name } = this.#options;
    const generation = this.#generation + 1;
    const path = `${directory}/${name}.snapshot`;
    const fd = fileSystem.open(`${path}.tmp`, 'w');
    try {
      fileSystem.write(fd, encodeLine(this.#header(generation)));
      for (const entry of entries) fileSystem.write(fd, encodeLine(entry));
      fileSystem.write(fd, encodeLine({ end: true }));
      await fileSystem.sync(fd);
    } finally {
      fileSystem.close(fd);
    }
    fileSystem.rename(`${path}.tmp`, path);
    await fileSystem.syncDirectory(directory);
    this.#generation = generation;
    await this.begin();
  }

  close(): void {
    if (this.#fd !== undefined) this.#options.fileSystem.close(this.#fd);
    this.#fd = undefined;
  }

  /** Starts an empty journal of this generation. Called by `openJournal` and `replace` only. */
  async begin(): Promise<void> {
    const { fileSystem, directory } = this.#options;
    this.close();
    const fd = fileSystem.open(this.#path, 'w');
    this.#fd = fd;
    this.#isBroken = false;
    const header = encodeLine(this.#header(this.#generation));
    fileSystem.write(fd, header);
    this.#bytes = header.length;
    await fileSystem.sync(fd);
    await fileSystem.syncDirectory(directory);
  }

  /** Goes on with a journal whose sound lines end at `soundBytes`. Called by `openJournal` only. */
  continueAt(soundBytes: number, totalBytes: number): void {
    if (soundBytes < totalBytes) this.#options.fileSystem.truncate(this.#path, soundBytes);
    this.#fd = this.#options.fileSystem.open(this.#path, 'a');
    this.#bytes = soundBytes;
  }

  get #path(): string {
    return `${this.#options.directory}/${this.#options.name}.journal`;
  }

  #header(generation: number): Header {
    return { format: this.#options.name, version: this.#options.version, generation };
  }

  #cutTornLine(): void {
    this.#options.fileSystem.truncate(this.#path, this.#bytes);
    this.#isBroken = false;
  }

  #openedFd(): number {
    if (this.#fd === undefined) throw new AppError('closed', `cannot append to journal ${this.#path}`);
    return this.#fd;
  }
}

function readSnapshot<Entry>(
  options: JournalOptions,
  path: string,
): { generation: number; entries: Entry[] } | undefined {
  if (options.fileSystem.stat(path) === undefined) return undefined;
  const { values } = readLines(options.fileSystem.readFile(path));
  const last = values.at(-1) as { end?: unknown } | undefined;
  if (values.length < 2 || last?.end !== true) {
    throw new AppError('corrupt', `cannot read ${path}`, {
      hint: 'A snapshot is put in place whole, so the disk damaged it. Restore it, or move it away to begin anew.',
    });
  }
  const generation = checkHeader(options, path, values[0] as Header);
  return { generation, entries: values.slice(1, -1) as Entry[] };
}

function checkHeader(options: JournalOptions, path: string, header: Header): number {
  if (header.format !== options.name || header.version > options.version) {
    throw new AppError('corrupt', `cannot read ${path}`, {
      details: { format: String(header.format), version: Number(header.version) },
      hint: `This release reads format ${options.name} up to version ${options.version}; a newer release wrote the file.`,
    });
  }
  return header.generation;
}

function setAside(
  options: JournalOptions,
  path: string,
  generation: number,
): { reason: string; keptAs: string } {
  const keptAs = `${path}.damaged-${generation}`;
  options.fileSystem.rename(path, keptAs);
  return { reason: `a line of ${path} does not match its checksum`, keptAs };
}

function readLines(bytes: Uint8Array): ReadLines {
  const values: unknown[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const value = decodeLine(bytes.subarray(start, end), decoder);
    if (value === undefined) {
      const isLast = end === bytes.length - 1;
      return { values, soundBytes: start, totalBytes: bytes.length, isDamaged: !isLast };
    }
    values.push(value.json);
    start = end + 1;
  }
  return { values, soundBytes: start, totalBytes: bytes.length, isDamaged: false };
}

function decodeLine(line: Uint8Array, decoder: TextDecoder): { json: unknown } | undefined {
  if (line.length < 10) return undefined;
  const body = line.subarray(9);
  const expected = Number.parseInt(decoder.decode(line.subarray(0, 8)), 16);
  if (crc32(body) !== expected) return undefined;
  try {
    return { json: JSON.parse(decoder.decode(body)) };
  } catch (error) {
    throw new AppError('corrupt', 'cannot read a journal line', { details: { reason: messageOf(error) } });
  }
}

function encodeLine(value: unknown): Uint8Array {
  const json = JSON.stringify(value);
  const body = new TextEncoder().encode(`00000000 ${json}\n`);
  const checksum = crc32(body.subarray(9, body.length - 1))
    .toString(16)
    .padStart(8, '0');
  body.set(new TextEncoder().encode(checksum), 0);
  return body;
}
