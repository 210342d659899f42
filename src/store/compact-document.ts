/**
 * Recognises documents in the agents' layout (`record/document-layout.ts`) of which only the time, the message, the
 * fields, the level and the offset are their own: everything else stands in a resource.
 *
 *   {"@timestamp":"…","message":"…","fields":{…},"stream":"stdout","log":{"level":"info","offset":123,"file":…
 *   └─ kept as it is ──────────────────────────┘└─ head ──────────────┘                           └─ tail → end
 *
 * The head and the tail are compared byte by byte with a template; the twelve digits of the event id in the tail are
 * those of the offset. Between them stand only the level, of plain letters, and the digits of the offset. The bytes
 * from `,"stream":` to the end are whole members and closing braces, so they can only be the members of the
 * document itself, never of an object or a text in it.
 */
import { parseKeepingDigits } from '../base/exact-json.ts';
import { eventIdOf } from '../record/identity.ts';
import type { MemberSpan } from './document-scan.ts';

const OFFSET_KEY = Buffer.from('"offset":');
const LEVEL_KEY = Buffer.from('"level":"');
const EVENT_DIGITS = 12;
const HEX_DIGITS = Buffer.from('0123456789abcdef');
const QUOTE = 34;
const COMMA = 44;

/** Levels with more letters are not recognised. */
const LEVEL_LETTERS_MAX = 16;

/** Members of `log` that are the same for most records of a file. */
const LOG =
  /^\{(?:"level":"[a-z]{1,16}",)?"offset":(\d+)(,"file":\{"path":"(?:[^"\\]|\\.)*"\}(?:,"flags":\["[a-z0-9_",]*"\])?)\}$/s;

export interface CompactTemplate {
  /** `,"stream":"stdout","log":{` */
  readonly head: Buffer;
  /** From behind the offset's digits to the newline; the event id's last digits are scratch. */
  readonly tail: Buffer;
  /** Where the digits of the event id stand in the tail. */
  readonly eventStart: number;
}

/** Where the parts of a document stand. */
export interface CompactSpans {
  /** Where the part ends that is kept as it is. */
  keptEnd: number;
  /** Behind the quote of `"level":"…"` and behind its value's quote; both 0 when there is no level. */
  levelStart: number;
  levelEnd: number;
  offsetStart: number;
  offsetEnd: number;
}

export interface LearnedTemplate {
  readonly template: CompactTemplate;
  /** The members that the template stands for, but for the offset. */
  readonly members: Readonly<Record<string, unknown>>;
}

export interface DocumentPlace {
  readonly body: Buffer;
  readonly start: number;
  /** One past the newline. */
  readonly end: number;
}

/** Returns the template that a document fits, from its members; undefined when it has another layout. */
export function learnTemplate(
  { body, end }: DocumentPlace,
  members: readonly MemberSpan[],
  fileId: string,
  offset: number,
): LearnedTemplate | undefined {
  const at = members.findIndex((member) => member.key === 'stream');
  const [stream, log, event] = members.slice(at, at + 3);
  if (at < 1 || stream === undefined || log?.key !== 'log' || event?.key !== 'event') return undefined;
  const logText = body.toString('utf8', log.valueStart, log.end);
  const [, digits, rest] = LOG.exec(logText) ?? [];
  const eventHead = `{"id":"${eventIdOf(fileId, offset)}"}`;
  if (rest === undefined || digits !== String(offset)) return undefined;
  if (body.toString('utf8', event.valueStart, event.end) !== eventHead) return undefined;
  const tailStart = log.end - 1 - Buffer.byteLength(rest);
  const texts = [stream, ...members.slice(at + 3)].map(({ start, end: to }) =>
    body.toString('utf8', start, to),
  );
  const text = `{"log":{${rest.slice(1)}},${texts.join(',')}}`;
  return {
    template: {
      head: Buffer.from(`,${body.toString('utf8', stream.start, stream.end)},"log":{`),
      tail: Buffer.from(body.subarray(tailStart, end)),
      eventStart: event.end - 2 - EVENT_DIGITS - tailStart,
    },
    members: parseKeepingDigits(text) as Record<string, unknown>,
  };
}

/** Fills `spans` and returns true when the document fits the template. */
export function fitsTemplate(
  { head, tail, eventStart }: CompactTemplate,
  { body, start, end }: DocumentPlace,
  offset: number,
  spans: CompactSpans,
): boolean {
  const tailStart = end - tail.length;
  if (tailStart <= start) return false;
  writeHex(tail, eventStart, offset);
  if (body.compare(tail, 0, tail.length, tailStart, end) !== 0) return false;
  let at = startOfDigits(body, tailStart, offset);
  spans.offsetStart = at;
  spans.offsetEnd = tailStart;
  if (at < 0 || !endsWith(body, at, OFFSET_KEY)) return false;
  at -= OFFSET_KEY.length;
  spans.levelStart = 0;
  spans.levelEnd = 0;
  if (body[at - 1] === COMMA) at = startOfLevel(body, at - 1, spans);
  if (at < 0 || !endsWith(body, at, head)) return false;
  spans.keptEnd = at - head.length;
  return spans.keptEnd > start;
}

/** Returns where the digits of `offset` that end at `end` begin, or -1 when others stand there. */
function startOfDigits(body: Buffer, end: number, offset: number): number {
  let start = end;
  while (isDigit(body[start - 1] as number)) start -= 1;
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + (body[at] as number) - 48;
  return value === offset && start < end ? start : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Returns where `"level":"…"` that ends at `end` begins, or -1. */
function startOfLevel(body: Buffer, end: number, spans: CompactSpans): number {
  let at = end - 1;
  if (body[at] !== QUOTE) return -1;
  const least = at - LEVEL_LETTERS_MAX;
  do at -= 1;
  while (at >= least && isLetter(body[at] as number));
  at += 1;
  if (!endsWith(body, at, LEVEL_KEY)) return -1;
  at -= LEVEL_KEY.length;
  spans.levelStart = at + 1;
  spans.levelEnd = end;
  return at;
}

function isLetter(byte: number): boolean {
  return byte >= 97 && byte <= 122;
}

function endsWith(body: Buffer, end: number, part: Buffer): boolean {
  const start = end - part.length;
  if (start < 0) return false;
  for (let index = part.length - 1; index >= 0; index -= 1) {
    if (body[start + index] !== part[index]) return false;
  }
  return true;
}

/** Twelve digits, of which the lower six and the upper six are each within 32 bits. */
function writeHex(target: Buffer, start: number, offset: number): void {
  let high = Math.floor(offset / 0x1000000);
  let low = offset - high * 0x1000000;
  for (let index = 5; index >= 0; index -= 1) {
    target[start + 6 + index] = HEX_DIGITS[low & 15] as number;
    target[start + index] = HEX_DIGITS[high & 15] as number;
    low >>>= 4;
    high >>>= 4;
  }
}
