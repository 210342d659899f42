/**
 * Bytes of one file to encoded documents. Lines of the simplest shape go through `FastPath`; all others, and lines
 * that span chunks, are assembled, parsed and joined in the general path. What comes out does not depend on how the
 * bytes were cut into chunks.
 *
 * Accounting (G1): every byte between two safe offsets is in `recordBytes` or in `dropped` of the batches between.
 */
import { assert } from '../base/assert.ts';
import { TIMESTAMP_LENGTH, writeTimestampNs } from '../record/timestamp.ts';
import { BatchWriter } from './batch-writer.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { ContainerLanes } from './container-lanes.ts';
import type { DecodedFile, Decoder, EncodedBatch, FlushCause } from './decoder-types.ts';
import { createTemplate } from './document-template.ts';
import { ByteOrderMark, Utf16Reader } from './encoding.ts';
import type { TextEncoding } from './encoding.ts';
import { FastPath } from './fast-path.ts';
import { LaneFile } from './lane-file.ts';
import { LineAssembler } from './line-assembler.ts';
import { laneOfStream, LineParser } from './line-parser.ts';
import { compileMultiline } from './multiline.ts';
import type { MultilineOptions } from './multiline.ts';
import { resetLine } from './parsed-line.ts';
import type { ParsedLine } from './parsed-line.ts';
import { RecordJoiner } from './record-joiner.ts';
import type { DecodeCounts } from './record-joiner.ts';

export interface DecoderOptions {
  /** Longest message in bytes. */
  readonly lineBytesMax: number;
  readonly longLines: 'truncate' | 'split';
  readonly multiline: MultilineOptions;
  /** `auto` is UTF-8, or UTF-16 when a byte order mark says so; a decoder that begins later must be told. */
  readonly encoding: 'auto' | TextEncoding;
  /** Seconds east of UTC of a local time in seconds since the epoch, for stamps without a zone. */
  readonly timeZone: (localSeconds: number) => number;
  readonly taiOffsetSeconds: number;
  /** Where the bodies of batches come from; its `bytesEach` is the size of a full batch. */
  readonly buffers: BufferPool;
  /** s6-log's `-l`, 8192 by default; 0 when it splits no line. */
  readonly s6LineBytes?: number;
  /** The time of the record before the first push, 30 characters, for a malformed line that comes first. */
  readonly lastTime?: Uint8Array | undefined;
  /** Leaves the hot path out, for tests that compare the two. */
  readonly isGeneralOnly?: boolean;
}

export interface FileDecoder extends Decoder {
  readonly counts: Readonly<DecodeCounts>;
}

/** Creates the decoder of one file of `container`. The first `push` may begin anywhere at the start of a line. */
export function createDecoder(
  file: DecodedFile,
  container: ContainerLanes,
  options: DecoderOptions,
): FileDecoder {
  return new StreamDecoder(file, container, options);
}

/** A raw line may be this much longer than its message: stamps, and Docker's escapes of a piece of 16 KiB. */
const FRAMING_BYTES_MAX = 1024;
const DOCKER_LINE_BYTES_MAX = 128 * 1024;
const S6_LINE_BYTES = 8192;
/** No line has this length. */
const UNSPLIT = -1;
const NEWLINE = 10;

class StreamDecoder implements FileDecoder {
  #source: DecodedFile;
  readonly #options: DecoderOptions;
  readonly #file: LaneFile;
  readonly #writer: BatchWriter;
  readonly #parser: LineParser;
  readonly #joiner: RecordJoiner;
  readonly #fast: FastPath | undefined;
  readonly #assembler: LineAssembler;
  /** Formats whose lines have times: a line without one takes the previous one's. */
  readonly #keepsTime: boolean;
  #mark: ByteOrderMark | undefined;
  #utf16: Utf16Reader | undefined;
  #isLatin1: boolean;
  #nextOffset = -1;
  #readTimeNs = -1n;
  #readTime = new Uint8Array(TIMESTAMP_LENGTH);
  #lastTime: Uint8Array | undefined;
  /** The first part of the line that is being split while it is read. */
  #openPart: { readonly line: ParsedLine; readonly isPartial: boolean } | undefined;

  constructor(source: DecodedFile, container: ContainerLanes, options: DecoderOptions) {
    this.#source = source;
    this.#options = options;
    const { lineBytesMax, longLines, multiline: multilineOptions } = options;
    this.#file = new LaneFile(container, createTemplate(source.fileId, source.path, source.resource));
    this.#writer = new BatchWriter(this.#file, options.buffers);
    const s6LineBytes = options.s6LineBytes === 0 ? UNSPLIT : (options.s6LineBytes ?? S6_LINE_BYTES);
    const { taiOffsetSeconds, timeZone, encoding } = options;
    this.#parser = new LineParser(source, { taiOffsetSeconds, timeZone, s6LineBytes });
    const multiline = compileMultiline(multilineOptions);
    this.#joiner = new RecordJoiner(this.#file, this.#writer, {
      lineBytesMax,
      longLines,
      multilineOptions,
      multiline,
    });
    this.#assembler = new LineAssembler(Math.max(lineBytesMax + FRAMING_BYTES_MAX, DOCKER_LINE_BYTES_MAX));
    this.#keepsTime = source.format === 'cri' || source.format === 'docker';
    this.#lastTime = options.lastTime;
    this.#isLatin1 = encoding === 'latin1';
    const isUtf16 = encoding === 'utf-16le' || encoding === 'utf-16be';
    this.#utf16 = isUtf16 ? new Utf16Reader(encoding) : undefined;
    const canBeFast = multiline?.isSelective !== false && options.isGeneralOnly !== true;
    this.#fast = canBeFast
      ? new FastPath(this.#file, this.#writer, {
          format: source.format,
          lane: laneOfStream(source.stream),
          lineBytesMax,
          s6LineBytes: source.format === 's6' ? s6LineBytes : -1,
          taiOffsetSeconds,
          isUtf8: !this.#isLatin1,
          multiline,
          flushMs: multilineOptions.flushMs,
        })
      : undefined;
  }

  get counts(): Readonly<DecodeCounts> {
    return this.#joiner.counts;
  }

  get safeOffset(): number {
    return this.#file.takenOffset;
  }

  get hasIdleRecord(): boolean {
    return this.#file.lanes.hasIdleRecord(this.#file);
  }

  get heldBytes(): number {
    return this.#writer.heldBytes + this.#assembler.length + this.#file.lanes.heldBytes(this.#file);
  }

  push(bytes: Uint8Array, start: number, end: number, fileOffset: number, readTimeNs: bigint): void {
    if (this.#nextOffset < 0) this.#begin(fileOffset);
    assert(fileOffset === this.#nextOffset, 'chunks of a file follow each other without gaps');
    this.#setReadTime(readTimeNs);
    this.#nextOffset = fileOffset + (end - start);
    const base = fileOffset - start;
    let at = start;
    if (this.#mark !== undefined) at = this.#readMark(bytes, start, end, base);
    if (at >= end) return;
    if (!this.#hasBegunLine) this.#beginLine(base + at);
    if (this.#utf16 === undefined) this.#pushBytes(bytes, at, end, base);
    else this.#pushUtf16(this.#utf16, bytes, at, end, base);
  }

  flush(cause: FlushCause): void {
    if (cause === 'gone') this.#endFile();
    this.#joiner.flush(cause);
  }

  take(): EncodedBatch[] {
    const nulBytes = this.#openPart === undefined ? this.#assembler.takeLeadingNuls() : 0;
    this.#writer.drop('nul_run', nulBytes);
    this.#file.position += nulBytes;
    return this.#writer.take();
  }

  setPath(path: string): void {
    this.#describe({ ...this.#source, path });
  }

  setResource(resource: Readonly<Record<string, unknown>>): void {
    this.#describe({ ...this.#source, resource });
  }

  #describe(source: DecodedFile): void {
    this.#source = source;
    this.#file.template = createTemplate(source.fileId, source.path, source.resource);
    this.#fast?.updateTemplate();
  }

  /** Whether bytes of a line are held, which then keeps its time of reading. */
  get #hasBegunLine(): boolean {
    return !this.#assembler.isEmpty || this.#openPart !== undefined || (this.#utf16?.heldBytes ?? 0) > 0;
  }

  #begin(fileOffset: number): void {
    this.#nextOffset = fileOffset;
    this.#file.position = fileOffset;
    this.#file.takenOffset = fileOffset;
    if (fileOffset === 0 && !this.#isLatin1) this.#mark = new ByteOrderMark(this.#options.encoding);
  }

  #setReadTime(readTimeNs: bigint): void {
    if (readTimeNs === this.#readTimeNs) return;
    this.#readTimeNs = readTimeNs;
    // A fresh array, because lines that have begun keep theirs.
    this.#readTime = new Uint8Array(TIMESTAMP_LENGTH);
    writeTimestampNs(this.#readTime, 0, readTimeNs);
    this.#fast?.setReadTime(this.#readTime);
  }

  /** Looks for a byte order mark; returns where the text begins, as far as it is known. */
  #readMark(bytes: Uint8Array, start: number, end: number, base: number): number {
    const mark = this.#mark;
    if (mark === undefined) return start;
    let at = start;
    while (at < end && !mark.isSettled) mark.add(bytes[at++] ?? 0);
    if (mark.isSettled) this.#settleMark(mark, base + at);
    return at;
  }

  /** Acts on what was found; bytes that were held and are no mark are text, and `offset` stands behind them. */
  #settleMark(mark: ByteOrderMark, offset: number): void {
    this.#mark = undefined;
    this.#writer.drop('byte_order_mark', mark.markBytes);
    this.#file.position += mark.markBytes;
    if (mark.encoding === 'utf-16le' || mark.encoding === 'utf-16be')
      this.#utf16 ??= new Utf16Reader(mark.encoding);
    const text = mark.text;
    const textBase = offset - text.length;
    if (text.length === 0) return;
    this.#beginLine(textBase);
    if (this.#utf16 === undefined) this.#pushBytes(text, 0, text.length, textBase);
    else this.#pushUtf16(this.#utf16, text, 0, text.length, textBase);
  }

  #pushBytes(bytes: Uint8Array, start: number, end: number, base: number): void {
    const newline = bytes.lastIndexOf(NEWLINE, end - 1);
    const limit = newline < start ? start : newline + 1;
    let at = start;
    if (limit > start && this.#hasBegunLine) {
      at = this.#generalLine(bytes, at, base);
    }
    while (at < limit) {
      if (this.#fast !== undefined) at = this.#runFast(this.#fast, bytes, at, limit, base);
      if (at < limit) at = this.#generalLine(bytes, at, base);
    }
    this.#append(bytes, at, end, base);
  }

  #runFast(fast: FastPath, bytes: Uint8Array, start: number, limit: number, base: number): number {
    const at = fast.run(bytes, start, limit, base);
    if (at === start) return at;
    this.#lastTime = fast.lastTime;
    this.#beginLine(base + at);
    return at;
  }

  #generalLine(bytes: Uint8Array, start: number, base: number): number {
    const newline = bytes.indexOf(NEWLINE, start);
    this.#append(bytes, start, newline, base);
    this.#endLine(1);
    this.#file.position = base + newline + 1;
    this.#beginLine(base + newline + 1);
    return newline + 1;
  }

  #append(bytes: Uint8Array, start: number, end: number, base: number): void {
    if (this.#isLatin1) return this.#appendLatin1(bytes, start, end, base);
    if (this.#options.longLines === 'truncate') {
      this.#assembler.append(bytes, start, end);
      return;
    }
    for (let at = start; at < end;) {
      if (this.#assembler.room === 0) this.#endPart(base + at);
      const stop = Math.min(end, at + this.#assembler.room);
      this.#assembler.append(bytes, at, stop);
      at = stop;
    }
  }

  #appendLatin1(bytes: Uint8Array, start: number, end: number, base: number): void {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#options.longLines === 'split' && this.#assembler.room < 2) this.#endPart(base + at);
      if (byte < 0x80) {
        this.#assembler.append(bytes, at, at + 1);
      } else {
        this.#assembler.appendByte(0xc0 | (byte >> 6), 1);
        this.#assembler.appendByte(0x80 | (byte & 63), 0);
      }
    }
  }

  #pushUtf16(reader: Utf16Reader, bytes: Uint8Array, start: number, end: number, base: number): void {
    for (let at = start; at < end; at++) {
      const isNewline = reader.add(bytes[at] ?? 0, this.#assembler);
      if (isNewline) {
        this.#endLine(2);
        this.#file.position = base + at + 1;
        this.#beginLine(base + at + 1);
      } else if (this.#options.longLines === 'split' && this.#assembler.room < 8) {
        this.#endPart(base + at + 1 - reader.heldBytes);
      }
    }
  }

  #beginLine(offset: number): void {
    this.#openPart = undefined;
    this.#assembler.begin(offset, this.#readTime);
  }

  /** The line being read is longer than is kept of it: gives out what is there as its next part. */
  #endPart(nextOffset: number): void {
    const line = this.#openPart === undefined ? { ...this.#parse() } : this.#partLine(this.#openPart.line);
    this.#openPart ??= { line, isPartial: line.isPartial };
    line.isPartial = true;
    line.isGuess = false;
    this.#joiner.accept(line, this.#pieceOf(line, 0), this.#timeOf(line));
    this.#assembler.beginPart(nextOffset);
  }

  #endLine(newlineBytes: number): void {
    this.#assembler.endNulRun();
    const part = this.#openPart;
    const line = part === undefined ? this.#parse() : this.#partLine(part.line);
    if (part !== undefined) line.isPartial = part.isPartial;
    this.#joiner.accept(line, this.#pieceOf(line, newlineBytes), this.#timeOf(line));
  }

  /** The file ends: what stands behind its last newline is a record without its end. */
  #endFile(): void {
    if (this.#mark !== undefined) {
      this.#mark.settle();
      this.#settleMark(this.#mark, this.#nextOffset);
    }
    this.#utf16?.end(this.#assembler);
    if (!this.#hasBegunLine) return;
    this.#assembler.endNulRun();
    if (this.#assembler.rawBytes === 0 && this.#openPart === undefined) {
      this.#writer.drop('nul_run', this.#assembler.nulBytes);
    } else {
      this.#endOpenLine();
    }
    this.#file.position = this.#nextOffset;
    this.#beginLine(this.#nextOffset);
  }

  /** As a piece whose next one never comes: the flush behind it flags and emits it. */
  #endOpenLine(): void {
    const line = this.#openPart === undefined ? this.#parse() : this.#partLine(this.#openPart.line);
    line.isPartial = true;
    line.isGuess = false;
    this.#joiner.accept(line, this.#pieceOf(line, 0), this.#timeOf(line));
  }

  #parse(): ParsedLine {
    const line = this.#parser.parse(this.#assembler.bytes, this.#assembler.length);
    // Cut short, JSON never parses; the raw line is kept and says why.
    if (line.hasTime) this.#lastTime = line.time.slice();
    return line;
  }

  /** A later part of a line: all of it is content. */
  #partLine(first: ParsedLine): ParsedLine {
    const line = { ...first };
    resetLine(line, this.#assembler.bytes, this.#assembler.length, first.lane);
    return line;
  }

  #pieceOf(line: ParsedLine, newlineBytes: number) {
    const { offset, startOffset, rawBytes, nulBytes, skippedBytes, lastByte } = this.#assembler;
    return {
      bytes: line.bytes,
      start: line.contentStart,
      end: line.contentEnd,
      skippedBytes,
      // The line's last byte tells of a CR; decoded text has its own.
      lastByte: line.bytes === this.#assembler.bytes ? lastByte : (line.bytes[line.contentEnd - 1] ?? 0),
      offset,
      contentOffset: offset + line.headerBytes,
      rawBytes: rawBytes + newlineBytes,
      nulBytes,
      endOffset: startOffset + rawBytes + nulBytes + newlineBytes,
    };
  }

  #timeOf(line: ParsedLine): Uint8Array {
    if (line.hasTime) return line.time.slice();
    return (this.#keepsTime ? this.#lastTime : undefined) ?? this.#assembler.readTime;
  }
}
