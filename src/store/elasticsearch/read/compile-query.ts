/**
 * Compiles a query for an engine. Not everything can be said in its language, so each node becomes two queries:
 * `atMost` finds every match and perhaps more, `atLeast` finds nothing but matches and perhaps fewer. Where they are
 * one and the same, the engine's answer is exact; otherwise `query/match.ts` decides about what is between them.
 *
 * `search-columns.ts` says what the columns hold; a document with the mark `odd` is always between.
 */
import { unreachable } from '../../../base/assert.ts';
import type { Query, RangeOperator, TextPattern } from '../../../query/ast.ts';
import { MESSAGE_FIELD, TIME_FIELD, UNSEARCHED_KEYS } from '../../../query/fields.ts';
import { parseNumber } from '../../../query/match.ts';
import { parseTime } from '../../../query/time-range.ts';
import type { Bounds, Dsl } from './dsl.ts';
import {
  ALL,
  NOTHING,
  allOf,
  anyOf,
  atMost,
  exactly,
  negated,
  noneOf,
  ownWildcard,
  term,
  timeRange,
  wildcard,
} from './dsl.ts';
import { FIELD_TABLE, PRIVATE_MEMBER, isOwnPath } from '../manage/field-table.ts';
import { regexLiterals } from './regex-literals.ts';
import { ALWAYS_THERE, SEPARATOR, UNREAD_PATHS } from '../column-names.ts';
import { WORD_LENGTH_MAX, numberWord, sortableDigits, wordHead, wordText } from '../search-columns.ts';
import type { Run } from './text-runs.ts';
import { RUN_LENGTH_MAX, runsOf } from './text-runs.ts';

const VALUES = `${PRIVATE_MEMBER}.values`;
const NUMBERS = `${PRIVATE_MEMBER}.numbers`;
const ORIGIN = `${PRIVATE_MEMBER}.origin`;
const TEXTS = `${PRIVATE_MEMBER}.texts`;
const MARKS = `${PRIVATE_MEMBER}.marks`;

/** Engines refuse queries with more than 1,024 clauses, and each node becomes a few. */
const NODES_MAX = 120;

/** Wildcard expressions become automata, which an engine limits. */
const PIECES_MAX = 4;
const OWN_PATTERN_LENGTH_MAX = 256;

const ODD = term(MARKS, 'odd');
const LONG = term(MARKS, 'long');

/** What agents write, each with a column of its own. */
const OWN_PATHS = Object.keys(FIELD_TABLE).filter(isOwnPath);

/** Returns the bounds of a query's matches. */
export function compileQuery(query: Query): Bounds {
  const { atMost: most, atLeast: least } = countNodes(query) > NODES_MAX ? atMost(ALL) : compile(query, LONG);
  if (most === ALL && least === ALL) return exactly(ALL);
  return { atMost: anyOf([most, ODD]), atLeast: allOf([least, noneOf(ODD)]) };
}

/** The records of which words do not say everything, and which are always between the bounds of a query. */
export const MARKED: Dsl = { exists: { field: MARKS } };

/** Returns what exactly matches where no record has a mark; undefined when the engine cannot tell even then. */
export function compileUnmarked(query: Query): Dsl | undefined {
  if (countNodes(query) > NODES_MAX) return undefined;
  const { atMost: most, atLeast: least } = compile(query, NOTHING);
  return most === least ? most : undefined;
}

function countNodes(query: Query): number {
  if (query.kind === 'not') return 1 + countNodes(query.operand);
  if (query.kind !== 'and' && query.kind !== 'or') return 1;
  return query.operands.reduce((sum, operand) => sum + countNodes(operand), 1);
}

/** `long` is what finds records whose words may be split anywhere. */
function compile(query: Query, long: Dsl): Bounds {
  switch (query.kind) {
    case 'all':
      return exactly(ALL);
    case 'and':
      return joined(
        query.operands.map((one) => compile(one, long)),
        allOf,
      );
    case 'or':
      return joined(
        query.operands.map((one) => compile(one, long)),
        anyOf,
      );
    case 'not':
      return negated(compile(query.operand, long));
    case 'text':
      return joined([inMessage(query.pattern, long), inValues(query.pattern, long)], anyOf);
    case 'field':
      return query.field === MESSAGE_FIELD
        ? inMessage(query.pattern, long)
        : whole(query.field, query.pattern);
    case 'contains':
      return query.field === MESSAGE_FIELD
        ? inMessage(query.pattern, long)
        : within(query.field, query.pattern, long);
    case 'exists':
      return exists(query.field);
    case 'range':
      return compileRange(query.field, query.operator, query.value);
    case 'regex':
      return compileRegexBounds(query.field ?? MESSAGE_FIELD, query.source, long);
    default:
      return unreachable(query);
  }
}

function joined(bounds: readonly Bounds[], join: (parts: readonly Dsl[]) => Dsl): Bounds {
  const most = join(bounds.map((one) => one.atMost));
  const isExact = bounds.every((one) => one.atMost === one.atLeast);
  return { atMost: most, atLeast: isExact ? most : join(bounds.map((one) => one.atLeast)) };
}

/** Kinds of words, by the character behind the separator; a word without one is a name. */
type WordKind = '=' | '~' | '&' | '#' | '<';

/** Kinds that hold whole values, and what stands in front of the value's text in each. */
const WORD_KINDS = [
  ['=', ['=']],
  ['&', ['&']],
  ['#', ['#', '!']],
] as const;

function columnOf(field: string, kind?: WordKind): string {
  const [head = ''] = field.split('.', 1);
  if (UNSEARCHED_KEYS.has(head)) return ORIGIN;
  return kind === '#' || kind === '<' ? NUMBERS : VALUES;
}

/** The pattern occurs in the message. */
function inMessage({ pieces }: TextPattern, long: Dsl): Bounds {
  return inText(MESSAGE_FIELD, pieces.map(wordText), long);
}

/** The pieces follow each other in a text that the engine has split into words. */
function inText(column: string, pieces: readonly string[], long: Dsl): Bounds {
  const filled = pieces.filter((piece) => piece !== '');
  if (filled.length === 0) return exactly(ALL);
  const found = filled.map(runsOf);
  const runs = found.flatMap((one) => one.runs);
  if (runs.length === 0) return atMost(ALL);
  const words = allOf(runs.map((run) => wordWith(column, run)));
  const isExact = found.length === 1 && found[0]?.isWhole === true;
  return { atMost: anyOf([words, long]), atLeast: isExact ? words : NOTHING };
}

/** A word with the run in it: the whole word, where the pattern has blanks on both sides of the run. */
function wordWith(column: string, { text, isBegin, isEnd }: Run): Dsl {
  return wildcard(column, [...(isBegin ? [] : ['']), text, ...(isEnd ? [] : [''])]);
}

/** The pattern occurs in a field that bare text reads, or a number there is equal. */
function inValues({ pieces }: TextPattern, long: Dsl): Bounds {
  const folded = pieces.map(wordText);
  const short = anyWord(VALUES, ['', `${SEPARATOR}=`], folded);
  const texts = joined([inText(TEXTS, folded, long), exactly({ exists: { field: TEXTS } })], allOf);
  const number = numberOf(pieces);
  const equal = number === undefined ? NOTHING : wildcard(NUMBERS, ['', `${SEPARATOR}${numberWord(number)}`]);
  return joined([short, texts, exactly(equal)], anyOf);
}

/** The field's whole value equals the pattern. */
function whole(field: string, { pieces }: TextPattern): Bounds {
  if (isUnread(field)) return unread(field, pieces);
  const folded = pieces.map(wordText);
  const words = pieces.length > 1 ? wholePattern(field, folded) : wholeText(field, folded[0] ?? '');
  return withOwnColumn(field, folded, words);
}

function wholeText(field: string, text: string): Bounds {
  const lead = `${field}${SEPARATOR}`;
  if (text.length > WORD_LENGTH_MAX) return atMost(term(columnOf(field), `${lead}~${wordHead(text)}`));
  const number = parseNumber(text);
  const words = ['=', '&'].map((kind) => term(columnOf(field), `${lead}${kind}${text}`));
  if (number !== undefined) words.push(term(columnOf(field, '#'), `${lead}${numberWord(number)}`));
  return exactly(anyOf(words));
}

function wholePattern(field: string, pieces: readonly string[]): Bounds {
  const lead = `${field}${SEPARATOR}`;
  const short = WORD_KINDS.map(([kind, leads]) =>
    anyWord(columnOf(field, kind), leadsOf(lead, leads), pieces, true),
  );
  const long = wildcard(columnOf(field), [`${lead}~${wordHead(pieces[0] ?? '')}`, '']);
  return joined([...short, atMost(long)], anyOf);
}

function leadsOf(lead: string, [first = '', ...rest]: readonly string[]): string[] {
  return [lead + first, ...rest];
}

/** The pattern occurs in the field's value. */
function within(field: string, { pieces }: TextPattern, long: Dsl): Bounds {
  if (isUnread(field)) return unread(field, ['', ...pieces, '']);
  const column = columnOf(field);
  const lead = `${field}${SEPARATOR}`;
  const folded = pieces.map(wordText);
  const short = WORD_KINDS.map(([kind, leads]) =>
    anyWord(columnOf(field, kind), leadsOf(lead, leads), folded),
  );
  const text = column === VALUES ? inText(TEXTS, folded, long).atMost : ALL;
  const texts = allOf([wildcard(column, [`${lead}~`, '']), text]);
  return withOwnColumn(field, ['', ...folded, ''], joined([...short, atMost(texts)], anyOf));
}

/** Asks beside the words the column that a field has of its own: what agents write is there, and has no words. */
function withOwnColumn(field: string, pieces: readonly string[], words: Bounds): Bounds {
  if (!isOwnPath(field)) return words;
  const parts = withoutEmpty(pieces);
  if (parts.length > PIECES_MAX || pieces.join('').length > OWN_PATTERN_LENGTH_MAX)
    return joined([atMost({ exists: { field } }), words], anyOf);
  return joined([exactly(ownWildcard(field, parts)), words], anyOf);
}

/**
 * A word that begins with the last of `leads` (anything in front of it when there are two), and has the pieces in
 * this order behind it: anywhere, or from the beginning to the end.
 */
function anyWord(
  column: string,
  leads: readonly string[],
  pieces: readonly string[],
  isAnchored = false,
): Bounds {
  const around = isAnchored ? pieces : ['', ...pieces, ''];
  const [first = '', ...rest] = around;
  const parts = [...leads.slice(0, -1), `${leads.at(-1) ?? ''}${first}`, ...rest];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const inner = parts.slice(1, -1).filter((part) => part !== '');
  // A word has no room for it.
  if (length > WORD_LENGTH_MAX) return exactly(NOTHING);
  if (inner.length <= PIECES_MAX) return exactly(wildcard(column, withoutEmpty(parts)));
  return atMost(wildcard(column, [...parts.slice(0, 2), '']));
}

/** Drops the empty pieces between others: two wildcards beside each other are one. */
function withoutEmpty(parts: readonly string[]): string[] {
  return parts.filter((part, index) => part !== '' || index === 0 || index === parts.length - 1);
}

/** Returns the records in which the field is there and not null. */
export function exists(field: string): Bounds {
  if (ALWAYS_THERE.has(field)) return exactly(ALL);
  if (field.includes(SEPARATOR)) return atMost(ALL);
  const own = OWN_PATHS.filter((path) => path === field || path.startsWith(`${field}.`));
  const columns = own.map((path): Dsl => ({ exists: { field: path } }));
  const path = field.toWellFormed();
  const values = [...new Set([columnOf(field), columnOf(field, '#')])].map((column) =>
    wildcard(column, [`${path}${SEPARATOR}`, '']),
  );
  return exactly(anyOf([term(columnOf(field), path), ...values, ...columns]));
}

/** Whether words say nothing of the field's values. */
function isUnread(field: string): boolean {
  return (
    ALWAYS_THERE.has(field) || UNREAD_PATHS.has(field) || field === MESSAGE_FIELD || field.includes(SEPARATOR)
  );
}

/** What a whole value is compared with where words say nothing of it. */
function unread(field: string, pieces: readonly string[]): Bounds {
  const folded = pieces.map(wordText);
  const [text = ''] = folded;
  const isPlain = pieces.length === 1;
  if (field === 'event.id' && pieces.length <= PIECES_MAX)
    return exactly(wildcard(field, withoutEmpty(folded)));
  if (field === 'log.offset' && isPlain) {
    const number = parseNumber(text);
    return number === undefined ? exactly(NOTHING) : offsetRange('>=', number, number);
  }
  if (field === TIME_FIELD && isPlain) {
    const timeNs = parseTime(text, 0n);
    return timeNs === undefined
      ? exactly(NOTHING)
      : atMost(timeRange({ startNs: timeNs, endNs: timeNs + 1n }));
  }
  return atMost(exists(field).atMost);
}

function compileRange(field: string, operator: RangeOperator, value: string): Bounds {
  const number = parseNumber(value);
  if (field === TIME_FIELD) {
    const bound = parseTime(value, 0n);
    return bound === undefined ? exactly(NOTHING) : exactly(timeComparison(operator, bound));
  }
  if (field === 'log.offset') return number === undefined ? exactly(NOTHING) : offsetRange(operator, number);
  if (isUnread(field)) return atMost(exists(field).atMost);
  if (number !== undefined) return exactly(numberRange(field, operator, sortableDigits(number)));
  const words = textRange(field, operator, wordText(value));
  // The column of its own sorts capitals first.
  return isOwnPath(field) ? joined([atMost({ exists: { field } }), words], anyOf) : words;
}

/** Compares offsets, which are whole: fractions are rounded to where the comparison stays the same. */
function offsetRange(operator: RangeOperator, bound: number, last?: number): Bounds {
  const limit = operator === '>' || operator === '<=' ? Math.floor(bound) : Math.ceil(bound);
  const limits = {
    '<': { lt: limit },
    '<=': { lte: limit },
    '>': { gt: limit },
    '>=': { gte: limit },
  } as const;
  if (Math.abs(bound) > Number.MAX_SAFE_INTEGER) return atMost(ALL);
  return exactly({
    range: {
      'log.offset': { ...limits[operator], ...(last === undefined ? {} : { lte: Math.floor(last) }) },
    },
  });
}

/** Texts sort as their words do when the bound is ASCII; beyond it, engines and JavaScript sort differently. */
function textRange(field: string, operator: RangeOperator, bound: string): Bounds {
  const isSorted = /^[\0-\u007e]*$/.test(bound) && bound.length < WORD_LENGTH_MAX;
  const kinds = ['=', '~'] as const;
  if (isSorted) return exactly(anyOf(kinds.map((kind) => wordRange(field, kind, operator, bound))));
  return atMost(anyOf(kinds.map((kind) => wordRange(field, kind, '>=', ''))));
}

/** Numbers, and texts that spell one. Behind the digits of a word stands `!`, and behind that in the alphabet `"`. */
function numberRange(field: string, operator: RangeOperator, digits: string): Dsl {
  const isBehind = operator === '<=' || operator === '>';
  const comparison = operator.startsWith('<') ? '<' : '>=';
  const bound = `${digits}${isBehind ? '"' : '!'}`;
  return anyOf((['#', '<'] as const).map((kind) => wordRange(field, kind, comparison, bound)));
}

/** Words of a kind that compare with `bound`. */
function wordRange(field: string, kind: WordKind, operator: RangeOperator, bound: string): Dsl {
  const lead = `${field}${SEPARATOR}${kind}`;
  const end = `${field}${SEPARATOR}${String.fromCharCode(kind.charCodeAt(0) + 1)}`;
  const limits = {
    '<': { gte: lead, lt: lead + bound },
    '<=': { gte: lead, lte: lead + bound },
    '>': { gt: lead + bound, lt: end },
    '>=': { gte: lead + bound, lt: end },
  } as const;
  return { range: { [columnOf(field, kind)]: limits[operator] } };
}

function timeComparison(operator: RangeOperator, bound: bigint): Dsl {
  const after = operator === '<=' || operator === '>' ? bound + 1n : bound;
  return operator.startsWith('<') ? timeRange({ endNs: after }) : timeRange({ startNs: after });
}

function compileRegexBounds(field: string, source: string, long: Dsl): Bounds {
  const pieces = regexLiterals(source).map((literal) => literal.slice(0, RUN_LENGTH_MAX));
  const texts = pieces.map((piece): TextPattern => ({ pieces: [piece] }));
  const found = texts.map((text) =>
    field === MESSAGE_FIELD ? inMessage(text, long) : within(field, text, long),
  );
  const there = exists(field).atMost;
  return atMost(allOf([there, ...found.map((one) => one.atMost)]));
}

function numberOf([only, ...others]: readonly string[]): number | undefined {
  return only === undefined || others.length > 0 ? undefined : parseNumber(only);
}
