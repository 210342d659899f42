/**
 * A tail as a stream of server-sent events: `message` events with one document each, `skipped` events with a count,
 * and comments that keep proxies from closing a quiet connection.
 */
import { Readable } from 'node:stream';
import type { Scheduler, Timer } from '../base/scheduler.ts';
import type { Query } from '../query/ast.ts';
import type { TailHub, TailSubscription } from './tail-hub.ts';

const HEARTBEAT_MS = 15_000;

/** Characters that are handed to the connection at once. */
const CHUNK_CHARACTERS = 256 * 1024;

export class TailStream extends Readable {
  readonly #scheduler: Scheduler;
  readonly #subscription: TailSubscription | undefined;
  #isHungry = false;
  #heartbeat: Timer | undefined;

  constructor(tail: TailHub, query: Query, scheduler: Scheduler) {
    super();
    this.#scheduler = scheduler;
    this.#subscription = tail.subscribe(query, () => this.#feed());
    // Something at once: a client knows that it is connected when the first bytes are there.
    this.push(': follows\n\n');
    this.#scheduleHeartbeat();
  }

  /** Whether too many clients follow already. */
  get isRefused(): boolean {
    return this.#subscription === undefined;
  }

  override _read(): void {
    this.#isHungry = true;
    this.#feed();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#subscription?.close();
    this.#heartbeat?.cancel();
    callback(error);
  }

  #feed(): void {
    if (!this.#isHungry || this.#subscription === undefined || this.destroyed) return;
    const skipped = this.#subscription.takeSkipped();
    const events = this.#subscription.take(CHUNK_CHARACTERS).map((text) => `data: ${text}\n\n`);
    if (skipped > 0) events.push(`event: skipped\ndata: ${JSON.stringify({ skipped })}\n\n`);
    if (events.length === 0) return;
    this.#isHungry = false;
    this.push(events.join(''));
  }

  #scheduleHeartbeat(): void {
    this.#heartbeat = this.#scheduler.schedule(HEARTBEAT_MS, () => {
      if (this.#isHungry) this.push(':\n\n');
      this.#scheduleHeartbeat();
    });
  }
}
