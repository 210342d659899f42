/** Where the records of a batch end, their offsets and lanes; parallel. */
export interface RecordArrays {
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly lanes: Uint8Array<ArrayBuffer>;
}

/** Records that new arrays have room for; writers double them as they need. */
const RECORDS_MIN = 256;

/** Copies smaller than this share the smallest size: below it a buffer costs as much as its bytes. */
const COPY_BYTES_MIN = 4 * 1024;

/** A copy takes a buffer of up to so many times its size. */
const COPY_SURPLUS_MAX = 4;

/**
 * Bytes of copies that an idle pool keeps: what some 10,000 lines/s have on their way between a read and its
 * acknowledgement.
 */
const FREE_COPY_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Buffers for the bodies of batches, used again because fresh memory costs a page fault per 4 KiB, and because V8
 * collects the whole heap whenever some megabytes of buffers were made. One pool serves all decoders of a process: a
 * decoder holds a buffer only while it has encoded documents that were not taken.
 */
export class BufferPool {
  readonly bytesEach: number;
  readonly #free: Uint8Array[] = [];
  /** Buffers of copies by their size, a power of two. */
  readonly #freeCopies = new Map<number, Uint8Array[]>();
  #freeCopyBytes = 0;
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

  /** Returns a copy of the bytes in a buffer of about their size; the caller owns it. */
  acquireCopy(bytes: Uint8Array): Uint8Array {
    const size = copyBytesFor(bytes.length);
    if (size >= this.bytesEach) return bytes.slice();
    const buffer = this.#takeCopy(size) ?? new Uint8Array(size);
    buffer.set(bytes);
    return buffer.subarray(0, bytes.length);
  }

  /**
   * Takes a buffer back: one from `acquire` or `acquireCopy`, or the body of a settled batch, which nobody may read
   * any more. Others are left to the garbage collector.
   */
  release(bytes: Uint8Array): void {
    const size = bytes.buffer.byteLength;
    if (size === this.bytesEach) {
      if (this.#free.length < this.#freeCountMax)
        this.#free.push(new Uint8Array(bytes.buffer as ArrayBuffer));
    } else if (size < this.bytesEach && copyBytesFor(size) === size) this.#releaseCopy(bytes, size);
  }

  /** Takes a free buffer of this size, or of the next ones when there is none: batches of a file vary in size. */
  #takeCopy(size: number): Uint8Array | undefined {
    for (let fitting = size; fitting <= size * COPY_SURPLUS_MAX; fitting *= 2) {
      const buffer = this.#freeCopies.get(fitting)?.pop();
      if (buffer === undefined) continue;
      this.#freeCopyBytes -= fitting;
      return buffer;
    }
    return undefined;
  }

  #releaseCopy(bytes: Uint8Array, size: number): void {
    const free = this.#freeCopies.get(size) ?? [];
    // The size that came last stands last.
    this.#freeCopies.delete(size);
    this.#freeCopies.set(size, free);
    free.push(new Uint8Array(bytes.buffer as ArrayBuffer));
    this.#freeCopyBytes += size;
    // Sizes that are not used any more make room for those that are.
    for (const [other, buffers] of this.#freeCopies) {
      while (this.#freeCopyBytes > FREE_COPY_BYTES_MAX && buffers.pop() !== undefined)
        this.#freeCopyBytes -= other;
    }
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

/** Returns the size of the buffer that a copy of so many bytes goes into. */
function copyBytesFor(length: number): number {
  let size = COPY_BYTES_MIN;
  while (size < length) size *= 2;
  return size;
}
