/**
 * Writes the words of parsed fields straight from their JSON: what `fieldColumns` says of them, without objects and
 * strings on the way. Takes fields as apps usually have them: ASCII without escapes, numbers, booleans, objects in
 * objects. Everything else is left to `fieldColumns`; a property test holds both to the same bytes.
 */
import { parseNumber } from '../../../query/match.ts';
import { WORD_LENGTH_MAX, numberWord } from '../search-columns.ts';
import { FieldShapes, type Shape, type ShapeEdge } from './field-shapes.ts';
import { WORD_EXTRA_BYTES, WordBuffer } from './word-buffer.ts';

/** Objects in objects; deeper ones are read the slow way. */
const DEPTH_MAX = 16;

/** Words of one document, about; more are written the slow way. */
const SCRATCH_BYTES = 256 * 1024;

/** Digits that a double holds whatever they are, so that it prints as it was written. */
const EXACT_DIGITS_MAX = 15;

const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, power) => 10 ** power);

/** Below ten to the power of minus this, numbers print with an exponent. */
const PLAIN_PLACES_MAX = 6;

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const EQUALS = 61;
const AMPERSAND = 38;
const UPPER_E = 69;
const BACKSLASH = 92;
const LOWER_E = 101;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const LITERALS = { true: Buffer.from('true'), false: Buffer.from('false'), null: Buffer.from('null') };

/** What becomes of each byte of a text in a word: folded; 0 where only the slow way knows. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 32 || byte > 127 || byte === QUOTE || byte === BACKSLASH) return 0;
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
});

export class FieldWords {
  /** Words of `values` and of `numbers`, a comma behind each, until the next call of `read`. */
  readonly values = new WordBuffer(SCRATCH_BYTES);
  readonly numbers = new WordBuffer(SCRATCH_BYTES);
  readonly #shapes = new FieldShapes();
  #body: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Reads the object from `start` to `end`; false when that has to be done the slow way. */
  read(body: Buffer, start: number, end: number): boolean {
    this.values.clear();
    this.numbers.clear();
    this.#body = body;
    this.#at = start + 1;
    return body[start] === OPEN_BRACE && this.#members(this.#shapes.root, 0) && this.#at === end;
  }

  /** Reads on behind the brace of an object, which has this shape before its first key. */
  #members(first: Shape, depth: number): boolean {
    const body = this.#body;
    this.#skipBlanks();
    if (body[this.#at] === CLOSE_BRACE) {
      this.#at += 1;
      return this.#addOwn(first);
    }
    for (let shape = first; ;) {
      const edge = this.#edge(shape);
      if (edge === undefined || !this.#colon() || !this.#value(edge, depth)) return false;
      this.#skipBlanks();
      const byte = body[this.#at++];
      if (byte === CLOSE_BRACE) return this.#addOwn(first);
      if (byte !== COMMA) return false;
      this.#skipBlanks();
      shape = edge.next;
    }
  }

  /** That an object is there is said behind its members. */
  #addOwn({ own }: Shape): boolean {
    const { values } = this;
    if (!values.hasRoom(own.length)) return false;
    values.open(own);
    values.close();
    return true;
  }

  #edge(shape: Shape): ShapeEdge | undefined {
    const { near } = shape;
    for (let index = 0; index < near.length; index += 1) {
      const edge = near[index] as ShapeEdge;
      if (!this.#has(edge.key)) continue;
      this.#at += edge.key.length;
      return edge;
    }
    return this.#lookUp(shape);
  }

  /** Finds the edge of a key that none of those at hand fits. */
  #lookUp(shape: Shape): ShapeEdge | undefined {
    const body = this.#body;
    const start = this.#at + 1;
    if (body[this.#at] !== QUOTE) return undefined;
    const end = body.indexOf(QUOTE, start);
    if (end < 0) return undefined;
    const edge = this.#shapes.edge(shape, body.toString('latin1', start, end));
    this.#at = end + 1;
    return edge;
  }

  #colon(): boolean {
    this.#skipBlanks();
    if (this.#body[this.#at] !== COLON) return false;
    this.#at += 1;
    this.#skipBlanks();
    return true;
  }

  #value(edge: ShapeEdge, depth: number): boolean {
    const first = this.#body[this.#at];
    if (first === QUOTE) return this.#text(edge);
    if (first === OPEN_BRACE) {
      this.#at += 1;
      return depth < DEPTH_MAX && this.#members(edge.inner, depth + 1);
    }
    if (first === LITERALS.true[0]) return this.#boolean(edge, LITERALS.true);
    if (first === LITERALS.false[0]) return this.#boolean(edge, LITERALS.false);
    if (first !== LITERALS.null[0]) return this.#number(edge);
    const isNull = this.#has(LITERALS.null);
    this.#at += LITERALS.null.length;
    return isNull;
  }

  #boolean({ head }: ShapeEdge, literal: Buffer): boolean {
    const { values } = this;
    if (!this.#has(literal) || !values.hasRoom(head.length)) return false;
    this.#at += literal.length;
    values.open(head);
    values.push(AMPERSAND);
    values.copy(literal, 0, literal.length);
    values.close();
    return true;
  }

  #text({ head }: ShapeEdge): boolean {
    const { values } = this;
    if (!values.hasRoom(head.length + WORD_LENGTH_MAX)) return false;
    const body = this.#body;
    const start = this.#at + 1;
    values.open(head);
    values.push(EQUALS);
    const { bytes } = values;
    let to = values.length;
    let at = start;
    const last = start + WORD_LENGTH_MAX;
    for (; at <= last; at += 1) {
      const byte = FOLDED[body[at] as number] as number;
      if (byte === 0) break;
      bytes[to++] = byte;
    }
    if (body[at] !== QUOTE || at > last) return false;
    values.length = to;
    values.close();
    this.#at = at + 1;
    return !mayBeNumber(body[start] as number) || this.#spelledNumber(head, start, at);
  }

  #spelledNumber(head: Buffer, start: number, end: number): boolean {
    const body = this.#body;
    for (let at = start; at < end; at += 1) if (!isNumberByte(body[at] as number)) return true;
    const number = parseNumber(body.toString('latin1', start, end));
    if (number === undefined) return true;
    const { numbers } = this;
    if (!numbers.hasRoom(head.length)) return false;
    numbers.open(head);
    numbers.spelledNumber(number);
    numbers.close();
    return true;
  }

  #number({ head }: ShapeEdge): boolean {
    const { numbers } = this;
    const body = this.#body;
    const start = this.#at;
    const value = this.#usualNumber();
    if (Number.isNaN(value)) return this.#anyNumber(head, start);
    if (!numbers.hasRoom(head.length + this.#at - start)) return false;
    numbers.open(head);
    numbers.number(value);
    numbers.copy(body, start, this.#at);
    numbers.close();
    return true;
  }

  /** Reads a number that JSON would print as it stands here; NaN for any other. */
  #usualNumber(): number {
    const body = this.#body;
    let at = this.#at;
    const isNegative = body[at] === MINUS;
    if (isNegative) at += 1;
    const start = at;
    let value = 0;
    for (; isDigit(body[at] as number); at += 1) value = value * 10 + (body[at] as number) - ZERO;
    let digits = at - start;
    if (digits === 0 || (digits > 1 && body[start] === ZERO)) return Number.NaN;
    let power = 0;
    if (body[at] === POINT) {
      const fraction = at + 1;
      for (at = fraction; isDigit(body[at] as number); at += 1)
        value = value * 10 + (body[at] as number) - ZERO;
      power = at - fraction;
      digits += power;
      if (power === 0 || body[at - 1] === ZERO) return Number.NaN;
    }
    const isPlain = digits <= EXACT_DIGITS_MAX && !isNumberByte(body[at] as number);
    const isZero = value === 0 && isNegative;
    if (!isPlain || isZero) return Number.NaN;
    if (power > PLAIN_PLACES_MAX && value < (POWERS_OF_TEN[power - PLAIN_PLACES_MAX] as number))
      return Number.NaN;
    this.#at = at;
    const magnitude = power === 0 ? value : value / (POWERS_OF_TEN[power] as number);
    return isNegative ? -magnitude : magnitude;
  }

  #anyNumber(head: Buffer, start: number): boolean {
    const body = this.#body;
    let end = start;
    while (isNumberByte(body[end] as number)) end += 1;
    const text = body.toString('latin1', start, end);
    if (!JSON_NUMBER.test(text)) return false;
    const { numbers } = this;
    if (!numbers.hasRoom(head.length + NUMBER_WORD_BYTES_MAX)) return false;
    numbers.open(head);
    numbers.write(numberWord(Number(text)));
    numbers.close();
    this.#at = end;
    return true;
  }

  #skipBlanks(): void {
    const body = this.#body;
    for (;;) {
      const byte = body[this.#at];
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return;
      this.#at += 1;
    }
  }

  #has(wanted: Buffer): boolean {
    const body = this.#body;
    const start = this.#at;
    for (let at = 0; at < wanted.length; at += 1) if (body[start + at] !== wanted[at]) return false;
    return true;
  }
}

/** RFC 8259, section 6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Digits that sort, and a number as JSON prints it. */
const NUMBER_WORD_BYTES_MAX = 2 * WORD_EXTRA_BYTES;

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Whether a text that begins like this may spell a number. */
function mayBeNumber(byte: number): boolean {
  return isDigit(byte) || byte === MINUS || byte === PLUS;
}

function isNumberByte(byte: number): boolean {
  return (
    isDigit(byte) || byte === POINT || byte === MINUS || byte === PLUS || byte === LOWER_E || byte === UPPER_E
  );
}
