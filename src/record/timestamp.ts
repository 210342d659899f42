/**
 * Times as documents carry them: UTC, RFC 3339, nine digits of fraction, `2026-11-23T04:30:00.123456789Z`. The
 * width is fixed, so times sort as text. Works on numbers and bytes only: no `Date`, no objects.
 */

/** Characters of a timestamp. */
export const TIMESTAMP_LENGTH = 30;

const SECONDS_PER_DAY = 86_400;
const NS_PER_SECOND = 1_000_000_000n;
const ZERO = 48;

/** Days between 1970-01-01 and a date of the proleptic Gregorian calendar; `month` is 1 to 12. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Howard Hinnant's algorithm: years begin in March, so that the leap day is the last of its year.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Writes the 30 characters of a time at `target[at]`. Seconds since the epoch, within the years 0 to 9999. */
export function writeTimestamp(target: Uint8Array, at: number, epochSeconds: number, nanos: number): void {
  const days = Math.floor(epochSeconds / SECONDS_PER_DAY);
  const second = epochSeconds - days * SECONDS_PER_DAY;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  writeDigits(target, at, year, 4);
  target[at + 4] = 45;
  writeDigits(target, at + 5, month, 2);
  target[at + 7] = 45;
  writeDigits(target, at + 8, day, 2);
  target[at + 10] = 84;
  writeDigits(target, at + 11, Math.floor(second / 3600), 2);
  target[at + 13] = 58;
  writeDigits(target, at + 14, Math.floor(second / 60) % 60, 2);
  target[at + 16] = 58;
  writeDigits(target, at + 17, second % 60, 2);
  target[at + 19] = 46;
  writeDigits(target, at + 20, nanos, 9);
  target[at + 29] = 90;
}

/** Writes the lowest `count` decimal digits of `value`. */
export function writeDigits(target: Uint8Array, at: number, value: number, count: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    const tens = Math.floor(rest / 10);
    target[i] = ZERO + (rest - tens * 10);
    rest = tens;
  }
}

/** Returns the seconds since the epoch of a timestamp that is known to be well formed, without its fraction. */
export function readEpochSeconds(bytes: Uint8Array, at: number): number {
  const days = daysFromCivil(
    readDigits(bytes, at, 4),
    readDigits(bytes, at + 5, 2),
    readDigits(bytes, at + 8, 2),
  );
  const seconds =
    readDigits(bytes, at + 11, 2) * 3600 + readDigits(bytes, at + 14, 2) * 60 + readDigits(bytes, at + 17, 2);
  return days * SECONDS_PER_DAY + seconds;
}

/** Returns a timestamp that is known to be well formed in milliseconds since the epoch, rounded down. */
export function readEpochMs(bytes: Uint8Array, at: number): number {
  return readEpochSeconds(bytes, at) * 1000 + readDigits(bytes, at + 20, 3);
}

/** Returns the number that `count` decimal digits stand for, or -1 when one of them is none. */
export function readDigits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes the 30 characters of a time in nanoseconds since the epoch. */
export function writeTimestampNs(target: Uint8Array, at: number, timeNs: bigint): void {
  const nanos = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  writeTimestamp(target, at, Number((timeNs - nanos) / NS_PER_SECOND), Number(nanos));
}

/** Returns the 30 characters of a time in nanoseconds since the epoch. */
export function formatTimestamp(timeNs: bigint): string {
  const bytes = new Uint8Array(TIMESTAMP_LENGTH);
  writeTimestampNs(bytes, 0, timeNs);
  return String.fromCharCode(...bytes);
}

/** Returns the nanoseconds since the epoch of a document's `@timestamp`, or undefined when it has another form. */
export function parseTimestamp(text: string): bigint | undefined {
  if (text.length !== TIMESTAMP_LENGTH) return undefined;
  const bytes = new TextEncoder().encode(text);
  const nanos = readDigits(bytes, 20, 9);
  if (nanos < 0 || !isTimestampShape(bytes)) return undefined;
  return BigInt(readEpochSeconds(bytes, 0)) * NS_PER_SECOND + BigInt(nanos);
}

function isTimestampShape(bytes: Uint8Array): boolean {
  const marks =
    bytes[4] === 45 && bytes[7] === 45 && bytes[10] === 84 && bytes[13] === 58 && bytes[16] === 58;
  return marks && bytes[19] === 46 && bytes[29] === 90 && hasValidDateTime(bytes, 0);
}

/**
 * Tells whether the digits of `YYYY-MM-DD?HH:MM:SS` at `at` name a time: months and days exist, hours are below 24.
 * Second 60 (a leap second) counts as invalid, because no store can hold it.
 */
export function hasValidDateTime(bytes: Uint8Array, at: number): boolean {
  const year = readDigits(bytes, at, 4);
  const month = readDigits(bytes, at + 5, 2);
  const day = readDigits(bytes, at + 8, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return false;
  const hour = readDigits(bytes, at + 11, 2);
  const minute = readDigits(bytes, at + 14, 2);
  const second = readDigits(bytes, at + 17, 2);
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
