/**
 * Group commit: what waits is written together, with one sync, and then acknowledged together. Groups follow one
 * another in order, so a duplicate of what is being written is acknowledged only once that is durable.
 *
 * When a write fails, the journal is cut back to its last commit and the same bytes are written again, for as long
 * as it takes: the disk may be full for hours, and nothing acknowledged is lost meanwhile. After a failed sync the
 * kernel may have dropped the pages, so the bytes are written again too.
 */
import { AppError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { AppendResult } from '../store.ts';
import type { BatchEncoder, EncodedGroup } from './batch-encoder.ts';
import { JournalFile, journalName } from './journal-file.ts';

export interface JournalWriterOptions {
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly encoder: BatchEncoder;
  readonly directory: string;
  /** The first journal's number. */
  readonly sequence: number;
  readonly commitSequence: number;
  /** Below this, nothing is written. */
  readonly freeBytesMin: number;
  /** A reason to take nothing more just now, besides the disk. */
  readonly isFull: () => boolean;
  readonly onBegin: (file: JournalFile) => void;
  readonly onCommit: (file: JournalFile, group: EncodedGroup) => void;
  readonly onProblem: (problem: string | undefined) => void;
}

interface Waiting {
  readonly batches: readonly DocumentBatch[];
  resolve(result: AppendResult): void;
  reject(error: Error): void;
}

/** A journal of this size is closed: small ones are searched and skipped by their time. */
export const JOURNAL_FILE_BYTES_MAX = 8 << 20;

/** Documents that are written together; one larger batch may pass. */
const GROUP_BYTES_MAX = 4 << 20;

/** Callers that wait; an indexer has two appends in flight. */
const WAITING_MAX = 10_000;

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export class JournalWriter {
  readonly #options: JournalWriterOptions;
  readonly #waiting: Waiting[] = [];
  #file: JournalFile | undefined;
  #fd: number | undefined;
  #nextSequence: number;
  #commitSequence: number;
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #isRotating = false;
  /** No group is begun, and the next attempt at one is slept for. */
  #isHeldUp = false;
  #problem: string | undefined;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
    this.#nextSequence = options.sequence;
    this.#commitSequence = options.commitSequence;
  }

  /** Why nothing is written just now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The journal that is being written. */
  get activeSequence(): number | undefined {
    return this.#file?.sequence;
  }

  append(batches: readonly DocumentBatch[], signal: AbortSignal): Promise<AppendResult> {
    if (this.#stop.signal.aborted)
      return Promise.reject(new AppError('closed', 'cannot append to a closed store'));
    if (signal.aborted) return Promise.reject(new AppError('aborted', 'cannot append'));
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new AppError('too_busy', 'cannot append'));
    return new Promise((resolve, reject) => {
      const abandon = (): void => this.#abandon(waiting);
      const settled = (): void => signal.removeEventListener('abort', abandon);
      const waiting: Waiting = {
        batches,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', abandon, { once: true });
      void this.#wake();
    });
  }

  /** Closes the journal that is being written, after the group in hand; the next group begins another. */
  async rotate(): Promise<void> {
    // What waits before a group may wait for the very seal that asks: nothing is being written then.
    if (this.#isHeldUp) return this.#closeFile();
    this.#isRotating = true;
    await this.#wake();
  }

  /** Writes what waits, and closes the journal. What cannot be written is rejected with `closed`. */
  async close(): Promise<void> {
    if (this.#problem !== undefined) this.#stop.abort();
    await this.#running;
    this.#stop.abort();
    this.#closeFile();
  }

  #abandon(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    waiting.reject(new AppError('aborted', 'cannot append'));
  }

  #wake(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    // Callers of the same turn share the first group.
    await Promise.resolve();
    try {
      await this.#writeWaiting();
    } finally {
      this.#running = undefined;
    }
    // Whoever came between the last look at the queue and now found a run that was over.
    if (this.#waiting.length > 0 || this.#isRotating) await this.#wake();
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0 || this.#isRotating) {
      if (this.#isRotating) this.#closeFile();
      this.#isRotating = false;
      if (this.#waiting.length === 0) return;
      if (!(await this.#retrying(() => this.#begin(), true))) return this.#rejectAll();
      if (this.#waiting.length > 0) await this.#writeGroup();
    }
  }

  async #writeGroup(): Promise<void> {
    const { encoder } = this.#options;
    encoder.beginGroup();
    const settled: { waiting: Waiting; result: AppendResult }[] = [];
    while (this.#waiting.length > 0 && encoder.bytes < GROUP_BYTES_MAX) {
      const waiting = this.#waiting.shift() as Waiting;
      settled.push({ waiting, result: this.#encode(waiting.batches) });
    }
    const group = encoder.finish(this.#commitSequence + 1);
    const isEmpty = group.commit.rows === 0 && Object.keys(group.commit.watermarks).length === 0;
    const isWritten = isEmpty || (await this.#retrying(() => this.#write(group)));
    for (const { waiting, result } of settled) {
      if (isWritten) waiting.resolve(result);
      else waiting.reject(new AppError('closed', 'cannot append to a closed store'));
    }
    if (!isWritten) this.#rejectAll();
  }

  #encode(batches: readonly DocumentBatch[]): AppendResult {
    let appended = 0;
    let duplicates = 0;
    for (const batch of batches) {
      const counts = this.#options.encoder.add(batch);
      appended += counts.appended;
      duplicates += counts.duplicates;
    }
    return { appended, duplicates, rejected: [] };
  }

  /** Makes sure that there is a journal with room, on a disk with room. */
  async #begin(): Promise<void> {
    const { fileSystem, directory, freeBytesMin, isFull } = this.#options;
    if (fileSystem.freeBytes(directory) < freeBytesMin) throw new AppError('disk_full', 'cannot append');
    if (isFull()) throw new AppError('too_busy', 'cannot append before journals are sealed');
    if (this.#file !== undefined && this.#file.bytes >= JOURNAL_FILE_BYTES_MAX) this.#closeFile();
    if (this.#fd !== undefined) return;
    await (this.#file === undefined ? this.#create() : this.#reopen(this.#file));
  }

  async #create(): Promise<void> {
    const { fileSystem, directory, scheduler, encoder, onBegin } = this.#options;
    const file = new JournalFile(
      this.#nextSequence,
      `${directory}/${journalName(this.#nextSequence)}`,
      scheduler.nowMs(),
    );
    // A creation that failed halfway has left an empty file.
    this.#fd = fileSystem.open(file.path, 'w');
    await fileSystem.syncDirectory(directory);
    this.#nextSequence += 1;
    this.#file = file;
    encoder.beginJournal();
    onBegin(file);
  }

  /** Goes on after a failure: whatever was written since the last commit is cut off. */
  async #reopen(file: JournalFile): Promise<void> {
    const { fileSystem } = this.#options;
    fileSystem.truncate(file.path, file.bytes);
    this.#fd = fileSystem.open(file.path, 'a');
    await fileSystem.sync(this.#fd);
  }

  async #write(group: EncodedGroup): Promise<void> {
    const { fileSystem, onCommit } = this.#options;
    const file = this.#file as JournalFile;
    if (this.#fd === undefined) await this.#reopen(file);
    const fd = this.#fd as number;
    await fileSystem.writeAsync(fd, group.bytes);
    await fileSystem.sync(fd);
    file.apply(group.commit, group.bytes.length, group.runs);
    this.#commitSequence = group.commit.sequence;
    onCommit(file, group);
  }

  /** Repeats until it succeeds; returns false when the store was closed first. */
  async #retrying(task: () => Promise<void>, isBeforeGroup = false): Promise<boolean> {
    for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(delayMs * 2, RETRY_MS_MAX)) {
      try {
        await task();
        this.#setProblem(undefined);
        return true;
      } catch (error) {
        this.#closeDescriptor();
        this.#setProblem(problemOf(error, this.#options.directory));
      }
      this.#isHeldUp = isBeforeGroup;
      await this.#options.scheduler.sleep(delayMs, this.#stop.signal);
      this.#isHeldUp = false;
      if (this.#stop.signal.aborted) return false;
    }
  }

  #setProblem(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }

  #rejectAll(): void {
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(new AppError('closed', 'cannot append to a closed store'));
    }
  }

  #closeFile(): void {
    this.#closeDescriptor();
    this.#file = undefined;
  }

  #closeDescriptor(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    try {
      this.#options.fileSystem.close(fd);
    } catch (error) {
      this.#setProblem(problemOf(error, this.#options.directory));
    }
  }
}

/** Says why nothing can be written, and what to do about it. */
function problemOf(error: unknown, directory: string): string {
  const code = error instanceof AppError ? error.code : systemCodeOf(error);
  switch (code) {
    case 'disk_full':
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk of ${directory} is full: free space, or lower store.retention.bytesMax; collection goes on by itself`;
    case 'EROFS':
      return `${directory} is read-only: remount it writable; collection goes on by itself`;
    case 'EACCES':
    case 'EPERM':
      return `${directory} cannot be written: give this user permission; collection goes on by itself`;
    case 'too_busy':
      return 'journals arrive faster than they are sealed: collection waits for the storage engine';
    default:
      return `${directory} cannot be written (${messageOf(error)}); collection goes on by itself`;
  }
}
