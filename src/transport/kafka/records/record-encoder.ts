/**
 * Writes record batches of Kafka's format 2 (https://kafka.apache.org/documentation/#recordbatch) without an object
 * per record: documents are copied from their buffer into the batch.
 *
 *   baseOffset 8 | batchLength 4 | leaderEpoch 4 | magic 1 | crc 4 | attributes 2 | lastOffsetDelta 4 |
 *   baseTimestamp 8 | maxTimestamp 8 | producerId 8 | producerEpoch 2 | baseSequence 4 | count 4 | records
 *
 * Every record of a batch has the batch's timestamp. The crc (CRC-32C) covers everything from the attributes on.
 */
import { crc32c } from '../client/kafka-library.ts';
import { assert } from '../../../base/assert.ts';
import { codecNumberOf, compressRecords, type Compression } from './record-compression.ts';

/** Bytes before the records. */
export const BATCH_HEADER_BYTES = 61;

/** Major version of what Logboom writes into a record; a consumer refuses newer ones. */
export const SCHEMA_VERSION = 1;

export const SCHEMA_HEADER = 'logboom-schema';

/** Upper bound of what a record adds to its key and value: lengths, deltas and the header. */
export const RECORD_OVERHEAD_BYTES = 48;

const CRC_START = 17;
const ATTRIBUTES_START = 21;
const MAGIC = 2;

/** Scratch space grows to the largest batch and is kept. */
const SCRATCH_BYTES = 256 * 1024;

export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence number of the first record. */
  readonly sequence: number;
}

export interface EncodeOptions {
  readonly identity: BatchIdentity;
  readonly timestampMs: number;
  readonly compression: Compression;
}

/** The headers of each record as bytes: their count, then the lengths and texts. */
export const HEADERS: Buffer = encodeHeaders([[SCHEMA_HEADER, String(SCHEMA_VERSION)]]);

/** Collects the records of one batch after the other. */
export class RecordEncoder {
  #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  #length = 0;
  #count = 0;

  /** Bytes of the records so far, not compressed. */
  get byteLength(): number {
    return this.#length;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a record whose value are the bytes from `start` to `end` of `source`; undefined is a tombstone. */
  add(key: Buffer, source: Buffer | undefined, start: number, end: number): void {
    const valueLength = source === undefined ? 0 : end - start;
    const lengthOfValue = varintLength(source === undefined ? -1 : valueLength);
    const head = 2 + varintLength(this.#count) + varintLength(key.length) + key.length;
    const bodyLength = head + lengthOfValue + valueLength + HEADERS.length;
    this.#reserve(bodyLength + 5);
    const scratch = this.#scratch;
    let at = writeVarint(scratch, this.#length, bodyLength);
    scratch[at++] = 0; // Attributes of a record are not used.
    scratch[at++] = 0; // The batch's timestamp.
    at = writeVarint(scratch, at, this.#count);
    at = writeVarint(scratch, at, key.length);
    scratch.set(key, at);
    at = writeVarint(scratch, at + key.length, source === undefined ? -1 : valueLength);
    if (source !== undefined) {
      // Unlike `set` with a part of the source, this makes no object.
      source.copy(scratch, at, start, end);
      at += valueLength;
    }
    scratch.set(HEADERS, at);
    this.#length = at + HEADERS.length;
    this.#count += 1;
  }

  /** Returns the batch in a buffer of its own, and begins the next one. */
  finish({ identity, timestampMs, compression }: EncodeOptions): Buffer {
    assert(this.#count > 0, 'a batch has records');
    const records = compressRecords(this.#scratch.subarray(0, this.#length), compression);
    const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
    batch.set(records, BATCH_HEADER_BYTES);
    batch.writeBigInt64BE(0n, 0);
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt32BE(-1, 12);
    batch.writeInt8(MAGIC, 16);
    batch.writeInt16BE(codecNumberOf(compression), ATTRIBUTES_START);
    batch.writeInt32BE(this.#count - 1, 23);
    batch.writeBigInt64BE(BigInt(timestampMs), 27);
    batch.writeBigInt64BE(BigInt(timestampMs), 35);
    batch.writeBigInt64BE(identity.producerId, 43);
    batch.writeInt16BE(identity.producerEpoch, 51);
    batch.writeInt32BE(identity.sequence, 53);
    batch.writeInt32BE(this.#count, 57);
    batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_START)), CRC_START);
    this.#length = 0;
    this.#count = 0;
    return batch;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#scratch.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#scratch.length * 2, this.#length + bytes));
    larger.set(this.#scratch.subarray(0, this.#length), 0);
    this.#scratch = larger;
  }
}

/** Returns the bytes that a number takes as a zigzag varint. */
function varintLength(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let length = 1;
  while (rest > 127) {
    rest >>>= 7;
    length += 1;
  }
  return length;
}

/** Writes a zigzag varint and returns the place behind it. */
function writeVarint(target: Buffer, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = start;
  while (rest > 127) {
    target[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

function encodeHeaders(headers: readonly (readonly [string, string])[]): Buffer {
  const target = Buffer.alloc(256);
  let at = writeVarint(target, 0, headers.length);
  for (const text of headers.flat()) {
    at = writeVarint(target, at, Buffer.byteLength(text));
    at += target.write(text, at);
  }
  return target.subarray(0, at);
}
