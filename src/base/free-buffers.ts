/**
 * Buffers that are used again: fresh memory costs a page fault per 4 KiB, and V8 collects the whole heap whenever some
 * megabytes of buffers were made. Sizes are powers of two, so that a buffer fits whatever needs about as much.
 */

/** Smaller ones cost as much to keep as to make. */
const BYTES_MIN = 16 * 1024;

/** Larger ones are too seldom to be worth their memory. */
const BYTES_MAX = 32 * 2 ** 20;

export class FreeBuffers {
  readonly #freeBytesMax: number;
  /** By size. */
  readonly #free = new Map<number, Uint8Array[]>();
  /** Those that were taken: others may be shared by who knows whom. */
  readonly #taken = new WeakSet<ArrayBufferLike>();
  #freeBytes = 0;

  /** `freeBytesMax` bounds what is kept while nobody uses it. */
  constructor(freeBytesMax: number) {
    this.#freeBytesMax = freeBytesMax;
  }

  /** Returns a buffer of at least `bytesMin` bytes with arbitrary content; the caller owns it. */
  take(bytesMin: number): Uint8Array {
    const size = sizeFor(bytesMin);
    if (size === undefined) return new Uint8Array(bytesMin);
    const free = this.#free.get(size)?.pop();
    if (free !== undefined) this.#freeBytes -= size;
    const bytes = free ?? new Uint8Array(size);
    this.#taken.add(bytes.buffer);
    return bytes;
  }

  /**
   * Takes a buffer back, or any part of it; nobody may use it any more. Those that did not come from here, or were given
   * back before, are left alone.
   */
  give({ buffer }: Uint8Array): void {
    const size = buffer.byteLength;
    if (!this.#taken.delete(buffer) || this.#freeBytes + size > this.#freeBytesMax) return;
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    free.push(new Uint8Array(buffer));
    this.#freeBytes += size;
  }
}

/** Returns the size of the buffer that holds so many bytes; undefined where none is kept. */
function sizeFor(bytes: number): number | undefined {
  if (bytes < BYTES_MIN || bytes > BYTES_MAX) return undefined;
  return 2 ** Math.ceil(Math.log2(bytes));
}
