import { writeUtf8 } from './docker-line.ts';
import type { LineAssembler } from './line-assembler.ts';

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1';

const UTF8_MARK = [0xef, 0xbb, 0xbf];

/**
 * Returns the encoding that a file's first bytes tell, for a decoder that begins behind them. Three bytes are
 * enough.
 */
export function detectEncoding(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** Looks for the byte order mark at the beginning of a file, byte by byte. */
export class ByteOrderMark {
  /** Whether it is known what the file begins with. */
  isSettled = false;
  /** Length of the mark that was found, or 0. */
  markBytes = 0;
  encoding: TextEncoding = 'utf-8';
  readonly #held: number[] = [];
  readonly #wanted: 'auto' | TextEncoding;

  constructor(wanted: 'auto' | TextEncoding) {
    this.#wanted = wanted;
  }

  /** The bytes that were looked at and are no mark. */
  get text(): Uint8Array {
    return new Uint8Array(this.#held.slice(this.markBytes));
  }

  add(byte: number): void {
    const held = this.#held;
    held.push(byte);
    if (held.length === 2 && this.#canBeUtf16()) {
      const found = detectEncoding(new Uint8Array(held));
      if (found !== 'utf-8' && (this.#wanted === 'auto' || this.#wanted === found))
        return this.#found(2, found);
    }
    const isUtf8Mark = !this.#isUtf16Wanted() && held.every((value, index) => value === UTF8_MARK[index]);
    if (isUtf8Mark && held.length === UTF8_MARK.length) return this.#found(UTF8_MARK.length, 'utf-8');
    const isUtf16Mark = held.length === 1 && (byte === 0xff || byte === 0xfe) && this.#canBeUtf16();
    if (!isUtf8Mark && !isUtf16Mark) this.settle();
  }

  /** The file ends here: what was held is text. */
  settle(): void {
    this.isSettled = true;
  }

  #found(bytes: number, encoding: TextEncoding): void {
    this.markBytes = bytes;
    this.encoding = encoding;
    this.isSettled = true;
  }

  #canBeUtf16(): boolean {
    return this.#wanted === 'auto' || this.#isUtf16Wanted();
  }

  #isUtf16Wanted(): boolean {
    return this.#wanted === 'utf-16le' || this.#wanted === 'utf-16be';
  }
}

const NEWLINE = 10;
const REPLACEMENT = 0xfffd;

/** UTF-16 to UTF-8, byte by byte. A unit and a high surrogate wait for what completes them. */
export class Utf16Reader {
  readonly #isLittleEndian: boolean;
  readonly #scratch = new Uint8Array(4);
  #half = -1;
  #high = -1;

  constructor(encoding: 'utf-16le' | 'utf-16be') {
    this.#isLittleEndian = encoding === 'utf-16le';
  }

  /** Raw bytes that were added and are not in the line yet. */
  get heldBytes(): number {
    return (this.#half < 0 ? 0 : 1) + (this.#high < 0 ? 0 : 2);
  }

  /** Adds a byte of the file to the line; returns whether it completed a newline, which is not appended. */
  add(byte: number, line: LineAssembler): boolean {
    if (this.#half < 0) {
      this.#half = byte;
      return false;
    }
    const unit = this.#isLittleEndian ? this.#half | (byte << 8) : (this.#half << 8) | byte;
    this.#half = -1;
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    if (this.#high >= 0) {
      const high = this.#high;
      this.#high = -1;
      if (isLow) {
        this.#write(high, unit, 4, line);
        return false;
      }
      this.#write(REPLACEMENT, -1, 2, line);
    }
    if (unit === NEWLINE) return true;
    if (unit >= 0xd800 && unit <= 0xdbff) this.#high = unit;
    else this.#write(isLow ? REPLACEMENT : unit, -1, 2, line);
    return false;
  }

  /** The file ends: what is incomplete becomes U+FFFD. */
  end(line: LineAssembler): void {
    const held = this.heldBytes;
    if (held > 0) this.#write(REPLACEMENT, -1, held, line);
    this.#half = -1;
    this.#high = -1;
  }

  #write(unit: number, low: number, rawBytes: number, line: LineAssembler): void {
    const length = writeUtf8(this.#scratch, 0, unit, low);
    for (let i = 0; i < length; i++) line.appendByte(this.#scratch[i] ?? 0, i === 0 ? rawBytes : 0);
  }
}
