/**
 * Lines that prove themselves: each names its writer and its number, and the rest of it follows from these two, so
 * that a line that was cut, joined or mixed up is told from a good one.
 */
const FILLER = 'the quick brown fox jumps over the lazy dog 0123456789 ÄÖÜ αβγ';

/** Returns the text of one line, without its end; every 97th is longer than a CRI piece would be whole. */
export function sequenceLine(writer: string, number: number): string {
  const filler = FILLER.slice(0, 10 + ((number * 7) % (FILLER.length - 10)));
  const isLong = number % 97 === 96;
  return `writer=${writer} seq=${number} ${isLong ? filler.repeat(12) : filler} end`;
}

/** What was seen of the lines of one writer. */
interface Seen {
  readonly counts: Uint8Array;
}

export interface Verdict {
  readonly missing: readonly string[];
  readonly twice: readonly string[];
  readonly foreign: readonly string[];
  readonly found: number;
}

/** At most so many examples of each kind of mistake are reported. */
const EXAMPLES_MAX = 20;

/** Compares a set of lines with what the writers wrote: each exactly once, nothing else. */
export class SequenceCheck {
  readonly #seen = new Map<string, Seen>();
  readonly #foreign: string[] = [];
  #found = 0;

  /** `written` has the number of lines by writer. */
  constructor(written: ReadonlyMap<string, number>) {
    for (const [writer, count] of written) this.#seen.set(writer, { counts: new Uint8Array(count) });
  }

  add(message: string): void {
    this.#found += 1;
    const match = /^writer=(\S+) seq=(\d+) /.exec(message);
    const number = Number(match?.[2]);
    const counts = this.#seen.get(match?.[1] ?? '')?.counts;
    if (
      counts === undefined ||
      number >= counts.length ||
      message !== sequenceLine(match?.[1] ?? '', number)
    ) {
      if (this.#foreign.length < EXAMPLES_MAX) this.#foreign.push(message.slice(0, 200));
      return;
    }
    counts[number] = Math.min(255, (counts[number] ?? 0) + 1);
  }

  verdict(): Verdict {
    const missing: string[] = [];
    const twice: string[] = [];
    for (const [writer, { counts }] of this.#seen) {
      missing.push(...listRanges(writer, counts, (count) => count === 0));
      twice.push(...listRanges(writer, counts, (count) => count > 1));
    }
    return { missing, twice, foreign: this.#foreign, found: this.#found };
  }
}

function listRanges(writer: string, counts: Uint8Array, isBad: (count: number) => boolean): string[] {
  const ranges: string[] = [];
  for (let start = 0; start < counts.length && ranges.length < EXAMPLES_MAX; start += 1) {
    if (!isBad(counts[start] ?? 0)) continue;
    let end = start;
    while (end + 1 < counts.length && isBad(counts[end + 1] ?? 0)) end += 1;
    ranges.push(end === start ? `${writer} ${start}` : `${writer} ${start} to ${end}`);
    start = end;
  }
  return ranges;
}
