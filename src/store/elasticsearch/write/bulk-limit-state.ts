/**
 * How many bulk requests may be under way at once: finds what the engine takes, and gives way when it has too much.
 *
 * Additive increase, multiplicative decrease. An answer in time adds a fraction of a request, so that the limit grows
 * by one per round of answers; a refusal (429) halves it, at most once per round; and where requests only wait longer
 * beside each other than alone, one fewer is sent. A pause follows refusals in a row, doubling.
 *
 * Invariants: 1 ≤ limit ≤ inFlightMax; a decrease is not repeated by answers to requests that were sent before it.
 */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;

/** Requests that wait in the engine's queue for this many others are too many, in the manner of TCP Vegas. */
const QUEUED_MAX = 3;

/**
 * Answers after which the shortest time is measured anew, with half as many requests beside each other: the engine may
 * have become slower for good, or other documents may take it longer.
 */
const BASELINE_ANSWERS = 1_000;

/**
 * What one answer adds to the usual time. One alone says little: requests differ, and one of documents that stand there
 * already is answered in no time, beside which every other one would seem to have waited.
 */
const NEW_SHARE = 0.05;

/** Answers that say something together. */
const NOTED_MIN = 8;

/** Small requests take their time whatever their size: they count as this large. */
const BYTES_MIN = 256 * 1024;

export interface BulkAnswer {
  /** When the request was sent and answered, on a clock that only goes forward. */
  readonly sentMs: number;
  readonly nowMs: number;
  readonly bytes: number;
  /** Whether the engine refused all or part of it for want of capacity. */
  readonly isRefused: boolean;
}

export class BulkLimitState {
  readonly #inFlightMax: number;
  #limit: number;
  /** Requests sent before this time say nothing of the present limit. */
  #decreasedMs = -Infinity;
  #refusals = 0;
  /** The usual time per byte, and the shortest that this was of late. */
  #usual = 0;
  #baseline = Infinity;
  /** Answers since the baseline was begun. */
  #noted = 0;
  #answers = 0;

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax;
    this.#limit = Math.min(2, inFlightMax);
  }

  /** Requests that may be under way. */
  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** Takes in an answer; returns the milliseconds to wait before what was refused is sent again. */
  answered(answer: BulkAnswer): number {
    if (answer.isRefused) return this.#refused(answer);
    this.#refusals = 0;
    // It tells of a time with more requests beside each other.
    if (answer.sentMs < this.#decreasedMs) return 0;
    const perByte = (answer.nowMs - answer.sentMs) / Math.max(BYTES_MIN, answer.bytes);
    if (this.#mustMeasureAnew(answer)) return 0;
    this.#note(perByte);
    if (this.#queued() > QUEUED_MAX) this.#decrease(answer, this.#limit - 1);
    else this.#limit = Math.min(this.#inFlightMax, this.#limit + 1 / this.#limit);
    return 0;
  }

  #note(perByte: number): void {
    this.#noted += 1;
    // The mean of the first ones: they are beside the fewest others.
    const share = Math.max(NEW_SHARE, 1 / this.#noted);
    this.#usual += (perByte - this.#usual) * share;
    if (this.#noted >= NOTED_MIN) this.#baseline = Math.min(this.#baseline, this.#usual);
  }

  /** Requests that wait for others, as far as the times tell. */
  #queued(): number {
    const isKnown = this.#baseline < Infinity && this.#usual > 0;
    return isKnown ? this.#limit * (1 - this.#baseline / this.#usual) : 0;
  }

  #mustMeasureAnew(answer: BulkAnswer): boolean {
    this.#answers += 1;
    if (this.#answers < BASELINE_ANSWERS) return false;
    this.#answers = 0;
    this.#noted = 0;
    this.#baseline = Infinity;
    return this.#decrease(answer, this.#limit / 2);
  }

  #refused(answer: BulkAnswer): number {
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** this.#refusals);
    if (this.#decrease(answer, this.#limit / 2)) this.#refusals += 1;
    return pauseMs;
  }

  #decrease({ sentMs, nowMs }: BulkAnswer, limit: number): boolean {
    if (sentMs < this.#decreasedMs) return false;
    this.#decreasedMs = nowMs;
    this.#limit = Math.max(1, limit);
    return true;
  }
}
