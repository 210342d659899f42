/**
 * What the store writes into the private member of each document so that the engine answers queries as `query/match.ts`
 * does, whatever the types of fields are. The engine sees words only, no fields of its own, so nothing can conflict.
 *
 *   values   words of the fields that bare text reads       {"values":["fields.user","fields.user␡=ann", …]}
 *   numbers  the words of those that say something of numbers (`#`, `<`): by themselves, because bare text is looked for
 *            in all of `values`
 *   origin   words of the other fields: log, kubernetes, labels, … of every kind
 *   texts    strings of `values` that are longer than a word may be, whole, for an analyzer that splits them (`standard`)
 *   marks    `odd`: the words do not say everything; `long`: the analyzer may split inside a run of letters
 *
 * The words of a value at a path (keys joined by dots, arrays left out), `␡` being U+007F:
 *
 *   path           an object, an array, or a value that no word says more of is there
 *   path␡=text     a string, folded, at most `WORD_LENGTH_MAX` characters
 *   path␡~text     the beginning of a longer one
 *   path␡&text     a boolean
 *   path␡#digits!text  a number in digits that sort by value, and as JSON prints it; `!` sorts in front of digits
 *   path␡<digits!  a string that spells a number, in such digits
 *
 * What agents write (`hasOwnField`) has columns of its own and no words; nor have the objects that it stands in, and
 * what every document has that is not odd.
 *
 * Every text is in its folded form, so the words are compared by bytes: the columns are keywords without normalizer.
 */
import { UNSEARCHED_KEYS } from '../../query/fields.ts';
import { foldCase } from '../../query/fold-case.ts';
import type { JsonObject } from '../../query/match.ts';
import { parseNumber } from '../../query/match.ts';
import { hasOwnField, isOwnPath } from './field-table.ts';

/** Between a path and what is said of its value. */
export const SEPARATOR = '\u007f';

/** Characters of a value in one word; of a longer one only these are compared by the engine. */
export const WORD_LENGTH_MAX = 128;

/** Longer paths, and documents with more words, are answered by reading the document. */
const PATH_LENGTH_MAX = 512;
export const WORDS_MAX = 3_000;

/** Keys with more dots than this are found by no query. */
const KEY_SEGMENTS_MAX = 12;

/** Deeper values are read by no query for bare text. */
const DEPTH_MAX = 64;

/** An analyzer splits what is longer, wherever that is. */
const UNBROKEN = /\S{255}/;

/** Paths that every document has, with one value each, unless it is odd. */
export const ALWAYS_THERE: ReadonlySet<string> = new Set([
  '@timestamp',
  'event',
  'event.id',
  'log',
  'log.offset',
  'message',
]);

/** Long and different in every document: only that it is there is said. */
export const UNREAD_PATHS: ReadonlySet<string> = new Set(['event.original']);

export interface SearchColumns {
  readonly values: readonly string[];
  readonly numbers: readonly string[];
  readonly origin: readonly string[];
  readonly texts: readonly string[];
  readonly marks: readonly ('odd' | 'long')[];
}

/** Where the record stands by what the transport says, which a foreign document may contradict. */
export interface RecordPlace {
  readonly eventId: string;
  readonly offset: number;
}

/** Returns the search columns of a parsed document. */
export function searchColumns(document: JsonObject, place: RecordPlace): SearchColumns {
  const writer = new ColumnWriter();
  for (const key in document) {
    if (key === '@timestamp') continue;
    writer.isOrigin = UNSEARCHED_KEYS.has(key);
    writer.isOdd ||= key.includes('.');
    writer.member('', key, document[key], 0);
  }
  const { message } = document;
  const isOdd = writer.isOdd || typeof message !== 'string' || !standsAt(document, place);
  const isLong = typeof message === 'string' && UNBROKEN.test(message);
  return {
    values: writer.values,
    numbers: writer.numbers,
    origin: writer.origin,
    texts: writer.texts,
    marks: [
      ...(isOdd ? (['odd'] as const) : []),
      ...(isLong || writer.texts.some((text) => UNBROKEN.test(text)) ? (['long'] as const) : []),
    ],
  };
}

const DOUBLE = new DataView(new ArrayBuffer(8));

/** Returns hexadecimal digits that sort as the numbers do; zeros at the end are left out. */
export function sortableDigits(number: number): string {
  // Adding zero makes the negative zero the other one, which it is equal to.
  DOUBLE.setFloat64(0, number + 0);
  const high = DOUBLE.getUint32(0);
  const low = DOUBLE.getUint32(4);
  const isNegative = high >= 0x8000_0000;
  const sortableHigh = (isNegative ? ~high : high ^ 0x8000_0000) >>> 0;
  const sortableLow = (isNegative ? ~low : low) >>> 0;
  const digits = hexDigits(sortableHigh);
  return (sortableLow === 0 ? digits : digits + hexDigits(sortableLow)).replace(/0+$/, '');
}

function hexDigits(word: number): string {
  return word.toString(16).padStart(8, '0');
}

/** Returns what a word says of a number: `#`, digits that sort by value, `!`, and the number as JSON prints it. */
export function numberWord(number: number): string {
  return `#${sortableDigits(number)}!${wordText(String(number))}`;
}

/** Returns the text as words hold it: folded, and without halves of characters. */
export function wordText(text: string): string {
  return foldCase(text.isWellFormed() ? text : text.toWellFormed());
}

/** Returns the beginning of a folded text that a word has room for. */
export function wordHead(folded: string): string {
  return folded.length <= WORD_LENGTH_MAX ? folded : cutWhole(folded, WORD_LENGTH_MAX);
}

class ColumnWriter {
  readonly values: string[] = [];
  readonly numbers: string[] = [];
  readonly origin: string[] = [];
  readonly texts: string[] = [];
  isOrigin = false;
  isOdd = false;

  /** Adds the words of a member. Returns whether other columns tell that it is there. */
  member(above: string, key: string, value: unknown, depth: number): boolean {
    if (value === null || value === undefined) return false;
    const path = depth === 0 ? key : `${above}.${key}`;
    if (this.isOdd || isOddKey(key) || path.length > PATH_LENGTH_MAX || depth > DEPTH_MAX) {
      this.isOdd = true;
      return false;
    }
    if (ALWAYS_THERE.has(path) && typeof value !== 'object') return true;
    if (hasOwnField(path, value)) {
      // Engines take a dot in a key for an object.
      this.isOdd = key.includes('.');
      return true;
    }
    const isTold = isObject(value) && this.#members(path, value, depth);
    if (isTold) return true;
    const isRead = !isObject(value) && !UNREAD_PATHS.has(path);
    // That a scalar is there is told by the words of its value.
    if (!isRead || Array.isArray(value)) this.#add(path);
    if (isRead) this.#value(path, value, depth);
    return false;
  }

  #members(path: string, object: JsonObject, depth: number): boolean {
    let isTold = false;
    for (const key in object) isTold = this.member(path, key, object[key], depth + 1) || isTold;
    return isTold;
  }

  #value(path: string, value: unknown, depth: number): void {
    if (hasOwnField(path, value)) return;
    if (typeof value === 'string') this.#text(path, value);
    else if (typeof value === 'boolean') this.#add(`${path}${SEPARATOR}&${value}`);
    else if (typeof value === 'number') this.#number(path, value);
    else if (Array.isArray(value)) for (const element of value) this.#value(path, element, depth + 1);
    else if (isObject(value)) this.#members(path, value, depth);
  }

  #text(path: string, text: string): void {
    const folded = wordText(text);
    const head = wordHead(folded);
    if (head.length === folded.length) this.#add(`${path}${SEPARATOR}=${folded}`);
    else {
      this.#add(`${path}${SEPARATOR}~${head}`);
      if (!this.isOrigin) this.texts.push(text.toWellFormed());
    }
    const number = parseNumber(text);
    if (number !== undefined) this.#addNumber(`${path}${SEPARATOR}<${sortableDigits(number)}!`);
  }

  #number(path: string, number: number): void {
    // The field's own column has the digits as they were sent, which need not be how JSON prints the number.
    this.isOdd ||= isOwnPath(path);
    this.#addNumber(`${path}${SEPARATOR}${numberWord(number)}`);
  }

  #add(word: string): void {
    this.#addTo(this.isOrigin ? this.origin : this.values, word);
  }

  #addNumber(word: string): void {
    this.#addTo(this.isOrigin ? this.origin : this.numbers, word);
  }

  /** Repeated words are not looked for: they are rare, and one to the engine. */
  #addTo(column: string[], word: string): void {
    if (this.values.length + this.numbers.length + this.origin.length < WORDS_MAX) column.push(word);
    else this.isOdd = true;
  }
}

/** Whether no word can say what the key is. */
function isOddKey(key: string): boolean {
  return (
    key.includes(SEPARATOR) ||
    !key.isWellFormed() ||
    (key.includes('.') && key.split('.', KEY_SEGMENTS_MAX + 1).length > KEY_SEGMENTS_MAX)
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Cuts a text in front of a character, never within one. */
function cutWhole(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

function standsAt(document: JsonObject, { eventId, offset }: RecordPlace): boolean {
  const event = document['event'] as { id?: unknown } | null | undefined;
  const log = document['log'] as { offset?: unknown } | null | undefined;
  return event?.id === eventId && log?.offset === offset && typeof document['@timestamp'] === 'string';
}
