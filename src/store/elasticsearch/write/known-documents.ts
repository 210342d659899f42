/**
 * Recognises documents in the agents' layout of which only the time, the message, the fields, the level and the offset
 * are their own (`compact-document.ts`). What their other members mean for the store is worked out once per template;
 * of each document only the fields are parsed, and nothing where it has none.
 *
 * The fast path of `bulk-encoder.ts`: a property test holds it to the same result as the slow one.
 */
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
const QUOTE = 34;
const BACKSLASH = 92;

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
  readonly columnsJson: string;
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

export interface KnownDocument {
  readonly timeMs: number;
  readonly namespace: string | undefined;
  /** Its search columns, as `columnsJson` writes them. */
  readonly columnsJson: string;
}

export class KnownDocuments {
  readonly #files = new Map<string, KnownFile>();
  readonly #spans: CompactSpans = { keptEnd: 0, levelStart: 0, levelEnd: 0, offsetStart: 0, offsetEnd: 0 };

  /** Returns what there is to know of the document, or undefined when it has to be parsed. */
  recognise(place: FilePlace): KnownDocument | undefined {
    const file = this.#fileOf(place.fileId);
    const templates = file.templates[place.lane as 0 | 1 | 2];
    for (const known of templates) {
      if (fitsTemplate(known.template, place, place.offset, this.#spans))
        return this.#read(known, place, this.#spans.keptEnd);
    }
    return undefined;
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
    const columns = columnsBeside(learned.members, place);
    const namespace = namespaceOf(learned.members);
    templates.unshift({ template: learned.template, namespace, columns, columnsJson: columnsJson(columns) });
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

  #read(known: KnownTemplate, place: FilePlace, keptEnd: number): KnownDocument | undefined {
    const { body, start } = place;
    if (!hasLayout(body, start)) return undefined;
    const messageEnd = endOfText(body, start + MESSAGE_START, keptEnd);
    if (messageEnd === undefined) return undefined;
    const hasFields = messageEnd + 1 < keptEnd;
    const fields = hasFields ? parseFields(body, messageEnd + 1, keptEnd) : undefined;
    if (hasFields && fields === undefined) return undefined;
    const messageBytes = messageEnd - start - MESSAGE_START;
    const message =
      messageBytes < UNBROKEN_BYTES_MIN ? '' : parseText(body, start + MESSAGE_START - 1, messageEnd + 1);
    const own = fields === undefined && message === '' ? NOTHING : fieldColumns(fields, message);
    if (wordCount(known.columns) + wordCount(own) > WORDS_MAX) return undefined;
    return {
      timeMs: readEpochMs(body, start + TIMESTAMP_START),
      namespace: known.namespace,
      columnsJson: own === NOTHING ? known.columnsJson : columnsJson(joined(known.columns, own)),
    };
  }
}

const NOTHING: SearchColumns = { values: [], numbers: [], origin: [], texts: [], marks: [] };

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

/** Whether the document begins with a time of 30 characters and a message. */
function hasLayout(body: Buffer, start: number): boolean {
  const at = start + TIMESTAMP_START;
  return (
    hasBytes(body, start, HEAD) &&
    hasBytes(body, at + 30, MESSAGE) &&
    hasValidDateTime(body, at) &&
    hasSeparators(body, at) &&
    readDigits(body, at + 20, 9) >= 0
  );
}

function hasBytes(body: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at += 1) if (body[start + at] !== wanted[at]) return false;
  return true;
}

/** `-`, `T`, `:`, `.` and `Z` stand where they do in 2026-11-23T04:30:00.123456789Z. */
function hasSeparators(body: Buffer, at: number): boolean {
  return (
    body[at + 4] === 45 &&
    body[at + 7] === 45 &&
    body[at + 10] === 84 &&
    body[at + 13] === 58 &&
    body[at + 16] === 58 &&
    body[at + 19] === 46 &&
    body[at + 29] === 90
  );
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
  if (!hasBytes(body, start, FIELDS_HEAD)) return undefined;
  try {
    // Of two members this is no JSON.
    return JSON.parse(body.toString('utf8', start + FIELDS_HEAD.length - 1, end)) as JsonObject;
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
