/**
 * Decides about one document what a store decides about all of them: the meaning of every node of `ast.ts` in its
 * shortest form. Live tail, the store in memory and the tests of the other stores use it.
 *
 *   - a path matches nested objects and literal keys with dots, in every combination
 *   - an array matches when one of its elements does; null is the same as absent
 *   - a number compares by its value, and by its text where there are wildcards or a substring is asked for
 *   - bare text reads `message`, every text below `fields` and in an ECS line's own objects; a bare number also
 *     finds numbers there that are equal to it
 */
import { unreachable } from '../base/assert.ts';
import type { Query, RangeOperator, TextPattern } from './ast.ts';
import { foldCase } from './fold-case.ts';
import { MESSAGE_FIELD, TIME_FIELD, UNSEARCHED_KEYS } from './fields.ts';
import { compileRegex } from './regex.ts';
import { parseTime } from './time-range.ts';

/** A parsed document. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type Matcher = (document: JsonObject) => boolean;

/** Segments of a path that are tried as parts of literal keys with dots; more are taken as nested. */
const PATH_SEGMENTS_MAX = 12;

/** Values nested deeper than this are not read. */
const DEPTH_MAX = 64;

/** Returns the predicate of a query. Regular expressions that do not compile match nothing. */
export function compileMatcher(query: Query): Matcher {
  switch (query.kind) {
    case 'all':
      return () => true;
    case 'and': {
      const matchers = query.operands.map(compileMatcher);
      return (document) => matchers.every((matches) => matches(document));
    }
    case 'or': {
      const matchers = query.operands.map(compileMatcher);
      return (document) => matchers.some((matches) => matches(document));
    }
    case 'not': {
      const matches = compileMatcher(query.operand);
      return (document) => !matches(document);
    }
    case 'text':
      return compileText(query.pattern);
    case 'field':
      return onField(
        query.field,
        query.field === MESSAGE_FIELD ? occursIn(query.pattern) : equals(query.pattern),
      );
    case 'contains':
      return onField(query.field, occursIn(query.pattern));
    case 'exists':
      return compileExists(query.field);
    case 'range':
      return onField(query.field, compileRange(query.field, query.operator, query.value));
    case 'regex':
      return compileRegexMatcher(query.field ?? MESSAGE_FIELD, query.source);
    default:
      return unreachable(query);
  }
}

/** Calls `visit` for the values at a dotted path, until it returns true; returns whether it did. */
export function someValueAt(object: JsonObject, path: string, visit: (value: unknown) => boolean): boolean {
  return someAt(object, path.split('.'), 0, visit);
}

/** Returns the value at the first of the paths that has one, as people read it. An object is no value. */
export function firstTextAt(object: JsonObject, paths: readonly string[]): string | undefined {
  let text: string | undefined;
  const take = (value: unknown): boolean => {
    if (value === null || value === undefined || isObject(value)) return false;
    text = typeof value === 'string' ? value : JSON.stringify(value);
    return true;
  };
  paths.some((path) => someValueAt(object, path, take));
  return text;
}

function someAt(
  value: unknown,
  segments: readonly string[],
  from: number,
  visit: (found: unknown) => boolean,
): boolean {
  if (from === segments.length) return visit(value);
  if (Array.isArray(value)) return value.some((element) => someAt(element, segments, from, visit));
  if (!isObject(value)) return false;
  const last = Math.min(segments.length, from + PATH_SEGMENTS_MAX);
  let key = '';
  for (let next = from + 1; next <= last; next += 1) {
    key = next === from + 1 ? (segments[from] ?? '') : `${key}.${segments[next - 1] ?? ''}`;
    if (Object.hasOwn(value, key) && someAt(value[key], segments, next, visit)) return true;
  }
  return false;
}

type ScalarTest = (value: string | number | boolean) => boolean;

function onField(field: string, test: ScalarTest): Matcher {
  const segments = field.split('.');
  const visit = (value: unknown): boolean => someScalar(value, test);
  return (document) => someAt(document, segments, 0, visit);
}

function compileExists(field: string): Matcher {
  const segments = field.split('.');
  return (document) => someAt(document, segments, 0, (value) => value !== null && value !== undefined);
}

/** The value itself, or an element of the array that it is. */
function someScalar(value: unknown, test: ScalarTest): boolean {
  if (Array.isArray(value)) return value.some((element) => !isObject(element) && someScalar(element, test));
  return isScalar(value) && test(value);
}

function compileText(pattern: TextPattern): Matcher {
  const inText = occursIn(pattern);
  const number = numberOf(pattern);
  const test: ScalarTest = (value) => (typeof value === 'string' ? inText(value) : value === number);
  return (document) => {
    for (const key in document) {
      if (!UNSEARCHED_KEYS.has(key)) {
        if (someLeaf(document[key], test, 0)) return true;
      }
    }
    return false;
  };
}

function someLeaf(value: unknown, test: ScalarTest, depth: number): boolean {
  if (isScalar(value)) return test(value);
  if (depth >= DEPTH_MAX || typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => someLeaf(member, test, depth + 1));
}

function equals(pattern: TextPattern): ScalarTest {
  const pieces = lowerCased(pattern);
  const number = numberOf(pattern);
  return (value) => {
    if (typeof value === 'number' && number !== undefined) return value === number;
    return matchesWhole(foldCase(String(value)), pieces);
  };
}

function occursIn(pattern: TextPattern): ScalarTest {
  const pieces = lowerCased(pattern);
  return (value) => occurs(foldCase(String(value)), pieces);
}

function lowerCased({ pieces }: TextPattern): string[] {
  return pieces.map((piece) => foldCase(piece));
}

/** The number that a pattern without wildcards spells, as JSON would. */
function numberOf({ pieces }: TextPattern): number | undefined {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? parseNumber(only) : undefined;
}

/** The pieces follow each other in the text, with anything around and between. */
function occurs(text: string, pieces: readonly string[]): boolean {
  let from = 0;
  for (const piece of pieces) {
    const found = text.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return true;
}

/** The text begins with the first piece, ends with the last, and has the others between, in order. */
function matchesWhole(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length <= 1) return text === first;
  const last = pieces.at(-1) ?? '';
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  return occurs(text.slice(first.length, text.length - last.length), pieces.slice(1, -1));
}

function compileRange(field: string, operator: RangeOperator, value: string): ScalarTest {
  if (field === TIME_FIELD) {
    const bound = parseTime(value, 0n);
    return (time) => bound !== undefined && compares(parseTime(String(time), 0n), operator, bound);
  }
  const number = parseNumber(value);
  if (number === undefined) {
    const bound = foldCase(value);
    return (text) => typeof text === 'string' && compares(foldCase(text), operator, bound);
  }
  return (found) => compares(typeof found === 'string' ? parseNumber(found) : found, operator, number);
}

function compares<T extends bigint | number | string | boolean>(
  value: T | undefined,
  operator: RangeOperator,
  bound: T,
): boolean {
  if (value === undefined || typeof value !== typeof bound) return false;
  switch (operator) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    default:
      return unreachable(operator);
  }
}

/** Returns the number that a text spells, as JSON would, with a sign in front of it or not; undefined when it spells none. */
export function parseNumber(text: string): number | undefined {
  return /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function compileRegexMatcher(field: string, source: string): Matcher {
  const regex = compileRegex(source);
  return 'problem' in regex ? () => false : onField(field, (value) => regex.test(String(value)));
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
