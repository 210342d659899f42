/**
 * Writes a changed copy of a run of bytes: what stays the same is copied in runs as long as possible, and nothing is
 * copied while nothing has changed.
 *
 * Places in the source are given in increasing order.
 */
import { copyBytes } from '../../base/copy-bytes.ts';
import type { FreeBuffers } from '../../base/free-buffers.ts';

export class SpliceWriter {
  /** Bytes of the copy that are written; source bytes from `#pending` on are not among them yet. */
  #length = 0;
  #bytes: Buffer | undefined;
  /** First byte of the source that is neither copied nor left out. */
  #pending = 0;
  readonly #capacityBytes: number;
  readonly #buffers: FreeBuffers;

  /** The copy is written to a buffer that is taken from `buffers` once something changes. */
  constructor(capacityBytes: number, buffers: FreeBuffers) {
    this.#capacityBytes = capacityBytes;
    this.#buffers = buffers;
  }

  get hasChanges(): boolean {
    return this.#bytes !== undefined;
  }

  /** Returns where byte `position` of the source stands in the copy. */
  lengthAt(position: number): number {
    return this.#length + position - this.#pending;
  }

  /** Inserts bytes before `position` of the source. */
  insert(source: Buffer, position: number, bytes: Buffer): void {
    this.skip(source, position, position);
    this.append(bytes, 0, bytes.length);
  }

  /** Leaves `source[start, end)` out; what is appended next stands in its place. */
  skip(source: Buffer, start: number, end: number): void {
    this.#copyTo(source, start, 0);
    this.#pending = end;
  }

  /** Writes text in UTF-8 in place of `source[start, end)`. */
  replaceWithText(source: Buffer, start: number, end: number, text: string): void {
    const target = this.#copyTo(source, start, text.length * 3);
    this.#pending = end;
    this.#length += target.write(text, this.#length, 'utf8');
  }

  /** Writes `bytes[from, to)` behind what was written last. */
  append(bytes: Buffer, from: number, to: number): void {
    const target = this.#reserve(to - from);
    this.#length = copyBytes(bytes, from, to, target, this.#length);
  }

  /** Returns the changed copy, or the source itself when nothing was changed. */
  finish(source: Buffer): Buffer {
    if (this.#bytes === undefined) return source;
    const target = this.#copyTo(source, source.length, 0);
    return target.subarray(0, this.#length);
  }

  /** Copies what is pending up to `end`, and makes room for `extraBytes` behind it. */
  #copyTo(source: Buffer, end: number, extraBytes: number): Buffer {
    const count = end - this.#pending;
    const target = this.#reserve(count + extraBytes);
    this.#length = copyBytes(source, this.#pending, end, target, this.#length);
    this.#pending = end;
    return target;
  }

  #reserve(count: number): Buffer {
    this.#bytes ??= this.#take(this.#capacityBytes);
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return this.#bytes;
    const grown = this.#take(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#buffers.give(this.#bytes);
    this.#bytes = grown;
    return grown;
  }

  #take(bytes: number): Buffer {
    return Buffer.from(this.#buffers.take(bytes).buffer);
  }
}
