/**
 * Recognises the level of a line of text, on bytes, without building strings.
 *
 * What counts, in this order of position in the line's first `SCAN_BYTES_MAX` bytes:
 *   - klog and glog: `E1123 04:00:00.000000`, at the beginning only;
 *   - a priority of syslog: `<3>`, `<134>`, at the beginning only;
 *   - a key with a value, anywhere: `level=warn`, `lvl=dbg`, `severity: "error"`;
 *   - a word of any case alone in brackets, in the line's header: `[error]`, `<warn>`, `[core:error]`;
 *   - a word of any case that begins the line and has a colon behind it: `warn: x`, `panic: x`;
 *   - a word in capitals that stands alone in the header: `ERROR: x`, `2026-11-23 04:00:00 main WARN x`.
 *
 * The header is what stands before prose: a line that begins with a stamp or a bracket may have up to
 * `HEADER_WORDS_MAX` other words (a thread, a logger) before the level, any other line none. So `retry after ERROR`
 * has no level.
 *
 * The bytes are those of a JSON string's content (escaped), because that is how the line stands in a document.
 */
import { appendLetter, levelOfCode, packWord, PACKED_LETTERS_MAX, type Level } from './level-names.ts';

/** Levels stand early; what comes later is more often prose than a level. */
export const SCAN_BYTES_MAX = 160;

const HEADER_WORDS_MAX = 2;

/** Characters between a key and its value: `="`, `: "`, `\":\"`. */
const KEY_GAP_BYTES_MAX = 6;

const LESS = 0x3c;
const GREATER = 0x3e;

/** The greatest priority: facility 23, severity 7. */
const PRIORITY_MAX = 191;
const PRIORITY_DIGITS_MAX = 3;

/** By severity: emergency, alert, critical, error, warning, notice, informational, debug. */
const SEVERITIES = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'notice', 'info', 'debug'] as const;

const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const OPENING = 3;
const CLOSING = 4;
const BLANK = 5;
const MARK = 6;
const BACKSLASH = 7;
const QUOTE = 8;
/** What joins letters to something that is no word: `ERROR_CODE`, `info/x`. */
const GLUE = 9;

const classOf = classTable();

const keyCodes: ReadonlySet<number> = new Set(['level', 'lvl', 'severity', 'loglevel'].map(packWord));

/** Words that begin a stamp, or stand in one, and say nothing of a header's end. */
const stampCodes: ReadonlySet<number> = new Set(
  'jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun utc gmt am pm'
    .split(' ')
    .map(packWord),
);

/** Where the scan of a line stands. One object serves all lines: scanning is synchronous. */
const scan = {
  /** Words that may still come before the level; below 0 the header is over. */
  wordsLeft: 0,
  /** Brackets that are open. */
  depth: 0,
  /** Class of the byte before the word. */
  before: BLANK,
  /** Whether the word is the first thing on the line. */
  isFirst: false,
};

/** The word that `readWord` read last. */
const word = { code: 0, hasLower: false, length: 0 };

/** Returns the level of the line whose escaped text is `bytes[start, end)`, or undefined. */
export function levelOfText(bytes: Uint8Array, start: number, end: number): Level | undefined {
  const klog = levelOfKlog(bytes, start, end);
  if (klog !== undefined) return klog;
  if (bytes[start] === LESS) {
    const priority = levelOfPriority(bytes, start + 1, end);
    if (priority !== undefined) return priority;
  }
  const stop = Math.min(end, start + SCAN_BYTES_MAX);
  scan.wordsLeft = startsLikeStamp(bytes[start] ?? 0) ? HEADER_WORDS_MAX : 0;
  scan.depth = 0;
  scan.before = BLANK;
  for (let position = start; position < stop;) {
    const kind = classOf[bytes[position] ?? 0] ?? OTHER;
    if (kind === LETTER) {
      const wordStart = position;
      position = readWord(bytes, position, end);
      scan.isFirst = wordStart === start;
      const level = levelOfWord(bytes, position, end);
      if (level !== undefined) return level;
      if (scan.wordsLeft < 0) continue;
      countWord(classAt(bytes, position, end));
      scan.before = LETTER;
      continue;
    }
    if (kind === QUOTE || (kind === BACKSLASH && bytes[position + 1] === 0x6e)) return undefined;
    if (kind === BACKSLASH) {
      position = skipEscape(bytes, position, stop);
      scan.before = BLANK;
      continue;
    }
    if (kind === OPENING) scan.depth++;
    else if (kind === CLOSING && scan.depth > 0) scan.depth--;
    scan.before = kind;
    position++;
  }
  return undefined;
}

function readWord(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  let code = 0;
  let lower = 0;
  for (; position < end; position++) {
    const letter = bytes[position] ?? 0;
    if (classOf[letter] !== LETTER) break;
    lower |= letter & 0x20;
    code = appendLetter(code, letter);
  }
  word.code = code;
  word.hasLower = lower !== 0;
  word.length = position - start;
  return position;
}

/** Returns the level that `word` is, or that it is the key of; `position` is the byte behind it. */
function levelOfWord(bytes: Uint8Array, position: number, end: number): Level | undefined {
  if (word.length < 3 || word.length > PACKED_LETTERS_MAX || isPart(scan.before)) return undefined;
  if (keyCodes.has(word.code)) return levelAfterKey(bytes, position, end);
  if (scan.wordsLeft < 0) return undefined;
  const after = classAt(bytes, position, end);
  if (isPart(after)) return undefined;
  const isInBrackets = scan.depth > 0 && after === CLOSING;
  const isPrefix = scan.isFirst && bytes[position] === 0x3a;
  const isMarked = !word.hasLower || isInBrackets || isPrefix;
  return isMarked ? levelOfCode(word.code) : undefined;
}

/** Counts `word` against the header's words, unless it is a part of one, in brackets, or in a stamp. */
function countWord(after: number): void {
  if (after === GLUE || scan.depth > 0) return;
  // Single letters are parts of stamps (`T`, `Z`) more often than words.
  if (word.length === 1) return;
  if (!stampCodes.has(word.code)) scan.wordsLeft--;
  else if (scan.isFirst) scan.wordsLeft = HEADER_WORDS_MAX;
}

function classAt(bytes: Uint8Array, position: number, end: number): number {
  return position < end ? (classOf[bytes[position] ?? 0] ?? OTHER) : BLANK;
}

/** Whether a word beside a byte of this class is only a part of something longer. */
function isPart(kind: number): boolean {
  return kind === DIGIT || kind === GLUE || kind === OTHER;
}

function startsLikeStamp(first: number): boolean {
  const kind = classOf[first] ?? OTHER;
  return kind === DIGIT || kind === OPENING || kind === BACKSLASH;
}

/** `Lmmdd hh:mm:ss.uuuuuu`, as https://github.com/kubernetes/klog writes its header. */
function levelOfKlog(bytes: Uint8Array, start: number, end: number): Level | undefined {
  if (end - start < 14 || classOf[bytes[start + 1] ?? 0] !== DIGIT) return undefined;
  for (const place of [2, 3, 4, 6, 7, 9, 10])
    if (classOf[bytes[start + place] ?? 0] !== DIGIT) return undefined;
  if (bytes[start + 5] !== 0x20 || bytes[start + 8] !== 0x3a || bytes[start + 11] !== 0x3a) return undefined;
  switch (bytes[start]) {
    case 0x49:
      return 'info';
    case 0x57:
      return 'warn';
    case 0x45:
      return 'error';
    case 0x46:
      return 'fatal';
    default:
      return undefined;
  }
}

/**
 * `<N>`: the facility times 8 plus the severity (RFC 5424, 6.2.1), or the severity alone, as sd-daemon(3) has it for
 * what a service prints.
 */
function levelOfPriority(bytes: Uint8Array, start: number, end: number): Level | undefined {
  let value = 0;
  let index = start;
  for (; index < end && index < start + PRIORITY_DIGITS_MAX; index++) {
    const byte = bytes[index] ?? 0;
    if (classOf[byte] !== DIGIT) break;
    value = value * 10 + byte - 0x30;
  }
  const isPriority = index > start && index < end && bytes[index] === GREATER && value <= PRIORITY_MAX;
  return isPriority ? SEVERITIES[value & 7] : undefined;
}

/** Reads the word behind `=`, `: ` or their quoted forms; `position` is the byte behind the key. */
function levelAfterKey(bytes: Uint8Array, position: number, end: number): Level | undefined {
  let hasSign = false;
  let index = position;
  const gapEnd = Math.min(end, position + KEY_GAP_BYTES_MAX);
  for (; index < gapEnd; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === 0x3d || byte === 0x3a) hasSign = true;
    else if (byte !== 0x20 && byte !== 0x22 && byte !== 0x5c && byte !== 0x27) break;
  }
  if (!hasSign) return undefined;
  let code = 0;
  let length = 0;
  for (; index < end && length <= PACKED_LETTERS_MAX; index++, length++) {
    const letter = bytes[index] ?? 0;
    if (classOf[letter] !== LETTER) break;
    code = appendLetter(code, letter);
  }
  const after = index < end ? classOf[bytes[index] ?? 0] : BLANK;
  return length >= 3 && after !== DIGIT && after !== GLUE ? levelOfCode(code) : undefined;
}

/** Returns where an escape ends; a colour sequence (`ESC [ … m`) is skipped whole. Quotes end the header. */
function skipEscape(bytes: Uint8Array, position: number, stop: number): number {
  const kind = bytes[position + 1];
  if (kind === 0x22) scan.wordsLeft = -1;
  if (kind !== 0x75) return position + 2;
  const end = position + 6;
  const isEscape =
    bytes[position + 4] === 0x31 && ((bytes[position + 5] ?? 0) | 0x20) === 0x62 && bytes[end] === 0x5b;
  if (!isEscape) return end;
  let index = end + 1;
  while (index < stop && (classOf[bytes[index] ?? 0] === DIGIT || bytes[index] === 0x3b)) index++;
  return bytes[index] === 0x6d ? index + 1 : end;
}

function classTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let letter = 0; letter < 26; letter++) {
    table[0x41 + letter] = LETTER;
    table[0x61 + letter] = LETTER;
  }
  for (let digit = 0x30; digit <= 0x39; digit++) table[digit] = DIGIT;
  for (const byte of new TextEncoder().encode('[<({')) table[byte] = OPENING;
  for (const byte of new TextEncoder().encode(']>)}')) table[byte] = CLOSING;
  for (const byte of new TextEncoder().encode(' \t|')) table[byte] = BLANK;
  for (const byte of new TextEncoder().encode(':,;=*#')) table[byte] = MARK;
  for (const byte of new TextEncoder().encode("_/@+$%&~-.'")) table[byte] = GLUE;
  table[0x5c] = BACKSLASH;
  table[0x22] = QUOTE;
  return table;
}
