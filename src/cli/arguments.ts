/** Arguments that several commands read in the same way. */
import { InvalidArgumentError } from 'commander';
import { ConfigError } from '../base/errors.ts';
import { parseDuration } from '../config/scalars.ts';

/** Most records that are held in memory for one search. */
const COUNT_MAX = 1_000_000;

/** Returns a parser of counts for `new Option().argParser`. */
export function parseCount(flag: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count < 1 || count > COUNT_MAX) {
      throw new InvalidArgumentError(`${flag} takes a whole number from 1 to ${COUNT_MAX}.`);
    }
    return count;
  };
}

/** Returns what the API takes for `1h`, `now-1h`, `now` and RFC 3339 times. */
export function readTime(flag: string, text: string): string {
  const trimmed = text.trim();
  if (/^\d+(ms|[smhdw])$/.test(trimmed)) return `now-${trimmed}`;
  if (/^now(-\d+(ms|[smhdw]))?$/.test(trimmed)) return trimmed;
  if (/^\d{4}-\d{2}-\d{2}$/.test(trimmed)) return `${trimmed}T00:00:00Z`;
  if (/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}/.test(trimmed)) return trimmed.replace(' ', 'T');
  throw new ConfigError(
    flag,
    `got ${JSON.stringify(text)}, expected a duration such as 15m, 1h or 7d, or a time such as 2026-11-23T04:00:00Z`,
  );
}

/** Returns the milliseconds of `10s`, `5m` and the like. */
export function readDurationMs(flag: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new ConfigError(flag, `got ${JSON.stringify(text)}, expected a duration such as 500ms, 10s or 5m`);
}
