/**
 * From batches of documents to bodies of bulk requests. Each document gets the private member at its end
 * (`field-table.ts`); its own bytes stay as they are, so that what is read back is what was sent.
 */
import type { DeadLetterError } from '../../../record/dead-letter.ts';
import { TIMESTAMP_START } from '../../../record/document-layout.ts';
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import type { JsonObject } from '../../../query/match.ts';
import { parseTime } from '../../../query/time-range.ts';
import type { BulkPayload, DocumentText } from './bulk-payload.ts';
import { PayloadBuilder } from './bulk-payload.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';
import type { IndexRouter } from './index-router.ts';
import type { FilePlace } from './known-documents.ts';
import { KnownDocuments } from './known-documents.ts';
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
/** More is made room for when it is needed. */
const GROWTH_MAX = 2;
const GROWTH_MARGIN = 1.05;

const CLOSE_BRACE = 125;
const OPEN_BRACE = 123;

interface Place extends FilePlace {
  readonly batchIndex: number;
  readonly documentIndex: number;
}

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

export class BulkEncoder {
  readonly #router: IndexRouter;
  readonly #bytesMax: number;
  readonly #decoder = new TextDecoder();
  readonly #known = new KnownDocuments();
  /** How many times as large as its documents a request was of late. */
  #growth = GROWTH_MAX;

  constructor({ router, bytesMax }: BulkEncoderOptions) {
    this.#router = router;
    this.#bytesMax = bytesMax;
  }

  /** Encodes all documents; `nowMs` decides which are too late or too early for the index of their day. */
  encode(batches: readonly DocumentBatch[], nowMs: number): EncodedBulk {
    const payloads: BulkPayload[] = [];
    const unsent: UnsentDocument[] = [];
    const builder = new PayloadBuilder(this.#capacity(batches));
    for (const [batchIndex, batch] of batches.entries()) {
      const body = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.length);
      const { fileId } = batch;
      for (let documentIndex = 0, start = 0; documentIndex < batch.count; documentIndex += 1) {
        const end = batch.ends[documentIndex] ?? start;
        const offset = batch.offsets[documentIndex] ?? 0;
        const lane = batch.lanes[documentIndex] ?? 0;
        if (builder.length > 0 && builder.length + (end - start) > this.#bytesMax)
          payloads.push(builder.take());
        const place = { batchIndex, documentIndex, fileId, offset, lane, body, start, end };
        const error = this.#add(builder, place, nowMs);
        if (error !== undefined) unsent.push({ batchIndex, documentIndex, error });
        start = end;
      }
    }
    if (builder.length > 0) payloads.push(builder.take());
    this.#noteGrowth(batches, payloads);
    return { payloads, unsent };
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

  #add(builder: PayloadBuilder, place: Place, nowMs: number): DeadLetterError | undefined {
    const facts = this.#recognised(place) ?? this.#parsed(place);
    if ('reason' in facts) return facts;
    const { timeMs, index: usualIndex, text } = facts;
    const { batchIndex, documentIndex, fileId, offset } = place;
    const id = eventIdOf(fileId, offset);
    const timeliness = this.#router.timeliness(timeMs, nowMs);
    const index = timeliness === 'usual' ? usualIndex : this.#router.overflowName(timeliness);
    builder.add(
      {
        batchIndex,
        documentIndex,
        index,
        id,
        timeMs,
        usualIndex: timeliness === 'late' ? usualIndex : undefined,
        start: 0,
        end: 0,
      },
      text,
      privateEnding(fileId, offset, facts.columnsJson),
    );
    return undefined;
  }

  /** The fast path: documents in the agents' layout. */
  #recognised(place: Place): Facts | undefined {
    const known = this.#known.recognise(place);
    if (known === undefined) return undefined;
    const { timeMs, namespace } = known;
    const { body, start, end } = place;
    const dayStart = start + TIMESTAMP_START;
    const index = this.#router.nameOf(body.toString('latin1', dayStart, dayStart + 10), namespace);
    return { timeMs, index, columnsJson: known.columnsJson, text: { bytes: body, start, end: end - 2 } };
  }

  /** The slow path: any JSON object. */
  #parsed(place: Place): Facts | DeadLetterError {
    const { body, start, end, fileId, offset } = place;
    const bytes = body.subarray(start, end);
    const document = parseObject(this.#decoder.decode(bytes));
    if (document === undefined) return { type: 'not_json', reason: 'the document is no JSON object' };
    const timeNs = timeOf(document);
    if (timeNs === undefined) {
      const given = JSON.stringify(document['@timestamp']) ?? 'missing';
      return { type: 'no_timestamp', reason: `@timestamp is no time in RFC 3339: ${given.slice(0, 100)}` };
    }
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

function privateEnding(fileId: string, offset: number, columns: string): string {
  const low = offset % OFFSET_UNIT;
  const high = (offset - low) / OFFSET_UNIT;
  return `,"${PRIVATE_MEMBER}":{"file":"${fileId}","low":${low},"high":${high}${columns}}}`;
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
