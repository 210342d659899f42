/** Answers compiled queries as an engine does, from the search columns of one document. */
import assert from 'node:assert/strict';
import type { JsonObject } from '../../../query/match.ts';
import { parseTime } from '../../../query/time-range.ts';
import { eventIdOf } from '../../../record/identity.ts';
import type { Dsl } from '../read/dsl.ts';
import { isOwnPath, PRIVATE_MEMBER } from '../manage/field-table.ts';
import { searchColumns } from '../search-columns.ts';

/** What an engine has indexed of a document, by column. */
export type IndexedDocument = ReadonlyMap<string, readonly string[]>;

/** Indexes a document that stands at this place. */
export function indexDocument(document: JsonObject, fileId: string, offset: number): IndexedDocument {
  const { values, numbers, origin, texts, marks } = searchColumns(document, {
    eventId: eventIdOf(fileId, offset),
    offset,
  });
  const indexed = new Map<string, readonly string[]>([
    [`${PRIVATE_MEMBER}.values`, values],
    [`${PRIVATE_MEMBER}.numbers`, numbers],
    [`${PRIVATE_MEMBER}.origin`, origin],
    [`${PRIVATE_MEMBER}.texts`, texts.flatMap(wordsOf)],
    [`${PRIVATE_MEMBER}.marks`, marks],
    [`${PRIVATE_MEMBER}.file`, [fileId]],
    ['message', wordsOf(String(document['message']))],
    ['log.offset', [String(offset)]],
    ['@timestamp', [String(document['@timestamp'])]],
    ['event.id', [eventIdOf(fileId, offset)]],
  ]);
  if (texts.length === 0) indexed.delete(`${PRIVATE_MEMBER}.texts`);
  addOwnColumns(document, '', indexed);
  return indexed;
}

function addOwnColumns(object: JsonObject, above: string, indexed: Map<string, readonly string[]>): void {
  for (const [key, value] of Object.entries(object)) {
    const path = above + key;
    if (typeof value === 'object' && value !== null) addOwnColumns(value as JsonObject, `${path}.`, indexed);
    else if (isOwnPath(path) && value !== null)
      indexed.set(path, [typeof value === 'string' ? value : JSON.stringify(value)]);
  }
}

/** Splits a text as rough as an analyzer may: every boundary of words that Unicode knows, and long ones apart. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'word' }).segment(text)) {
    if (!/[\p{L}\p{N}]/u.test(segment)) continue;
    for (let at = 0; at < segment.length; at += 255) words.push(lowered(segment.slice(at, at + 255)));
  }
  return words;
}

function lowered(text: string): string {
  return Array.from(text, (char) => (char === 'İ' ? 'i' : char.toLowerCase())).join('');
}

/** Whether the engine finds the document. */
export function evaluateDsl(dsl: Dsl, document: IndexedDocument): boolean {
  const [[kind, body] = ['', undefined]] = Object.entries(dsl);
  if (kind === 'match_all') return true;
  if (kind === 'match_none') return false;
  if (kind === 'bool') return evaluateBool(body as Record<string, Dsl[]>, document);
  if (kind === 'exists') return document.has((body as { field: string }).field);
  const [[column, test] = ['', undefined]] = Object.entries(body as Record<string, unknown>);
  const words = document.get(column) ?? [];
  if (kind === 'term') return words.some((word) => isTerm(word, test as Comparison));
  if (kind === 'wildcard') return words.some((word) => isLike(word, test as { value: string }));
  assert.equal(kind, 'range');
  return words.some((word) => isWithin(column, word, test as Record<string, string>));
}

type Comparison = string | { readonly value: string; readonly case_insensitive?: boolean };

function evaluateBool(body: Readonly<Record<string, readonly Dsl[]>>, document: IndexedDocument): boolean {
  const { filter = [], should = [], must_not: without = [] } = body;
  return (
    filter.every((part) => evaluateDsl(part, document)) &&
    (should.length === 0 || should.some((part) => evaluateDsl(part, document))) &&
    !without.some((part) => evaluateDsl(part, document))
  );
}

function isTerm(word: string, test: Comparison): boolean {
  if (typeof test === 'string') return word === test;
  return test.case_insensitive === true ? ascii(word) === ascii(test.value) : word === test.value;
}

function isLike(word: string, { value, ...options }: Exclude<Comparison, string>): boolean {
  const source = value.replaceAll(
    /\\([\\*?])|([\\^$.|?+()[\]{}])|\*/g,
    (_, escaped?: string, special?: string) =>
      escaped === undefined ? (special === undefined ? '[^]*' : `\\${special}`) : `\\${escaped}`,
  );
  const isFolded = options.case_insensitive === true;
  return new RegExp(`^${isFolded ? ascii(source) : source}$`).test(isFolded ? ascii(word) : word);
}

function ascii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (char) => char.toLowerCase());
}

function isWithin(column: string, word: string, limits: Readonly<Record<string, string | number>>): boolean {
  return Object.entries(limits).every(([name, limit]) => {
    const order = compare(column, word, limit);
    if (name === 'lt') return order < 0;
    if (name === 'lte') return order <= 0;
    return name === 'gt' ? order > 0 : order >= 0;
  });
}

function compare(column: string, word: string, limit: string | number): number {
  if (column === 'log.offset') return Number(word) - Number(limit);
  if (column === '@timestamp')
    return Number((parseTime(word, 0n) ?? 0n) - (parseTime(String(limit), 0n) ?? 0n));
  return Buffer.compare(Buffer.from(word), Buffer.from(String(limit)));
}
