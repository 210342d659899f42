/**
 * Finds the stamp that a line begins with, for files that bring no other time: RFC 3339 and ISO with a blank,
 * `2026/11/23 04:30:00` (Go, nginx), Apache's access and error logs, syslog, and JSON with a member `time`,
 * `timestamp`, `@timestamp` or `ts`. Stamps without a zone are UTC, as in pipelines.
 */
import { compileTimeFormat } from '../indexer/pipeline/time-format.ts';
import type { TimeContext, TimeReader } from '../indexer/pipeline/time-format.ts';

/** A stamp stands early, behind an address and a user at most. */
export const STAMP_CHARACTERS_MAX = 512;

/** Longer JSON is not parsed for its time. */
export const JSON_CHARACTERS_MAX = 64 * 1024;

const SECONDS_PER_HALF_YEAR = 15_778_476;

const JSON_MEMBERS = ['time', 'timestamp', '@timestamp', 'ts'] as const;

/** What may stand behind a stamp: `2026-11-23T04:30:00Zebra` is none. */
const END = String.raw`(?=$|[\s\]|,;)"])`;

const ZONE = String.raw`(?:Z|[+-]\d\d(?::?\d\d)?| (?:Z|UTC|GMT|[+-]\d\d:?\d\d))?`;

interface Form {
  readonly pattern: RegExp;
  readonly readers: readonly TimeReader[];
}

const iso = compileTimeFormat('rfc3339', 'timestamps');

const FORMS: readonly Form[] = [
  {
    pattern: new RegExp(String.raw`^\[?(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d+)?${ZONE})${END}`),
    readers: [iso],
  },
  form(String.raw`^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+)${END}`, '%Y/%m/%d %H:%M:%S.%f'),
  form(String.raw`^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)${END}`, '%Y/%m/%d %H:%M:%S'),
  form(String.raw`^(?:\S+ \S+ [^[]{1,200})?\[(\d\d/[A-Za-z]{3}/\d{4}(?::\d\d){3} [+-]\d{4})\]`, 'clf'),
  form(
    String.raw`^\[([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]{8,18} \d{4})\]`,
    '%a %b %e %H:%M:%S.%f %Y',
    '%a %b %e %H:%M:%S %Y',
  ),
  form(String.raw`^(?:<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)${END}`, 'syslog'),
];

function form(pattern: string, ...formats: readonly string[]): Form {
  const readers = formats.map((format) => compileTimeFormat(format, 'timestamps'));
  return { pattern: new RegExp(pattern), readers };
}

/**
 * Returns the time that a line's text begins with, in nanoseconds since the epoch, or undefined. Stamps without a
 * year are of the year that ends at `nowSeconds`.
 */
export function readTextTime(text: string, nowSeconds: number): bigint | undefined {
  const context = contextAt(nowSeconds);
  for (const { pattern, readers } of FORMS) {
    const stamp = pattern.exec(text)?.[1];
    if (stamp === undefined) continue;
    for (const read of readers) {
      const timeNs = read(stamp, context);
      if (timeNs !== undefined) return timeNs;
    }
  }
  return undefined;
}

/** Returns the time of a line that is one JSON object, or undefined. */
export function readJsonTime(text: string, nowSeconds: number): bigint | undefined {
  const object = parseObject(text);
  for (const name of JSON_MEMBERS) {
    const value = object?.[name];
    if (value === undefined || value === null) continue;
    const context = contextAt(nowSeconds);
    const timeNs = iso(value, context) ?? compileTimeFormat(unitOf(value), 'timestamps')(value, context);
    if (timeNs !== undefined) return timeNs;
  }
  return undefined;
}

function contextAt(nowSeconds: number): TimeContext {
  // The year is chosen around the middle of the last twelve months: no line is of the future.
  return { zone: () => 0, nearSeconds: nowSeconds - SECONDS_PER_HALF_YEAR };
}

/** The unit of a number since the epoch, by its size: each holds for stamps of the years 1973 to 5138. */
function unitOf(value: unknown): string {
  const number = Number(value);
  if (number < 1e11) return 'unix';
  if (number < 1e14) return 'unix_ms';
  return number < 1e17 ? 'unix_us' : 'unix_ns';
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
