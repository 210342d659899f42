/**
 * Bytes that stood before earlier read offsets of a file, by which a copy is recognised that ends before the last one:
 * whoever copies and truncates leaves time between the two, in which lines are written and read.
 */
import { MARK_BYTES } from './fingerprint.ts';

/** Places that are remembered per file; every second one is forgotten when they are full, the older the sparser. */
const PLACES_MAX = 16;

export interface EarlierMark {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class EarlierMarks {
  readonly #places: { readonly endOffset: number; readonly length: number }[] = [];
  /** Not made for the many files that are read in one piece. */
  #bytes: Uint8Array | undefined;

  /** Remembers the bytes that end at `endOffset`, at most `MARK_BYTES`. */
  note(endOffset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes ??= new Uint8Array(PLACES_MAX * MARK_BYTES);
    if (this.#places.length === PLACES_MAX) this.#thin(this.#bytes);
    this.#bytes.set(bytes, this.#places.length * MARK_BYTES);
    this.#places.push({ endOffset, length: bytes.length });
  }

  /** Returns what stood before the last place that is not behind `offset`. */
  lastWithin(offset: number): EarlierMark | undefined {
    return this.#markAt(this.#places.findLastIndex(({ endOffset }) => endOffset <= offset));
  }

  /** Returns what stood before each place, by offset. */
  all(): EarlierMark[] {
    return this.#places.flatMap((_, index) => this.#markAt(index) ?? []);
  }

  #markAt(index: number): EarlierMark | undefined {
    const place = this.#places[index];
    const start = index * MARK_BYTES;
    if (place === undefined || this.#bytes === undefined) return undefined;
    const { endOffset, length } = place;
    return { offset: endOffset - length, bytes: this.#bytes.subarray(start, start + length) };
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
