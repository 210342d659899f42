/**
 * What goes on beside the loop of rotation because it may take long, or hang: a few at once, one of each key, the others
 * in line. So programs of one application that hang delay no other one's.
 */

/** Keys in line; beyond it work is left, and comes up again with the next look. */
const QUEUE_MAX = 10_000;

export interface SideWorkOptions {
  readonly parallelMax: number;
  /** Called whenever work has ended. */
  readonly onEnd: () => void;
}

export class SideWork {
  readonly #options: SideWorkOptions;
  readonly #queue = new Map<string, () => Promise<void>>();
  readonly #running = new Map<string, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;

  constructor(options: SideWorkOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Whether work of this key is under way or in line. */
  has(key: string): boolean {
    return this.#running.has(key) || this.#queue.has(key);
  }

  isInLine(key: string): boolean {
    return this.#queue.has(key);
  }

  /**
   * Begins the work where there is room, and when the work of its key that is under way has ended; it is left when the
   * key has some in line already. What it throws is a bug, because it notes what may fail itself: `check` throws it.
   */
  start(key: string, work: () => Promise<void>): void {
    if (this.#isClosed || this.#queue.has(key) || this.#queue.size >= QUEUE_MAX) return;
    this.#queue.set(key, work);
    this.#advance();
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Forgets what is in line; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.clear();
    await Promise.all(this.#running.values());
  }

  #advance(): void {
    for (const [key, work] of this.#queue) {
      if (this.#running.size >= this.#options.parallelMax) return;
      if (this.#running.has(key)) continue;
      this.#queue.delete(key);
      this.#running.set(key, this.#run(key, work));
    }
  }

  async #run(key: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running.delete(key);
    this.#options.onEnd();
    this.#advance();
  }
}
