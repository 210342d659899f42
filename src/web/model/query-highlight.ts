/** What of a query can be shown: its colours in the bar, and the places in messages where it matches. */
import type { Query } from '../../query/ast.ts';
import { MESSAGE_FIELD } from '../../query/fields.ts';
import type { ParsedQuery, Token } from '../../query/parser.ts';
import { parseQuery } from '../../query/parser.ts';
import type { Highlighter } from './message-marks.ts';

export interface QueryHint {
  readonly message: string;
  readonly isError: boolean;
}

/** A query as the bar shows it: tokens that cover the text, and at most so many hints, errors first. */
export interface DescribedQuery {
  readonly tokens: readonly Token[];
  readonly hints: readonly QueryHint[];
}

const HINTS_MAX = 2;

/** Parses what stands in the bar. */
export function describeQuery(text: string): DescribedQuery {
  const parsed = parseQuery(text);
  return { tokens: parsed.tokens, hints: queryHints(parsed).slice(0, HINTS_MAX) };
}

/** The same sentence stands once. */
function queryHints(parsed: ParsedQuery): QueryHint[] {
  const errors = parsed.errors.map(({ message, start }) => ({
    message: `${message} (at ${start + 1})`,
    isError: true,
  }));
  const hints = parsed.hints.map(({ message }) => ({ message, isError: false }));
  const all = [...errors, ...hints];
  return all.filter((hint, index) => all.findIndex(({ message }) => message === hint.message) === index);
}

/** Makes what marks matches in messages; the parts of a query that are negated mark nothing. */
export function highlighterOf(text: string): Highlighter {
  const needles = new Set<string>();
  const regexes: RegExp[] = [];
  collect(parseQuery(text).query, needles, regexes);
  return { needles: [...needles], regexes };
}

function collect(query: Query, needles: Set<string>, regexes: RegExp[]): void {
  if (query.kind === 'and' || query.kind === 'or') {
    for (const operand of query.operands) collect(operand, needles, regexes);
  } else if (query.kind === 'regex') {
    const regex =
      query.field === undefined || query.field === MESSAGE_FIELD ? browserRegex(query.source) : undefined;
    if (regex !== undefined) regexes.push(regex);
  } else if (query.kind === 'text' || isOfMessage(query)) {
    for (const piece of query.pattern.pieces) if (piece.trim() !== '') needles.add(piece);
  }
}

type PatternQuery = Extract<Query, { kind: 'field' | 'contains' }>;

function isOfMessage(query: Query): query is PatternQuery {
  return (query.kind === 'field' || query.kind === 'contains') && query.field === MESSAGE_FIELD;
}

/** A repeated group may take the browser's engine exponential time; such a pattern matches without being marked. */
function browserRegex(source: string): RegExp | undefined {
  if (/\)[*+{]/.test(source)) return undefined;
  const isInsensitive = source.startsWith('(?i)');
  try {
    return new RegExp(isInsensitive ? source.slice(4) : source, isInsensitive ? 'giu' : 'gu');
  } catch {
    return undefined;
  }
}
