import type { Lane } from '../record/lane.ts';
import type { DocumentTemplate } from './document-template.ts';
import type { LaneFile } from './lane-file.ts';
import { cutAtCharacter } from './escape-json.ts';
import { LOG_FLAG } from '../record/document-layout.ts';

/** Bytes kept beyond the limit, so that a cut can see whether it falls inside a character. */
const CUT_SLACK_BYTES = 4;

/** Raw bytes of a record in one file. A record has more than one only across a rotation. */
export interface Segment {
  readonly file: LaneFile;
  readonly offset: number;
  /** One past the last byte of the last piece. */
  end: number;
  /** Whether these bytes are not the record's own, but those of the line that showed its end. */
  readonly isEnder?: boolean;
}

/** Where in the file a run of the content's bytes came from. */
interface Origin {
  readonly file: LaneFile;
  readonly contentStart: number;
  readonly contentBytes: number;
  readonly offset: number;
  readonly rawBytes: number;
}

/** What a line, or a piece of one, adds to a draft. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Bytes of the content behind `end` that were skipped without being kept. */
  readonly skippedBytes: number;
  readonly lastByte: number;
  /** Where the line begins in its file, and where its content does. */
  readonly offset: number;
  readonly contentOffset: number;
  /** All of the line: framing, skipped bytes and newline included, skipped NULs not. */
  readonly rawBytes: number;
  readonly nulBytes: number;
  /** One past the line's last byte in its file. */
  readonly endOffset: number;
}

/**
 * A record that is not in the hot path's simple shape, while it grows: pieces of a partial line, lines of a stack
 * trace, a line to be cut. Holds at most `lineBytesMax` (plus slack) of content, whatever is appended, unless
 * `keepsAll` is set for a line that will be split.
 */
export class RecordDraft {
  /** The file of the record's first byte; of a later part of a line that is split, of the part's. */
  file: LaneFile;
  template: DocumentTemplate;
  readonly lane: Lane;
  /** Where the record's first byte stands. */
  readonly offset: number;
  /** 30 characters. */
  readonly time: Uint8Array;
  /** The time of the last line that was joined, 30 characters. */
  lastTime: Uint8Array;
  /** Whether that line carried its time itself. */
  isStamped = false;
  content: Uint8Array = EMPTY;
  /** Bytes of `content` that count. */
  length = 0;
  /** Content bytes appended and not cut off, kept or not. */
  totalBytes = 0;
  lastByte = 0;
  flags = 0;
  lineCount = 1;
  /** Lines and pieces of lines that were appended. */
  pieceCount = 0;
  /** Whether the end of this line is only guessed to be missing (s6-log marks no pieces). */
  isGuess = false;
  /** Raw bytes not yet accounted to a document. */
  rawBytes = 0;
  nulBytes = 0;
  tooLongBytes = 0;
  originalLength: number | undefined = undefined;
  sequence: number | undefined = undefined;
  parseError: string | undefined = undefined;
  readonly segments: Segment[] = [];
  /** Parts before this one of a trace that was too long. */
  partIndex = 0;
  /** Where, in files that the record has no bytes in, the line stands that showed its end. */
  enders: readonly Segment[] = [];
  #origins: Origin[] = [];

  constructor(file: LaneFile, lane: Lane, offset: number, time: Uint8Array) {
    this.file = file;
    this.template = file.template;
    this.lane = lane;
    this.offset = offset;
    this.time = time;
    this.lastTime = time;
  }

  /** Appends a piece that stands in `file`; its bytes are copied. Keeps up to `keptBytesMax` of content. */
  append(file: LaneFile, piece: Piece, keptBytesMax: number): void {
    const contentBytes = piece.end - piece.start;
    this.addSegment(file, piece.offset, piece.endOffset);
    this.pieceCount++;
    this.#origins.push({
      file,
      contentStart: this.length,
      contentBytes,
      offset: piece.contentOffset,
      rawBytes: piece.offset + piece.rawBytes - piece.contentOffset,
    });
    if (this.#origins.length > ORIGINS_MAX) this.#origins.splice(1, 1);
    this.addContent(
      piece.bytes,
      piece.start,
      Math.min(piece.end, piece.start + keptBytesMax + CUT_SLACK_BYTES - this.length),
    );
    this.totalBytes += contentBytes + piece.skippedBytes;
    this.rawBytes += piece.rawBytes;
    this.nulBytes += piece.nulBytes;
    if (contentBytes + piece.skippedBytes > 0) this.lastByte = piece.lastByte;
  }

  /** Copies bytes behind the content. */
  addContent(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    const needed = this.length + (end - start);
    if (needed > this.content.length) {
      const grown = new Uint8Array(this.length === 0 ? needed : Math.max(needed, this.content.length * 2));
      grown.set(this.content.subarray(0, this.length), 0);
      this.content = grown;
    }
    this.content.set(bytes.subarray(start, end), this.length);
    this.length = needed;
  }

  /** Appends a whole line behind a newline. */
  absorb(line: RecordDraft): void {
    this.addContent(NEWLINE, 0, 1);
    this.addContent(line.content, 0, line.length);
    this.totalBytes = this.length;
    this.lineCount++;
    this.flags |= line.flags | LOG_FLAG.multiline;
    this.rawBytes += line.rawBytes;
    this.nulBytes += line.nulBytes;
    this.tooLongBytes += line.tooLongBytes;
    this.originalLength ??= line.originalLength;
    this.lastTime = line.lastTime;
    this.isStamped = line.isStamped;
    this.pieceCount += line.pieceCount;
    for (const segment of line.segments) this.addSegment(segment.file, segment.offset, segment.end);
  }

  /** Adds a range of raw bytes; those of one file are one segment. */
  addSegment(file: LaneFile, offset: number, end: number): void {
    const known = this.segments.find((segment) => segment.file === file);
    if (known === undefined) this.segments.push({ file, offset, end });
    else known.end = end;
  }

  /**
   * Makes this line the next part of a trace that has reached its limit. Only who reads the trace from its
   * beginning knows that this line goes on with it, so its segments begin there.
   */
  follow(trace: RecordDraft): void {
    this.partIndex = trace.partIndex + 1;
    const own = this.segments.splice(0);
    this.segments.push(...trace.segments.map((segment) => ({ ...segment })));
    for (const { file, offset, end } of own) this.addSegment(file, offset, end);
  }

  /** Notes where the line stands that showed the end of this record. */
  endBefore(line: readonly Segment[]): void {
    const others = line.filter(({ file }) => this.offsetIn(file) === Number.POSITIVE_INFINITY);
    this.enders = others.map((segment) => ({ ...segment, isEnder: true }));
  }

  /** Whether a reader that begins inside of what `segments` and `enders` span would make another record of it. */
  get isSpanning(): boolean {
    return this.pieceCount > 1 || this.partIndex > 0 || this.enders.length > 0;
  }

  /** The file that the last piece came from. */
  get lastFile(): LaneFile {
    return this.segments[this.segments.length - 1]?.file ?? this.file;
  }

  /** Where the record begins in `file`, or Infinity when it has no bytes there. */
  offsetIn(file: LaneFile): number {
    for (const segment of this.segments) if (segment.file === file) return segment.offset;
    return Number.POSITIVE_INFINITY;
  }

  /** Ends a line: takes the trailing CR off and cuts what is too long. Idempotent for lines within the limit. */
  finish(lineBytesMax: number): void {
    if (this.lastByte === 13 && this.totalBytes > 0) {
      this.totalBytes--;
      this.flags |= LOG_FLAG.cr;
      this.lastByte = 0;
      this.length = Math.min(this.length, this.totalBytes);
    }
    if (this.totalBytes <= lineBytesMax) return;
    this.originalLength = this.totalBytes;
    this.length = cutAtCharacter(this.content, Math.min(lineBytesMax, this.length), this.length);
    this.flags |= LOG_FLAG.truncated;
    this.tooLongBytes += Math.min(this.totalBytes - this.length, this.rawBytes);
    this.totalBytes = this.length;
  }

  /** Whether a part of a line that is to be split can be given out: more follows even without a trailing CR. */
  canSplit(lineBytesMax: number): boolean {
    return this.length > lineBytesMax + CUT_SLACK_BYTES;
  }

  /** Takes the first `lineBytesMax` bytes off, as a record of its own. */
  splitOff(lineBytesMax: number): RecordDraft {
    const cut = cutAtCharacter(this.content, lineBytesMax, this.length);
    const sequence = this.sequence ?? 0;
    const part = new RecordDraft(this.file, this.lane, this.nextOffset(), this.time);
    part.content = this.content.slice(0, cut);
    part.length = cut;
    part.flags = this.flags | LOG_FLAG.split;
    part.sequence = sequence;
    part.segments.push(...this.segments);
    part.rawBytes = Math.min(this.rawBytes, cut);
    part.nulBytes = this.nulBytes;
    this.rawBytes -= part.rawBytes;
    this.nulBytes = 0;
    this.sequence = sequence + 1;
    this.flags |= LOG_FLAG.split;
    this.content.copyWithin(0, cut, this.length);
    this.length -= cut;
    this.totalBytes -= cut;
    this.#origins = this.#origins
      .map((origin) => ({ ...origin, contentStart: origin.contentStart - cut }))
      .filter((origin) => origin.contentStart + origin.contentBytes > 0);
    this.#moveTo(this.#origins[0]?.file ?? this.file);
    return part;
  }

  /** The next part begins in `file`, where its offset counts: a rotation lay before it. */
  #moveTo(file: LaneFile): void {
    if (file === this.file) return;
    this.file = file;
    this.template = file.template;
  }

  /**
   * The offset that stands for the next part: the record's own for the first, later where its content begins.
   * Decoded content can be longer than its raw bytes, which then are stretched: offsets only have to increase
   * and to stay within the line.
   */
  nextOffset(): number {
    if ((this.sequence ?? 0) === 0) return this.offset;
    const origin = this.#origins[0];
    if (origin === undefined) return this.offset;
    const delta = Math.max(0, -origin.contentStart);
    if (origin.contentBytes <= origin.rawBytes) return origin.offset + delta;
    return origin.offset + Math.floor((delta * origin.rawBytes) / origin.contentBytes);
  }
}

const EMPTY = new Uint8Array(0);
const NEWLINE = new Uint8Array([10]);

/** Pieces of a line that is being split are given out as they come, so few origins are alive at a time. */
const ORIGINS_MAX = 1024;
