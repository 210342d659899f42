/** What of a query can be shown: its colours in the bar, and the places in messages where it matches. */
import type { Query } from '../../query/ast.ts';
import { MESSAGE_FIELD } from '../../query/fields.ts';
import type { ParsedQuery } from '../../query/parser.ts';
import { parseQuery } from '../../query/parser.ts';
import type { MarkRange } from './message-segments.ts';
import { findMarks, joinRanges } from './message-segments.ts';

export interface QueryHint {
  readonly message: string;
  readonly isError: boolean;
}

export interface Highlighter {
  readonly needles: readonly string[];
  readonly regexes: readonly RegExp[];
}

export const HIGHLIGHTER_NONE: Highlighter = { needles: [], regexes: [] };

/** Regular expressions mark within this much text only: the browser's engine is not linear, the server's is. */
const REGEX_CHARS_MAX = 500;

/** Returns the hints of a query, errors first; the same sentence stands once. */
export function queryHints(parsed: ParsedQuery): QueryHint[] {
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

/** Returns the ranges of `text` that a query matches. */
export function marksOf(text: string, highlighter: Highlighter): MarkRange[] {
  const marks = findMarks(text, highlighter.needles);
  for (const regex of highlighter.regexes) {
    for (const match of text.slice(0, REGEX_CHARS_MAX).matchAll(regex)) {
      if (match[0] !== '') marks.push({ start: match.index, end: match.index + match[0].length });
    }
  }
  return joinRanges(marks);
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
