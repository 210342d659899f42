/**
 * Bytes that stood before earlier read offsets of a file, by which a copy is recognised that ends before the last one:
 * whoever copies and truncates leaves time between the two, in which lines are written and read.
 */
import { MARK_BYTES } from './fingerprint.ts';

/** Places that are remembered per file; every second one is forgotten when they are full, the older the sparser. */
const PLACES_MAX = 16;

/** Into so many parts a first run is divided, each at least as long as a mark. */
const FIRST_PARTS = 8;

export interface EarlierMark {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class EarlierMarks {
  readonly #places: { readonly endOffset: number; readonly length: number }[] = [];
  /** Not made for the many files of a line or two. */
  #bytes: Uint8Array | undefined;

  /** Remembers the bytes that end at `endOffset`, at most `MARK_BYTES`. */
  note(endOffset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes ??= new Uint8Array(PLACES_MAX * MARK_BYTES);
    if (this.#places.length === PLACES_MAX) this.#thin(this.#bytes);
    this.#bytes.set(bytes, this.#places.length * MARK_BYTES);
    this.#places.push({ endOffset, length: bytes.length });
  }

  /**
   * Remembers places within the first run that is read, which begins at `offset`: it may reach from before a copy was
   * made to after it.
   */
  noteFirst(offset: number, run: Uint8Array): void {
    const part = Math.max(MARK_BYTES, Math.ceil(run.length / FIRST_PARTS));
    for (let end = part; end < run.length; end += part)
      this.note(offset + end, run.subarray(end - MARK_BYTES, end));
  }

  /** Returns what stood before each place, by offset; valid until more is noted. */
  all(): EarlierMark[] {
    const bytes = this.#bytes;
    if (bytes === undefined) return [];
    return this.#places.map(({ endOffset, length }, index) => {
      const start = index * MARK_BYTES;
      return { offset: endOffset - length, bytes: bytes.subarray(start, start + length) };
    });
  }

  /** Keeps the newest one, and every second before it. */
  #thin(bytes: Uint8Array): void {
    const kept = this.#places.filter((_, index) => index % 2 === 1);
    for (let index = 0; index < kept.length; index++) {
      const start = (2 * index + 1) * MARK_BYTES;
      bytes.copyWithin(index * MARK_BYTES, start, start + MARK_BYTES);
    }
    this.#places.splice(0, PLACES_MAX, ...kept);
  }
}
