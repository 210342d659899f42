/**
 * Posts batches to a server's import route: agents without a queue between them and the store. The server answers
 * when the records are durable, so an answer is the acknowledgement.
 *
 * Batches of one file are sent one after the other, which keeps their order; different files share the requests in
 * flight. A server that is away or busy is waited for, as long as it takes; a batch that the server refuses for its
 * own sake (400) is sent again too, because dropping it would be a loss: the problem is shown instead.
 */
import { AppError, messageOf } from '../../base/errors.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Producer } from '../transport.ts';

export interface HttpProducerOptions {
  /** Address of the server, without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

/** Requests at a time: enough to hide the server's sync, few enough to be polite. */
const REQUESTS_MAX = 8;

/** Ledger records in one request, far below the server's limit of a body. */
const LEDGER_RECORDS_MAX = 5_000;

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 15_000;
const REQUEST_MS_MAX = 120_000;

export class HttpProducer implements Producer {
  readonly #options: HttpProducerOptions;
  readonly #closing = new AbortController();
  /** The last send of each file that has not settled. */
  readonly #lastByFile = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #requestCount = 0;
  #problem: string | undefined;

  constructor(options: HttpProducerOptions) {
    this.#options = options;
  }

  async send(batch: RecordBatch): Promise<void> {
    const before = this.#lastByFile.get(batch.fileId) ?? Promise.resolve();
    const sent = before.then(() => this.#deliver('/api/v1/import', batch.body));
    this.#lastByFile.set(batch.fileId, sent);
    try {
      await sent;
    } finally {
      if (this.#lastByFile.get(batch.fileId) === sent) this.#lastByFile.delete(batch.fileId);
    }
  }

  async sendLedger(records: readonly LedgerRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += LEDGER_RECORDS_MAX) {
      const lines = records
        .slice(start, start + LEDGER_RECORDS_MAX)
        .map((record) => `${JSON.stringify(record)}\n`);
      await this.#deliver('/api/v1/ledger', new TextEncoder().encode(lines.join('')));
    }
  }

  /** Why records cannot be delivered just now, or undefined when they can. */
  problem(): string | undefined {
    return this.#problem;
  }

  /** Gives up what is not acknowledged: its senders get `closed`. */
  close(): Promise<void> {
    this.#closing.abort();
    for (const wake of this.#waiting.splice(0)) wake();
    return Promise.resolve();
  }

  async #deliver(route: string, body: Uint8Array): Promise<void> {
    await this.#takeSlot();
    try {
      for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(RETRY_MS_MAX, retryMs * 2)) {
        this.#throwIfClosed();
        const reason = await this.#post(route, body);
        this.#report(reason);
        if (reason === undefined) return;
        await this.#options.scheduler.sleep(retryMs, this.#closing.signal);
      }
    } finally {
      this.#requestCount -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #takeSlot(): Promise<void> {
    while (this.#requestCount >= REQUESTS_MAX && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#requestCount += 1;
  }

  /** Returns undefined when the server has taken the body, and the reason when it has not. */
  async #post(route: string, body: Uint8Array): Promise<string | undefined> {
    const { url, token } = this.#options;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
    const headers: Record<string, string> = { 'content-type': 'application/x-ndjson' };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    try {
      // The body is copied, because a request that is given up may still be reading it when the batch is reused.
      const response = await this.#options.fetch(`${url}${route}`, {
        method: 'POST',
        headers,
        body: Uint8Array.from(body),
        signal,
      });
      const answer = await response.text();
      return response.ok ? undefined : refusal(url, response.status, answer);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      return `cannot reach ${url}: ${messageOf(cause)}`;
    }
  }

  #throwIfClosed(): void {
    if (this.#closing.signal.aborted) throw new AppError('closed', 'cannot send to a closed transport');
  }

  /** Says it once per change of state. */
  #report(reason: string | undefined): void {
    if (reason === this.#problem) return;
    if (reason === undefined)
      this.#options.telemetry.log('info', 'server_reached', `delivering to ${this.#options.url}`);
    else if (!this.#closing.signal.aborted)
      this.#options.telemetry.log('warn', 'server_away', `waiting: ${reason}`);
    this.#problem = reason;
  }
}

function refusal(url: string, status: number, answer: string): string {
  if (status === 401 || status === 403) return `${url} wants a token: set transport.token (--token)`;
  return `${url} answered ${status}: ${messageIn(answer)}`;
}

function messageIn(answer: string): string {
  try {
    const body = JSON.parse(answer) as { error?: { message?: unknown } } | null;
    if (typeof body?.error?.message === 'string') return body.error.message;
  } catch {
    // Not ours; its first words tell more than nothing.
  }
  return answer.slice(0, 200);
}
