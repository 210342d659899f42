/**
 * Times as people write them (RFC 3339, dates, `now-15m`) and as documents hold them, in nanoseconds since the Unix
 * epoch, because the language's own dates stop at milliseconds.
 */
import { daysFromCivil } from '../record/timestamp.ts';

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
