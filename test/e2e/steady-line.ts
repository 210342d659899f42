/**
 * Lines that a store can be asked about in one query: each has the name of its writer, its number twice, and a hash of
 * the number, and all lines of a writer are equally long. SQL can say what a line with a number must be, so that the
 * whole text of every line is compared without handing one out.
 */
const FILLER = 'the quick brown fox jumps over the lazy dog 0123456789 and goes on ';

const NUMBER_DIGITS = 12;

/** Knuth's multiplier for a hash of 32 bits: 2^32 times the golden ratio. */
const HASH_MULTIPLIER = 2_654_435_761;

const HASH_MODULUS = 2 ** 32;

/** What all lines of a writer have in common. */
export interface SteadyLines {
  readonly writer: string;
  /** Of one line, its end included. */
  readonly lineBytes: number;
}

/** Returns the text of line `number` (from 0), without its end, in ASCII. */
export function steadyLine(lines: SteadyLines, number: number): string {
  const digits = String(number).padStart(NUMBER_DIGITS, '0');
  const hash = (Math.imul(number, HASH_MULTIPLIER) >>> 0).toString(16).padStart(8, '0');
  return `writer=${lines.writer} seq=${digits} id=${hash} ${paddingOf(lines)} end=${digits}`;
}

/** Returns the padding between the hash and the second number; throws where the line has no room for it. */
export function paddingOf({ writer, lineBytes }: SteadyLines): string {
  const otherBytes = `writer=${writer} seq= id=12345678  end=\n`.length + 2 * NUMBER_DIGITS;
  if (lineBytes <= otherBytes) throw new Error(`lines of ${writer} need more than ${otherBytes} bytes`);
  return FILLER.repeat(Math.ceil(lineBytes / FILLER.length)).slice(0, lineBytes - otherBytes);
}

/** DuckDB's expressions over a column `message`: who wrote it, its number (NULL where it has none), and what it must be. */
export const STEADY_SQL = {
  writer: `substr(message, 8, instr(message, ' seq=') - 8)`,
  number: `TRY_CAST(substr(message, instr(message, ' seq=') + 5, ${NUMBER_DIGITS}) AS BIGINT)`,
  /** Of the columns `writer`, `number` and `padding`. */
  expected:
    `format('writer={} seq={:0${NUMBER_DIGITS}d} id={:08x} {} end={:0${NUMBER_DIGITS}d}', ` +
    `writer, number, (number * ${HASH_MULTIPLIER}) % ${HASH_MODULUS}, padding, number)`,
} as const;
