/**
 * What is known of one partition that is read: how far it was fetched, made into deliveries, and committed.
 *
 *   committed ≤ committable ≤ delivered ≤ fetched
 *
 * Deliveries are made in stretches of records that overlap (`delivery-builder.ts`), so what may be committed is the
 * end of the last stretch of which everything is durable.
 *
 * Invariants
 *   - positions of deliveries have no holes and only grow;
 *   - `committable` is the end of a stretch, and everything below it was said to be durable;
 *   - bytes that are fetched, and bytes that are delivered and not durable, are counted here and nowhere else.
 */
import { assert } from '../../../base/assert.ts';
import type { FreeBuffers } from '../../../base/free-buffers.ts';
import type { Delivery } from '../../transport.ts';
import type { DeliveryBuilder } from './delivery-builder.ts';
import { readFrames, RecordReader, type BatchFrame } from '../records/record-decoder.ts';

interface Stretch {
  readonly end: number;
  readonly byteLength: number;
  /** What its deliveries lend, until they are durable. */
  readonly bodies: readonly Uint8Array[];
}

export interface PartitionStateOptions {
  readonly builder: DeliveryBuilder;
  /** Where the builder takes buffers for bodies from. */
  readonly buffers: FreeBuffers;
  /** First offset to be read. */
  readonly offset: number;
}

/** Bodies of one stretch: few enough that a poll gets about what it asked for. */
const STRETCH_BYTES_MAX = 512 * 1024;

export class PartitionReadState {
  readonly #builder: DeliveryBuilder;
  readonly #buffers: FreeBuffers;
  /** Fetched and not unpacked. */
  readonly #frames: BatchFrame[] = [];
  #reader: RecordReader | undefined;
  /** Made and not taken. */
  readonly #ready: Delivery[] = [];
  readonly #stretches: Stretch[] = [];
  #fetchedOffset: number;
  /** Where the next stretch begins. */
  #stretchStart: number;
  /** Where the records behind those read begin. */
  #readOffset: number;
  #committable: number;
  #fetchedBytes = 0;
  #heldBytes = 0;
  #endOffset: number;

  constructor({ builder, buffers, offset }: PartitionStateOptions) {
    this.#builder = builder;
    this.#buffers = buffers;
    this.#fetchedOffset = offset;
    this.#stretchStart = offset;
    this.#readOffset = offset;
    this.#committable = offset;
    this.#endOffset = offset;
  }

  /** The next offset to fetch. */
  get fetchedOffset(): number {
    return this.#fetchedOffset;
  }

  /** The offset that may be committed. */
  get committable(): number {
    return this.#stretches.length === 0 ? this.#readOffset : this.#committable;
  }

  /** Bytes that were fetched and are not unpacked. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** Bytes of bodies that were delivered and are not durable. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Records in the partition that are not durable yet, as the broker said last. */
  get lag(): number {
    return Math.max(0, this.#endOffset - this.committable);
  }

  get hasRecords(): boolean {
    return this.#ready.length > 0 || this.#reader !== undefined || this.#frames.length > 0;
  }

  /**
   * Adds what a fetch from offset `from` returned, unless that is not what is wanted any more: the partition may have
   * been given up and taken again, or rewound, while the fetch was under way. Throws `BrokenBatchError` and adds
   * nothing then.
   */
  addFetched(records: Buffer, from: number, endOffset: number): void {
    if (from !== this.#fetchedOffset) return;
    const frames = readFrames(records).filter(({ nextOffset }) => nextOffset > this.#fetchedOffset);
    this.#endOffset = endOffset;
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#fetchedBytes += frame.records.length;
      this.#fetchedOffset = frame.nextOffset;
    }
  }

  /**
   * Takes deliveries with at most `bytesMax` bytes of bodies, or one larger one when `isOneNeeded`. Throws
   * `NewerSchemaError` or `BrokenBatchError` when the first record cannot be read; it throws again then.
   */
  take(bytesMax: number, isOneNeeded: boolean): Delivery[] {
    const taken: Delivery[] = [];
    let byteLength = 0;
    for (;;) {
      const next = this.#ready[0] ?? this.#nextStretch(bytesMax, taken.length === 0);
      if (next === undefined) return taken;
      const nextBytes = bodyBytesOf(next);
      const isFirst = isOneNeeded && taken.length === 0;
      if (byteLength + nextBytes > bytesMax && !isFirst) return taken;
      this.#ready.shift();
      taken.push(next);
      byteLength += nextBytes;
    }
  }

  /** Notes that every delivery below `nextPosition` is durable: nobody reads it any more. */
  commit(nextPosition: number): void {
    assert(nextPosition <= this.#stretchStart, 'only what was delivered is committed');
    let freed = 0;
    while (this.#stretches[0] !== undefined && this.#stretches[0].end <= nextPosition) {
      const stretch = this.#stretches.shift();
      this.#committable = stretch?.end ?? this.#committable;
      freed += stretch?.byteLength ?? 0;
      for (const body of stretch?.bodies ?? []) this.#buffers.give(body);
    }
    this.#heldBytes -= freed;
  }

  /** Forgets what was fetched and not delivered: it is fetched again. */
  rewind(): void {
    this.#frames.length = 0;
    this.#reader = undefined;
    this.#fetchedBytes = 0;
    this.#fetchedOffset = this.#readOffset;
  }

  /** What cannot be read is thrown by a call that has taken nothing, so that nothing is lost with it. */
  #nextStretch(bytesMax: number, canThrow: boolean): Delivery | undefined {
    try {
      return this.#readStretch(Math.min(STRETCH_BYTES_MAX, bytesMax));
    } catch (error) {
      if (canThrow) throw error;
      return undefined;
    }
  }

  /** Reads on until the stretch is large enough. What cannot be read ends it, and throws when it is the first. */
  #readStretch(bytesMax: number): Delivery | undefined {
    try {
      while (this.#builder.byteLength < bytesMax && this.#readRecord());
    } catch (error) {
      this.#reader = undefined;
      if (this.#builder.byteLength === 0) throw error;
    }
    return this.#endStretch();
  }

  #readRecord(): boolean {
    const frame = this.#frames[0];
    if (frame === undefined) return false;
    this.#reader ??= new RecordReader(frame);
    const { cursor } = this.#reader;
    if (!this.#reader.next()) this.#endFrame(frame);
    // The first records of a batch may lie below what was asked for, or were read before something broke.
    else if (cursor.offset >= this.#readOffset) {
      this.#builder.add(cursor);
      this.#readOffset = cursor.offset + 1;
    }
    return true;
  }

  #endFrame(frame: BatchFrame): void {
    this.#frames.shift();
    this.#reader = undefined;
    this.#fetchedBytes -= frame.records.length;
    this.#readOffset = Math.max(this.#readOffset, frame.nextOffset);
  }

  #endStretch(): Delivery | undefined {
    const { byteLength } = this.#builder;
    const end = this.#readOffset;
    const deliveries = this.#builder.finish(this.#stretchStart, end);
    // Records that are not delivered, such as tombstones, belong to the next stretch: positions have no holes.
    if (deliveries.length === 0) return undefined;
    const bodies = deliveries.flatMap((delivery) => (delivery.kind === 'log' ? [delivery.batch.body] : []));
    this.#stretches.push({ end, byteLength, bodies });
    this.#heldBytes += byteLength;
    this.#stretchStart = end;
    this.#ready.push(...deliveries);
    return this.#ready[0];
  }
}

/** Returns the bytes that a delivery counts with. */
function bodyBytesOf(delivery: Delivery): number {
  return delivery.kind === 'log' ? delivery.batch.body.length : 0;
}
