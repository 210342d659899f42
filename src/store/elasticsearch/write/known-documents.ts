/**
 * Recognises documents in the agents' layout of which only the time, the message, the fields, the level and the offset
 * are their own (`compact-document.ts`). What their other members mean for the store is worked out once per template;
 * of each document only the fields are parsed, and nothing where it has none.
 *
 * The fast path of `bulk-encoder.ts`: a property test holds it to the same result as the slow one.
 */
import { copyBytes } from '../../../base/copy-bytes.ts';
import { hasBytes } from '../../../base/has-bytes.ts';
import type { JsonObject } from '../../../query/match.ts';
import {
  DOCUMENT_HEAD,
  MESSAGE_HEAD,
  MESSAGE_START,
  TIMESTAMP_START,
} from '../../../record/document-layout.ts';
import { eventIdOf } from '../../../record/identity.ts';
import { hasValidDateTime, readDigits, readEpochMs } from '../../../record/timestamp.ts';
import type { CompactSpans, CompactTemplate, DocumentPlace } from '../../compact-document.ts';
import { fitsTemplate, learnTemplate } from '../../compact-document.ts';
import { scanMembers } from '../../document-scan.ts';
import { PRIVATE_MEMBER } from '../manage/field-table.ts';
import { LAST_DAY_MS } from './engine-time.ts';
import { FieldWords } from './field-words.ts';
import type { SearchColumns } from '../search-columns.ts';
import { WORDS_MAX, columnsJson, fieldColumns, searchColumns } from '../search-columns.ts';

/** Templates of one lane of a file: some records have flags. */
const TEMPLATES_MAX = 4;

/** Files whose templates are remembered; beyond it all are forgotten and learned anew. */
const FILES_MAX = 10_000;

/** Documents of a file that are looked into for a template without success before that is given up. */
const LESSONS_MAX = 64;

/** Shorter messages have no run of characters that an analyzer would split (`search-columns.ts`). */
const UNBROKEN_BYTES_MIN = 255;

const FIELDS_HEAD = Buffer.from(',"fields":{');
const HEAD = Buffer.from(DOCUMENT_HEAD);
const MESSAGE = Buffer.from(MESSAGE_HEAD);
const BLANK = 32;
const QUOTE = 34;
const HYPHEN = 45;
const BACKSLASH = 92;

/** `2026-11-23` */
const DAY_BYTES = 10;

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Of the offset in the event id. */
const EVENT_DIGITS = 12;

/** `"}}` and a newline. */
const ACTION_END_BYTES = 4;

/** Members in front of those that a template stands for. */
const FRONT = /^@timestamp,message,(?:fields,)?stream,log,event(?:,|$)/;

/** Members that the store reads or writes itself. */
const READ_KEYS: ReadonlySet<string> = new Set(['logboom', PRIVATE_MEMBER]);

/** What all documents of a template have in common. */
interface KnownTemplate {
  readonly template: CompactTemplate;
  readonly namespace: string | undefined;
  /** Columns of the members that the template stands for, and the same as JSON. */
  readonly columns: SearchColumns;
  readonly columnsJson: Buffer;
  /** What stands in front of, between and behind the words of a document's own fields. */
  readonly valuesHead: Buffer;
  readonly numbersHead: Buffer;
  readonly columnsEnd: Buffer;
  /** The day of the last document, as it is written there, and its beginning. */
  readonly day: Buffer;
  dayMs: number;
  /** The index of that day. */
  index: string;
  /** The action line of the last document. */
  action: Buffer;
}

interface KnownFile {
  /** By lane, the latest first. */
  readonly templates: readonly [KnownTemplate[], KnownTemplate[], KnownTemplate[]];
  lessonsLeft: number;
}

export interface FilePlace extends DocumentPlace {
  readonly fileId: string;
  readonly lane: number;
  readonly offset: number;
}

/** What is known of the document that was recognised last. */
export interface KnownDocument {
  readonly timeMs: number;
  /** The index of its day. */
  readonly index: string;
  /** The line in front of it, for that index. */
  readonly action: Buffer;
  /** Bytes that `writeColumns` needs. */
  readonly columnsBytes: number;
}

type MutableKnown = { -readonly [Key in keyof KnownDocument]: KnownDocument[Key] };

export class KnownDocuments {
  readonly #nameOf: (day: string, namespace: string | undefined) => string;
  readonly #files = new Map<string, KnownFile>();
  readonly #spans: CompactSpans = { keptEnd: 0, levelStart: 0, levelEnd: 0, offsetStart: 0, offsetEnd: 0 };
  readonly #words = new FieldWords();
  readonly #found: MutableKnown = { timeMs: 0, index: '', action: NO_BYTES, columnsBytes: 0 };
  #template: KnownTemplate | undefined;
  /** The columns of the last document where they do not come from `#words`. */
  #columns: Buffer | undefined;

  /** `nameOf` gives the index of a day (`2026-11-23`) and a namespace. */
  constructor(nameOf: (day: string, namespace: string | undefined) => string) {
    this.#nameOf = nameOf;
  }

  /** Returns what there is to know of the document, until the next call; undefined when it has to be parsed. */
  recognise(place: FilePlace): KnownDocument | undefined {
    const file = this.#fileOf(place.fileId);
    const templates = file.templates[place.lane as 0 | 1 | 2];
    for (let index = 0; index < templates.length; index += 1) {
      const known = templates[index] as KnownTemplate;
      if (fitsTemplate(known.template, place, place.offset, this.#spans))
        return this.#read(known, place, this.#spans.keptEnd) ? this.#found : undefined;
    }
    return undefined;
  }

  /** Writes the search columns of the document that was recognised last, and returns the place behind them. */
  writeColumns(target: Buffer, start: number): number {
    const known = this.#template;
    if (this.#columns !== undefined || known === undefined) {
      const columns = this.#columns ?? NO_BYTES;
      target.set(columns, start);
      return start + columns.length;
    }
    const { values, numbers } = this.#words;
    const { valuesHead, numbersHead, columnsEnd } = known;
    let at = copyBytes(valuesHead, 0, valuesHead.length, target, start);
    // The last word has a comma behind it.
    at = copyBytes(values.bytes, 0, values.length - 1, target, at);
    if (numbers.length > 0) {
      at = copyBytes(numbersHead, 0, numbersHead.length, target, at);
      at = copyBytes(numbers.bytes, 0, numbers.length - 1, target, at);
    } else if (known.columns.numbers.length > 0) {
      at = copyBytes(numbersHead, 0, numbersHead.length - 1, target, at);
    }
    return copyBytes(columnsEnd, 0, columnsEnd.length, target, at);
  }

  /** Learns the template of a document that was not recognised, so that the next one like it is. */
  learn(place: FilePlace): void {
    const file = this.#fileOf(place.fileId);
    if (file.lessonsLeft === 0) return;
    file.lessonsLeft -= 1;
    const { body, start, end, fileId, offset } = place;
    const members = scanMembers(body, start, end - 1);
    if (members === undefined || !hasUsualKeys(members.map(({ key }) => key))) return;
    const learned = learnTemplate(place, members, fileId, offset);
    if (learned === undefined) return;
    const templates = file.templates[place.lane as 0 | 1 | 2];
    if (templates.length === TEMPLATES_MAX) templates.pop();
    const namespace = namespaceOf(learned.members);
    templates.unshift(knownTemplate(learned.template, namespace, columnsBeside(learned.members, place)));
    file.lessonsLeft = LESSONS_MAX;
  }

  #fileOf(fileId: string): KnownFile {
    let file = this.#files.get(fileId);
    if (file === undefined) {
      if (this.#files.size >= FILES_MAX) this.#files.clear();
      file = { templates: [[], [], []], lessonsLeft: LESSONS_MAX };
      this.#files.set(fileId, file);
    }
    return file;
  }

  #read(known: KnownTemplate, place: FilePlace, keptEnd: number): boolean {
    const { body, start } = place;
    if (!hasBytes(body, start, HEAD) || !hasBytes(body, start + TIMESTAMP_START + 30, MESSAGE)) return false;
    const timeMs = this.#readTime(known, place);
    if (Number.isNaN(timeMs)) return false;
    const messageEnd = endOfText(body, start + MESSAGE_START, keptEnd);
    if (messageEnd === undefined || !this.#readColumns(known, place, messageEnd, keptEnd)) return false;
    const { action, template } = known;
    // The template's tail has the digits of this document.
    const digits = action.length - ACTION_END_BYTES - EVENT_DIGITS;
    for (let at = 0; at < EVENT_DIGITS; at += 1)
      action[digits + at] = template.tail[template.eventStart + at] as number;
    const found = this.#found;
    found.timeMs = timeMs;
    found.index = known.index;
    found.action = action;
    this.#template = known;
    return true;
  }

  /** Returns the time in milliseconds since the epoch, or NaN when it is none of 30 characters or too far away. */
  #readTime(known: KnownTemplate, { body, start, fileId }: FilePlace): number {
    const at = start + TIMESTAMP_START;
    const dayMsOfTime = readTimeOfDay(body, at);
    if (Number.isNaN(dayMsOfTime) || hasBytes(body, at, known.day)) return known.dayMs + dayMsOfTime;
    if (!hasValidDateTime(body, at) || body[at + 4] !== HYPHEN || body[at + 7] !== HYPHEN) return Number.NaN;
    const dayMs = readEpochMs(body, at) - dayMsOfTime;
    if (dayMs < 0 || dayMs >= LAST_DAY_MS) return Number.NaN;
    body.copy(known.day, 0, at, at + DAY_BYTES);
    known.dayMs = dayMs;
    known.index = this.#nameOf(known.day.toString('latin1'), known.namespace);
    known.action = actionLine(known.index, eventIdOf(fileId, 0));
    return known.dayMs + dayMsOfTime;
  }

  /** Works out the columns of the fields and the message. */
  #readColumns(
    known: KnownTemplate,
    { body, start }: FilePlace,
    messageEnd: number,
    keptEnd: number,
  ): boolean {
    const hasFields = messageEnd + 1 < keptEnd;
    const isLong = mayBeUnbroken(body, start + MESSAGE_START, messageEnd);
    if (!hasFields && !isLong) return this.#setColumns(known.columnsJson);
    const fieldsStart = messageEnd + FIELDS_HEAD.length;
    if (hasFields && !hasBytes(body, messageEnd + 1, FIELDS_HEAD)) return false;
    if (!isLong && this.#words.read(body, fieldsStart, keptEnd)) {
      const { values, numbers } = this.#words;
      if (wordCount(known.columns) + values.count + numbers.count > WORDS_MAX) return false;
      this.#columns = undefined;
      const { valuesHead, numbersHead, columnsEnd } = known;
      this.#found.columnsBytes =
        valuesHead.length + values.length + numbersHead.length + numbers.length + columnsEnd.length;
      return true;
    }
    const fields = hasFields ? parseFields(body, fieldsStart, keptEnd) : undefined;
    if (hasFields && fields === undefined) return false;
    const message = isLong ? parseText(body, start + MESSAGE_START - 1, messageEnd + 1) : '';
    const own = fieldColumns(fields, message);
    if (wordCount(known.columns) + wordCount(own) > WORDS_MAX) return false;
    return this.#setColumns(Buffer.from(columnsJson(joined(known.columns, own))));
  }

  #setColumns(columns: Buffer): true {
    this.#columns = columns;
    this.#found.columnsBytes = columns.length;
    return true;
  }
}

/** Returns the line in front of a document. Names of indices and ids are ASCII without quotes. */
export function actionLine(index: string, id: string): Buffer {
  return Buffer.from(`{"create":{"_index":"${index}","_id":"${id}"}}\n`);
}

function knownTemplate(
  template: CompactTemplate,
  namespace: string | undefined,
  columns: SearchColumns,
): KnownTemplate {
  const { values, numbers } = columns;
  const rest = columnsJson({ ...columns, values: [], numbers: [] });
  return {
    template,
    namespace,
    columns,
    columnsJson: Buffer.from(columnsJson(columns)),
    valuesHead: Buffer.from(`,"values":[${wordsHead(values)}`),
    numbersHead: Buffer.from(`],"numbers":[${wordsHead(numbers)}`),
    columnsEnd: Buffer.from(`]${rest}`),
    day: Buffer.alloc(DAY_BYTES),
    dayMs: 0,
    index: '',
    action: Buffer.alloc(0),
  };
}

/** Returns words for others to follow. */
function wordsHead(words: readonly string[]): string {
  return words.map((word) => `${JSON.stringify(word)},`).join('');
}

/** Returns the columns of some members as they are in a document of which nothing else is odd. */
function columnsBeside(members: JsonObject, { fileId, offset }: FilePlace): SearchColumns {
  const eventId = eventIdOf(fileId, offset);
  const log = { offset, ...(members['log'] as JsonObject | undefined) };
  const document = { '@timestamp': '', message: '', ...members, log, event: { id: eventId } };
  return searchColumns(document, { eventId, offset });
}

function wordCount({ values, numbers, origin }: SearchColumns): number {
  return values.length + numbers.length + origin.length;
}

function joined(left: SearchColumns, right: SearchColumns): SearchColumns {
  return {
    values: both(left.values, right.values),
    numbers: both(left.numbers, right.numbers),
    origin: both(left.origin, right.origin),
    texts: both(left.texts, right.texts),
    marks: left.marks.length === 0 ? right.marks : [...new Set([...left.marks, ...right.marks])],
  };
}

function both(left: readonly string[], right: readonly string[]): readonly string[] {
  if (left.length === 0) return right;
  return right.length === 0 ? left : [...left, ...right];
}

/** Whether a template can stand for the document's members: each is there once, the agents' own at the front. */
function hasUsualKeys(keys: readonly string[]): boolean {
  const isOnce = new Set(keys).size === keys.length;
  return isOnce && FRONT.test(keys.join(',')) && !keys.some((key) => READ_KEYS.has(key));
}

function namespaceOf(members: JsonObject): string | undefined {
  const namespace = (members['kubernetes'] as JsonObject | undefined)?.['namespace'];
  return typeof namespace === 'string' ? namespace : undefined;
}

/** Returns the milliseconds of `T04:30:00.123456789Z` behind a day at `at`; NaN for another form or no such time. */
function readTimeOfDay(body: Buffer, at: number): number {
  const hasMarks =
    body[at + 10] === 84 &&
    body[at + 13] === 58 &&
    body[at + 16] === 58 &&
    body[at + 19] === 46 &&
    body[at + 29] === 90;
  const hours = readDigits(body, at + 11, 2);
  const minutes = readDigits(body, at + 14, 2);
  const seconds = readDigits(body, at + 17, 2);
  const ms = readDigits(body, at + 20, 3);
  const isTime = hasMarks && hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0;
  if (!isTime || seconds > 59 || ms < 0 || readDigits(body, at + 23, 6) < 0) return Number.NaN;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/** Whether a text may have a run of characters that an analyzer would split: bytes without a blank between them. */
function mayBeUnbroken(body: Buffer, start: number, end: number): boolean {
  if (end - start < UNBROKEN_BYTES_MIN) return false;
  let run = 0;
  for (let at = start; at < end; at += 1) {
    run = body[at] === BLANK ? 0 : run + 1;
    if (run >= UNBROKEN_BYTES_MIN) return true;
  }
  return false;
}

/** Returns where the closing quote of a text stands. */
function endOfText(body: Buffer, start: number, end: number): number | undefined {
  for (let at = body.indexOf(QUOTE, start); at >= 0 && at < end; at = body.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (body[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return undefined;
}

/** Returns the object of `"fields"` when nothing else stands there. */
function parseFields(body: Buffer, start: number, end: number): JsonObject | undefined {
  try {
    // Of two members this is no JSON.
    return JSON.parse(body.toString('utf8', start, end)) as JsonObject;
  } catch {
    return undefined;
  }
}

function parseText(body: Buffer, start: number, end: number): string {
  try {
    return String(JSON.parse(body.toString('utf8', start, end)));
  } catch {
    return '';
  }
}
