/**
 * The line that is being read, for the general path: bytes are copied here until its newline comes, so that a line
 * looks the same however it was cut into chunks.
 *
 * Runs of two or more NULs are left out and counted (a single one is text). Latin-1 and UTF-16 become UTF-8 here, so
 * nothing behind sees another encoding. Beyond `bytesMax` nothing is kept: the rest is only counted, and a line of
 * any length costs no more memory than that.
 */
export class LineAssembler {
  bytes = new Uint8Array(256);
  /** Bytes of `bytes` that count. */
  length = 0;
  /** Where the line begins in the file, behind NULs that were left out before it. */
  offset = 0;
  /** The same with those NULs. */
  startOffset = 0;
  /** Raw bytes from `offset`, NULs that were left out not counted. */
  rawBytes = 0;
  /** NULs left out. */
  nulBytes = 0;
  /** Bytes behind `length` that were not kept. */
  skippedBytes = 0;
  lastByte = 0;
  /** The time of reading of the line's first byte, 30 characters. */
  readTime: Uint8Array = EMPTY;
  readonly #bytesMax: number;
  #nulRun = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether nothing of a line is there. */
  get isEmpty(): boolean {
    return this.rawBytes === 0 && this.nulBytes === 0 && this.#nulRun === 0;
  }

  /** Raw bytes since the line began, all of them. */
  get consumedBytes(): number {
    return this.rawBytes + this.nulBytes + this.#nulRun;
  }

  /** Room for more without skipping. */
  get room(): number {
    return this.#bytesMax - this.length;
  }

  /** Begins a line at `offset`. */
  begin(offset: number, readTime: Uint8Array): void {
    this.offset = offset;
    this.startOffset = offset;
    this.readTime = readTime;
    this.length = 0;
    this.rawBytes = 0;
    this.nulBytes = 0;
    this.skippedBytes = 0;
    this.lastByte = 0;
    this.#nulRun = 0;
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(256);
  }

  /** Appends `source[start, end)`, which has no newline. Returns how much of it was used: less when it is full. */
  append(source: Uint8Array, start: number, end: number): number {
    // A view bounds the search, which otherwise would run to the end of the chunk for every line.
    const nul = this.#nulRun > 0 ? 0 : source.subarray(start, end).indexOf(0);
    const plainEnd = nul < 0 ? end : start + nul;
    this.#appendPlain(source, start, plainEnd);
    for (let at = plainEnd; at < end; at++) {
      const byte = source[at] ?? 0;
      if (byte === 0 && this.skippedBytes === 0) this.#nulRun++;
      else this.appendByte(byte, 1);
    }
    return end - start;
  }

  /** Appends one byte of UTF-8 that stands for `rawBytes` bytes of the file. */
  appendByte(byte: number, rawBytes: number): void {
    if (this.#nulRun > 0) this.endNulRun();
    this.#put(byte);
    this.rawBytes += rawBytes;
  }

  /** Settles NULs at the end of what was appended: one is text, more are left out. */
  endNulRun(): void {
    const run = this.#nulRun;
    this.#nulRun = 0;
    if (run === 1) {
      this.#put(0);
      this.rawBytes++;
    } else if (run > 1) {
      if (this.rawBytes === 0) this.offset += run;
      this.nulBytes += run;
    }
  }

  /**
   * Takes out NULs before the line that are certainly left out, so that they can be accounted for before the line
   * comes: all but two, which keep what is left a run. Returns how many.
   */
  takeLeadingNuls(): number {
    if (this.rawBytes > 0 || this.nulBytes > 0 || this.#nulRun <= 2) return 0;
    const count = this.#nulRun - 2;
    this.#nulRun = 2;
    this.offset += count;
    this.startOffset += count;
    return count;
  }

  /** Forgets the content so far, which was given out as a part, and goes on with the same line at `offset`. */
  beginPart(offset: number): void {
    this.offset = offset;
    this.startOffset = offset;
    this.length = 0;
    this.rawBytes = 0;
    this.nulBytes = 0;
  }

  #appendPlain(source: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    const kept = Math.min(end - start, this.#bytesMax - this.length);
    if (kept > 0) {
      this.#grow(kept);
      this.bytes.set(source.subarray(start, start + kept), this.length);
      this.length += kept;
    }
    this.skippedBytes += end - start - kept;
    this.rawBytes += end - start;
    this.lastByte = source[end - 1] ?? 0;
  }

  #put(byte: number): void {
    this.lastByte = byte;
    if (this.length >= this.#bytesMax) {
      this.skippedBytes++;
      return;
    }
    this.#grow(1);
    this.bytes[this.length++] = byte;
  }

  #grow(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length), 0);
    this.bytes = grown;
  }
}

const EMPTY = new Uint8Array(0);

/** An idle file does not keep the memory of its longest line. */
const KEPT_BYTES_MAX = 64 * 1024;
