/** The documents of a stretch of records before they stand file by file: numbers alone, in tables that are kept. */
import type { FreeBuffers } from '../../../base/free-buffers.ts';
import type { RecordBatch } from '../../../record/record-batch.ts';

/** Documents that tables have room for at first. */
const ROWS_MIN = 1_024;

const NEWLINE = 0x0a;

/** The documents of one file, as they were counted. */
export interface TableGroup {
  readonly fileId: string;
  readonly count: number;
  /** Bytes of all documents, a newline behind each. */
  readonly byteLength: number;
}

/** The record that a document came in: its offset, and where the document stands. */
export interface TableRecord {
  readonly data: Buffer;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly offset: number;
}

/** Where a document stood in its file. */
export interface DocumentOrigin {
  readonly offset: number;
  readonly lane: number;
}

export interface GroupedDocuments {
  readonly batch: RecordBatch;
  /** By document: the offset of the record that it came in. */
  readonly places: Float64Array;
}

/** A batch that is filled, and how far it is. */
interface Filling extends GroupedDocuments {
  readonly body: Buffer;
  count: number;
  length: number;
}

export class DocumentTable {
  /** Buffers that documents stand in, in the order in which they came. */
  #sources: Buffer[] = [];
  #count = 0;
  #sourceIndexes = new Uint32Array(ROWS_MIN);
  #starts = new Uint32Array(ROWS_MIN);
  #ends = new Uint32Array(ROWS_MIN);
  #groups = new Uint32Array(ROWS_MIN);
  #lanes = new Uint8Array(ROWS_MIN);
  #offsets = new Float64Array(ROWS_MIN);
  #places = new Float64Array(ROWS_MIN);

  /** Adds a document to the group with this number. What it is read from must stay as it is until `finish`. */
  add(
    group: number,
    { data, valueStart, valueEnd, offset: place }: TableRecord,
    origin: DocumentOrigin,
  ): void {
    const at = this.#count;
    if (at === this.#starts.length) this.#grow();
    if (this.#sources.at(-1) !== data) this.#sources.push(data);
    this.#sourceIndexes[at] = this.#sources.length - 1;
    this.#starts[at] = valueStart;
    this.#ends[at] = valueEnd;
    this.#groups[at] = group;
    this.#lanes[at] = origin.lane;
    this.#offsets[at] = origin.offset;
    this.#places[at] = place;
    this.#count = at + 1;
  }

  /** Returns the documents of each group as a batch with a buffer of its own, and begins anew. */
  finish(groups: readonly TableGroup[], buffers: FreeBuffers): readonly GroupedDocuments[] {
    const fillings = groups.map((group) => fillingOf(group, buffers));
    for (let at = 0; at < this.#count; at += 1) {
      const filling = fillings[this.#groups[at] as number] as Filling;
      const source = this.#sources[this.#sourceIndexes[at] as number] as Buffer;
      const { batch, body, places, count } = filling;
      const end = filling.length + source.copy(body, filling.length, this.#starts[at], this.#ends[at]);
      body[end] = NEWLINE;
      filling.length = end + 1;
      filling.count = count + 1;
      batch.ends[count] = end + 1;
      batch.offsets[count] = this.#offsets[at] as number;
      batch.lanes[count] = this.#lanes[at] as number;
      places[count] = this.#places[at] as number;
    }
    this.#sources = [];
    this.#count = 0;
    return fillings;
  }

  #grow(): void {
    const length = 2 * this.#starts.length;
    this.#sourceIndexes = grown(new Uint32Array(length), this.#sourceIndexes);
    this.#starts = grown(new Uint32Array(length), this.#starts);
    this.#ends = grown(new Uint32Array(length), this.#ends);
    this.#groups = grown(new Uint32Array(length), this.#groups);
    this.#lanes = grown(new Uint8Array(length), this.#lanes);
    this.#offsets = grown(new Float64Array(length), this.#offsets);
    this.#places = grown(new Float64Array(length), this.#places);
  }
}

function fillingOf({ fileId, count, byteLength }: TableGroup, buffers: FreeBuffers): Filling {
  const { buffer } = buffers.take(byteLength);
  const body = Buffer.from(buffer, 0, byteLength);
  const ends = new Uint32Array(count);
  const offsets = new Float64Array(count);
  const lanes = new Uint8Array(count);
  const batch = { fileId, body, count, ends, offsets, lanes };
  return { batch, body, places: new Float64Array(count), count: 0, length: 0 };
}

function grown<Numbers extends Uint8Array | Uint32Array | Float64Array>(
  larger: Numbers,
  smaller: Numbers,
): Numbers {
  larger.set(smaller);
  return larger;
}
