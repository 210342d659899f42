/**
 * Changes of a query by clicks. Only terms that stand at the top level of the text are touched; when the query has a
 * top-level `or`, the whole of it goes into brackets first, so that a click always narrows.
 */
import { formatFieldValue } from '../../query/format.ts';

interface Term {
  readonly start: number;
  readonly end: number;
  readonly isNegated: boolean;
  readonly field: string;
  readonly values: readonly string[];
}

const TERM =
  /(?<![^\s(])(-|!|not\s+)?([A-Za-z_@][\w.@/-]*):(\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)|"(?:[^"\\]|\\.)*"|[^\s()"]+)/gi;

/** Adds `field:value`, joins it with values already asked for (`or`), or takes it away when it is there. */
export function toggleValue(query: string, field: string, value: string): string {
  const cleaned = removeValue(query, field, value, true);
  const term = topLevelTerms(cleaned).find((each) => each.field === field && !each.isNegated);
  if (term === undefined) return appendTerm(cleaned, formatFieldValue(field, value));
  if (term.values.includes(value)) return removeValue(cleaned, field, value, false);
  return replaceTerm(cleaned, term, [...term.values, value]);
}

/** Adds `not field:value`, or takes it away when it is there; a positive term with the same value goes. */
export function toggleExclusion(query: string, field: string, value: string): string {
  const cleaned = removeValue(query, field, value, false);
  const term = topLevelTerms(cleaned).find((each) => isOnly(each, field, value) && each.isNegated);
  if (term !== undefined) return replaceTerm(cleaned, term, []);
  return appendTerm(cleaned, `not ${formatFieldValue(field, value)}`);
}

/** Says what a query asks of a value of a field, for the marks beside facets. */
export function valueState(query: string, field: string, value: string): 'included' | 'excluded' | 'neutral' {
  for (const term of topLevelTerms(query)) {
    if (term.field === field && term.values.includes(value)) return term.isNegated ? 'excluded' : 'included';
  }
  return 'neutral';
}

function isOnly(term: Term, field: string, value: string): boolean {
  return term.field === field && term.values.length === 1 && term.values[0] === value;
}

function removeValue(query: string, field: string, value: string, isNegated: boolean): string {
  const term = topLevelTerms(query).find(
    (each) => each.field === field && each.isNegated === isNegated && each.values.includes(value),
  );
  if (term === undefined) return query;
  return replaceTerm(
    query,
    term,
    term.values.filter((each) => each !== value),
  );
}

function replaceTerm(query: string, term: Term, values: readonly string[]): string {
  const quoted = values.map((value) => formatFieldValue(term.field, value).slice(term.field.length + 1));
  const list = quoted.length > 1 ? `(${quoted.join(' or ')})` : (quoted[0] ?? '');
  const text = values.length === 0 ? '' : `${term.isNegated ? 'not ' : ''}${term.field}:${list}`;
  const before = query.slice(0, term.start);
  const after = query.slice(term.end);
  if (text !== '') return before + text + after;
  // A term that goes takes the `and` that tied it to the rest along.
  const left = before.replace(/\s+and\s*$/i, ' ').trimEnd();
  const right = left === '' ? after.replace(/^\s*and\s+/i, '') : after;
  return `${left} ${right.trimStart()}`.trim();
}

function appendTerm(query: string, term: string): string {
  const text = query.trim();
  if (text === '' || text === '*') return term;
  return hasTopLevelOr(text) ? `(${text}) ${term}` : `${text} ${term}`;
}

function topLevelTerms(query: string): Term[] {
  const depths = bracketDepths(query);
  if (hasTopLevelOr(query)) return [];
  const terms: Term[] = [];
  for (const match of query.matchAll(TERM)) {
    if (depths[match.index] !== 0) continue;
    const [text, negation, field = '', value = ''] = match;
    const values = readValues(value);
    if (values === undefined) continue;
    terms.push({
      start: match.index,
      end: match.index + text.length,
      isNegated: negation !== undefined,
      field,
      values,
    });
  }
  return terms;
}

/** Reads `a`, `"a b"` and `(a or "b c")`; undefined for anything that is more than a list of values. */
function readValues(text: string): string[] | undefined {
  if (!text.startsWith('(')) return [unquote(text)];
  const inner = text.slice(1, -1).trim();
  const parts = inner.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? [];
  const values: string[] = [];
  for (const [index, part] of parts.entries()) {
    const isOperator = part.toLowerCase() === 'or';
    if (isOperator !== (index % 2 === 1)) return undefined;
    if (!isOperator) values.push(unquote(part));
  }
  return values;
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function hasTopLevelOr(query: string): boolean {
  const depths = bracketDepths(query);
  for (const match of query.matchAll(/(?<![^\s)])(or|\|\|)(?![^\s(])/gi)) {
    if (depths[match.index] === 0) return true;
  }
  return false;
}

/** Bracket depth at each character; inside quotes it is negative, so that nothing there looks like the top level. */
function bracketDepths(query: string): Int32Array {
  const depths = new Int32Array(query.length);
  let depth = 0;
  let isQuoted = false;
  for (let i = 0; i < query.length; i += 1) {
    const char = query[i];
    if (!isQuoted && char === ')') depth = Math.max(0, depth - 1);
    depths[i] = isQuoted ? -1 : depth;
    if (char === '"' && query[i - 1] !== '\\') isQuoted = !isQuoted;
    else if (!isQuoted && char === '(') depth += 1;
  }
  return depths;
}
