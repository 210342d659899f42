/** How often the log tells of things that go on happening. */
const TELL_MS_MIN = 60_000;

/** Kinds beyond this number count as one. */
const KINDS_MAX = 100;

/** Counts what happens again and again, so that the log tells it at once, and then once a minute with the sum. */
export class SeldomCounts {
  readonly #monotonicMs: () => number;
  readonly #kinds = new Map<string, { toldMs: number; count: number }>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Adds to the count of a kind; returns what is to be told of it now, 0 when it was told a short while ago. */
  add(kind: string, count: number): number {
    const name = this.#kinds.has(kind) || this.#kinds.size < KINDS_MAX ? kind : '';
    const known = this.#kinds.get(name) ?? { toldMs: Number.NEGATIVE_INFINITY, count: 0 };
    this.#kinds.set(name, known);
    known.count += count;
    const nowMs = this.#monotonicMs();
    if (nowMs - known.toldMs < TELL_MS_MIN) return 0;
    const told = known.count;
    known.toldMs = nowMs;
    known.count = 0;
    return told;
  }
}
