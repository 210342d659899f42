/**
 * Bytes of a line to the text of a JSON string, canonical: only `"`, `\` and control characters are escaped, with
 * JSON's short forms where there are some. What is not valid UTF-8 becomes U+FFFD, one per maximal subpart as the
 * Unicode standard recommends (section 3.9, table 3-8), so the result is always valid.
 */

/** 1 for bytes that stand in a JSON string as they are: printable ASCII but `"` and `\`. */
export const IS_PLAIN = new Uint8Array(256);
for (let byte = 0x20; byte < 0x80; byte++) IS_PLAIN[byte] = byte === 0x22 || byte === 0x5c ? 0 : 1;

/** The letter of a control character's short escape (`n` of `\n`), or 0. */
export const SHORT_ESCAPE = new Uint8Array(256);
SHORT_ESCAPE[0x08] = 0x62;
SHORT_ESCAPE[0x09] = 0x74;
SHORT_ESCAPE[0x0a] = 0x6e;
SHORT_ESCAPE[0x0c] = 0x66;
SHORT_ESCAPE[0x0d] = 0x72;
SHORT_ESCAPE[0x22] = 0x22;
SHORT_ESCAPE[0x5c] = 0x5c;

/** The longest that one byte can become: `\u0000`. */
export const ESCAPED_BYTES_MAX = 6;

const BACKSLASH = 0x5c;
const ZERO = 48;
const LETTER_U = 117;

export interface EscapeResult {
  /** One past the last byte written. */
  end: number;
  /** How many maximal subparts were replaced. */
  replacedCount: number;
}

/**
 * Writes `source[start, end)` into `target` from `at`, where there must be room for `ESCAPED_BYTES_MAX` times as
 * many bytes.
 */
export function escapeInto(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): EscapeResult {
  let to = at;
  let from = start;
  let replacedCount = 0;
  while (from < end) {
    const byte = source[from] ?? 0;
    if (IS_PLAIN[byte] === 1) {
      target[to++] = byte;
      from++;
    } else if (byte < 0x80) {
      to = escapeAscii(byte, target, to);
      from++;
    } else {
      const length = sequenceLength(source, from, end);
      if (length > 0) {
        for (const stop = from + length; from < stop;) target[to++] = source[from++] ?? 0;
      } else {
        to = writeReplacement(target, to);
        replacedCount++;
        from -= length;
      }
    }
  }
  return { end: to, replacedCount };
}

/** Writes the escape of a byte below 0x80 that is not plain; returns where it ends. */
export function escapeAscii(byte: number, target: Uint8Array, at: number): number {
  target[at] = BACKSLASH;
  const short = SHORT_ESCAPE[byte] ?? 0;
  if (short !== 0) {
    target[at + 1] = short;
    return at + 2;
  }
  const low = byte & 15;
  target[at + 1] = LETTER_U;
  target[at + 2] = ZERO;
  target[at + 3] = ZERO;
  target[at + 4] = ZERO + (byte >> 4);
  target[at + 5] = low < 10 ? ZERO + low : 87 + low;
  return at + 6;
}

/** Writes U+FFFD. */
export function writeReplacement(target: Uint8Array, at: number): number {
  target[at] = 0xef;
  target[at + 1] = 0xbf;
  target[at + 2] = 0xbd;
  return at + 3;
}

/**
 * Returns the length of the UTF-8 sequence that begins at `source[at]`, a byte of 0x80 or more: 2 to 4 when it is
 * valid, otherwise minus the length of its maximal subpart, -1 to -3.
 */
export function sequenceLength(source: Uint8Array, at: number, end: number): number {
  const lead = source[at] ?? 0;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = at + 1 < end ? (source[at + 1] ?? 0) : 0;
  if (second < low || second > high) return -1;
  for (let length = 2; length < wanted; length++) {
    const next = at + length < end ? (source[at + length] ?? 0) : 0;
    if ((next & 0xc0) !== 0x80) return -length;
  }
  return wanted;
}

/** Returns the largest cut at or below `end` that does not fall inside a UTF-8 sequence that began before it. */
export function cutAtCharacter(bytes: Uint8Array, end: number, available: number): number {
  let lead = end;
  while (lead > 0 && lead > end - 3 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead--;
  if (lead === end) return end;
  const length = sequenceLength(bytes, lead, available);
  return length > 0 && lead > 0 && lead + length > end ? lead : end;
}
