/**
 * The hot path: whole lines of the simplest shape, from the chunk straight into the batch, without an object per
 * line. It takes a line only when the general path would make the very same bytes of it, and stops before the first
 * one that it does not understand; a property test holds the two to each other.
 *
 * Stack traces: a document is written at once, and taken back when the next line shows that it may have started a
 * trace. So only a line whose successor could continue one (a table over two bytes), and the last line of a run, are
 * tested by regular expressions, and nothing that does not look like a trace waits.
 */
import { LANE } from '../record/lane.ts';
import type { Lane } from '../record/lane.ts';
import { MESSAGE_START, TIMESTAMP_START } from '../record/document-layout.ts';
import { hasValidDateTime, TIMESTAMP_LENGTH } from '../record/timestamp.ts';
import { writeDecimal, writeOffsetHex } from './batch-writer.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { ContainerLanes } from './container-lanes.ts';
import { laneOf } from './cri-line.ts';
import type { LineFormat } from './decoder-types.ts';
import { isDockerStart } from './docker-line.ts';
import type { DocumentTemplate } from './document-template.ts';
import { escapeAscii, IS_PLAIN, sequenceLength } from './escape-json.ts';
import type { LaneFile } from './lane-file.ts';
import { canFollowStart, isEagerStart } from './multiline.ts';
import type { Multiline } from './multiline.ts';
import { RecordDraft } from './record-draft.ts';
import { parseTai64n } from './s6-stamp.ts';

export interface FastPathOptions {
  readonly format: LineFormat;
  /** The lane of lines whose format does not say it. */
  readonly lane: Lane;
  readonly lineBytesMax: number;
  /** A line of exactly this length may go on in the next one; -1 when none does. */
  readonly s6LineBytes: number;
  readonly taiOffsetSeconds: number;
  /** Whether bytes of 0x80 and above are UTF-8. */
  readonly isUtf8: boolean;
  readonly multiline: Multiline | undefined;
}

/** Room for a message without looking; longer ones that do not fit go the general path, which makes room. */
const MESSAGE_RESERVE_BYTES = 4096;

/** Bytes of `YYYY-MM-DDTHH:MM:`, which most lines share with the one before. */
const MINUTE_BYTES = 17;

const NONE = -1;
const SPACE = 32;
const DOT = 46;
const UPPER_F = 70;
const UPPER_T = 84;
const UPPER_Z = 90;

export class FastPath {
  readonly #file: LaneFile;
  readonly #lanes: ContainerLanes;
  readonly #writer: BatchWriter;
  readonly #options: FastPathOptions;
  readonly #multiline: Multiline | undefined;
  #template: DocumentTemplate;
  /** The template's head with the minute that was last found valid. */
  #head: Uint8Array;
  #readTime: Uint8Array = new Uint8Array(0);
  /** The time of the last line of all runs, 30 characters. */
  lastTime: Uint8Array | undefined;
  readonly #time = new Uint8Array(TIMESTAMP_LENGTH);
  /** Second results of the functions below, which return where they stopped. */
  #lane: Lane = LANE.file;
  #outAt = 0;
  /** The line of the last document, while it may still be taken back. */
  #lastStart = NONE;
  #lastContent = 0;
  #lastNewline = 0;
  #lastDocument = NONE;
  #lastLane: Lane = LANE.file;

  constructor(file: LaneFile, writer: BatchWriter, options: FastPathOptions) {
    this.#file = file;
    this.#lanes = file.lanes;
    this.#writer = writer;
    this.#options = options;
    this.#multiline = options.multiline;
    this.#template = file.template;
    this.#head = file.template.head.slice();
  }

  /** The time of lines without a stamp, 30 characters; kept by reference. */
  setReadTime(readTime: Uint8Array): void {
    this.#readTime = readTime;
  }

  /** Takes over a changed template of the file. */
  updateTemplate(): void {
    this.#template = this.#file.template;
    this.#head = this.#file.template.head.slice();
  }

  /**
   * Decodes lines from `bytes[start]`, which is a line's first byte at `base + start` of the file, up to `limit`,
   * which stands behind a newline. Returns where the first line begins that it leaves to the general path, or
   * `limit`.
   */
  run(bytes: Uint8Array, start: number, limit: number, base: number): number {
    const writer = this.#writer;
    const reserve = this.#template.overheadBytesMax + MESSAGE_RESERVE_BYTES;
    let at = start;
    while (at < limit) {
      const isFull = writer.length + reserve > writer.out.length || writer.count === writer.ends.length;
      if (isFull || writer.file !== this.#file) {
        // A batch that is sealed cannot be taken back from.
        this.#noteTime();
        this.#settleLast(bytes, base);
        this.#file.position = base + at;
        writer.reserve(this.#file, reserve);
      }
      const next = this.#line(bytes, at, limit, base);
      if (next < 0) break;
      at = next;
    }
    this.#noteTime();
    this.#settleLast(bytes, base);
    this.#lastStart = NONE;
    this.#lastDocument = NONE;
    this.#file.position = base + at;
    return at;
  }

  /** Keeps the time of the last document, taken back or not, while its bytes are there. */
  #noteTime(): void {
    if (this.#lastDocument === NONE) return;
    const start = this.#lastDocument + TIMESTAMP_START;
    this.lastTime = this.#writer.out.slice(start, start + TIMESTAMP_LENGTH);
    this.#lastDocument = NONE;
  }

  /** Encodes one line; returns where the next one begins, or -1. */
  #line(bytes: Uint8Array, start: number, limit: number, base: number): number {
    const writer = this.#writer;
    const out = writer.out;
    const document = writer.length;
    out.set(this.#head, document);
    const content = this.#header(bytes, start, limit, out, document + TIMESTAMP_START);
    if (content < 0) return -1;
    const lane = this.#lane;
    if (this.#multiline !== undefined && !this.#isSettled(bytes, content, lane, base)) return -1;
    if ((this.#lanes.busy & (1 << lane)) !== 0) return -1;
    const newline = this.#content(bytes, content, limit, out, document + MESSAGE_START);
    if (newline < 0) return -1;
    this.#lastStart = start;
    this.#lastContent = content;
    this.#lastNewline = newline;
    this.#lastDocument = document;
    this.#lastLane = lane;
    const end = this.#tail(out, this.#outAt, lane, base + start);
    writer.finishDocument(end, lane, base + start, newline + 1 - start);
    return newline + 1;
  }

  /** Writes everything behind the message; returns where the document ends. */
  #tail(out: Uint8Array, at: number, lane: Lane, offset: number): number {
    const { stream, fileAndEvent, tail } = this.#template;
    const streamPart = stream[lane] ?? fileAndEvent;
    out.set(streamPart, at);
    let to = writeDecimal(out, at + streamPart.length, offset);
    out.set(fileAndEvent, to);
    to = writeOffsetHex(out, to + fileAndEvent.length, offset);
    out.set(tail, to);
    return to + tail.length;
  }

  /** Whether neither the document before nor this line calls for the general path's look at stack traces. */
  #isSettled(bytes: Uint8Array, content: number, lane: Lane, base: number): boolean {
    const first = bytes[content] ?? 0;
    const second = bytes[content + 1] ?? 0;
    if (this.#lastStart !== NONE && (lane !== this.#lastLane || canFollowStart(first, second))) {
      if (this.#settleLast(bytes, base)) return false;
    }
    return !isEagerStart(first, second);
  }

  /** Takes the last document back if it can be the start of a trace; returns whether it was. */
  #settleLast(bytes: Uint8Array, base: number): boolean {
    const start = this.#lastStart;
    if (start === NONE || this.#multiline === undefined) return false;
    this.#lastStart = NONE;
    const state = this.#multiline.start(bytes, this.#lastContent, this.#lastNewline);
    if (state === undefined) return false;
    const document = this.#lastDocumentStart();
    const timeStart = document + TIMESTAMP_START;
    const time = this.#writer.out.slice(timeStart, timeStart + TIMESTAMP_LENGTH);
    const draft = new RecordDraft(this.#file, this.#lastLane, base + start, time);
    const rawBytes = this.#lastNewline + 1 - start;
    const piece = {
      bytes,
      start: this.#lastContent,
      end: this.#lastNewline,
      skippedBytes: 0,
      lastByte: 0,
      offset: base + start,
      contentOffset: base + this.#lastContent,
      rawBytes,
      nulBytes: 0,
      endOffset: base + this.#lastNewline + 1,
    };
    draft.append(this.#file, piece, this.#options.lineBytesMax);
    this.#lanes.setTrace(this.#lastLane, { draft, state });
    this.#writer.retract(document, rawBytes);
    return true;
  }

  #lastDocumentStart(): number {
    const { ends, count } = this.#writer;
    return count > 1 ? (ends[count - 2] ?? 0) : 0;
  }

  /**
   * Escapes the message up to its newline, which it returns, or -1. Leaves to the general path what needs more than
   * escaping: NULs, a trailing CR, invalid UTF-8, and lines that are too long.
   */
  #content(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    const outEnd = out.length - this.#template.overheadBytesMax;
    let from = start;
    let to = at;
    while (to < outEnd) {
      const byte = bytes[from] ?? 0;
      if (IS_PLAIN[byte] === 1) {
        out[to++] = byte;
        from++;
        continue;
      }
      if (byte === 10) {
        this.#outAt = to;
        return this.#isSimple(bytes, start, from) ? from : -1;
      }
      if (byte >= 0x80) {
        const length = this.#options.isUtf8 ? sequenceLength(bytes, from, limit) : -1;
        if (length < 0) return -1;
        for (const stop = from + length; from < stop;) out[to++] = bytes[from++] ?? 0;
        continue;
      }
      if (byte === 0) return -1;
      to = escapeAscii(byte, out, to);
      from++;
    }
    return -1;
  }

  #isSimple(bytes: Uint8Array, start: number, newline: number): boolean {
    const length = newline - start;
    if (length > this.#options.lineBytesMax || length === this.#options.s6LineBytes) return false;
    return length === 0 || bytes[newline - 1] !== 13;
  }

  /** Reads what stands before the content, writes the time to `out[at]`; returns where the content begins, or -1. */
  #header(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    switch (this.#options.format) {
      case 'cri':
        return this.#criHeader(bytes, start, limit, out, at);
      case 'plain':
        return this.#noHeader(start, out, at);
      case 's6':
        return this.#s6Header(bytes, start, limit, out, at);
      case 'docker':
        return -1;
      case 'auto':
        return this.#anyHeader(bytes, start, limit, out, at);
    }
  }

  #noHeader(start: number, out: Uint8Array, at: number): number {
    out.set(this.#readTime, at);
    this.#lane = this.#options.lane;
    return start;
  }

  #s6Header(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    if (bytes[start] !== 0x40) return isLocalStamp(bytes, start) ? -1 : this.#noHeader(start, out, at);
    const content = parseTai64n(bytes, start, limit, this.#time, this.#options.taiOffsetSeconds);
    if (content < 0) return this.#noHeader(start, out, at);
    out.set(this.#time, at);
    this.#lane = this.#options.lane;
    return content;
  }

  #anyHeader(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    const first = bytes[start] ?? 0;
    if (first === 0x40) return this.#s6Header(bytes, start, limit, out, at);
    if (first === 0x7b) return isDockerStart(bytes, start) ? -1 : this.#noHeader(start, out, at);
    if (first < 0x30 || first > 0x39) return this.#noHeader(start, out, at);
    const content = this.#criHeader(bytes, start, limit, out, at);
    if (content >= 0) return content;
    const isOther =
      isLocalStamp(bytes, start) || (bytes[start + 10] === UPPER_T && hasStreamName(bytes, start));
    return isOther ? -1 : this.#noHeader(start, out, at);
  }

  /** Only UTC with a fraction of one to nine digits, and the tag `F`: what container runtimes write. */
  #criHeader(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    if (limit - start < 32 || !this.#minute(bytes, start, out, at)) return -1;
    const tens = bytes[start + 17] ?? 0;
    const ones = bytes[start + 18] ?? 0;
    if (tens < 48 || tens > 53 || ones < 48 || ones > 57 || bytes[start + 19] !== DOT) return -1;
    out[at + 17] = tens;
    out[at + 18] = ones;
    let digit = 20;
    for (; digit < 29; digit++) {
      const byte = bytes[start + digit] ?? 0;
      if (byte < 48 || byte > 57) break;
      out[at + digit] = byte;
    }
    const zone = start + digit;
    if (digit === 20 || bytes[zone] !== UPPER_Z || bytes[zone + 1] !== SPACE) return -1;
    const lane = laneOf(bytes, zone + 2);
    if (lane === undefined || bytes[zone + 8] !== SPACE) return -1;
    if (bytes[zone + 9] !== UPPER_F || bytes[zone + 10] !== SPACE) return -1;
    this.#lane = lane;
    return zone + 11;
  }

  /** Whether the line begins with a valid date, hour and minute: the last one, most of the time. */
  #minute(bytes: Uint8Array, start: number, out: Uint8Array, at: number): boolean {
    const head = this.#head;
    for (let i = 0; i < MINUTE_BYTES; i++) {
      if (bytes[start + i] !== head[TIMESTAMP_START + i]) return this.#learnMinute(bytes, start, out, at);
    }
    return true;
  }

  #learnMinute(bytes: Uint8Array, start: number, out: Uint8Array, at: number): boolean {
    const isDate = bytes[start + 4] === 45 && bytes[start + 7] === 45 && bytes[start + 10] === UPPER_T;
    if (!isDate || bytes[start + 13] !== 58 || bytes[start + 16] !== 58) return false;
    if (!hasValidDateTime(bytes, start)) return false;
    const minute = bytes.subarray(start, start + MINUTE_BYTES);
    this.#head.set(minute, TIMESTAMP_START);
    out.set(minute, at);
    return true;
  }
}

/** Whether a line may have an s6-log `T` stamp: `YYYY-MM-DD HH:MM:SS.nnnnnnnnn` and two blanks. */
function isLocalStamp(bytes: Uint8Array, start: number): boolean {
  return bytes[start + 10] === SPACE && bytes[start + 19] === DOT && bytes[start + 29] === SPACE;
}

/** Whether `st` of a stream's name follows the first blank behind the seconds. */
function hasStreamName(bytes: Uint8Array, start: number): boolean {
  for (let at = start + 19; at < start + 48; at++) {
    const byte = bytes[at];
    if (byte === SPACE) return bytes[at + 1] === 115 && bytes[at + 2] === 116;
    if (byte === 10) return false;
  }
  // A fraction of absurd length is the general path's business.
  return true;
}
