import { hasValidDateTime, readDigits, readEpochSeconds, writeTimestamp } from '../record/timestamp.ts';

const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const UPPER_T = 84;
const UPPER_Z = 90;

/**
 * Reads an RFC 3339 time at `bytes[at]`, of any fraction and zone, and writes it to `target` in UTC with nine
 * digits (further ones are cut). Returns where it ends, or -1 when there is none. Go's writers trim trailing zeros
 * of the fraction, so its length varies from line to line.
 */
export function parseRfc3339(bytes: Uint8Array, at: number, end: number, target: Uint8Array): number {
  if (end - at < 20 || !hasDateTimeMarks(bytes, at) || !hasValidDateTime(bytes, at)) return -1;
  let nanos = 0;
  let to = at + 19;
  if (bytes[to] === DOT) {
    let digitCount = 0;
    for (to++; to < end && isDigit(bytes[to]); to++) {
      if (digitCount++ < 9) nanos = nanos * 10 + ((bytes[to] ?? 0) - ZERO);
    }
    if (digitCount === 0) return -1;
    for (; digitCount < 9; digitCount++) nanos *= 10;
  }
  const offset = zoneOffsetSeconds(bytes, to, end);
  if (offset === undefined) return -1;
  const seconds = readEpochSeconds(bytes, at) - offset;
  if (seconds < YEAR_0_SECONDS || seconds > YEAR_9999_SECONDS) return -1;
  writeTimestamp(target, 0, seconds, nanos);
  return bytes[to] === UPPER_Z ? to + 1 : to + 6;
}

/** What a timestamp with a year of four digits can hold. */
const YEAR_0_SECONDS = -62_167_219_200;
const YEAR_9999_SECONDS = 253_402_300_799;

/** Seconds east of UTC of `Z` or `+HH:MM`, or undefined when neither stands there. */
function zoneOffsetSeconds(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (at < end && bytes[at] === UPPER_Z) return 0;
  const sign = bytes[at];
  if (at + 6 > end || (sign !== PLUS && sign !== MINUS) || bytes[at + 3] !== COLON) return undefined;
  const hours = readDigits(bytes, at + 1, 2);
  const minutes = readDigits(bytes, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return (hours * 3600 + minutes * 60) * (sign === MINUS ? -1 : 1);
}

/** Tells whether the separators of `YYYY-MM-DDTHH:MM:SS` are in their places. */
function hasDateTimeMarks(bytes: Uint8Array, at: number): boolean {
  const isDate = bytes[at + 4] === MINUS && bytes[at + 7] === MINUS && bytes[at + 10] === UPPER_T;
  return isDate && bytes[at + 13] === COLON && bytes[at + 16] === COLON;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 57;
}
