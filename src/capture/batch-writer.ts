/**
 * Documents of one decoder, encoded one behind the other into a pooled buffer until `take`. A batch holds documents
 * of one file; it is sealed when it is full, when a document of another file follows, and by `take`.
 *
 * Rule: a record is appended before it leaves `ContainerLanes` and before `LaneFile.position` passes it. Whenever a
 * batch is sealed, the files' safe offsets are then right.
 */
import type { DropReason } from '../record/drop-reason.ts';
import type { Flaw } from '../record/flaw.ts';
import type { Lane } from '../record/lane.ts';
import { LOG_FLAG, logExtrasJson } from '../record/document-layout.ts';
import { OFFSET_HEX_LENGTH } from '../record/identity.ts';
import { createArrays } from './buffer-pool.ts';
import type { BufferPool, RecordArrays } from './buffer-pool.ts';
import type { EncodedBatch } from './decoder-types.ts';
import { ESCAPED_BYTES_MAX, escapeInto } from './escape-json.ts';
import type { LaneFile } from './lane-file.ts';
import type { RecordDraft } from './record-draft.ts';
import { TIMESTAMP_START } from '../record/document-layout.ts';

/** A document that stands alone in a batch may need this much beyond its escaped message and template. */
const EXTRAS_BYTES_MAX = 512;

const ZERO = 48;

const NO_ARRAYS = createArrays(0);

export class BatchWriter {
  /** The buffer; empty while nothing is encoded. */
  out: Uint8Array = EMPTY;
  /** Bytes of `out` that count: whole documents. */
  length = 0;
  count = 0;
  /** Pooled as well; empty while nothing is encoded. */
  ends = NO_ARRAYS.ends;
  offsets = NO_ARRAYS.offsets;
  lanes = NO_ARRAYS.lanes;
  /** Raw bytes of the records in the current batch. */
  recordBytes = 0;
  /** Whose documents the current batch holds. */
  file: LaneFile;
  readonly #own: LaneFile;
  readonly #pool: BufferPool;
  readonly #others = new Set<LaneFile>();
  #dropped: Partial<Record<DropReason, number>> = {};
  #hasDrops = false;
  #flaws: Partial<Record<Flaw, number>> = {};
  #ready: EncodedBatch[] = [];
  #readyFiles: (readonly LaneFile[])[] = [];
  #readyBytes = 0;

  constructor(file: LaneFile, pool: BufferPool) {
    this.file = file;
    this.#own = file;
    this.#pool = pool;
  }

  /** Bytes encoded and not taken. */
  get heldBytes(): number {
    return this.length + this.#readyBytes;
  }

  /** Counts raw bytes of the decoder's own file that are in no record. */
  drop(reason: DropReason, bytes: number): void {
    if (bytes === 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + bytes;
    this.#hasDrops = true;
  }

  /** Makes room for one document of `file` of up to `bytes`; seals what does not leave that room. */
  reserve(file: LaneFile, bytes: number): void {
    if (this.file !== file) {
      this.seal();
      this.file = file;
    }
    if (this.length + bytes > this.out.length) {
      if (this.count > 0) this.seal();
      const pooled = this.out.length === 0 ? this.#pool.acquire() : this.out;
      this.out = bytes > pooled.length ? new Uint8Array(bytes) : pooled;
      if (this.out !== pooled) this.#pool.release(pooled);
    }
    if (this.count === this.ends.length) this.#growArrays();
  }

  /** Encodes a finished record. Returns how many invalid sequences were replaced. */
  append(draft: RecordDraft): number {
    const { template, lane } = draft;
    this.reserve(draft.file, template.overheadBytesMax + EXTRAS_BYTES_MAX + draft.length * ESCAPED_BYTES_MAX);
    const offset = draft.nextOffset();
    const out = this.out;
    out.set(template.head, this.length);
    out.set(draft.time, this.length + TIMESTAMP_START);
    const message = escapeInto(draft.content, 0, draft.length, out, this.length + template.head.length);
    const middle = writeMiddle(out, message.end, draft, offset);
    this.#others.add(draft.lastFile);
    for (const segment of draft.segments) this.#others.add(segment.file);
    this.finishDocument(middle, lane, offset, draft.rawBytes - draft.tooLongBytes);
    this.#noteFlaws(draft, message.replacedCount);
    this.drop('line_too_long', draft.tooLongBytes);
    this.drop('nul_run', draft.nulBytes);
    return message.replacedCount;
  }

  /** The fast path takes no record with a flaw. */
  #noteFlaws({ flags, parseError, sequence }: RecordDraft, replacedCount: number): void {
    if (replacedCount === 0 && flags === 0 && parseError === undefined) return;
    const isSplit = (flags & LOG_FLAG.split) !== 0 && sequence === 0;
    this.#countFlaw('invalid_utf8', replacedCount);
    this.#countFlaw('malformed_line', Number(parseError !== undefined));
    this.#countFlaw('truncated_line', Number((flags & LOG_FLAG.truncated) !== 0));
    this.#countFlaw('split_line', Number(isSplit));
    this.#countFlaw('unfinished_line', Number((flags & LOG_FLAG.partial) !== 0));
  }

  #countFlaw(flaw: Flaw, count: number): void {
    if (count > 0) this.#flaws[flaw] = (this.#flaws[flaw] ?? 0) + count;
  }

  /** Ends the document whose last byte stands before `end` and counts it. */
  finishDocument(end: number, lane: Lane, offset: number, recordBytes: number): void {
    const index = this.count++;
    this.ends[index] = end;
    this.offsets[index] = offset;
    this.lanes[index] = lane;
    this.length = end;
    this.recordBytes += recordBytes;
  }

  /** Takes back the last document, which had `recordBytes`. */
  retract(documentStart: number, recordBytes: number): void {
    this.count--;
    this.length = documentStart;
    this.recordBytes -= recordBytes;
  }

  /** Closes the current batch. One without documents is made only to report drops. */
  seal(): void {
    if (this.count === 0 && !this.#hasDrops) return;
    for (const file of this.#own.lanes.takeStraddled()) this.#others.add(file);
    const files = [this.file, ...[...this.#others, this.#own].filter((file) => file !== this.file)];
    const touched = files.filter((file, index) => files.indexOf(file) === index && this.#isTouched(file));
    this.#ready.push({
      fileId: this.file.fileId,
      body: this.#detachBody(),
      count: this.count,
      ends: this.ends.slice(0, this.count),
      offsets: this.offsets.slice(0, this.count),
      lanes: this.lanes.slice(0, this.count),
      commits: touched.map((file) => ({ fileId: file.fileId, safeOffset: file.safeOffset })),
      recordBytes: this.recordBytes,
      dropped: this.#dropped,
      flaws: this.#flaws,
    });
    this.#readyFiles.push(touched);
    this.#readyBytes += this.length;
    this.length = 0;
    this.count = 0;
    this.recordBytes = 0;
    this.#dropped = {};
    this.#flaws = {};
    this.#hasDrops = false;
    this.#others.clear();
    this.file = this.#own;
  }

  /** Seals and gives out all batches; the receiver owns them. */
  take(): EncodedBatch[] {
    this.seal();
    if (this.out.length > 0) {
      this.#pool.release(this.out);
      this.out = EMPTY;
    }
    if (this.ends.length > 0) {
      this.#pool.releaseArrays({ ends: this.ends, offsets: this.offsets, lanes: this.lanes });
      this.#useArrays(NO_ARRAYS);
    }
    const batches = this.#ready;
    for (const [index, batch] of batches.entries()) {
      for (const [at, file] of (this.#readyFiles[index] ?? []).entries()) {
        file.takenOffset = Math.max(file.takenOffset, batch.commits[at]?.safeOffset ?? 0);
      }
    }
    this.#ready = [];
    this.#readyFiles = [];
    this.#readyBytes = 0;
    return batches;
  }

  /** The decoder's own file has a commit in each batch, because drops are its own. */
  #isTouched(file: LaneFile): boolean {
    return file === this.file || file === this.#own || this.#others.has(file);
  }

  /** A small body is copied, so that its buffer serves on; a large one leaves with its buffer. */
  #detachBody(): Uint8Array {
    if (this.length * 2 < this.out.length) return this.#pool.acquireCopy(this.out.subarray(0, this.length));
    const body = this.out.subarray(0, this.length);
    this.out = EMPTY;
    return body;
  }

  #growArrays(): void {
    if (this.ends.length === 0) return this.#useArrays(this.#pool.acquireArrays());
    const larger = createArrays(this.ends.length * 2);
    larger.ends.set(this.ends);
    larger.offsets.set(this.offsets);
    larger.lanes.set(this.lanes);
    this.#useArrays(larger);
  }

  #useArrays({ ends, offsets, lanes }: RecordArrays): void {
    this.ends = ends;
    this.offsets = offsets;
    this.lanes = lanes;
  }
}

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

/** Writes everything from the message's end to the newline; returns where the document ends. */
function writeMiddle(out: Uint8Array, at: number, draft: RecordDraft, offset: number): number {
  const { template, lane } = draft;
  const stream = template.stream[lane] ?? EMPTY;
  out.set(stream, at);
  let to = writeDecimal(out, at + stream.length, offset);
  out.set(template.file, to);
  to += template.file.length;
  const extraBytes = encoder.encode(logExtrasJson(draft));
  out.set(extraBytes, to);
  to += extraBytes.length;
  out.set(template.event, to);
  to = writeOffsetHex(out, to + template.event.length, offset);
  out.set(template.tail, to);
  return to + template.tail.length;
}

/** Writes a whole number of up to 2^53 in decimal; returns where it ends. */
export function writeDecimal(out: Uint8Array, at: number, value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length++;
  // Numbers of 32 bits divide as integers, which is several times faster.
  if (value <= 0x7fffffff) {
    let rest = value | 0;
    for (let i = at + length - 1; i >= at; i--) {
      const tens = (rest / 10) | 0;
      out[i] = ZERO + (rest - tens * 10);
      rest = tens;
    }
    return at + length;
  }
  let rest = value;
  for (let i = at + length - 1; i >= at; i--) {
    const tens = Math.floor(rest / 10);
    out[i] = ZERO + (rest - tens * 10);
    rest = tens;
  }
  return at + length;
}

/** Writes the 12 hexadecimal digits of an offset; returns where they end. */
export function writeOffsetHex(out: Uint8Array, at: number, offset: number): number {
  let high = Math.floor(offset / 0x1000000);
  let low = offset - high * 0x1000000;
  for (let i = at + OFFSET_HEX_LENGTH - 1; i >= at + 6; i--) {
    const digit = low & 15;
    out[i] = digit < 10 ? ZERO + digit : 87 + digit;
    low >>= 4;
  }
  for (let i = at + 5; i >= at; i--) {
    const digit = high & 15;
    out[i] = digit < 10 ? ZERO + digit : 87 + digit;
    high >>= 4;
  }
  return at + OFFSET_HEX_LENGTH;
}
