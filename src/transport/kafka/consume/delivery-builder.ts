/**
 * Makes deliveries of the records of one partition: those of one file stand in one batch, in their order. A batch ends
 * where offsets of its lane do not grow, which is where a producer has sent something again.
 *
 * Files take turns in a topic, so the batches of a stretch of records overlap in it. Their positions are places
 * inside of the stretch, one after the other without holes; only the end of the last one is an offset that may be
 * committed (`consumer-state.ts`). There are never more batches than records, so the places suffice.
 */
import type { FreeBuffers } from '../../../base/free-buffers.ts';
import { FILE_ID_LENGTH } from '../../../record/identity.ts';
import { LANE_COUNT } from '../../../record/lane.ts';
import type { DeadLetter } from '../../../record/dead-letter.ts';
import type { LedgerRecord } from '../../../record/ledger.ts';
import type { Delivery, DeliverySource } from '../../transport.ts';
import { DocumentIdentity } from '../records/document-identity.ts';
import { readForeign, type ForeignPlace, type IdentifiedDocument } from '../records/foreign-document.ts';
import { headerOf, type RecordCursor } from '../records/record-decoder.ts';
import { DocumentTable, type DocumentOrigin } from './document-table.ts';
import { HEADERS, SCHEMA_HEADER, SCHEMA_VERSION } from '../records/record-encoder.ts';

/** A record that a newer Logboom wrote, in a form that this one does not know. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
  readonly version: string;

  constructor(version: string) {
    super(`a record has schema version ${version}`);
    this.version = version;
  }
}

export interface DeliveryBuilderOptions {
  readonly kind: 'log' | 'ledger';
  /** Number of the partition for the consumer's user. */
  readonly partition: number;
  readonly source: DeliverySource;
  /** File id of documents that have none, by the run of offsets that they stand in; the empty run is the usual one. */
  readonly foreignFileIdOf: (run: string) => string;
  /** Where bodies of batches come from; the caller gives them back. */
  readonly buffers: FreeBuffers;
  /** Told of each ledger record that cannot be read; it is left out. */
  readonly onBrokenLedger: (offset: number) => void;
}

const NEWLINE = 0x0a;

const NO_OFFSETS: readonly number[] = Array.from({ length: LANE_COUNT }, () => -1);

interface Group {
  readonly fileId: string;
  readonly index: number;
  readonly lastOffsets: number[];
  count: number;
  byteLength: number;
}

export class DeliveryBuilder {
  readonly #options: DeliveryBuilderOptions;
  readonly #identity = new DocumentIdentity();
  readonly #fileIdOf = new Map<string, string>();
  readonly #documents = new DocumentTable();
  #groups: Group[] = [];
  /** The group that takes the next document of a file. */
  #open = new Map<string, Group>();
  #last: Group | undefined;
  #ledger: LedgerRecord[] = [];
  #byteLength = 0;
  /** Where the next newline of a buffer stands, its end when there is none. */
  #newline = 0;
  #newlineData: Buffer | undefined;

  constructor(options: DeliveryBuilderOptions) {
    this.#options = options;
  }

  /** Bytes of bodies that `finish` would return. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Adds a record. Throws `NewerSchemaError` and adds nothing then. */
  add(cursor: RecordCursor): void {
    const isOwn = hasOwnHeaders(cursor) || hasSchema(cursor);
    if (cursor.valueStart < 0) return;
    if (this.#options.kind === 'ledger') {
      this.#addLedger(cursor);
      return;
    }
    const { data, valueStart, valueEnd } = cursor;
    if (
      isOwn &&
      this.#identity.find(data, valueStart, valueEnd) &&
      isKey(cursor, data, this.#identity.fileIdStart) &&
      !this.#hasNewline(data, valueStart, valueEnd)
    ) {
      const group = this.#groupFor(this.#groupOf(data, this.#identity.fileIdStart), this.#identity);
      this.#documents.add(group.index, cursor, this.#identity);
      this.#count(group, valueEnd - valueStart);
      return;
    }
    const place = this.#placeOf(cursor, isOwn);
    for (const document of readForeign(data.subarray(valueStart, valueEnd), place))
      this.#addForeign(document, cursor.offset);
  }

  /**
   * Returns what was added as deliveries that together reach from position `start` to `end`, and begins anew. Empty
   * when nothing was added that is delivered.
   */
  finish(start: number, end: number): Delivery[] {
    const { partition, source } = this.#options;
    const deliveries: Delivery[] = [];
    const count = this.#groups.length + (this.#ledger.length > 0 ? 1 : 0);
    const place = (): {
      partition: number;
      source: DeliverySource;
      position: bigint;
      nextPosition: bigint;
    } => {
      const position = start + deliveries.length;
      const next = deliveries.length === count - 1 ? end : position + 1;
      return { partition, source, position: BigInt(position), nextPosition: BigInt(next) };
    };
    for (const { batch, places } of this.#documents.finish(this.#groups, this.#options.buffers)) {
      const sourceOf = (index: number): DeadLetter['source'] => ({
        ...source,
        offset: String(places[index]),
      });
      deliveries.push({ kind: 'log', batch, sourceOf, ...place() });
    }
    if (this.#ledger.length > 0) deliveries.push({ kind: 'ledger', records: this.#ledger, ...place() });
    this.#groups = [];
    this.#open = new Map();
    this.#last = undefined;
    this.#ledger = [];
    this.#byteLength = 0;
    this.#newlineData = undefined;
    return deliveries;
  }

  #addLedger({ data, offset, valueStart, valueEnd }: RecordCursor): void {
    const record = parseLedger(data.toString('utf8', valueStart, valueEnd));
    if (record === undefined) {
      this.#options.onBrokenLedger(offset);
      return;
    }
    this.#byteLength += valueEnd - valueStart;
    this.#ledger.push(record);
  }

  #addForeign(document: IdentifiedDocument, place: number): void {
    const { fileId, line } = document;
    const group = this.#groupFor(this.#openGroup(fileId), document);
    const record = { data: line, valueStart: 0, valueEnd: line.length, offset: place };
    this.#documents.add(group.index, record, document);
    this.#count(group, line.length);
  }

  /** Newlines are rare: where the next one of a buffer stands is remembered. */
  #hasNewline(data: Buffer, start: number, end: number): boolean {
    if (this.#newlineData !== data || this.#newline < start) {
      const found = data.indexOf(NEWLINE, start);
      this.#newlineData = data;
      this.#newline = found < 0 ? data.length : found;
    }
    return this.#newline < end;
  }

  #groupOf(data: Buffer, fileIdStart: number): Group {
    const last = this.#last;
    if (last !== undefined && isTextAt(data, fileIdStart, last.fileId)) return last;
    return this.#openGroup(data.toString('latin1', fileIdStart, fileIdStart + FILE_ID_LENGTH));
  }

  #openGroup(fileId: string): Group {
    const open = this.#open.get(fileId);
    if (open !== undefined) return open;
    const index = this.#groups.length;
    const group: Group = { fileId, index, lastOffsets: [...NO_OFFSETS], count: 0, byteLength: 0 };
    this.#open.set(fileId, group);
    this.#groups.push(group);
    return group;
  }

  /** Returns the group, or a new one of the file where offsets of the lane do not grow; notes the offset. */
  #groupFor(group: Group, { offset, lane }: DocumentOrigin): Group {
    if (offset > (group.lastOffsets[lane] ?? -1)) {
      group.lastOffsets[lane] = offset;
      return group;
    }
    this.#open.delete(group.fileId);
    const next = this.#openGroup(group.fileId);
    next.lastOffsets[lane] = offset;
    return next;
  }

  #count(group: Group, documentBytes: number): void {
    group.count += 1;
    group.byteLength += documentBytes + 1;
    this.#byteLength += documentBytes + 1;
    this.#last = group;
  }

  #placeOf(cursor: RecordCursor, isOwn: boolean): ForeignPlace {
    const { offset, timestampMs } = cursor;
    const fileIdOf = (run: string): string => {
      const known = this.#fileIdOf.get(run);
      if (known !== undefined) return known;
      const fileId = this.#options.foreignFileIdOf(run);
      this.#fileIdOf.set(run, fileId);
      return fileId;
    };
    const isOwnFileId = (fileId: string): boolean => isOwn && isKey(cursor, Buffer.from(fileId), 0);
    return { fileId: fileIdOf(''), offset, timestampMs, fileIdOf, isOwnFileId };
  }
}

/** Tells whether the headers are those that this program writes: the fast path. */
function hasOwnHeaders({ data, headersStart, headersEnd }: RecordCursor): boolean {
  if (headersEnd - headersStart !== HEADERS.length) return false;
  for (let at = 0; at < HEADERS.length; at++) if (data[headersStart + at] !== HEADERS[at]) return false;
  return true;
}

/** Whether a record with other headers, too, says in which form it is. Throws `NewerSchemaError`. */
function hasSchema(cursor: RecordCursor): boolean {
  if (cursor.headersEnd - cursor.headersStart <= 1) return false;
  const version = headerOf(cursor, SCHEMA_HEADER);
  if (version === undefined || !/^\d+(\.\d+)*$/.test(version)) return false;
  if (Number.parseInt(version, 10) > SCHEMA_VERSION) throw new NewerSchemaError(version);
  return true;
}

/** Whether the record's key is the file id that begins at `at` of `bytes`. */
function isKey({ data, keyStart, keyEnd }: RecordCursor, bytes: Buffer, at: number): boolean {
  if (keyStart < 0 || keyEnd - keyStart !== FILE_ID_LENGTH) return false;
  for (let index = 0; index < FILE_ID_LENGTH; index++)
    if (data[keyStart + index] !== bytes[at + index]) return false;
  return true;
}

function isTextAt(data: Buffer, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++)
    if (data[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

function parseLedger(text: string): LedgerRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<LedgerRecord> | null;
    const isUsable = typeof record?.fileId === 'string' && typeof record.sequence === 'number';
    return isUsable ? (record as LedgerRecord) : undefined;
  } catch {
    return undefined;
  }
}
