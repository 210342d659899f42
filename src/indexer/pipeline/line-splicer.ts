/**
 * The built-in pipeline on documents in the agents' layout, without building them: the fast path.
 *
 * A line that is one JSON object is unescaped, validated, and its text spliced into the document:
 *
 *   …"message":"<raw>","stream":"stdout","log":{"offset":…
 *   …"message":"<inner message>","fields":{<the rest>},"stream":"stdout","log":{"level":"info","offset":…
 *
 * A line of text gets at most its level. What needs a closer look (a key that stands twice, digits that a number does
 * not hold, lines in ECS shape) is left to the general path, which makes the same document of every line.
 */
import { hasBytes } from '../../base/has-bytes.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import { MESSAGE_START } from '../../record/document-layout.ts';
import type { Frame } from './document-frame.ts';
import { JsonScanner } from './json-scanner.ts';
import { JsonShapes } from './json-shapes.ts';
import { KnownLineReader } from './known-line-reader.ts';
import { LEVELS, levelOfValue, type Level } from './level-names.ts';
import { levelOfText } from './level-text.ts';
import type { SpliceWriter } from './splice-writer.ts';

const LEVEL_MEMBERS = new Map<Level | undefined, Buffer>(
  LEVELS.map((level) => [level, Buffer.from(`"level":"${level}",`)]),
);

const FIELDS_HEAD = Buffer.from('","fields":');
const OPENING_BRACE = Buffer.from('{');

/** Escapes of the message that stand for one other byte. */
const PLAIN_ESCAPES = escapeTable();

/** Values that are remembered: programs have few, and those of numbers as well as words fit. */
const KNOWN_LEVELS_MAX = 16;

/** Longer values name no level that many lines have. */
const LEVEL_BYTES_MAX = 16;

/** What a line has as its level, and what becomes of it. */
interface KnownLevel {
  /** JSON, as it stands in the line. */
  readonly value: Buffer;
  readonly member: Buffer | undefined;
}

export class LineSplicer {
  readonly #scanner = new JsonScanner();
  readonly #shapes = new JsonShapes();
  readonly #reader = new KnownLineReader(this.#scanner, this.#shapes);
  /** The line as it was written, without the escapes of the document. */
  #line = Buffer.allocUnsafeSlow(64 * 1024);
  readonly #knownLevels: KnownLevel[] = [];
  /** The level's member, ready to be written, of the line that `#findLevel` looked at. */
  #level: Buffer | undefined;

  /** Splices one document; false when it needs the general path, with nothing written. */
  splice(writer: SpliceWriter, source: Buffer, start: number, frame: Frame): boolean {
    const messageStart = start + MESSAGE_START;
    const { messageEnd, logStart } = frame;
    const first = skipEscapedBlanks(source, messageStart, messageEnd);
    if (source[first] !== 0x7b) {
      const level = levelOfText(source, messageStart, messageEnd);
      if (level !== undefined) writer.insert(source, logStart, levelMember(level));
      return true;
    }
    this.#makeRoom(messageEnd - messageStart);
    if (this.#reader.read(source, messageStart, messageEnd, this.#line) < 0) {
      const length = this.#unescape(source, messageStart, messageEnd);
      if (length < 0) return false;
      if (!this.#scanner.scan(this.#line, 0, length)) {
        const level = levelOfText(source, messageStart, messageEnd);
        if (level !== undefined) writer.insert(source, logStart, levelMember(level));
        return true;
      }
      if (this.#scanner.flags !== 0 || !this.#shapes.match(this.#scanner, this.#line)) return false;
    }
    if (!this.#findLevel(source, messageStart, messageEnd)) return false;
    this.#shapes.note(this.#scanner);
    this.#writeFields(writer, source, messageStart, messageEnd);
    if (this.#level !== undefined) writer.insert(source, logStart, this.#level);
    return true;
  }

  /** Adds the types of the fields of all lines since the last call. */
  collectTypes(types: FieldTypes): void {
    this.#shapes.collect(types);
  }

  #makeRoom(bytes: number): void {
    if (this.#line.length < bytes) this.#line = Buffer.allocUnsafeSlow(2 * bytes);
  }

  /** Returns the length of the line, or -1 when its text has an escape that needs a closer look. */
  #unescape(source: Buffer, start: number, end: number): number {
    const line = this.#line;
    let length = 0;
    for (let position = start; position < end; position++) {
      let byte = source[position] ?? 0;
      if (byte === 0x5c) {
        byte = PLAIN_ESCAPES[source[++position] ?? 0] ?? 0;
        if (byte === 0) return -1;
      } else if (byte === 0x22) {
        return -1;
      }
      line[length++] = byte;
    }
    return length;
  }

  /** Leaves the member for `log` in `#level`; false when only the general path can tell the level. */
  #findLevel(source: Buffer, messageStart: number, messageEnd: number): boolean {
    const { messageMember, levelMember: member, levelCount } = this.#shapes;
    this.#level = undefined;
    if (member >= 0) {
      const start = this.#scanner.valueStarts[member] ?? 0;
      this.#level = this.#levelOfMember(start, this.#scanner.valueEnds[member] ?? 0);
      if (this.#level !== undefined) return true;
      if (levelCount > 1) return false;
    }
    if (messageMember < 0) {
      this.#level = LEVEL_MEMBERS.get(levelOfText(source, messageStart, messageEnd));
      return true;
    }
    const textStart = (this.#scanner.valueStarts[messageMember] ?? 0) + 1;
    const textEnd = (this.#scanner.valueEnds[messageMember] ?? 0) - 1;
    if (hasOddEscape(this.#line, textStart, textEnd)) return false;
    this.#level = LEVEL_MEMBERS.get(levelOfText(this.#line, textStart, textEnd));
    return true;
  }

  /** Returns the member for `log` that a value makes, which stands in the line. */
  #levelOfMember(start: number, end: number): Buffer | undefined {
    const line = this.#line;
    const known = this.#knownLevels;
    for (let index = 0; index < known.length; index++) {
      const level = known[index] as KnownLevel;
      if (level.value.length === end - start && hasBytes(line, start, level.value)) return level.member;
    }
    const value: unknown = JSON.parse(line.toString('utf8', start, end));
    const name = levelOfValue(value);
    const member = name === undefined ? undefined : Buffer.from(`"level":${JSON.stringify(name)},`);
    if (end - start > LEVEL_BYTES_MAX) return member;
    if (known.length === KNOWN_LEVELS_MAX) known.shift();
    known.push({ value: Buffer.from(line.subarray(start, end)), member });
    return member;
  }

  #writeFields(writer: SpliceWriter, source: Buffer, messageStart: number, messageEnd: number): void {
    const { messageMember, beforeMessage } = this.#shapes;
    const { memberCount, objectStart, objectEnd, keyStarts, valueStarts, valueEnds } = this.#scanner;
    const line = this.#line;
    if (messageMember < 0) {
      if (memberCount === 0) return;
      writer.skip(source, messageEnd, messageEnd + 1);
      writer.append(FIELDS_HEAD, 0, FIELDS_HEAD.length);
      writer.append(line, objectStart, objectEnd);
      return;
    }
    const textStart = (valueStarts[messageMember] ?? 0) + 1;
    const textEnd = (valueEnds[messageMember] ?? 0) - 1;
    writer.skip(source, messageStart, messageEnd);
    writer.append(line, textStart, textEnd);
    if (memberCount === 1) return;
    writer.skip(source, messageEnd, messageEnd + 1);
    writer.append(FIELDS_HEAD, 0, FIELDS_HEAD.length);
    if (beforeMessage < 0) {
      // The message stands first: what follows begins with the next key's quote.
      writer.append(OPENING_BRACE, 0, 1);
      writer.append(line, (keyStarts[messageMember + 1] ?? 0) - 1, objectEnd);
      return;
    }
    // The comma before the message goes with it.
    writer.append(line, objectStart, valueEnds[beforeMessage] ?? 0);
    writer.append(line, textEnd + 1, objectEnd);
  }
}

function levelMember(level: Level): Buffer {
  const member = LEVEL_MEMBERS.get(level);
  return member ?? Buffer.from(`"level":"${level}",`);
}

/** Skips blanks and escaped ones, as `JSON.parse` would behind the document's own escapes. */
function skipEscapedBlanks(source: Buffer, start: number, end: number): number {
  let position = start;
  while (position < end) {
    const byte = source[position];
    if (byte === 0x20) {
      position++;
      continue;
    }
    if (byte !== 0x5c) break;
    const letter = source[position + 1];
    if (letter !== 0x74 && letter !== 0x6e && letter !== 0x72) break;
    position += 2;
  }
  return position;
}

/** Whether the text has an escape that a canonical JSON string would not have: `\u00e4`, `\/`. */
function hasOddEscape(line: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position++) {
    if (line[position] !== 0x5c) continue;
    position++;
    if (line[position] === 0x75 || line[position] === 0x2f) return true;
  }
  return false;
}

function escapeTable(): Uint8Array {
  const table = new Uint8Array(256);
  table[0x22] = 0x22;
  table[0x5c] = 0x5c;
  table[0x2f] = 0x2f;
  table[0x62] = 0x08;
  table[0x66] = 0x0c;
  table[0x6e] = 0x0a;
  table[0x72] = 0x0d;
  table[0x74] = 0x09;
  return table;
}
