/**
 * Bytes that stood before earlier read offsets of a file, by which a copy is recognised that ends before the last one:
 * whoever copies and truncates leaves time between the two, in which lines are written and read.
 */
import { MARK_BYTES } from './fingerprint.ts';

/**
 * Places that are remembered per file. The nearer to the end the denser: with 16 of them, the last place before a copy's
 * end is never much further from it than the copy's end is from the file's.
 */
export const PLACES_MAX = 16;

/** Into so many parts a run is divided. */
const RUN_PARTS = 8;

const NEWLINE = 10;

export interface EarlierMark {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Place {
  readonly endOffset: number;
  readonly length: number;
  /** Where its bytes are kept. */
  readonly slot: number;
}

/**
 * Returns which of several places is missed least, by index: the one between whose neighbours the least of the way to
 * the newest lies. The oldest and the newest stay. `endOffsets` increases.
 */
export function leastMissed(endOffsets: readonly number[]): number {
  const newest = endOffsets.at(-1) ?? 0;
  let least = 1;
  let leastShare = Number.POSITIVE_INFINITY;
  for (let index = 1; index < endOffsets.length - 1; index++) {
    const before = endOffsets[index - 1] ?? 0;
    const share = ((endOffsets[index + 1] ?? 0) - before) / (newest - before);
    if (share >= leastShare) continue;
    leastShare = share;
    least = index;
  }
  return least;
}

export class EarlierMarks {
  readonly #places: Place[] = [];
  /** Not made for the many files of a line or two. */
  #bytes: Uint8Array | undefined;
  #hasFresh = false;

  /** Whether places are known within a run, which do not follow from the last bytes that each checkpoint has. */
  get hasFresh(): boolean {
    return this.#hasFresh;
  }

  /** Notes that all places stand in a checkpoint. */
  settleFresh(): void {
    this.#hasFresh = false;
  }

  /** Remembers the bytes that end at `endOffset`, at most `MARK_BYTES`; nothing remembered ends further. */
  note(endOffset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes ??= new Uint8Array(PLACES_MAX * MARK_BYTES);
    const slot = this.#places.length < PLACES_MAX ? this.#places.length : this.#forget();
    this.#bytes.set(bytes, slot * MARK_BYTES);
    this.#places.push({ endOffset, length: bytes.length, slot });
  }

  /**
   * Remembers places within a run that is read at `offset`, before which nothing is remembered beyond the first line: it
   * may reach from before a copy was made to after it. They are ends of lines where there are some, as those of most
   * copies, of a few lines every one, and stand behind the first `after` bytes of the run.
   */
  noteWithin(offset: number, run: Uint8Array, after = 0): void {
    const begin = Math.max(0, after);
    this.#hasFresh = true;
    for (const end of fewLineEnds(run, begin) ?? partEnds(run)) {
      if (end > begin && end < run.length)
        this.note(offset + end, run.subarray(Math.max(0, end - MARK_BYTES), end));
    }
  }

  /** Returns what stood before each place, by offset; valid until more is noted. */
  all(): EarlierMark[] {
    const bytes = this.#bytes;
    if (bytes === undefined) return [];
    return this.#places.map(({ endOffset, length, slot }) => {
      const start = slot * MARK_BYTES;
      return { offset: endOffset - length, bytes: bytes.subarray(start, start + length) };
    });
  }

  /** Returns the slot of a place that is forgotten. */
  #forget(): number {
    const index = leastMissed(this.#places.map(({ endOffset }) => endOffset));
    const [forgotten] = this.#places.splice(index, 1);
    return forgotten?.slot ?? 0;
  }
}

/** Returns the ends of the lines in a run behind its first `begin` bytes, unless they are more than `RUN_PARTS`. */
function fewLineEnds(run: Uint8Array, begin: number): number[] | undefined {
  const ends: number[] = [];
  for (let at = run.indexOf(NEWLINE, begin); at >= 0; at = run.indexOf(NEWLINE, at + 1)) {
    if (ends.length === RUN_PARTS) return undefined;
    ends.push(at + 1);
  }
  return ends.length > 0 ? ends : undefined;
}

/** Returns where the parts of a run end, each at the end of a line where one follows. */
function partEnds(run: Uint8Array): ReadonlySet<number> {
  const ends = new Set<number>();
  for (let part = 1; part < RUN_PARTS; part++) {
    const at = Math.ceil((run.length * part) / RUN_PARTS);
    const newline = run.indexOf(NEWLINE, at - 1);
    ends.add(newline < 0 ? at : newline + 1);
  }
  return ends;
}
