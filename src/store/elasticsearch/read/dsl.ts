/** Pieces of the engines' query language, simplified where they are joined. */
import { formatTimestamp } from '../../../record/timestamp.ts';

/** One query, as JSON. */
export type Dsl = Readonly<Record<string, unknown>>;

/** Two queries around one set of matches. Where both are the same object, it is exact. */
export interface Bounds {
  readonly atMost: Dsl;
  readonly atLeast: Dsl;
}

export const ALL: Dsl = { match_all: {} };
export const NOTHING: Dsl = { match_none: {} };

/** The times that `date_nanos` holds. */
const TIME_NS_MIN = 0n;
const TIME_NS_MAX = (1n << 63n) - 1n;

export function exactly(query: Dsl): Bounds {
  return { atMost: query, atLeast: query };
}

/** The matches are among those of the query. */
export function atMost(query: Dsl): Bounds {
  return query === NOTHING ? exactly(NOTHING) : { atMost: query, atLeast: NOTHING };
}

export function allOf(parts: readonly Dsl[]): Dsl {
  if (parts.includes(NOTHING)) return NOTHING;
  const filter = parts.filter((part) => part !== ALL);
  if (filter.length === 0) return ALL;
  return filter.length === 1 && filter[0] !== undefined ? filter[0] : { bool: { filter } };
}

export function anyOf(parts: readonly Dsl[]): Dsl {
  if (parts.includes(ALL)) return ALL;
  const should = parts.filter((part) => part !== NOTHING);
  if (should.length === 0) return NOTHING;
  if (should.length === 1 && should[0] !== undefined) return should[0];
  return { bool: { should, minimum_should_match: 1 } };
}

/** What is certainly no match of the operand certainly is one of its negation. */
export function negated(bounds: Bounds): Bounds {
  const most = noneOf(bounds.atLeast);
  return { atMost: most, atLeast: bounds.atMost === bounds.atLeast ? most : noneOf(bounds.atMost) };
}

export function noneOf(query: Dsl): Dsl {
  if (query === ALL) return NOTHING;
  return query === NOTHING ? ALL : { bool: { must_not: [query] } };
}

export function term(column: string, value: string): Dsl {
  return { term: { [column]: value } };
}

/** A word of the column consists of the pieces, with anything between each two. */
export function wildcard(column: string, pieces: readonly string[]): Dsl {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return term(column, only);
  return { wildcard: { [column]: { value: wildcardText(pieces) } } };
}

/** The same for a column that keeps the case of letters: those of ASCII compare without it. */
export function ownWildcard(column: string, pieces: readonly string[]): Dsl {
  const [only] = pieces;
  // OpenSearch finds no empty term without regard to case.
  if (pieces.length === 1 && only === '') return term(column, only);
  const value = pieces.length === 1 ? (pieces[0] ?? '') : wildcardText(pieces);
  return { [pieces.length === 1 ? 'term' : 'wildcard']: { [column]: { value, case_insensitive: true } } };
}

function wildcardText(pieces: readonly string[]): string {
  return pieces.map((piece) => piece.replaceAll(/[\\*?]/g, '\\$&')).join('*');
}

/** Times from `startNs` until before `endNs`, as engines compare `date_nanos`: by text, to the nanosecond. */
export function timeRange({ startNs, endNs }: { startNs?: bigint; endNs?: bigint }): Dsl {
  const start = startNs ?? TIME_NS_MIN;
  const end = endNs ?? TIME_NS_MAX;
  if (start > TIME_NS_MAX || end <= TIME_NS_MIN || start >= end) return NOTHING;
  const gte = start <= TIME_NS_MIN ? {} : { gte: formatTimestamp(start) };
  const lt = end >= TIME_NS_MAX ? {} : { lt: formatTimestamp(end) };
  const limits = { ...gte, ...lt };
  return Object.keys(limits).length === 0 ? ALL : { range: { '@timestamp': limits } };
}
