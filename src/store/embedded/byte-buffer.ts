/** Below this, a loop is faster than a call into native code. */
const LOOP_BYTES_MAX = 32;
/** The same of a range, for which no view has to be made. */
const LOOP_RANGE_BYTES_MAX = 16;

/** Bytes that grow at the end. What `bytes` returned is borrowed until the next change. */
export class ByteBuffer {
  #bytes = Buffer.alloc(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  append(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    const target = this.#bytes;
    const at = this.#length;
    if (bytes.length > LOOP_BYTES_MAX) target.set(bytes, at);
    else for (let index = 0; index < bytes.length; index += 1) target[at + index] = bytes[index] as number;
    this.#length = at + bytes.length;
  }

  /** Appends `[start, end)` of `source`. */
  appendRange(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.#grow(count);
    const target = this.#bytes;
    const at = this.#length;
    if (count > LOOP_RANGE_BYTES_MAX) source.copy(target, at, start, end);
    else for (let index = 0; index < count; index += 1) target[at + index] = source[start + index] as number;
    this.#length = at + count;
  }

  #grow(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
