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
import { hasOwnField } from './manage/field-table.ts';
import { PathNode } from './read/path-node.ts';

/** Characters of a value in one word; of a longer one only these are compared by the engine. */
export const WORD_LENGTH_MAX = 128;

/** Documents with more words are answered by reading the document. */
export const WORDS_MAX = 3_000;

/** Deeper values are read by no query for bare text. */
const DEPTH_MAX = 64;

/** An analyzer splits what is longer, wherever that is. */
const UNBROKEN = /\S{255}/;

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
    const node = PATHS.member(key);
    writer.isOrigin = UNSEARCHED_KEYS.has(key);
    writer.isOdd ||= node.hasDot;
    writer.member(node, document[key], 0);
  }
  const { message } = document;
  const isOdd = writer.isOdd || typeof message !== 'string' || !standsAt(document, place);
  return writer.columns(isOdd, typeof message === 'string' && UNBROKEN.test(message));
}

/** Returns what `searchColumns` says of the parsed fields and the message of a document that has nothing else to say. */
export function fieldColumns(fields: JsonObject | undefined, message: string): SearchColumns {
  const writer = new ColumnWriter();
  if (fields !== undefined) writer.member(PATHS.member('fields'), fields, 0);
  return writer.columns(writer.isOdd, UNBROKEN.test(message));
}

/** Returns the columns as members of an object, a comma in front of each. */
export function columnsJson(columns: SearchColumns): string {
  const { values, numbers, origin, texts, marks } = columns;
  let json = '';
  if (values.length > 0) json += `,"values":${JSON.stringify(values)}`;
  if (numbers.length > 0) json += `,"numbers":${JSON.stringify(numbers)}`;
  if (origin.length > 0) json += `,"origin":${JSON.stringify(origin)}`;
  if (texts.length > 0) json += `,"texts":${JSON.stringify(texts)}`;
  return marks.length > 0 ? `${json},"marks":${JSON.stringify(marks)}` : json;
}

/** Two digits of each byte. */
const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const ZERO = 48;

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
  let digits = hexDigits(sortableHigh);
  if (sortableLow !== 0) digits += hexDigits(sortableLow);
  let length = digits.length;
  while (digits.charCodeAt(length - 1) === ZERO) length -= 1;
  return digits.slice(0, length);
}

function hexDigits(word: number): string {
  const high = `${HEX_OF_BYTE[word >>> 24]}${HEX_OF_BYTE[(word >>> 16) & 255]}`;
  return `${high}${HEX_OF_BYTE[(word >>> 8) & 255]}${HEX_OF_BYTE[word & 255]}`;
}

/** Returns what a word says of a number: `#`, digits that sort by value, `!`, and the number as JSON prints it. */
export function numberWord(number: number): string {
  const isUsual = number >= 0 && number < USUAL_WORDS_MAX && Number.isInteger(number);
  if (!isUsual) return newNumberWord(number);
  return (USUAL_WORDS[number] ??= newNumberWord(number));
}

function newNumberWord(number: number): string {
  return `#${sortableDigits(number)}!${wordText(String(number))}`;
}

/** The words of small whole numbers, which are most, as they are needed. */
const USUAL_WORDS_MAX = 65_536;
const USUAL_WORDS: string[] = Array.from({ length: USUAL_WORDS_MAX });

/** Returns the text as words hold it: folded, and without halves of characters. */
export function wordText(text: string): string {
  if (isFolded(text)) return text;
  return foldCase(text.isWellFormed() ? text : text.toWellFormed());
}

/** Whether a short text has neither capital letters nor any outside ASCII: the usual case, told without a copy. */
function isFolded(text: string): boolean {
  if (text.length > FOLDED_LENGTH_MAX) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 127 || (code >= 65 && code <= 90)) return false;
  }
  return true;
}

/** Longer texts are folded by the language faster than they are looked at here. */
const FOLDED_LENGTH_MAX = 64;

/** Returns the beginning of a folded text that a word has room for. */
export function wordHead(folded: string): string {
  return folded.length <= WORD_LENGTH_MAX ? folded : cutWhole(folded, WORD_LENGTH_MAX);
}

const PATHS = new PathNode();

class ColumnWriter {
  readonly values: string[] = [];
  readonly numbers: string[] = [];
  readonly origin: string[] = [];
  readonly texts: string[] = [];
  isOrigin = false;
  isOdd = false;

  /** What was written. */
  columns(isOdd: boolean, isLong: boolean): SearchColumns {
    const { values, numbers, origin, texts } = this;
    if (isOdd || isLong || texts.length > 0)
      return { values, numbers, origin, texts, marks: marksOf(isOdd, isLong, texts) };
    return { values, numbers, origin, texts, marks: NO_MARKS };
  }

  /** Adds the words of a member. Returns whether other columns tell that it is there. */
  member(node: PathNode, value: unknown, depth: number): boolean {
    if (value === null || value === undefined) return false;
    if (this.isOdd || node.isOdd || depth > DEPTH_MAX) {
      this.isOdd = true;
      return false;
    }
    if (node.isAlwaysThere && typeof value !== 'object') return true;
    if (node.isOwn && hasOwnField(node.path, value)) {
      // Engines take a dot in a key for an object.
      this.isOdd = node.hasDot;
      return true;
    }
    const isTold = isObject(value) && this.#members(node, value, depth);
    if (isTold) return true;
    const isRead = !isObject(value) && !node.isUnread;
    // That a scalar is there is told by the words of its value.
    if (!isRead || Array.isArray(value)) this.#add(node.path);
    if (isRead) this.#value(node, value, depth);
    return false;
  }

  #members(node: PathNode, object: JsonObject, depth: number): boolean {
    let isTold = false;
    for (const key in object) isTold = this.member(node.child(key), object[key], depth + 1) || isTold;
    return isTold;
  }

  #value(node: PathNode, value: unknown, depth: number): void {
    if (node.isOwn && hasOwnField(node.path, value)) return;
    if (typeof value === 'string') this.#text(node.head, value);
    else if (typeof value === 'boolean') this.#add(`${node.head}&${value}`);
    else if (typeof value === 'number') this.#number(node, value);
    else if (Array.isArray(value)) for (const element of value) this.#value(node, element, depth + 1);
    else if (isObject(value)) this.#members(node, value, depth);
  }

  #text(pathHead: string, text: string): void {
    const folded = wordText(text);
    const head = wordHead(folded);
    if (head.length === folded.length) this.#add(`${pathHead}=${folded}`);
    else {
      this.#add(`${pathHead}~${head}`);
      if (!this.isOrigin) this.texts.push(text.toWellFormed());
    }
    const number = parseNumber(text);
    if (number !== undefined) this.#addNumber(`${pathHead}<${sortableDigits(number)}!`);
  }

  #number({ isOwn, head }: PathNode, number: number): void {
    // The field's own column has the digits as they were sent, which need not be how JSON prints the number.
    this.isOdd ||= isOwn;
    this.#addNumber(`${head}${numberWord(number)}`);
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

const NO_MARKS: SearchColumns['marks'] = [];

function marksOf(isOdd: boolean, isLong: boolean, texts: readonly string[]): SearchColumns['marks'] {
  const hasLong = isLong || texts.some((text) => UNBROKEN.test(text));
  return [...(isOdd ? (['odd'] as const) : []), ...(hasLong ? (['long'] as const) : [])];
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
