/**
 * Lines of Docker's json-file driver: `{"log":"text\n","stream":"stdout","attrs":{…},"time":"2026-…Z"}`. The driver
 * splits what an application writes into pieces of 16 KiB; a piece whose `log` lacks the newline is not the last.
 * Scanned by hand, because JSON.parse would build an object and strings per line. Unknown members are skipped.
 */
import { writeReplacement } from './escape-json.ts';
import { LANE } from '../record/lane.ts';
import { laneOf } from './cri-line.ts';
import type { ParsedLine } from './parsed-line.ts';
import { parseRfc3339 } from './rfc3339.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 58;
const COMMA = 44;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const NEWLINE = 10;

/** Whether a line begins as Docker's driver writes them: `{"log"`. */
export function isDockerStart(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== 0x7b || bytes[start + 1] !== 0x22 || bytes[start + 2] !== 108) return false;
  return bytes[start + 3] === 111 && bytes[start + 4] === 103 && bytes[start + 5] === 0x22;
}

/** Takes a line apart; returns whether it is one of Docker's. `line` is spoilt when not. */
export class DockerLineParser {
  #scratch = new Uint8Array(0);
  #at = 0;
  #logStart = -1;
  #logEnd = -1;

  parse(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
    this.#logStart = -1;
    line.hasTime = false;
    line.lane = LANE.file;
    if (!this.#parseMembers(bytes, end, line) || this.#logStart < 0) return false;
    this.#decodeLog(bytes, line);
    return true;
  }

  #parseMembers(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
    this.#at = skipBlanks(bytes, 0, end);
    if (bytes[this.#at] !== OPEN_BRACE) return false;
    do {
      this.#at = skipBlanks(bytes, this.#at + 1, end);
      if (!this.#parseMember(bytes, end, line)) return false;
      this.#at = skipBlanks(bytes, this.#at, end);
    } while (this.#at < end && bytes[this.#at] === COMMA);
    if (this.#at >= end || bytes[this.#at] !== CLOSE_BRACE) return false;
    const rest = skipBlanks(bytes, this.#at + 1, end);
    return rest === end;
  }

  /** Reads one `"name":value` and stands behind it. */
  #parseMember(bytes: Uint8Array, end: number, line: ParsedLine): boolean {
    const nameStart = this.#at + 1;
    const nameEnd = stringEnd(bytes, this.#at, end);
    if (nameEnd < 0) return false;
    const colon = skipBlanks(bytes, nameEnd + 1, end);
    if (bytes[colon] !== COLON || colon >= end) return false;
    const valueStart = skipBlanks(bytes, colon + 1, end);
    if (bytes[valueStart] !== QUOTE) {
      this.#at = skipValue(bytes, valueStart, end);
      return this.#at > valueStart;
    }
    const valueEnd = stringEnd(bytes, valueStart, end);
    if (valueEnd < 0) return false;
    this.#at = valueEnd + 1;
    const name = { start: nameStart, end: nameEnd };
    return this.#takeString(bytes, name, { start: valueStart + 1, end: valueEnd }, line);
  }

  #takeString(bytes: Uint8Array, name: Range, value: Range, line: ParsedLine): boolean {
    const { start, end } = value;
    if (isName(bytes, name, LOG)) {
      this.#logStart = start;
      this.#logEnd = end;
    } else if (isName(bytes, name, TIME)) {
      line.hasTime = parseRfc3339(bytes, start, end, line.time) === end;
    } else if (isName(bytes, name, STREAM)) {
      line.lane = (end - start === 6 ? laneOf(bytes, start) : undefined) ?? LANE.file;
    }
    return true;
  }

  #decodeLog(bytes: Uint8Array, line: ParsedLine): void {
    const rawLength = this.#logEnd - this.#logStart;
    // A lone surrogate's six bytes become three, so decoded text is never longer than its escaped form.
    if (this.#scratch.length < rawLength) this.#scratch = new Uint8Array(rawLength * 2);
    const length = unescapeInto(bytes, this.#logStart, this.#logEnd, this.#scratch);
    const isWhole = length > 0 && this.#scratch[length - 1] === NEWLINE;
    line.bytes = this.#scratch;
    line.contentStart = 0;
    line.contentEnd = isWhole ? length - 1 : length;
    line.headerBytes = this.#logStart;
    line.isPartial = !isWhole;
  }
}

const LOG = [108, 111, 103];
const TIME = [116, 105, 109, 101];
const STREAM = [115, 116, 114, 101, 97, 109];

interface Range {
  readonly start: number;
  readonly end: number;
}

function isName(bytes: Uint8Array, { start, end }: Range, name: readonly number[]): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}

function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && (bytes[to] === 32 || bytes[to] === 9 || bytes[to] === 13)) to++;
  return to;
}

/** Returns where the closing quote of the string that opens at `at` stands, or -1. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== QUOTE) return -1;
  for (let to = at + 1; to < end; to++) {
    const byte = bytes[to];
    if (byte === QUOTE) return to;
    if (byte === BACKSLASH) to++;
  }
  return -1;
}

/** Returns where a value that is no string ends; `at` itself when there is none. */
function skipValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let to = at;
  for (; to < end; to++) {
    const byte = bytes[to];
    if (byte === QUOTE) {
      to = stringEnd(bytes, to, end);
      if (to < 0) return at;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return to;
      depth--;
    } else if (byte === COMMA && depth === 0) {
      return to;
    }
  }
  return depth === 0 ? to : at;
}

/** Decodes the inside of a JSON string; what is no valid escape stays as it is. Returns the decoded length. */
function unescapeInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let to = 0;
  let from = start;
  while (from < end) {
    const byte = bytes[from] ?? 0;
    if (byte !== BACKSLASH || from + 1 >= end) {
      target[to++] = byte;
      from++;
      continue;
    }
    const letter = bytes[from + 1] ?? 0;
    const simple = UNESCAPED[letter] ?? 0;
    if (simple !== 0) {
      target[to++] = simple;
      from += 2;
    } else if (letter === 117 && readHex4(bytes, from + 2, end) >= 0) {
      const low = lowSurrogateAt(bytes, from, end);
      to = writeUtf8(target, to, readHex4(bytes, from + 2, end), low);
      from += low < 0 ? 6 : 12;
    } else {
      target[to++] = byte;
      from++;
    }
  }
  return to;
}

const UNESCAPED = new Uint8Array(256);
for (const [letter, value] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [
  pair.charCodeAt(0),
  pair.charCodeAt(1),
])) {
  UNESCAPED[letter ?? 0] = value ?? 0;
}

/** The low surrogate that completes the high one whose escape begins at `at`, or -1. */
function lowSurrogateAt(bytes: Uint8Array, at: number, end: number): number {
  const high = readHex4(bytes, at + 2, end);
  if (high < 0xd800 || high > 0xdbff || bytes[at + 6] !== BACKSLASH || bytes[at + 7] !== 117) return -1;
  const low = readHex4(bytes, at + 8, end);
  return low >= 0xdc00 && low <= 0xdfff ? low : -1;
}

/** Writes the character of one UTF-16 unit, or of a pair when `low` is not -1. */
export function writeUtf8(target: Uint8Array, at: number, unit: number, low: number): number {
  if (unit < 0x80) {
    target[at] = unit;
    return at + 1;
  }
  if (unit < 0x800) {
    target[at] = 0xc0 | (unit >> 6);
    target[at + 1] = 0x80 | (unit & 63);
    return at + 2;
  }
  if (low >= 0) {
    const point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    target[at] = 0xf0 | (point >> 18);
    target[at + 1] = 0x80 | ((point >> 12) & 63);
    target[at + 2] = 0x80 | ((point >> 6) & 63);
    target[at + 3] = 0x80 | (point & 63);
    return at + 4;
  }
  if (unit >= 0xd800 && unit <= 0xdfff) return writeReplacement(target, at);
  target[at] = 0xe0 | (unit >> 12);
  target[at + 1] = 0x80 | ((unit >> 6) & 63);
  target[at + 2] = 0x80 | (unit & 63);
  return at + 3;
}

function readHex4(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1;
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The value of a hexadecimal digit of either case, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
