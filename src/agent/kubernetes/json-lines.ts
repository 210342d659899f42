/** Cuts a stream of bytes into the lines of a watch, one JSON object each. */
import { AppError } from '../../base/errors.ts';

/** etcd takes objects of up to 1.5 MiB; JSON may need more bytes for them than it does. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;

const NEWLINE = 10;

export class JsonLines {
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Returns the lines that `bytes` end; the rest waits. `bytes` is kept. */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#add(bytes.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    if (start < bytes.length) this.#add(bytes.subarray(start));
    return lines;
  }

  /** Returns what stands behind the last newline: the whole of an answer that is no stream, a torn event of a watch. */
  end(): string {
    return this.#take();
  }

  #add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > LINE_BYTES_MAX) {
      throw new AppError('bad_request', 'cannot read a line of the watch of pods: it is too long');
    }
    this.#parts.push(bytes);
  }

  #take(): string {
    const [only] = this.#parts;
    const line = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return this.#decoder.decode(line);
  }
}
