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
import { readEpochMs, TIMESTAMP_LENGTH } from '../record/timestamp.ts';
import { writeDecimal, writeOffsetHex } from './batch-writer.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { ContainerLanes } from './container-lanes.ts';
import { laneOf, mayBeCri } from './cri-line.ts';
import type { LineFormat } from './decoder-types.ts';
import { copyDockerText, startsWith, STREAM_MEMBER, TIME_MEMBER } from './docker-fast.ts';
import { isDockerStart } from './docker-line.ts';
import type { DocumentTemplate } from './document-template.ts';
import { escapeAscii, IS_PLAIN, sequenceLength } from './escape-json.ts';
import type { LaneFile } from './lane-file.ts';
import { canFollowStart, isEagerStart } from './multiline.ts';
import type { Multiline } from './multiline.ts';
import { mayBeLocalStamp, parseTai64n } from './s6-stamp.ts';
import { StampCopier } from './stamp-copier.ts';

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
  /** How much later than a trace's last line a line of another lane has to be to end it. */
  readonly flushMs: number;
}

/** Room for a message without looking; longer ones that do not fit go the general path, which makes room. */
const MESSAGE_RESERVE_BYTES = 4096;

const NONE = -1;
const NEWLINE = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const UPPER_F = 70;
const BACKSLASH = 92;
const CLOSE_BRACE = 125;

export class FastPath {
  readonly #file: LaneFile;
  readonly #lanes: ContainerLanes;
  readonly #writer: BatchWriter;
  readonly #options: FastPathOptions;
  readonly #multiline: Multiline | undefined;
  #template: DocumentTemplate;
  #stamps: StampCopier;
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
  /** Where its text ends, without a CR. */
  #lastEnd = 0;
  #isDocker = false;
  #hasCr = false;
  /** Where the general path has to begin because a document was taken back. */
  #rewindAt = NONE;
  #lastDocument = NONE;
  #lastLane: Lane = LANE.file;

  constructor(file: LaneFile, writer: BatchWriter, options: FastPathOptions) {
    this.#file = file;
    this.#lanes = file.lanes;
    this.#writer = writer;
    this.#options = options;
    this.#multiline = options.multiline;
    this.#template = file.template;
    this.#stamps = new StampCopier(file.template.head);
  }

  /** The time of lines without a stamp, 30 characters; kept by reference. */
  setReadTime(readTime: Uint8Array): void {
    this.#readTime = readTime;
  }

  /** Takes over a changed template of the file. */
  updateTemplate(): void {
    this.#template = this.#file.template;
    this.#stamps = new StampCopier(this.#file.template.head);
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
        if (this.#settleLast(bytes)) break;
        this.#file.position = base + at;
        writer.reserve(this.#file, reserve);
      }
      const next = this.#line(bytes, at, limit, base);
      if (next < 0) break;
      at = next;
    }
    this.#noteTime();
    this.#settleLast(bytes);
    if (this.#rewindAt !== NONE) {
      at = this.#rewindAt;
      this.#rewindAt = NONE;
    }
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
    const { format } = this.#options;
    const writer = this.#writer;
    const out = writer.out;
    const document = writer.length;
    out.set(this.#stamps.head, document);
    // Where the runtime frames lines, it may be Docker: kubelets that use it link to its files.
    const canBeDocker = format === 'auto' || format === 'cri';
    if (format === 'docker' || (canBeDocker && isDockerStart(bytes, start))) {
      return this.#dockerLine(bytes, start, limit, base);
    }
    const content = this.#header(bytes, start, limit, out, document + TIMESTAMP_START);
    if (content < 0 || this.#isHeldUp(bytes, bytes[content] ?? 0, bytes[content + 1] ?? 0)) return -1;
    const newline = this.#content(bytes, content, limit, out, document + MESSAGE_START);
    if (newline < 0) return -1;
    this.#isDocker = false;
    return this.#finish(start, content, newline, base);
  }

  /** The same for a line of Docker's, whose time and stream stand behind its text. */
  #dockerLine(bytes: Uint8Array, start: number, limit: number, base: number): number {
    const out = this.#writer.out;
    const document = this.#writer.length;
    const message = document + MESSAGE_START;
    if (!this.#options.isUtf8) return -1;
    if (!isDockerStart(bytes, start) || bytes[start + 6] !== 58 || bytes[start + 7] !== QUOTE) return -1;
    const content = start + 8;
    const outEnd = out.length - this.#template.overheadBytesMax;
    const text = copyDockerText(bytes, { start: content, end: limit }, out, { start: message, end: outEnd });
    if (text === undefined) return -1;
    this.#outAt = text.outEnd;
    if (text.outEnd - message > this.#options.lineBytesMax) return -1;
    const newline = this.#dockerTrailer(bytes, text.end, out, document + TIMESTAMP_START);
    if (newline < 0 || newline >= limit) return -1;
    // An escape may stand for white space, which only a closer look tells.
    const first = text.outEnd === message ? NEWLINE : (out[message] ?? 0);
    if (this.#isHeldUp(bytes, first === BACKSLASH ? SPACE : first, out[message + 1] ?? 0)) return -1;
    this.#isDocker = true;
    return this.#finish(start, content, newline, base);
  }

  /** Reads `,"stream":"…","time":"…"}` and the newline, which it returns, or -1. */
  #dockerTrailer(bytes: Uint8Array, start: number, out: Uint8Array, at: number): number {
    if (!startsWith(bytes, start, STREAM_MEMBER)) return -1;
    const stream = start + STREAM_MEMBER.length;
    const lane = laneOf(bytes, stream);
    const time = stream + 6 + TIME_MEMBER.length;
    if (lane === undefined || !startsWith(bytes, stream + 6, TIME_MEMBER)) return -1;
    const end = this.#stamps.copy(bytes, time, out, at);
    if (end < 0 || bytes[end] !== QUOTE || bytes[end + 1] !== CLOSE_BRACE || bytes[end + 2] !== NEWLINE)
      return -1;
    this.#lane = lane;
    return end + 2;
  }

  /** Writes what follows the message and counts the document; returns where the next line begins. */
  #finish(start: number, content: number, newline: number, base: number): number {
    this.#lastStart = start;
    this.#lastContent = content;
    this.#lastNewline = newline;
    this.#lastEnd = this.#hasCr ? newline - 1 : newline;
    this.#lastDocument = this.#writer.length;
    this.#lastLane = this.#lane;
    const end = this.#tail(this.#writer.out, this.#outAt, this.#lane, base + start);
    this.#hasCr = false;
    this.#writer.finishDocument(end, this.#lane, base + start, newline + 1 - start);
    return newline + 1;
  }

  /** Writes everything behind the message; returns where the document ends. */
  #tail(out: Uint8Array, at: number, lane: Lane, offset: number): number {
    const { stream, fileAndEvent, fileCrAndEvent, tail } = this.#template;
    const streamPart = stream[lane] ?? fileAndEvent;
    out.set(streamPart, at);
    let to = writeDecimal(out, at + streamPart.length, offset);
    const middle = this.#hasCr ? fileCrAndEvent : fileAndEvent;
    out.set(middle, to);
    to = writeOffsetHex(out, to + middle.length, offset);
    out.set(tail, to);
    return to + tail.length;
  }

  /** Whether the document before, this line, or what waits in its lane calls for the general path. */
  #isHeldUp(bytes: Uint8Array, first: number, second: number): boolean {
    const lane = this.#lane;
    if (this.#lanes.busy !== 0 && this.#isAwaited(lane)) return true;
    if (this.#multiline === undefined) return false;
    if (this.#lastStart !== NONE && (lane !== this.#lastLane || canFollowStart(first, second))) {
      if (this.#settleLast(bytes)) return true;
    }
    return isEagerStart(first, second);
  }

  /**
   * Whether what waits in this line's lane, or a trace of another lane that it may be too late for, calls for the
   * general path. The line's time stands in its document already.
   */
  #isAwaited(lane: Lane): boolean {
    const { busy, oldestTraceMs } = this.#lanes;
    if ((busy & (1 << lane)) !== 0) return true;
    if (oldestTraceMs === Number.POSITIVE_INFINITY) return false;
    const timeMs = readEpochMs(this.#writer.out, this.#writer.length + TIMESTAMP_START);
    return timeMs - oldestTraceMs > this.#options.flushMs;
  }

  /** Takes the last document back if it can be the start of a trace; returns whether it was. */
  #settleLast(bytes: Uint8Array): boolean {
    if (this.#lastStart === NONE || this.#multiline === undefined) return false;
    if (this.#isDocker) {
      // Escaped text has every word that the hint looks for; the general path looks at the decoded one.
      if (!this.#multiline.mayStart(bytes, this.#lastContent, this.#lastEnd)) return this.#keepLast();
    } else if (this.#multiline.start(bytes, this.#lastContent, this.#lastEnd) === undefined) {
      return this.#keepLast();
    }
    this.#writer.retract(this.#lastDocumentStart(), this.#lastNewline + 1 - this.#lastStart);
    this.#rewindAt = this.#lastStart;
    this.#lastStart = NONE;
    return true;
  }

  #keepLast(): false {
    this.#lastStart = NONE;
    return false;
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
    const blockLimit = limit - 3;
    let from = start;
    let to = at;
    while (to < outEnd) {
      // Most text is plain for long stretches: four bytes at a time halve the time of this loop.
      while (from < blockLimit && to < outEnd) {
        const a = bytes[from] ?? 0;
        const b = bytes[from + 1] ?? 0;
        const c = bytes[from + 2] ?? 0;
        const d = bytes[from + 3] ?? 0;
        if (((IS_PLAIN[a] ?? 0) & (IS_PLAIN[b] ?? 0) & (IS_PLAIN[c] ?? 0) & (IS_PLAIN[d] ?? 0)) === 0) break;
        out[to] = a;
        out[to + 1] = b;
        out[to + 2] = c;
        out[to + 3] = d;
        from += 4;
        to += 4;
      }
      const byte = bytes[from] ?? 0;
      if (IS_PLAIN[byte] === 1) {
        out[to++] = byte;
        from++;
        continue;
      }
      if (byte === NEWLINE) return this.#endContent(bytes, start, from, to);
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

  /** Looks at the line's length and its trailing CR; returns the newline, or -1. */
  #endContent(bytes: Uint8Array, start: number, newline: number, outEnd: number): number {
    const length = newline - start;
    if (length > this.#options.lineBytesMax || length === this.#options.s6LineBytes) return -1;
    this.#hasCr = length > 0 && bytes[newline - 1] === CR;
    // It was written as the two bytes of its escape.
    this.#outAt = this.#hasCr ? outEnd - 2 : outEnd;
    return newline;
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
        return -1; // Never comes here: see #dockerLine.
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
    if (bytes[start] !== 0x40) return mayBeLocalStamp(bytes, start) ? -1 : this.#noHeader(start, out, at);
    const content = parseTai64n(bytes, start, limit, this.#time, this.#options.taiOffsetSeconds);
    if (content < 0) return this.#noHeader(start, out, at);
    out.set(this.#time, at);
    this.#lane = this.#options.lane;
    return content;
  }

  #anyHeader(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    const first = bytes[start] ?? 0;
    if (first === 0x40) return this.#s6Header(bytes, start, limit, out, at);
    if (first < 0x30 || first > 0x39) return this.#noHeader(start, out, at);
    const content = this.#criHeader(bytes, start, limit, out, at);
    if (content >= 0) return content;
    const isOther = mayBeLocalStamp(bytes, start) || mayBeCri(bytes, start);
    return isOther ? -1 : this.#noHeader(start, out, at);
  }

  /** Only the tag `F`, and times as `StampCopier` reads them. */
  #criHeader(bytes: Uint8Array, start: number, limit: number, out: Uint8Array, at: number): number {
    if (limit - start < 32) return -1;
    const end = this.#stamps.copy(bytes, start, out, at);
    if (end < 0 || bytes[end] !== SPACE) return -1;
    const lane = laneOf(bytes, end + 1);
    if (lane === undefined || bytes[end + 7] !== SPACE) return -1;
    if (bytes[end + 8] !== UPPER_F || bytes[end + 9] !== SPACE) return -1;
    this.#lane = lane;
    return end + 10;
  }
}
