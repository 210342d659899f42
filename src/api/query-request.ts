import { AppError } from '../base/errors.ts';
import type { Query } from '../query/ast.ts';
import { parseQuery, QUERY_LENGTH_MAX } from '../query/parser.ts';
import { resolveTimes } from '../query/resolve-times.ts';
import { parseTime } from '../query/time-range.ts';
import type { TimeRange } from '../store/store.ts';

/** The years from 1678 to 2261: what 64 bits of nanoseconds hold. */
export const ALL_TIME: TimeRange = {
  startNs: -9_214_560_000_000_000_000n,
  endNs: 9_214_646_400_000_000_000n,
};

/** Parses a client's query. Throws `bad_request` with the position when a regular expression does not compile. */
export function readQuery(text: string, nowNs: bigint, isKnownField?: (name: string) => boolean): Query {
  if (text.length > QUERY_LENGTH_MAX) {
    throw new AppError('bad_request', `cannot read a query of more than ${QUERY_LENGTH_MAX} characters`);
  }
  const { query, errors } = parseQuery(text, isKnownField === undefined ? {} : { isKnownField });
  const [error] = errors;
  if (error !== undefined) {
    throw new AppError(
      'bad_request',
      `cannot read the query: ${error.message}, at character ${error.start + 1}`,
      {
        hint: 'Regular expressions have the syntax of RE2; quote the text to search for it as it stands.',
      },
    );
  }
  return resolveTimes(query, nowNs);
}

/** Reads a range; a bound that is left out is that of `defaults`. Throws `bad_request`. */
export function readRange(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  nowNs: bigint,
  defaults: TimeRange,
): TimeRange {
  const startNs = start === undefined || start === '' ? defaults.startNs : readTime('start', start, nowNs);
  const endNs = end === undefined || end === '' ? defaults.endNs : readTime('end', end, nowNs);
  if (startNs < endNs) return { startNs, endNs };
  throw new AppError('bad_request', 'cannot search a range whose start is not before its end');
}

function readTime(name: string, text: string, nowNs: bigint): bigint {
  const timeNs = parseTime(text, nowNs);
  if (timeNs !== undefined) return timeNs;
  throw new AppError('bad_request', `cannot read ${name} “${text.slice(0, 60)}” as a time`, {
    hint: 'Write 2026-11-23T04:30:00Z, or now-15m with the units s m h d w. In an address, write + as %2B.',
  });
}
