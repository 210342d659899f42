/**
 * The stamps that s6-log puts before lines:
 *
 *   t   `@` + 24 hexadecimal digits + blank: a TAI64N label, 8 bytes of seconds and 4 of nanoseconds
 *   T   `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` + two blanks: local time without its zone
 *
 * A TAI64 label is 2^62 plus the seconds since 1970 on the TAI scale. What stands between that and Unix time is 10 s
 * for writers that ignore leap seconds and 37 s for those that count them, so it is an option.
 */
import { hasValidDateTime, readDigits, readEpochSeconds, writeTimestamp } from '../record/timestamp.ts';
import { hexDigit } from './docker-line.ts';

/** Bytes of `@` + 24 digits + blank. */
export const TAI64N_STAMP_BYTES = 26;

/** Bytes of a `T` stamp with its two blanks. */
export const LOCAL_STAMP_BYTES = 31;

/** The distances that writers are known to use. */
const TAI_OFFSETS_SECONDS = [37, 10];

/** Seconds beyond which a label does not fit a year of four digits. */
const LABEL_SECONDS_MAX = 253_402_300_799;

/** Returns the seconds of a TAI64N label at `bytes[at]`, not yet moved to Unix time, or -1. */
export function taiLabelSeconds(bytes: Uint8Array, at: number, end: number): number {
  if (at + TAI64N_STAMP_BYTES > end || bytes[at] !== 0x40 || bytes[at + 25] !== 0x20) return -1;
  const high = readHex(bytes, at + 1, 8);
  const low = readHex(bytes, at + 9, 8);
  if (high < 0x40000000 || low < 0) return -1;
  const seconds = (high - 0x40000000) * 0x100000000 + low;
  return seconds <= LABEL_SECONDS_MAX ? seconds : -1;
}

/**
 * Reads a TAI64N stamp at the beginning of a line and writes its time in UTC to `target`. Returns where the content
 * begins, or -1.
 */
export function parseTai64n(
  bytes: Uint8Array,
  at: number,
  end: number,
  target: Uint8Array,
  taiOffsetSeconds: number,
): number {
  const seconds = taiLabelSeconds(bytes, at, end);
  const nanos = seconds < 0 ? -1 : readHex(bytes, at + 17, 8);
  if (nanos < 0 || nanos > 999_999_999) return -1;
  writeTimestamp(target, 0, seconds - taiOffsetSeconds, nanos);
  return at + TAI64N_STAMP_BYTES;
}

/**
 * Reads a `T` stamp at the beginning of a line and writes its time in UTC to `target`. `zoneOffsetSeconds` gives the
 * seconds east of UTC of a local time. Returns where the content begins, or -1.
 */
export function parseLocalStamp(
  bytes: Uint8Array,
  end: number,
  target: Uint8Array,
  zoneOffsetSeconds: (localSeconds: number) => number,
): number {
  if (end < LOCAL_STAMP_BYTES || !hasLocalMarks(bytes) || !hasValidDateTime(bytes, 0)) return -1;
  const nanos = readDigits(bytes, 20, 9);
  if (nanos < 0) return -1;
  const localSeconds = readEpochSeconds(bytes, 0);
  writeTimestamp(target, 0, localSeconds - zoneOffsetSeconds(localSeconds), nanos);
  return LOCAL_STAMP_BYTES;
}

function hasLocalMarks(bytes: Uint8Array): boolean {
  if (bytes[4] !== 45 || bytes[7] !== 45 || bytes[10] !== 32 || bytes[13] !== 58 || bytes[16] !== 58)
    return false;
  return bytes[19] === 46 && bytes[29] === 32 && bytes[30] === 32;
}

/**
 * Returns the distance between labels and Unix time that fits best: `writtenSeconds` is when the line with that
 * label was written, by the clock of the file system.
 */
export function taiOffsetSecondsOf(labelSeconds: number, writtenSeconds: number): number {
  const distance = labelSeconds - writtenSeconds;
  const [first = 0, ...others] = TAI_OFFSETS_SECONDS;
  return others.reduce(
    (best, offset) => (Math.abs(offset - distance) < Math.abs(best - distance) ? offset : best),
    first,
  );
}

function readHex(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Whether a line at `bytes[at]` can begin with a `T` stamp. */
export function mayBeLocalStamp(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 10] === 32 && bytes[at + 19] === 46 && bytes[at + 29] === 32;
}
