/**
 * Reads record batches of Kafka's format 2 as brokers return them, without an object per record: one cursor is moved
 * over the records of a batch. `record-encoder.ts` shows the layout.
 */
import { crc32c } from '../client/kafka-library.ts';
import { decompressRecords } from './record-compression.ts';

/** What stands before the records of one batch, and where they are. */
export interface BatchFrame {
  readonly baseOffset: number;
  /** Offset behind the last record, those included that compaction took away. */
  readonly nextOffset: number;
  readonly attributes: number;
  readonly baseTimestampMs: number;
  readonly maxTimestampMs: number;
  readonly count: number;
  /** Still compressed. */
  readonly records: Buffer;
}

/** One record: places in `data`. A missing key or value has a start of -1. */
export interface RecordCursor {
  data: Buffer;
  offset: number;
  timestampMs: number;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
  headersStart: number;
  headersEnd: number;
}

/** A batch that is broken: its checksum, its length, or its format. */
export class BrokenBatchError extends Error {
  override readonly name = 'BrokenBatchError';
}

const HEADER_BYTES = 61;
const LENGTH_END = 12;
const IS_LOG_APPEND_TIME = 1 << 3;
const IS_CONTROL = 1 << 5;

/**
 * Splits what a fetch returned into batches, without unpacking them. The last one may have been cut by the broker and
 * is left out then. Batches that control transactions have no records. Throws `BrokenBatchError`.
 */
export function readFrames(bytes: Buffer): BatchFrame[] {
  const frames: BatchFrame[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_BYTES) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    frames.push(readFrame(bytes, at, end));
    at = end;
  }
  return frames;
}

function readFrame(bytes: Buffer, at: number, end: number): BatchFrame {
  const magic = bytes.readInt8(at + 16);
  if (magic !== 2) throw new BrokenBatchError(`record format ${magic} is not known`);
  if (end - at < HEADER_BYTES) throw new BrokenBatchError('a record batch is shorter than its header');
  if (crc32c(bytes.subarray(at + 21, end)) !== bytes.readUInt32BE(at + 17))
    throw new BrokenBatchError('the checksum of a record batch is wrong');
  const baseOffset = Number(bytes.readBigInt64BE(at));
  const attributes = bytes.readInt16BE(at + 21);
  return {
    baseOffset,
    nextOffset: baseOffset + bytes.readInt32BE(at + 23) + 1,
    attributes,
    baseTimestampMs: Number(bytes.readBigInt64BE(at + 27)),
    maxTimestampMs: Number(bytes.readBigInt64BE(at + 35)),
    count: (attributes & IS_CONTROL) === 0 ? bytes.readInt32BE(at + 57) : 0,
    records: bytes.subarray(at + HEADER_BYTES, end),
  };
}

/** Reads the records of one batch: `next` moves `cursor` until there is none left. */
export class RecordReader {
  readonly cursor: RecordCursor;
  readonly #frame: BatchFrame;
  readonly #data: Buffer;
  #at = 0;
  #read = 0;

  /** Unpacks the batch. Throws `BrokenBatchError`. */
  constructor(frame: BatchFrame) {
    this.#frame = frame;
    try {
      this.#data = frame.count === 0 ? frame.records : decompressRecords(frame.records, frame.attributes);
    } catch (error) {
      throw new BrokenBatchError('cannot unpack a record batch', { cause: error });
    }
    this.cursor = {
      data: this.#data,
      offset: 0,
      timestampMs: 0,
      keyStart: 0,
      keyEnd: 0,
      valueStart: 0,
      valueEnd: 0,
      headersStart: 0,
      headersEnd: 0,
    };
  }

  /** Moves to the next record; false at the end. Throws `BrokenBatchError`. */
  next(): boolean {
    if (this.#read >= this.#frame.count) return false;
    const { cursor } = this;
    const length = this.#readVarint();
    const end = this.#at + length;
    if (length < 0 || end > this.#data.length) throw new BrokenBatchError('a record is cut');
    this.#at += 1;
    const timestampDelta = this.#readVarint();
    cursor.offset = this.#frame.baseOffset + this.#readVarint();
    cursor.timestampMs =
      (this.#frame.attributes & IS_LOG_APPEND_TIME) === 0
        ? this.#frame.baseTimestampMs + timestampDelta
        : this.#frame.maxTimestampMs;
    const keyLength = this.#readVarint();
    cursor.keyStart = keyLength < 0 ? -1 : this.#at;
    this.#at += Math.max(0, keyLength);
    cursor.keyEnd = this.#at;
    const valueLength = this.#readVarint();
    cursor.valueStart = valueLength < 0 ? -1 : this.#at;
    this.#at += Math.max(0, valueLength);
    cursor.valueEnd = this.#at;
    if (this.#at > end) throw new BrokenBatchError('a record is longer than it says');
    cursor.headersStart = this.#at;
    cursor.headersEnd = end;
    this.#at = end;
    this.#read += 1;
    return true;
  }

  /** Reads a zigzag varint. Deltas of timestamps go beyond 32 bits, so this counts in doubles. */
  #readVarint(): number {
    const data = this.#data;
    let byte = data[this.#at++] ?? 0;
    if (byte < 128) return byte & 1 ? -((byte + 1) >> 1) : byte >> 1;
    let value = byte & 127;
    let factor = 128;
    for (let digits = 1; byte >= 128 && digits < 10; digits++) {
      byte = data[this.#at++] ?? 0;
      value += (byte & 127) * factor;
      factor *= 128;
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
}

/** Returns the value of a record's header as text, or undefined when it has none of this name. */
export function headerOf(cursor: RecordCursor, name: string): string | undefined {
  const { data, headersEnd } = cursor;
  let at = cursor.headersStart;
  const readLength = (): number => {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = data[at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return (value >>> 1) ^ -(value & 1);
  };
  for (let count = readLength(); count > 0 && at < headersEnd; count--) {
    const nameLength = readLength();
    const isWanted = data.toString('utf8', at, at + nameLength) === name;
    at += nameLength;
    const valueLength = Math.max(0, readLength());
    if (isWanted) return data.toString('utf8', at, at + valueLength);
    at += valueLength;
  }
  return undefined;
}
