/**
 * Validates a JSON object on bytes and notes where its members stand, without building values.
 *
 * It accepts exactly what `JSON.parse` accepts, as far as the text is one object nested at most `DEPTH_MAX` deep;
 * `flags` names what needs a closer look than bytes can give. Members are noted in the order of the text, those of
 * nested objects behind the member that holds them; members of objects inside arrays are counted, not noted.
 */
import { FIELD_TYPE } from '../../record/field-types.ts';

/** Deeper objects are treated as text: nothing that people log on purpose is. */
export const DEPTH_MAX = 64;

/** Members that are noted; an object with more takes the general path. */
export const MEMBERS_MAX = 512;

/** Value type of a member that is an object, beside the bits of `FIELD_TYPE`. */
export const OBJECT_VALUE = 64;

export const SCAN_FLAG = {
  /** A number whose digits JavaScript may not keep, or prints in another way. */
  suspectNumber: 1,
  /** An object inside an array. */
  objectInArray: 2,
  /** A key with an escape, whose bytes are not its text. */
  escapedKey: 4,
  /** A line break between tokens. */
  lineBreak: 8,
  tooManyMembers: 16,
} as const;

/** Decimal digits that a double keeps for certain. */
export const EXACT_DIGITS_MAX = 15;

const VALUE = 0;
const VALUE_OR_END = 1;
const KEY = 2;
const KEY_OR_END = 3;
const COMMA_OR_END = 4;

export class JsonScanner {
  /** A set of `SCAN_FLAG` bits. */
  flags = 0;
  /** Members that are noted in the arrays. */
  memberCount = 0;
  /** All members, those inside arrays included. */
  keyCount = 0;
  /** First byte of the object, and one past its last. */
  objectStart = 0;
  objectEnd = 0;
  /** First byte of each key's text, and one past its last: the quotes are outside. */
  readonly keyStarts = new Int32Array(MEMBERS_MAX);
  readonly keyEnds = new Int32Array(MEMBERS_MAX);
  /** First byte of each value, quotes and brackets included, and one past its last. */
  readonly valueStarts = new Int32Array(MEMBERS_MAX);
  readonly valueEnds = new Int32Array(MEMBERS_MAX);
  /** A bit of `FIELD_TYPE`, `OBJECT_VALUE`, or 0 for null. */
  readonly valueTypes = new Uint8Array(MEMBERS_MAX);
  /** 1 for members of the object itself. */
  readonly depths = new Uint8Array(MEMBERS_MAX);
  /** By depth: 1 where an object is open, 0 where it is an array. */
  readonly #isObject = new Uint8Array(DEPTH_MAX + 1);
  /** By depth: the member whose value is open, or -1. */
  readonly #openMembers = new Int32Array(DEPTH_MAX + 1);
  /** Arrays that are open: members inside are not noted. */
  #arrayDepth = 0;
  #depth = 0;
  #valueType = 0;

  /** Scans `bytes[start, end)`; false when it is not one JSON object, or nested too deep. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.flags = 0;
    this.memberCount = 0;
    this.keyCount = 0;
    this.#arrayDepth = 0;
    this.#depth = 0;
    const first = this.#skipBlanks(bytes, start, end);
    if (bytes[first] !== 0x7b || first >= end) return false;
    this.objectStart = first;
    this.#open(true, -1);
    const last = this.#scanTokens(bytes, first + 1, end);
    if (last < 0) return false;
    this.objectEnd = last;
    return this.#skipBlanks(bytes, last, end) === end;
  }

  /** Returns one past the closing brace of the outer object, or -1. */
  #scanTokens(bytes: Uint8Array, start: number, end: number): number {
    let state = KEY_OR_END;
    let member = -1;
    let position = start;
    for (;;) {
      let byte = bytes[position] ?? 0;
      if (byte <= 0x20) {
        position = this.#skipBlanks(bytes, position, end);
        byte = bytes[position] ?? 0;
      }
      if (position >= end) return -1;
      if (state === COMMA_OR_END || byte === 0x7d || byte === 0x5d) {
        if (byte === 0x2c && state === COMMA_OR_END) {
          state = this.#isObject[this.#depth] === 1 ? KEY : VALUE;
          position++;
          continue;
        }
        if (state === KEY || state === VALUE || !this.#close(byte, position + 1)) return -1;
        position++;
        if (this.#depth === 0) return position;
        state = COMMA_OR_END;
        continue;
      }
      if (state === KEY || state === KEY_OR_END) {
        if (byte !== 0x22) return -1;
        const keyEnd = this.#keyEnd(bytes, position + 1, end);
        if (keyEnd < 0) return -1;
        member = this.#note(position + 1, keyEnd - 1);
        position = this.#skipBlanks(bytes, keyEnd, end);
        if (bytes[position] !== 0x3a || position >= end) return -1;
        position = this.#skipBlanks(bytes, position + 1, end);
        state = VALUE;
        continue;
      }
      if (byte === 0x7b || byte === 0x5b) {
        if (this.#depth === DEPTH_MAX) return -1;
        if (member >= 0) {
          this.valueStarts[member] = position;
          this.valueTypes[member] = byte === 0x7b ? OBJECT_VALUE : FIELD_TYPE.array;
        }
        this.#open(byte === 0x7b, member);
        state = byte === 0x7b ? KEY_OR_END : VALUE_OR_END;
        member = -1;
        position++;
        continue;
      }
      const valueEnd = this.#scalarEnd(bytes, position, end, byte);
      if (valueEnd < 0) return -1;
      if (member >= 0) {
        this.valueStarts[member] = position;
        this.valueEnds[member] = valueEnd;
        this.valueTypes[member] = this.#valueType;
        member = -1;
      }
      position = valueEnd;
      state = COMMA_OR_END;
    }
  }

  #open(isObject: boolean, member: number): void {
    if (!isObject) this.#arrayDepth++;
    else if (this.#arrayDepth > 0) this.flags |= SCAN_FLAG.objectInArray;
    this.#depth++;
    this.#isObject[this.#depth] = isObject ? 1 : 0;
    this.#openMembers[this.#depth] = member;
  }

  #close(byte: number, valueEnd: number): boolean {
    const isObject = this.#isObject[this.#depth] === 1;
    if (byte !== (isObject ? 0x7d : 0x5d)) return false;
    const member = this.#openMembers[this.#depth] ?? -1;
    if (member >= 0) this.valueEnds[member] = valueEnd;
    if (!isObject) this.#arrayDepth--;
    this.#depth--;
    return true;
  }

  /** Returns the index of the new member, or -1 when it is only counted. */
  #note(keyStart: number, keyEnd: number): number {
    this.keyCount++;
    if (this.#arrayDepth > 0) return -1;
    const member = this.memberCount;
    if (member === MEMBERS_MAX) {
      this.flags |= SCAN_FLAG.tooManyMembers;
      return -1;
    }
    this.memberCount = member + 1;
    this.keyStarts[member] = keyStart;
    this.keyEnds[member] = keyEnd;
    this.depths[member] = this.#depth;
    return member;
  }

  #skipBlanks(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    for (; position < end; position++) {
      const byte = bytes[position];
      if (byte === 0x20 || byte === 0x09) continue;
      if (byte !== 0x0a && byte !== 0x0d) break;
      this.flags |= SCAN_FLAG.lineBreak;
    }
    return position;
  }

  #keyEnd(bytes: Uint8Array, start: number, end: number): number {
    const keyEnd = stringEnd(bytes, start, end);
    for (let position = start; position < keyEnd; position++) {
      if (bytes[position] === 0x5c) this.flags |= SCAN_FLAG.escapedKey;
    }
    return keyEnd;
  }

  /** Returns one past the value that begins at `position`, and leaves its type in `#valueType`. */
  #scalarEnd(bytes: Uint8Array, position: number, end: number, byte: number): number {
    switch (byte) {
      case 0x22:
        this.#valueType = FIELD_TYPE.string;
        return stringEnd(bytes, position + 1, end);
      case 0x74:
        this.#valueType = FIELD_TYPE.boolean;
        return literalEnd(bytes, position, end, TRUE);
      case 0x66:
        this.#valueType = FIELD_TYPE.boolean;
        return literalEnd(bytes, position, end, FALSE);
      case 0x6e:
        this.#valueType = 0;
        return literalEnd(bytes, position, end, NULL);
      default:
        return this.#numberEnd(bytes, position, end);
    }
  }

  #numberEnd(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    if (bytes[position] === 0x2d) {
      position++;
      // Minus zero is a number of its own, which JavaScript prints without its sign.
      if (bytes[position] === 0x30) this.flags |= SCAN_FLAG.suspectNumber;
    }
    const integerStart = position;
    position = digitsEnd(bytes, position, end);
    const integerDigits = position - integerStart;
    if (integerDigits === 0 || (integerDigits > 1 && bytes[integerStart] === 0x30)) return -1;
    this.#valueType = FIELD_TYPE.integer;
    if (bytes[position] === 0x2e && position < end) {
      const fractionStart = position + 1;
      position = digitsEnd(bytes, fractionStart, end);
      if (position === fractionStart) return -1;
      this.#valueType = FIELD_TYPE.double;
    }
    if (position - integerStart > EXACT_DIGITS_MAX) this.flags |= SCAN_FLAG.suspectNumber;
    if (position < end && ((bytes[position] ?? 0) | 0x20) === 0x65) {
      this.flags |= SCAN_FLAG.suspectNumber;
      this.#valueType = FIELD_TYPE.double;
      position++;
      if (bytes[position] === 0x2b || bytes[position] === 0x2d) position++;
      const exponentStart = position;
      position = digitsEnd(bytes, position, end);
      if (position === exponentStart) return -1;
    }
    return position;
  }
}

const TRUE = [0x74, 0x72, 0x75, 0x65];
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL = [0x6e, 0x75, 0x6c, 0x6c];

function literalEnd(bytes: Uint8Array, start: number, end: number, literal: readonly number[]): number {
  const literalStop = start + literal.length;
  if (literalStop > end) return -1;
  for (let index = 1; index < literal.length; index++) {
    if (bytes[start + index] !== literal[index]) return -1;
  }
  return literalStop;
}

function digitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const byte = bytes[position] ?? 0;
    if (byte < 0x30 || byte > 0x39) break;
    position++;
  }
  return position;
}

/** Returns one past the closing quote of the string whose text begins at `start`, or -1. */
function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const byte = bytes[position] ?? 0;
    if (byte === 0x22) return position + 1;
    if (byte < 0x20) return -1;
    if (byte === 0x5c) {
      const length = escapeLength(bytes, position, end);
      if (length === 0) return -1;
      position += length;
    } else {
      position++;
    }
  }
  return -1;
}

/** Returns the bytes of the escape at `position`, or 0 when it is none. */
function escapeLength(bytes: Uint8Array, position: number, end: number): number {
  switch (bytes[position + 1]) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2;
    case 0x75:
      break;
    default:
      return 0;
  }
  if (position + 6 > end) return 0;
  for (let index = position + 2; index < position + 6; index++) {
    const byte = bytes[index] ?? 0;
    const isHex = (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
    if (!isHex) return 0;
  }
  return 6;
}
