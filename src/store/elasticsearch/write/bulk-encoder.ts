/**
 * From batches of documents to bodies of bulk requests. Each document gets the private member at its end
 * (`field-table.ts`); its own bytes stay as they are, so that what is read back is what was sent.
 */
import { copyBytes } from '../../../base/copy-bytes.ts';
import { FreeBuffers } from '../../../base/free-buffers.ts';
import type { DeadLetterError } from '../../../record/dead-letter.ts';
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import type { JsonObject } from '../../../query/match.ts';
import { parseTime } from '../../../query/time-range.ts';
import type { BulkPayload } from './bulk-payload.ts';
import { isEngineTime, isFarDate } from './engine-time.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';
import type { IndexRouter } from './index-router.ts';
import type { FilePlace, KnownDocument } from './known-documents.ts';
import { KnownDocuments, actionLine } from './known-documents.ts';
import { PayloadBuilder } from './payload-builder.ts';
import { columnsJson, searchColumns } from '../search-columns.ts';

/** A document that cannot be sent at all. */
export interface UnsentDocument {
  readonly batchIndex: number;
  readonly documentIndex: number;
  readonly error: DeadLetterError;
}

export interface EncodedBulk {
  readonly payloads: readonly BulkPayload[];
  readonly unsent: readonly UnsentDocument[];
}

export interface BulkEncoderOptions {
  readonly router: IndexRouter;
  /** A request is closed before it becomes larger than this, unless one document alone is. */
  readonly bytesMax: number;
}

const NS_PER_MS = 1_000_000n;

/** What is kept for later requests: about as much as an indexer has under way at once. */
const FREE_BYTES_MAX = 64 * 2 ** 20;

/** More is made room for when it is needed. */
const GROWTH_MAX = 2;
const GROWTH_MARGIN = 1.05;

const ZERO = 48;
const CLOSE_BRACE = 125;
const OPEN_BRACE = 123;

/** Of the offset in the private member: `123,"high":0`. */
const OFFSET_BYTES_MAX = 32;

/** Behind the columns: two braces and a newline. */
const END = Buffer.from('}}\n');

const HIGH_KEY = Buffer.from(',"high":');

interface Place extends FilePlace {
  readonly batchIndex: number;
  readonly documentIndex: number;
}

type MutablePlace = { -readonly [Key in keyof Place]: Place[Key] };

/** What the store needs to know of a document. */
interface Facts {
  readonly timeMs: number;
  /** Begins with the day of the event in UTC. */
  readonly index: string;
  /** As `columnsJson` writes them. */
  readonly columnsJson: string;
  /** The document without its last brace. */
  readonly text: DocumentText;
}

/** Part of a buffer. */
interface DocumentText {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** What is worked out once for the documents of a batch. */
interface Writing {
  readonly builder: PayloadBuilder;
  readonly nowMs: number;
  /** `,"_logboom":{"file":"…","low":` */
  readonly endingHead: Buffer;
}

export class BulkEncoder {
  readonly #router: IndexRouter;
  readonly #bytesMax: number;
  readonly #decoder = new TextDecoder();
  readonly #known: KnownDocuments;
  readonly #buffers = new FreeBuffers(FREE_BYTES_MAX);
  /** How many times as large as its documents a request was of late. */
  #growth = GROWTH_MAX;

  constructor({ router, bytesMax }: BulkEncoderOptions) {
    this.#router = router;
    this.#bytesMax = bytesMax;
    this.#known = new KnownDocuments((day, namespace) => router.nameOf(day, namespace));
  }

  /** Encodes all documents; `nowMs` decides which are too late or too early for the index of their day. */
  encode(batches: readonly DocumentBatch[], nowMs: number): EncodedBulk {
    const payloads: BulkPayload[] = [];
    const unsent: UnsentDocument[] = [];
    const capacity = this.#capacity(batches);
    const allocate = (): Buffer => Buffer.from(this.#buffers.take(capacity).buffer);
    const builder = new PayloadBuilder({ batches, allocate });
    for (const [batchIndex, batch] of batches.entries()) {
      const writing = { builder, nowMs, endingHead: endingHead(batch.fileId) };
      const place = placeIn(batch, batchIndex);
      for (let documentIndex = 0; documentIndex < batch.count; documentIndex += 1) {
        place.documentIndex = documentIndex;
        place.start = place.end;
        place.end = batch.ends[documentIndex] ?? place.end;
        place.offset = batch.offsets[documentIndex] ?? 0;
        place.lane = batch.lanes[documentIndex] ?? 0;
        if (builder.length > 0 && builder.length + (place.end - place.start) > this.#bytesMax)
          payloads.push(builder.take());
        const error = this.#add(writing, place);
        if (error !== undefined) unsent.push({ batchIndex, documentIndex, error });
      }
    }
    if (builder.length > 0) payloads.push(builder.take());
    this.#noteGrowth(batches, payloads);
    return { payloads, unsent };
  }

  /** Takes back the buffer of a request that nobody reads or sends any more: another one is written to it. */
  recycle({ bytes }: BulkPayload): void {
    this.#buffers.give(bytes);
  }

  /** What the last documents needed is what the next ones do, about. */
  #capacity(batches: readonly DocumentBatch[]): number {
    const bytes = batches.reduce((sum, batch) => sum + batch.body.length, 0);
    return Math.min(this.#bytesMax, Math.ceil(bytes * this.#growth * GROWTH_MARGIN)) + 1024;
  }

  #noteGrowth(batches: readonly DocumentBatch[], payloads: readonly BulkPayload[]): void {
    const before = batches.reduce((sum, batch) => sum + batch.body.length, 0);
    const after = payloads.reduce((sum, payload) => sum + payload.bytes.length, 0);
    if (before > 0) this.#growth = Math.min(GROWTH_MAX, after / before);
  }

  #add(writing: Writing, place: Place): DeadLetterError | undefined {
    const known = this.#known.recognise(place);
    if (known !== undefined) {
      this.#addKnown(writing, place, known);
      return undefined;
    }
    const facts = this.#parsed(place);
    if ('reason' in facts) return facts;
    this.#addParsed(writing, place, facts);
    return undefined;
  }

  /** The fast path: documents in the agents' layout. */
  #addKnown({ builder, nowMs, endingHead: head }: Writing, place: Place, known: KnownDocument): void {
    const { body, start, end, offset } = place;
    const { index, isOverflow, usualIndex } = this.#route(known.timeMs, known.index, nowMs);
    const action = isOverflow ? actionLine(index, eventIdOf(place.fileId, offset)) : known.action;
    const textEnd = end - 2;
    const room =
      action.length + (end - start) + head.length + OFFSET_BYTES_MAX + known.columnsBytes + END.length;
    const target = builder.reserve(room);
    let at = builder.length;
    at = copyBytes(action, 0, action.length, target, at);
    at = copyBytes(body, start, textEnd, target, at);
    at = copyBytes(head, 0, head.length, target, at);
    // Offsets are below 2^48 (`identity.ts`), so both parts are within 32 bits.
    const low = offset % OFFSET_UNIT;
    at = writeNumber(target, at, low);
    at = copyBytes(HIGH_KEY, 0, HIGH_KEY.length, target, at);
    at = writeNumber(target, at, (offset - low) / OFFSET_UNIT);
    at = this.#known.writeColumns(target, at);
    at = copyBytes(END, 0, END.length, target, at);
    const { batchIndex, documentIndex } = place;
    builder.add({ batchIndex, documentIndex, index, timeMs: known.timeMs, usualIndex, isOverflow }, at);
  }

  #addParsed({ builder, nowMs }: Writing, place: Place, facts: Facts): void {
    const { timeMs, text } = facts;
    const { batchIndex, documentIndex, fileId, offset } = place;
    const { index, isOverflow, usualIndex } = this.#route(timeMs, facts.index, nowMs);
    const action = actionLine(index, eventIdOf(fileId, offset));
    const ending = Buffer.from(privateEnding(fileId, offset, facts.columnsJson));
    const target = builder.reserve(action.length + text.end - text.start + ending.length);
    let at = builder.length + action.copy(target, builder.length);
    at += text.bytes.copy(target, at, text.start, text.end);
    at += ending.copy(target, at);
    builder.add({ batchIndex, documentIndex, index, timeMs, usualIndex, isOverflow }, at);
  }

  /** Where a document of this time goes, whose day has the index `usual`. */
  #route(timeMs: number, usual: string, nowMs: number): Route {
    const timeliness = this.#router.timeliness(timeMs, nowMs);
    if (timeliness === 'usual') return { index: usual, isOverflow: false, usualIndex: undefined };
    const usualIndex = timeliness === 'late' ? usual : undefined;
    return { index: this.#router.overflowName(timeliness), isOverflow: true, usualIndex };
  }

  /** The slow path: any JSON object. */
  #parsed(place: Place): Facts | DeadLetterError {
    const { body, start, end, fileId, offset } = place;
    const bytes = body.subarray(start, end);
    const document = parseObject(this.#decoder.decode(bytes));
    if (document === undefined) return { type: 'not_json', reason: 'the document is no JSON object' };
    const timeNs = timeOf(document);
    if (timeNs === undefined || !isEngineTime(timeNs)) return timeError(document['@timestamp']);
    this.#known.learn(place);
    return {
      timeMs: Number(timeNs / NS_PER_MS),
      index: this.#router.nameOf(formatTimestamp(timeNs), routedTo(document)),
      columnsJson: columnsJson(searchColumns(document, { eventId: eventIdOf(fileId, offset), offset })),
      text: openText(bytes, document),
    };
  }
}

/** Returns the document's bytes without its last brace; a private member of its own is taken out. */
function openText(bytes: Buffer, document: JsonObject): DocumentText {
  if (!Object.hasOwn(document, PRIVATE_MEMBER))
    return { bytes, start: 0, end: bytes.lastIndexOf(CLOSE_BRACE) };
  const { [PRIVATE_MEMBER]: _, ...rest } = document;
  const text = Buffer.from(JSON.stringify(rest));
  return { bytes: text, start: 0, end: text.length - 1 };
}

interface Route {
  readonly index: string;
  readonly isOverflow: boolean;
  readonly usualIndex: string | undefined;
}

/** The place in front of the first document of a batch. */
function placeIn({ body, fileId }: DocumentBatch, batchIndex: number): MutablePlace {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  return { batchIndex, documentIndex: 0, fileId, offset: 0, lane: 0, body: bytes, start: 0, end: 0 };
}

function endingHead(fileId: string): Buffer {
  return Buffer.from(`,"${PRIVATE_MEMBER}":{"file":"${fileId}","low":`);
}

function privateEnding(fileId: string, offset: number, columns: string): string {
  const low = offset % OFFSET_UNIT;
  const high = (offset - low) / OFFSET_UNIT;
  return `,"${PRIVATE_MEMBER}":{"file":"${fileId}","low":${low},"high":${high}${columns}}}\n`;
}

/** Writes a whole number below 2^31 in decimal digits; returns the place behind them. */
function writeNumber(target: Buffer, start: number, number: number): number {
  let end = start + 1;
  // Bit operations keep the division within 32 bits, which is several times as fast.
  for (let rest = number | 0; rest >= 10; rest = (rest / 10) | 0) end += 1;
  let rest = number | 0;
  for (let at = end - 1; at >= start; at -= 1) {
    const tens = (rest / 10) | 0;
    target[at] = ZERO + rest - tens * 10;
    rest = tens;
  }
  return end;
}

function parseObject(text: string): JsonObject | undefined {
  if (text.charCodeAt(0) !== OPEN_BRACE) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(document: JsonObject): bigint | undefined {
  const time = document['@timestamp'];
  // `now` and the like are times for people only.
  return typeof time === 'string' && /^\d/.test(time) ? parseTime(time, 0n) : undefined;
}

function timeError(time: unknown): DeadLetterError {
  const given = (JSON.stringify(time) ?? 'missing').slice(0, 100);
  return typeof time === 'string' && isFarDate(time)
    ? { type: 'timestamp_out_of_range', reason: `@timestamp is not between 1970 and 2262: ${given}` }
    : { type: 'no_timestamp', reason: `@timestamp is no time in RFC 3339: ${given}` };
}

/** Returns the namespace, or the name that a pipeline put in its place. */
function routedTo(document: JsonObject): string | undefined {
  const index = memberText(document['logboom'], 'index');
  return index ?? memberText(document['kubernetes'], 'namespace');
}

function memberText(object: unknown, key: string): string | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const value = (object as JsonObject)[key];
  return typeof value === 'string' ? value : undefined;
}
