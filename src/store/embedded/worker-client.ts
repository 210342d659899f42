/**
 * The side of the worker thread's messages that serves callers: one promise per request, in any order. What does not
 * find room in the engine's memory beside others is tried once more alone, before it is given up.
 */
import type { Worker } from 'node:worker_threads';
import { AppError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { LineBlock, Row, WorkerReply, WorkerRequest } from './duckdb-protocol.ts';
import { createSlots } from './slots.ts';

/** Requests whose answer is awaited are bounded by their callers: this only bounds a flood. */
const WAITING_MAX = 1000;

/** Queries, one load of a journal, and one seal or compaction run beside each other. */
const RUNNING_MAX = 4;

type Answer = Exclude<WorkerReply, { readonly error: string }>;

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** UTF-8 text that the last statement knows as `$1`. */
  readonly text?: Uint8Array | undefined;
}

export interface LinesOptions {
  readonly signal: AbortSignal;
  readonly bytesMax: number | undefined;
}

export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #running = createSlots(RUNNING_MAX);
  #nextId = 1;
  #failure: Error | undefined;
  readonly ready: Promise<void>;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ready = this.#wait(0).then(() => undefined);
    worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    worker.on('error', (error) => this.#fail(toError(error)));
    worker.on('exit', () => this.#fail(new AppError('closed', 'cannot use the storage engine')));
  }

  /** Runs statements one after the other and returns the rows of the last one. They may be run twice. */
  async run(statements: readonly string[], { signal, text }: RunOptions = {}): Promise<readonly Row[]> {
    const answer = await this.#withRoom(signal, () =>
      this.#ask({ kind: 'run', id: this.#nextId++, statements, text }, signal),
    );
    return 'rows' in answer ? answer.rows : [];
  }

  /** Returns the documents of all statements in order; undefined when they have more than `bytesMax`. */
  async readLines(
    statements: readonly string[],
    { signal, bytesMax }: LinesOptions,
  ): Promise<LineBlock | undefined> {
    const answer = await this.#withRoom(signal, () =>
      this.#ask({ kind: 'lines', id: this.#nextId++, statements, bytesMax }, signal),
    );
    return 'block' in answer ? answer.block : undefined;
  }

  /** The same for one statement of `orderedLinesSql`, which is not tried again: `readLines` takes less memory. */
  async readTexts(statement: string, { signal, bytesMax }: LinesOptions): Promise<LineBlock | undefined> {
    const release = await this.#running.take(signal);
    try {
      const answer = await this.#ask({ kind: 'texts', id: this.#nextId++, statement, bytesMax }, signal);
      return 'block' in answer ? answer.block : undefined;
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    if (this.#failure === undefined)
      await this.#ask({ kind: 'close', id: this.#nextId++ }).catch(() => undefined);
    await this.#worker.terminate();
  }

  async #withRoom(signal: AbortSignal | undefined, task: () => Promise<Answer>): Promise<Answer> {
    const release = await this.#running.take(signal);
    try {
      return await task();
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
    } finally {
      release();
    }
    const releaseAll = await this.#running.takeAll(signal);
    return task().finally(releaseAll);
  }

  async #ask(request: WorkerRequest, signal?: AbortSignal): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure;
    if (signal?.aborted === true) throw new AppError('aborted', 'cannot finish the query');
    if (this.#waiting.size >= WAITING_MAX) throw new AppError('too_busy', 'cannot take another query');
    const cancel = (): void => this.#post({ kind: 'cancel', id: request.id });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const answer = this.#wait(request.id);
      this.#post(request);
      return await answer;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #wait(id: number): Promise<Answer> {
    // The worker keeps the process alive only while somebody waits for it.
    this.#worker.ref();
    return new Promise((resolve, reject) => void this.#waiting.set(id, { resolve, reject }));
  }

  #post(request: WorkerRequest): void {
    this.#worker.postMessage(request);
  }

  #settle(reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in reply) waiting?.reject(toAppError(reply.error));
    else waiting?.resolve(reply);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}

function toError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new AppError('io_failed', 'cannot run the storage engine', { cause: error });
}

const OUT_OF_MEMORY = /Out of Memory/i;

function isOutOfMemory(error: unknown): boolean {
  return error instanceof AppError && OUT_OF_MEMORY.test(String(error.details['reason']));
}

/** What DuckDB says of a Parquet file that is not sound; its other errors are about the query or the machine. */
const CORRUPT =
  /magic bytes|parquet|TProtocol|thrift|zstd|decompress|corrupt|No files found|Cannot open file/i;

const MEMORY_HINT = 'Narrow the time range, or raise store.memoryBytesMax.';

function toAppError(message: string): AppError {
  const reason = message.slice(0, 500);
  if (OUT_OF_MEMORY.test(message)) {
    const text = 'cannot run the query in the memory that store.memoryBytesMax allows';
    return new AppError('too_busy', text, { details: { reason }, hint: MEMORY_HINT });
  }
  const kinds: readonly [RegExp, ErrorCode, string][] = [
    [/^INTERRUPT/, 'aborted', 'cannot finish the query'],
    [/No space left|disk.*full/i, 'disk_full', 'cannot write a segment'],
    [/^(Conversion|Binder|Parser|Catalog|Invalid Type) Error/, 'bad_request', 'cannot run a statement'],
    [/^Invalid Input Error: (JSON|Malformed)/, 'bad_request', 'cannot read the documents of a journal'],
    [CORRUPT, 'corrupt', 'cannot read a file of the store'],
  ];
  const found = kinds.find(([pattern]) => pattern.test(message));
  const [, code, text] = found ?? [undefined, 'io_failed' as const, 'cannot run a statement'];
  return new AppError(code, text, { details: { reason } });
}
