import {
  DOCUMENT_HEAD,
  LOG_FLAG,
  logExtrasJson,
  MESSAGE_HEAD,
  OFFSET_HEAD,
  STREAM_HEAD,
} from '../record/document-layout.ts';
import { STREAM_NAMES } from '../record/lane.ts';

/**
 * The parts of a file's documents that are the same from record to record, as bytes to splice between the parts
 * that are not (`record/document-layout.ts` has the whole layout):
 *
 *   head <timestamp> messageHead <message> stream[lane] <offset> file <extras> event <12 hex> tail
 *
 * Immutable: a renamed file gets a new template, and records that began before keep theirs.
 */
export interface DocumentTemplate {
  readonly fileId: string;
  /** The document up to the message's text, with a placeholder of 30 characters for the time. */
  readonly head: Uint8Array;
  /** From the message's end to the digits of the offset, by lane. */
  readonly stream: readonly Uint8Array[];
  /** From the offset's digits to where extra members of `log` go. */
  readonly file: Uint8Array;
  /** From there to the hexadecimal digits of the offset. */
  readonly event: Uint8Array;
  /** `file` and `event` in one piece, for records without extras. */
  readonly fileAndEvent: Uint8Array;
  /** The same for a record whose only extra is a trailing CR that was stripped. */
  readonly fileCrAndEvent: Uint8Array;
  /** From the hexadecimal digits to the newline, which it includes. */
  readonly tail: Uint8Array;
  /** Bytes of a document beyond its message, without extras, at most. */
  readonly overheadBytesMax: number;
}

/** Decimal digits of the largest offset and hexadecimal digits of the event id. */
const OFFSET_TEXT_BYTES_MAX = 16 + 12;

/** Builds the template of a file; `resource` becomes members of every document. */
export function createTemplate(
  fileId: string,
  path: string,
  resource: Readonly<Record<string, unknown>>,
): DocumentTemplate {
  const encoder = new TextEncoder();
  const head = encoder.encode(`${DOCUMENT_HEAD}0000-00-00T00:00:00.000000000Z${MESSAGE_HEAD}`);
  const stream = STREAM_NAMES.map((name) => encoder.encode(`${STREAM_HEAD}${name}${OFFSET_HEAD}`));
  const fileText = `,"file":{"path":${JSON.stringify(path)}}`;
  const eventText = `},"event":{"id":"${fileId}-`;
  const members = JSON.stringify(resource).slice(1, -1);
  const tail = encoder.encode(`"}${members === '' ? '' : `,${members}`}}\n`);
  const fileAndEvent = encoder.encode(fileText + eventText);
  const cr = { flags: LOG_FLAG.cr, originalLength: undefined, sequence: undefined, parseError: undefined };
  const fileCrAndEvent = encoder.encode(fileText + logExtrasJson(cr) + eventText);
  const streamBytesMax = Math.max(...stream.map((part) => part.length));
  return {
    fileId,
    head,
    stream,
    file: encoder.encode(fileText),
    event: encoder.encode(eventText),
    fileAndEvent,
    fileCrAndEvent,
    tail,
    overheadBytesMax:
      head.length + streamBytesMax + fileCrAndEvent.length + tail.length + OFFSET_TEXT_BYTES_MAX,
  };
}
