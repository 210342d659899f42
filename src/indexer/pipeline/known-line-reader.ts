/**
 * Reads JSON lines of known shapes in one pass over the message's text in the document: takes away the document's
 * escapes, validates, and notes where members stand, as unescaping, `JsonScanner.scan` and `JsonShapes.match` do one
 * after the other. It takes lines as programs print them: keys that stood behind each other before, blanks only behind
 * colons and commas, arrays of plain values. All others are left to those three, which learn their shape.
 *
 *   …"message":"{\"level\":\"info\",\"path\":\"C:\\\\tmp\"}","stream":…        the document
 *               {"level":"info","path":"C:\\tmp"}                              the line
 *
 * The byte behind the message is an unescaped quote, which stands nowhere in a line: reading ends there by itself.
 */
import { hasBytes } from '../../base/has-bytes.ts';
import { FIELD_TYPE } from '../../record/field-types.ts';
import { EXACT_DIGITS_MAX, MEMBERS_MAX, OBJECT_VALUE, type JsonScanner } from './json-scanner.ts';
import type { JsonShapes, ShapeNode } from './json-shapes.ts';

/** Objects in objects; lines that are nested deeper take the other way. */
const DEPTH_MAX = 16;

/** Lines that are left to the other way at most, after lines that could not be read. */
const PAUSE_LINES_MAX = 63;

const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_A = 0x61;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** Letters that stand behind a backslash in the line: those of control characters. */
const ESCAPE_LETTERS = new Set(Buffer.from('bfnrt'));

/** Bytes of an escape such as `\\u003c`, two backslashes, as the document has it. */
const UNICODE_LENGTH = 7;

/** Type of what is no plain value, and of what needs a closer look. */
const UNREAD = -1;

export class KnownLineReader {
  readonly #scanner: JsonScanner;
  readonly #shapes: JsonShapes;
  #source: Buffer = Buffer.alloc(0);
  #line: Buffer = Buffer.alloc(0);
  /** Where the next byte is read in the source, and where it is written in the line. */
  #at = 0;
  #to = 0;
  #memberCount = 0;
  /** Lines that are left to the other way before this one is tried again, and how many after the next failure. */
  #pausedLines = 0;
  #nextPausedLines = 0;

  /** What is found is left in `scanner` and `shapes`, as they would leave it: all but ends of keys and depths. */
  constructor(scanner: JsonScanner, shapes: JsonShapes) {
    this.#scanner = scanner;
    this.#shapes = shapes;
  }

  /**
   * Writes the line that stands escaped in `source[start, end)` to `line`, which has room for as many bytes, and returns
   * its length; -1 when it has to be read the other way. An unescaped quote stands at `end`.
   */
  read(source: Buffer, start: number, end: number, line: Buffer): number {
    if (this.#pausedLines > 0) {
      this.#pausedLines--;
      return -1;
    }
    this.#source = source;
    this.#line = line;
    this.#at = start;
    this.#to = 0;
    this.#memberCount = 0;
    this.#shapes.begin();
    const last = source[start] === OPEN_BRACE ? this.#readObject(this.#shapes.root, 1) : undefined;
    if (last === undefined || this.#at !== end) {
      this.#pausedLines = this.#nextPausedLines;
      this.#nextPausedLines = Math.min(PAUSE_LINES_MAX, 2 * this.#nextPausedLines + 1);
      return -1;
    }
    this.#nextPausedLines = 0;
    this.#scanner.memberCount = this.#memberCount;
    this.#scanner.objectStart = 0;
    this.#scanner.objectEnd = this.#to;
    return this.#to;
  }

  /** Reads the object that begins here, behind the key of `before`; returns the node of the last key in it. */
  #readObject(before: ShapeNode, depth: number): ShapeNode | undefined {
    this.#put(OPEN_BRACE);
    if (depth > DEPTH_MAX) return undefined;
    if (this.#takeByte(CLOSE_BRACE)) return before;
    let node: ShapeNode | undefined = before;
    for (;;) {
      node = this.#readMember(node, depth);
      if (node === undefined || this.#takeByte(CLOSE_BRACE)) return node;
      if (!this.#takeByte(COMMA)) return undefined;
      this.#takeBlanks();
    }
  }

  #readMember(before: ShapeNode, depth: number): ShapeNode | undefined {
    const { keyStarts, valueStarts, valueEnds, valueTypes } = this.#scanner;
    const member = this.#memberCount++;
    if (member === MEMBERS_MAX) return undefined;
    keyStarts[member] = this.#to + 1;
    const node = this.#readKey(before, depth);
    if (node === undefined) return undefined;
    this.#takeBlanks();
    valueStarts[member] = this.#to;
    const isObject = this.#source[this.#at] === OPEN_BRACE;
    const type = isObject ? OBJECT_VALUE : this.#readValue();
    if (type === UNREAD || !this.#shapes.take(node, member, type)) return undefined;
    valueTypes[member] = type;
    const last = isObject ? this.#readObject(node, depth + 1) : node;
    valueEnds[member] = this.#to;
    return last;
  }

  /** Reads one of the keys that have followed `before`, and the colon. */
  #readKey({ followers }: ShapeNode, depth: number): ShapeNode | undefined {
    const source = this.#source;
    const start = this.#at + 2;
    if (source[start - 2] !== BACKSLASH || source[start - 1] !== QUOTE) return undefined;
    for (let index = 0; index < followers.length; index++) {
      const follower = followers[index] as ShapeNode;
      if (follower.depth === depth && this.#takeKey(source, start, follower.keyBytes)) return follower;
    }
    return undefined;
  }

  /** Writes the key and its colon if they stand here; its text begins at `start`. */
  #takeKey(source: Buffer, start: number, key: Uint8Array): boolean {
    const line = this.#line;
    const to = this.#to;
    const { length } = key;
    let index = 0;
    for (; index < length; index++) {
      const byte = key[index] as number;
      if (source[start + index] !== byte) return false;
      line[to + 1 + index] = byte;
    }
    const end = start + length;
    if (source[end] !== BACKSLASH || source[end + 1] !== QUOTE || source[end + 2] !== COLON) return false;
    line[to] = QUOTE;
    line[to + 1 + length] = QUOTE;
    line[to + 2 + length] = COLON;
    this.#to = to + length + 3;
    this.#at = end + 3;
    return true;
  }

  /** Reads a value that is no object; returns its type. */
  #readValue(): number {
    switch (this.#source[this.#at]) {
      case BACKSLASH:
        return this.#readText() ? FIELD_TYPE.string : UNREAD;
      case 0x74:
        return this.#takeBytes(TRUE) ? FIELD_TYPE.boolean : UNREAD;
      case 0x66:
        return this.#takeBytes(FALSE) ? FIELD_TYPE.boolean : UNREAD;
      case 0x6e:
        return this.#takeBytes(NULL) ? 0 : UNREAD;
      case OPEN_BRACKET:
        return this.#readArray() ? FIELD_TYPE.array : UNREAD;
      default:
        return this.#readNumber();
    }
  }

  /** Reads an array of plain values. */
  #readArray(): boolean {
    this.#put(OPEN_BRACKET);
    if (this.#takeByte(CLOSE_BRACKET)) return true;
    for (;;) {
      if (this.#source[this.#at] === OPEN_BRACKET || this.#readValue() === UNREAD) return false;
      if (this.#takeByte(CLOSE_BRACKET)) return true;
      if (!this.#takeByte(COMMA)) return false;
      this.#takeBlanks();
    }
  }

  #readText(): boolean {
    const source = this.#source;
    const line = this.#line;
    let at = this.#at + 2;
    let to = this.#to;
    if (source[at - 1] !== QUOTE) return false;
    line[to++] = QUOTE;
    for (;;) {
      const byte = source[at] as number;
      if (byte !== BACKSLASH) {
        if (byte === QUOTE || byte < BLANK) return false;
        line[to++] = byte;
        at++;
        continue;
      }
      if (source[at + 1] === QUOTE) break;
      const length = escapeLength(source, at);
      if (length === 0) return false;
      // The backslash of the line is two in the document, and so is what stands behind it when it is one or a quote.
      const end = at + length;
      line[to++] = BACKSLASH;
      for (at = length === UNICODE_LENGTH ? at + 2 : end - 1; at < end; at++)
        line[to++] = source[at] as number;
    }
    line[to++] = QUOTE;
    this.#at = at + 2;
    this.#to = to;
    return true;
  }

  /** Reads a number whose digits a double keeps; returns its type. */
  #readNumber(): number {
    const source = this.#source;
    let at = this.#at;
    if (source[at] === MINUS) {
      at++;
      if (source[at] === ZERO) return UNREAD;
    }
    const start = at;
    at = digitsEnd(source, at);
    const digits = at - start;
    if (digits === 0 || (digits > 1 && source[start] === ZERO)) return UNREAD;
    let type: number = FIELD_TYPE.integer;
    if (source[at] === POINT) {
      const fraction = at + 1;
      at = digitsEnd(source, fraction);
      if (at === fraction) return UNREAD;
      type = FIELD_TYPE.double;
    }
    if (at - start > EXACT_DIGITS_MAX || ((source[at] as number) | BLANK) === LOWER_E) return UNREAD;
    const line = this.#line;
    let to = this.#to;
    for (let from = this.#at; from < at; from++) line[to++] = source[from] as number;
    this.#at = at;
    this.#to = to;
    return type;
  }

  /** Writes the byte that stands here. */
  #put(byte: number): void {
    this.#line[this.#to++] = byte;
    this.#at++;
  }

  /** Writes the byte if it stands here. */
  #takeByte(byte: number): boolean {
    if (this.#source[this.#at] !== byte) return false;
    this.#put(byte);
    return true;
  }

  #takeBytes(bytes: Uint8Array): boolean {
    if (!hasBytes(this.#source, this.#at, bytes)) return false;
    for (let index = 0; index < bytes.length; index++) this.#put(bytes[index] as number);
    return true;
  }

  #takeBlanks(): void {
    while (this.#source[this.#at] === BLANK) this.#put(BLANK);
  }
}

function digitsEnd(source: Buffer, start: number): number {
  let at = start;
  for (let byte = source[at] as number; byte >= ZERO && byte <= NINE; byte = source[at] as number) at++;
  return at;
}

function hasHexDigits(source: Buffer, start: number): boolean {
  for (let at = start; at < start + 4; at++) {
    const byte = source[at] as number;
    const letter = byte | BLANK;
    if (!(byte >= ZERO && byte <= NINE) && !(letter >= LOWER_A && letter <= LOWER_F)) return false;
  }
  return true;
}

/** Returns the bytes of an escape of the line, as the document has it; 0 for anything else. */
function escapeLength(source: Buffer, start: number): number {
  if (source[start + 1] !== BACKSLASH) return 0;
  const third = source[start + 2] as number;
  if (third === LOWER_U) return hasHexDigits(source, start + 3) ? UNICODE_LENGTH : 0;
  if (third === SLASH || ESCAPE_LETTERS.has(third)) return 3;
  if (third !== BACKSLASH) return 0;
  const fourth = source[start + 3];
  return fourth === QUOTE || fourth === BACKSLASH ? 4 : 0;
}
