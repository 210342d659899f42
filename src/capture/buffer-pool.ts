/**
 * Buffers for the bodies of batches, used again because fresh memory costs a page fault per 4 KiB. One pool serves
 * all decoders of a process: a decoder holds a buffer only while it has encoded documents that were not taken.
 */
export class BufferPool {
  readonly bytesEach: number;
  readonly #free: Uint8Array[] = [];
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
}
