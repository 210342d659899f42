import { TIMESTAMP_START } from '../record/document-layout.ts';
import { hasValidDateTime } from '../record/timestamp.ts';

/** Bytes of `YYYY-MM-DDTHH:MM:`, which most lines share with the one before. */
const MINUTE_BYTES = 17;

const DOT = 46;
const UPPER_T = 84;
const UPPER_Z = 90;

/**
 * Copies the times of the hot path's lines into documents. The head that it keeps has the minute that was last found
 * valid, so that for most lines only seconds and fraction are looked at.
 */
export class StampCopier {
  /** A document's beginning; copied to where the document goes before `copy` is called. */
  readonly head: Uint8Array;

  constructor(head: Uint8Array) {
    this.head = head.slice();
  }

  /**
   * Copies a time in UTC with one to nine digits of fraction, as container runtimes write it, to `out[at]`, where the
   * time of `head` already stands. Returns where it ends, or -1 for any other form.
   */
  copy(bytes: Uint8Array, start: number, out: Uint8Array, at: number): number {
    if (!this.#copyMinute(bytes, start, out, at)) return -1;
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
    return digit === 20 || bytes[zone] !== UPPER_Z ? -1 : zone + 1;
  }

  /** Whether the line begins with a valid date, hour and minute: the last one, most of the time. */
  #copyMinute(bytes: Uint8Array, start: number, out: Uint8Array, at: number): boolean {
    for (let i = 0; i < MINUTE_BYTES; i++) {
      if (bytes[start + i] !== this.head[TIMESTAMP_START + i])
        return this.#learnMinute(bytes, start, out, at);
    }
    return true;
  }

  #learnMinute(bytes: Uint8Array, start: number, out: Uint8Array, at: number): boolean {
    const isDate = bytes[start + 4] === 45 && bytes[start + 7] === 45 && bytes[start + 10] === UPPER_T;
    if (!isDate || bytes[start + 13] !== 58 || bytes[start + 16] !== 58) return false;
    if (!hasValidDateTime(bytes, start)) return false;
    const minute = bytes.subarray(start, start + MINUTE_BYTES);
    this.head.set(minute, TIMESTAMP_START);
    out.set(minute, at);
    return true;
  }
}
