/**
 * Finds out which record a document is, from its bytes: the fast path for documents in the agents' layout
 * (`record/document-layout.ts`). Quotes inside strings are escaped, so the marks that are looked for cannot stand in
 * a message. The lengths of the last document found are tried first: documents of one file differ in little but
 * their messages.
 */
import { hasBytes } from '../../../base/has-bytes.ts';
import {
  DOCUMENT_HEAD,
  MESSAGE_HEAD,
  MESSAGE_START,
  STREAM_HEAD,
  TIMESTAMP_START,
} from '../../../record/document-layout.ts';
import { EVENT_ID_LENGTH, FILE_ID_LENGTH, OFFSET_HEX_LENGTH } from '../../../record/identity.ts';
import { STREAM_NAMES, type Lane } from '../../../record/lane.ts';
import { hasValidDateTime, TIMESTAMP_LENGTH } from '../../../record/timestamp.ts';

const HEAD = Buffer.from(DOCUMENT_HEAD);
const MESSAGE = Buffer.from(MESSAGE_HEAD);
const STREAM = Buffer.from(STREAM_HEAD);
const EVENT = Buffer.from(',"event":{"id":"');
const LOG_PARTS = STREAM_NAMES.map((name) => Buffer.from(`${name}","log":{"offset":`));

/** Where a document says who it is, until the next call of `find`. */
export class DocumentIdentity {
  /** Where the 20 digits of the file id begin. */
  fileIdStart = 0;
  offset = 0;
  lane: Lane = 0;
  /** Of the last document: from its end back to the event, and from there back to the stream. */
  #eventTail = 0;
  #streamTail = 0;

  /** Tells whether the bytes from `start` to `end` are a document in the layout, and notes its identity. */
  find(bytes: Buffer, start: number, end: number): boolean {
    const messageHead = start + TIMESTAMP_START + TIMESTAMP_LENGTH;
    if (!hasBytes(bytes, start, HEAD) || !hasBytes(bytes, messageHead, MESSAGE)) return false;
    if (!hasValidDateTime(bytes, start + TIMESTAMP_START)) return false;
    const event = this.#eventAt(bytes, start, end);
    const idStart = event + EVENT.length;
    if (event < 0 || idStart + EVENT_ID_LENGTH >= end) return false;
    const stream = this.#streamAt(bytes, start, event);
    if (stream < 0 || !this.#readLane(bytes, stream + STREAM.length)) return false;
    for (let at = idStart; at < idStart + FILE_ID_LENGTH; at++)
      if (hexDigit(bytes[at] ?? 0) < 0) return false;
    if (bytes[idStart + FILE_ID_LENGTH] !== 0x2d || bytes[idStart + EVENT_ID_LENGTH] !== 0x22) return false;
    const offset = readHex(bytes, idStart + FILE_ID_LENGTH + 1);
    if (offset < 0 || bytes[end - 1] !== 0x7d) return false;
    this.fileIdStart = idStart;
    this.offset = offset;
    this.#eventTail = end - event;
    this.#streamTail = event - stream;
    return true;
  }

  #eventAt(bytes: Buffer, start: number, end: number): number {
    const hint = end - this.#eventTail;
    if (hint > start + MESSAGE_START && hasBytes(bytes, hint, EVENT)) return hint;
    const found = bytes.indexOf(EVENT, start + MESSAGE_START);
    return found < end ? found : -1;
  }

  #streamAt(bytes: Buffer, start: number, event: number): number {
    const hint = event - this.#streamTail;
    if (hint >= start + MESSAGE_START && hasBytes(bytes, hint, STREAM)) return hint;
    const found = bytes.indexOf(STREAM, start + MESSAGE_START);
    return found < event ? found : -1;
  }

  #readLane(bytes: Buffer, at: number): boolean {
    const lane = LOG_PARTS.findIndex((part) => hasBytes(bytes, at, part));
    if (lane < 0) return false;
    this.lane = lane as Lane;
    return true;
  }
}

function readHex(bytes: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < start + OFFSET_HEX_LENGTH; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}
