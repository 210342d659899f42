/**
 * The hot path's part for Docker's lines: their text is a JSON string already, so most of it, escapes included, is
 * copied as it stands. Whatever is not canonical is left to the general path.
 */
import { escapeAscii, IS_PLAIN, sequenceLength } from './escape-json.ts';

interface Range {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 34;
const BACKSLASH = 92;
const LETTER_N = 110;
const LETTER_U = 117;

/** 1 for letters of short escapes that stand in a document as they are; newlines and CRs have a meaning. */
const IS_COPIED_ESCAPE = new Uint8Array(256);
for (const letter of [34, 92, 98, 102, 116]) IS_COPIED_ESCAPE[letter] = 1;

const encoder = new TextEncoder();
export const STREAM_MEMBER = encoder.encode(',"stream":"');
export const TIME_MEMBER = encoder.encode('","time":"');

/** Tells whether `part` stands at `bytes[at]`. */
export function startsWith(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

/** Used again for every line. */
const result = { end: 0, outEnd: 0 };

/**
 * Copies the text of a `log` member that ends in a newline, without it. Returns where the member's closing quote
 * ends and where the copy does, valid until the next call; undefined for what the general path has to look at:
 * pieces, CRs, rare escapes, text that is no JSON or no UTF-8, and text that does not fit.
 */
export function copyDockerText(
  bytes: Uint8Array,
  source: Range,
  out: Uint8Array,
  target: Range,
): Readonly<typeof result> | undefined {
  let from = source.start;
  let to = target.start;
  while (to < target.end && from < source.end) {
    const byte = bytes[from] ?? 0;
    if (IS_PLAIN[byte] === 1) {
      out[to++] = byte;
      from++;
    } else if (byte === BACKSLASH) {
      const letter = bytes[from + 1] ?? 0;
      if (letter === LETTER_N && bytes[from + 2] === QUOTE) {
        result.end = from + 3;
        result.outEnd = to;
        return result;
      }
      if (IS_COPIED_ESCAPE[letter] === 1) {
        out[to++] = byte;
        out[to++] = letter;
        from += 2;
      } else {
        const escaped = letter === LETTER_U ? escapedAscii(bytes, from + 2) : -1;
        if (escaped < 0) return undefined;
        to = escaped >= 0x20 ? writePlain(escaped, out, to) : escapeAscii(escaped, out, to);
        from += 6;
      }
    } else {
      const length = byte < 0x80 ? -1 : sequenceLength(bytes, from, source.end);
      if (length < 0) return undefined;
      for (const stop = from + length; from < stop;) out[to++] = bytes[from++] ?? 0;
    }
  }
  return undefined;
}

function writePlain(byte: number, out: Uint8Array, at: number): number {
  out[at] = byte;
  return at + 1;
}

/**
 * The value of `00XX` at `bytes[at]` where Go's encoder writes ASCII in this form: `<`, `>`, `&`, and control
 * characters but newline and CR. Otherwise -1.
 */
function escapedAscii(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== 48 || bytes[at + 1] !== 48) return -1;
  const high = (bytes[at + 2] ?? 0) - 48;
  const low = hexValue(bytes[at + 3] ?? 0);
  if (high < 0 || high > 3 || low < 0) return -1;
  const value = high * 16 + low;
  if (value < 0x20) return value === 10 || value === 13 || value === 0 ? -1 : value;
  return value === 0x3c || value === 0x3e || value === 0x26 ? value : -1;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  return byte >= 97 && byte <= 102 ? byte - 87 : -1;
}
