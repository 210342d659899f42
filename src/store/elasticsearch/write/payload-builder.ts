/**
 * Collects documents until a request is full. Of each only numbers are kept; what a person or another request needs to
 * know of it is made of them when it is asked for.
 */
import { eventIdOf } from '../../../record/identity.ts';
import type { RecordBatch } from '../../../record/record-batch.ts';
import type { BulkItem, BulkPayload, TimeSpanMs } from './bulk-payload.ts';

/** Documents that tables have room for at first. */
const ROWS_MIN = 4_096;

const NOTHING = Buffer.alloc(0);

/** Where a document comes from, and where it goes. */
export interface DocumentFacts {
  readonly batchIndex: number;
  readonly documentIndex: number;
  readonly index: string;
  /** Milliseconds since the epoch of the event. */
  readonly timeMs: number;
  /** The index that it would have if it were not too late. */
  readonly usualIndex: string | undefined;
  readonly isOverflow: boolean;
}

export interface PayloadBuilderOptions {
  /** What `batchIndex` counts in. */
  readonly batches: readonly RecordBatch[];
  /** Returns a buffer for a request; more is made room for when it is needed. */
  readonly allocate: () => Buffer;
}

/** Parallel: document `i` ends at `ends[i]`. */
interface Rows {
  readonly ends: Uint32Array;
  readonly batchIndexes: Uint32Array;
  readonly documentIndexes: Uint32Array;
  readonly timesMs: Float64Array;
  /** Places in `names`. */
  readonly nameIndexes: Uint32Array;
}

export class PayloadBuilder {
  readonly #options: PayloadBuilderOptions;
  #bytes: Buffer = NOTHING;
  #length = 0;
  #rows = newRows(ROWS_MIN);
  #count = 0;
  /** Indices in the order in which they came up; the last one is the usual one. */
  #names: string[] = [];
  #usualIndexes = new Map<number, string>();
  #minMs = Infinity;
  #maxMs = -Infinity;
  #hasOverflow = false;

  constructor(options: PayloadBuilderOptions) {
    this.#options = options;
  }

  /** Bytes of the documents so far. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for a document, and returns the buffer to write it to from `length` on. */
  reserve(more: number): Buffer {
    if (this.#bytes === NOTHING) this.#bytes = this.#options.allocate();
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return this.#bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return grown;
  }

  /** Adds the document that was written from `length` to `end`. */
  add(facts: DocumentFacts, end: number): void {
    const at = this.#count;
    if (at === this.#rows.ends.length) this.#rows = grownRows(this.#rows);
    const { ends, batchIndexes, documentIndexes, timesMs, nameIndexes } = this.#rows;
    const { timeMs, index, usualIndex } = facts;
    ends[at] = end;
    batchIndexes[at] = facts.batchIndex;
    documentIndexes[at] = facts.documentIndex;
    timesMs[at] = timeMs;
    if (this.#names.at(-1) !== index) this.#names.push(index);
    nameIndexes[at] = this.#names.length - 1;
    if (usualIndex !== undefined) this.#usualIndexes.set(at, usualIndex);
    if (facts.isOverflow) this.#hasOverflow = true;
    if (timeMs < this.#minMs) this.#minMs = timeMs;
    if (timeMs > this.#maxMs) this.#maxMs = timeMs;
    this.#length = end;
    this.#count = at + 1;
  }

  /** Returns what was collected; the builder begins anew. */
  take(): BulkPayload {
    const { batches } = this.#options;
    const payload = new BuiltPayload({
      bytes: this.#bytes.subarray(0, this.#length),
      count: this.#count,
      timesMs: { minMs: this.#minMs, maxMs: this.#maxMs },
      hasOverflow: this.#hasOverflow,
      rows: this.#rows,
      names: this.#names,
      usualIndexes: this.#usualIndexes,
      batches,
    });
    this.#bytes = NOTHING;
    this.#length = 0;
    this.#rows = newRows(ROWS_MIN);
    this.#count = 0;
    this.#names = [];
    this.#usualIndexes = new Map();
    this.#minMs = Infinity;
    this.#maxMs = -Infinity;
    this.#hasOverflow = false;
    return payload;
  }
}

interface BuiltOptions {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly timesMs: TimeSpanMs;
  readonly hasOverflow: boolean;
  readonly rows: Rows;
  readonly names: readonly string[];
  readonly usualIndexes: ReadonlyMap<number, string>;
  readonly batches: readonly RecordBatch[];
}

class BuiltPayload implements BulkPayload {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly timesMs: TimeSpanMs;
  readonly hasOverflow: boolean;
  readonly #options: BuiltOptions;
  #items: readonly BulkItem[] | undefined;

  constructor(options: BuiltOptions) {
    const { bytes, count, timesMs, hasOverflow } = options;
    this.bytes = bytes;
    this.count = count;
    this.timesMs = timesMs;
    this.hasOverflow = hasOverflow;
    this.#options = options;
  }

  get items(): readonly BulkItem[] {
    this.#items ??= Array.from({ length: this.count }, (_, at) => this.#item(at));
    return this.#items;
  }

  #item(at: number): BulkItem {
    const { rows, names, usualIndexes, batches } = this.#options;
    const batchIndex = rows.batchIndexes[at] ?? 0;
    const documentIndex = rows.documentIndexes[at] ?? 0;
    const batch = batches[batchIndex];
    return {
      batchIndex,
      documentIndex,
      index: names[rows.nameIndexes[at] ?? 0] ?? '',
      id: eventIdOf(batch?.fileId ?? '', batch?.offsets[documentIndex] ?? 0),
      timeMs: rows.timesMs[at] ?? 0,
      usualIndex: usualIndexes.get(at),
      start: at === 0 ? 0 : (rows.ends[at - 1] ?? 0),
      end: rows.ends[at] ?? 0,
    };
  }
}

function newRows(length: number): Rows {
  return {
    ends: new Uint32Array(length),
    batchIndexes: new Uint32Array(length),
    documentIndexes: new Uint32Array(length),
    timesMs: new Float64Array(length),
    nameIndexes: new Uint32Array(length),
  };
}

function grownRows(rows: Rows): Rows {
  const grown = newRows(2 * rows.ends.length);
  grown.ends.set(rows.ends);
  grown.batchIndexes.set(rows.batchIndexes);
  grown.documentIndexes.set(rows.documentIndexes);
  grown.timesMs.set(rows.timesMs);
  grown.nameIndexes.set(rows.nameIndexes);
  return grown;
}
