/** Bytes that grow at the end. What `bytes` returned is borrowed until the next change. */
export class ByteBuffer {
  #bytes = new Uint8Array(1 << 16);
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
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends `[start, end)` of `source`. */
  appendRange(source: Uint8Array, start: number, end: number): void {
    this.append(source.subarray(start, end));
  }

  #grow(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length), 0);
    this.#bytes = grown;
  }
}
