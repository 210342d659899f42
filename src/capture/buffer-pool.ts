/** Where the records of a batch end, their offsets and lanes; parallel. */
export interface RecordArrays {
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly lanes: Uint8Array<ArrayBuffer>;
}

/** Records that new arrays have room for; writers double them as they need. */
const RECORDS_MIN = 256;

/**
 * Buffers for the bodies of batches, used again because fresh memory costs a page fault per 4 KiB. One pool serves
 * all decoders of a process: a decoder holds a buffer only while it has encoded documents that were not taken.
 */
export class BufferPool {
  readonly bytesEach: number;
  readonly #free: Uint8Array[] = [];
  readonly #freeArrays: RecordArrays[] = [];
  readonly #freeCountMax: number;

  /** `freeCountMax` bounds what an idle pool keeps. */
  constructor(bytesEach: number, freeCountMax = 4) {
    this.bytesEach = bytesEach;
    this.#freeCountMax = freeCountMax;
  }

  /** Returns a buffer of `bytesEach` bytes with arbitrary content; the caller owns it. */
  acquire(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bytesEach);
  }

  /**
   * Takes a buffer back: one from `acquire`, or the body of a settled batch, which nobody may read any more. Others
   * are left to the garbage collector.
   */
  release(bytes: Uint8Array): void {
    if (bytes.buffer.byteLength !== this.bytesEach || this.#free.length >= this.#freeCountMax) return;
    this.#free.push(new Uint8Array(bytes.buffer as ArrayBuffer));
  }

  /** Returns arrays with arbitrary content; the caller owns them. */
  acquireArrays(): RecordArrays {
    return this.#freeArrays.pop() ?? createArrays(RECORDS_MIN);
  }

  /** Takes arrays back, also larger ones. */
  releaseArrays(arrays: RecordArrays): void {
    if (this.#freeArrays.length < this.#freeCountMax) this.#freeArrays.push(arrays);
  }
}

/** Creates arrays for `count` records. */
export function createArrays(count: number): RecordArrays {
  return { ends: new Uint32Array(count), offsets: new Float64Array(count), lanes: new Uint8Array(count) };
}
