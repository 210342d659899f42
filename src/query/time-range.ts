/**
 * Times as people write them (RFC 3339, dates, `now-15m`) and as documents hold them, in nanoseconds since the Unix
 * epoch. The calendar is computed here, because the language's own dates stop at milliseconds.
 */

const NS_PER_SECOND = 1_000_000_000n;

const NS_PER_UNIT: Readonly<Record<string, bigint>> = {
  s: NS_PER_SECOND,
  m: 60n * NS_PER_SECOND,
  h: 3_600n * NS_PER_SECOND,
  d: 86_400n * NS_PER_SECOND,
  w: 604_800n * NS_PER_SECOND,
};

/** The years that a signed 64-bit number of nanoseconds reaches. */
const TIME_NS_MIN = -9_223_286_400n * NS_PER_SECOND;
const TIME_NS_MAX = 9_223_286_400n * NS_PER_SECOND;

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?$/;

const RELATIVE = /^now(?:\s*([+-])\s*((?:\d{1,9}[smhdw])+))?$/;

/**
 * Returns the time that `text` names: RFC 3339 with up to nine digits of a second (more are cut, no zone means
 * UTC), a date alone, `now`, or `now-15m` with the units s m h d w. Undefined when it names none.
 */
export function parseTime(text: string, nowNs: bigint): bigint | undefined {
  const trimmed = text.trim();
  const timeNs = parseRelativeTime(trimmed, nowNs) ?? parseAbsoluteTime(trimmed);
  if (timeNs === undefined || timeNs < TIME_NS_MIN || timeNs > TIME_NS_MAX) return undefined;
  return timeNs;
}

/** Returns the nanoseconds of a duration such as `15m` or `1h30m`, or undefined. */
export function parseDurationNs(text: string): bigint | undefined {
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return undefined;
  let durationNs = 0n;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
    durationNs += BigInt(count ?? '0') * (NS_PER_UNIT[unit ?? ''] ?? 0n);
  }
  return durationNs;
}

/** Returns the time as documents write it: UTC with nine digits, 30 characters. */
export function formatTime(timeNs: bigint): string {
  const seconds = floorDivide(timeNs, NS_PER_SECOND);
  const fraction = timeNs - seconds * NS_PER_SECOND;
  const days = floorDivide(seconds, 86_400n);
  const second = Number(seconds - days * 86_400n);
  const date = civilFromDays(Number(days));
  const clock = [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60]
    .map(twoDigits)
    .join(':');
  return `${date}T${clock}.${fraction.toString().padStart(9, '0')}Z`;
}

function parseRelativeTime(text: string, nowNs: bigint): bigint | undefined {
  const match = RELATIVE.exec(text);
  if (match === null) return undefined;
  const durationNs = match[2] === undefined ? 0n : (parseDurationNs(match[2]) ?? 0n);
  return match[1] === '-' ? nowNs - durationNs : nowNs + durationNs;
}

function parseAbsoluteTime(text: string): bigint | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? '0'));
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  // A leap second is taken as the second that follows it, as Unix time does.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const zoneSeconds = zoneSecondsOf(match[8]);
  if (zoneSeconds === undefined) return undefined;
  const seconds =
    daysFromCivil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - zoneSeconds;
  return BigInt(seconds) * NS_PER_SECOND + BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
}

function zoneSecondsOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3_600 + minutes * 60);
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days since 1970-01-01 in the Gregorian calendar; years begin in March, so that leap days come last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${year.toString().padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0');
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
