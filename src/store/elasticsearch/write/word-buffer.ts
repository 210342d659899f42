/** Words of search columns as JSON strings, written byte by byte; `search-columns.ts` has their form. */

const QUOTE = 34;
const COMMA = 44;
const HASH = 35;
const EXCLAMATION = 33;
const LESS = 60;

const HEX_DIGITS = Buffer.from('0123456789abcdef');

const DOUBLE = new DataView(new ArrayBuffer(8));

/** The most bytes that a word has besides its path and its text: quotes, comma, digits and marks. */
export const WORD_EXTRA_BYTES = 32;

export class WordBuffer {
  readonly bytes: Buffer;
  length = 0;
  count = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  clear(): void {
    this.length = 0;
    this.count = 0;
  }

  /** Whether there is room for a word with so many bytes of path and text. */
  hasRoom(bytes: number): boolean {
    return this.length + bytes + WORD_EXTRA_BYTES <= this.bytes.length;
  }

  /** Begins a word with a path as JSON has it, the quote in front included. There must be room. */
  open(head: Buffer): void {
    const { bytes } = this;
    let to = this.length;
    for (let at = 0; at < head.length; at += 1) bytes[to++] = head[at] as number;
    this.length = to;
  }

  push(byte: number): void {
    this.bytes[this.length++] = byte;
  }

  /** Adds ASCII that needs no escapes. */
  copy(source: Buffer, start: number, end: number): void {
    const { bytes } = this;
    let to = this.length;
    for (let at = start; at < end; at += 1) bytes[to++] = source[at] as number;
    this.length = to;
  }

  /** Adds ASCII that needs no escapes. */
  write(text: string): void {
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  /** Ends a word, and puts a comma behind it for the next one. */
  close(): void {
    this.bytes[this.length++] = QUOTE;
    this.bytes[this.length++] = COMMA;
    this.count += 1;
  }

  /** Adds what a word says of a number besides its text: `#`, digits that sort by value, `!`. */
  number(value: number): void {
    this.push(HASH);
    this.#sortableDigits(value);
    this.push(EXCLAMATION);
  }

  /** Adds what a word says of a string that spells a number. */
  spelledNumber(value: number): void {
    this.push(LESS);
    this.#sortableDigits(value);
    this.push(EXCLAMATION);
  }

  /** The same digits as `sortableDigits` returns. */
  #sortableDigits(value: number): void {
    DOUBLE.setFloat64(0, value + 0);
    const high = DOUBLE.getUint32(0);
    const low = DOUBLE.getUint32(4);
    const isNegative = high >= 0x8000_0000;
    const start = this.length;
    this.#hexDigits(isNegative ? ~high : high ^ 0x8000_0000);
    const rest = isNegative ? ~low : low;
    if (rest !== 0) this.#hexDigits(rest);
    while (this.length > start && this.bytes[this.length - 1] === HEX_DIGITS[0]) this.length -= 1;
  }

  #hexDigits(word: number): void {
    const { bytes } = this;
    let to = this.length;
    for (let shift = 28; shift >= 0; shift -= 4) bytes[to++] = HEX_DIGITS[(word >>> shift) & 15] as number;
    this.length = to;
  }
}
