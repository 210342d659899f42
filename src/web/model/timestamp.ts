/**
 * Times of documents are text with nine digits of a second. The page keeps that text, which is exact, and works with
 * milliseconds since the Unix epoch where it draws or compares roughly.
 */
import { parseTime } from '../../query/time-range.ts';
import { formatTimestamp } from '../../record/timestamp.ts';

const NS_PER_MS = 1_000_000n;

/** Returns the milliseconds (rounded down) of an RFC 3339 time, read as UTC when it names no zone, or undefined. */
export function timestampMs(text: string): number | undefined {
  if (text.startsWith('now')) return undefined;
  const timeNs = parseTime(text, 0n);
  if (timeNs === undefined) return undefined;
  const ms = Number(timeNs / NS_PER_MS);
  return timeNs % NS_PER_MS < 0n ? ms - 1 : ms;
}

/** Returns the milliseconds that RFC 3339 or `now-15m` stands for at `nowMs`, or undefined. */
export function resolveTime(text: string, nowMs: number): number | undefined {
  const timeNs = parseTime(text, BigInt(Math.floor(nowMs)) * NS_PER_MS);
  return timeNs === undefined ? undefined : Number(timeNs / NS_PER_MS);
}

/** Returns RFC 3339 in UTC, with milliseconds. */
export function timestampText(ms: number): string {
  return formatTimestamp(BigInt(Math.floor(ms)) * NS_PER_MS).replace(/\d{6}Z$/, 'Z');
}
