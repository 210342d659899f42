/**
 * What becomes of record values that other programs wrote: the slow path beside `document-identity.ts`.
 *
 *   JSON object with an event id of Logboom's form      passes on as the record that it names, when it came as one
 *                                                       of Logboom's records; otherwise its id moves aside
 *   JSON object with `resourceLogs`                     one document per log record of OTLP
 *   any other JSON object                               passes on as it is
 *   anything else                                       becomes the message of a document with `log.parse_error`
 *
 * What has no identity of its own gets one that redelivery does not change: the place in its topic.
 */
import { FILE_ID_LENGTH, parseEventId, toHex } from '../../../record/identity.ts';
import { LANE, STREAM_NAMES, type Lane } from '../../../record/lane.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import { isOtlpLogs, readOtlpLogs } from './otlp-documents.ts';

export interface IdentifiedDocument {
  readonly fileId: string;
  readonly offset: number;
  readonly lane: Lane;
  /** One line without its end. */
  readonly line: Buffer;
}

/** Where a record stands; its file ids are computed once per partition. */
export interface ForeignPlace {
  /** File id of the partition. */
  readonly fileId: string;
  readonly offset: number;
  readonly timestampMs: number;
  /** Returns the file id of another run of offsets of the partition. */
  readonly fileIdOf: (run: string) => string;
  /**
   * Whether an event id with this file id is the record's own. What anybody else writes may carry the id of a record
   * that is stored, such as a copy of it: believed, it would count as that record.
   */
  readonly isOwnFileId: (fileId: string) => boolean;
}

/**
 * Offsets of log records inside of one value: the value's offset times this, and their place in it. A file id stands
 * for 2^32 values then, so that offsets stay below the 2^48 that an event id has room for.
 */
const RECORDS_PER_VALUE_MAX = 2 ** 16;
const VALUES_PER_FILE = 2 ** 32;

/** Kafka offsets beyond would not fit into an event id. */
const OFFSET_MAX = 2 ** 48;

/** Times outside cannot be kept by a store that counts nanoseconds. */
const TIME_MS_MAX = Date.UTC(2262, 0, 1);

/** Where a time stays that was replaced. */
const ORIGINAL_TIMESTAMP = 'original_timestamp';

/** Where a `log` stays that is no object. */
const ORIGINAL_LOG = 'original_log';

/** Where an event id stays, inside of `event`, that is not the record's own. */
const ORIGINAL_ID = 'original_id';

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d:?\d\d)?$/;

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: false });

/** Returns the file id of the records of a partition, or of a run of offsets of it. */
export function foreignFileId(parts: readonly unknown[], sha256: (text: string) => Uint8Array): string {
  return toHex(sha256(JSON.stringify(parts)).subarray(0, FILE_ID_LENGTH / 2));
}

/** Returns the documents of a record's value. Never throws: what cannot be read is kept as text. */
export function readForeign(value: Buffer, place: ForeignPlace): IdentifiedDocument[] {
  const text = decoder.decode(value);
  const parsed = parseJson(text);
  if (!isObject(parsed)) {
    const reason = parsed === undefined ? 'not_json' : 'not_an_object';
    return [placed(place, wrap(text, reason, place.timestampMs))];
  }
  const line = withLogObject(withTime(oneLine(text), parsed, place.timestampMs), parsed);
  const named = namedRecord(parsed);
  if (named !== undefined && place.isOwnFileId(named.fileId)) return [{ ...named, line: Buffer.from(line) }];
  if (isOtlpLogs(parsed)) return otlpDocuments(parsed, text, place);
  return [placed(place, named === undefined ? line : renameMember(line, ['event', 'id'], ORIGINAL_ID))];
}

function otlpDocuments(request: Json, text: string, place: ForeignPlace): IdentifiedDocument[] {
  const documents = readOtlpLogs(request, place.timestampMs);
  if (documents.length > RECORDS_PER_VALUE_MAX)
    return [placed(place, wrap(text, 'too_many_records', place.timestampMs))];
  const run = Math.floor(place.offset / VALUES_PER_FILE);
  const fileId = place.fileIdOf(`otlp-${run}`);
  const start = (place.offset % VALUES_PER_FILE) * RECORDS_PER_VALUE_MAX;
  return documents.map((document, index) => ({
    fileId,
    offset: start + index,
    lane: LANE.file,
    line: Buffer.from(document),
  }));
}

function placed({ fileId, offset }: ForeignPlace, line: string): IdentifiedDocument {
  return { fileId, offset: offset % OFFSET_MAX, lane: LANE.file, line: Buffer.from(line) };
}

type Json = Readonly<Record<string, unknown>>;

/** Returns the record of Logboom's that a document names. */
function namedRecord(document: Json): Omit<IdentifiedDocument, 'line'> | undefined {
  const event = document['event'];
  const id = isObject(event) && typeof event['id'] === 'string' ? parseEventId(event['id']) : undefined;
  if (id === undefined) return undefined;
  const lane = STREAM_NAMES.findIndex((name) => name === document['stream']);
  return { ...id, lane: Math.max(0, lane) as Lane };
}

function wrap(text: string, reason: string, timestampMs: number): string {
  const members = { '@timestamp': timestampOf(timestampMs), message: text, log: { parse_error: reason } };
  return JSON.stringify(members);
}

/** Gives a document a time when it has none, and another one when no store can keep the one it has. */
function withTime(line: string, document: Json, timestampMs: number): string {
  const given = document['@timestamp'];
  if (isUsableTime(given)) return line;
  const time = JSON.stringify(timestampOf(timestampMs));
  const body = line.slice(line.indexOf('{') + 1);
  const separator = Object.keys(document).length === 0 ? '' : ',';
  if (given === undefined) return `{"@timestamp":${time}${separator}${body}`;
  const renamed = renameMember(line, ['@timestamp'], ORIGINAL_TIMESTAMP);
  return `{"@timestamp":${time},${renamed.slice(renamed.indexOf('{') + 1)}`;
}

/**
 * Gives a `log` that is no object another name: it is one in the Elastic Common Schema. As text it is what was logged,
 * as Docker's json-file has it, and Fluent Bit, which passes that on.
 */
function withLogObject(line: string, document: Json): string {
  const { log } = document;
  if (log === undefined || isObject(log)) return line;
  const isMessage = typeof log === 'string' && document['message'] === undefined;
  return renameMember(line, ['log'], isMessage ? 'message' : ORIGINAL_LOG);
}

/** Gives every member that stands at a path of an object another name; everything else stays as written. */
function renameMember(json: string, path: readonly string[], to: string): string {
  let result = '';
  let copied = 0;
  let isKeyNext = false;
  /** The objects and lists around, the outermost first, and the key of each that is being read. */
  const around: { readonly isObject: boolean; key: string }[] = [];
  const isAtPath = (): boolean =>
    around.length === path.length &&
    around.every(({ isObject: hasKeys, key }, depth) => hasKeys && key === path[depth]);
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    const inner = around.at(-1);
    if (char === '"') {
      const end = stringEnd(json, at);
      if (isKeyNext && inner !== undefined) {
        inner.key = String(JSON.parse(json.slice(at, end)));
        if (isAtPath()) {
          result += json.slice(copied, at) + JSON.stringify(to);
          copied = end;
        }
      }
      isKeyNext = false;
      at = end - 1;
    } else if (char === '{' || char === '[') {
      around.push({ isObject: char === '{', key: '' });
      isKeyNext = char === '{';
    } else if (char === '}' || char === ']') around.pop();
    else if (char === ',') isKeyNext = inner?.isObject === true;
  }
  return result + json.slice(copied);
}

/** Returns the place behind the string that begins at `start`. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isUsableTime(value: unknown): boolean {
  if (typeof value !== 'string' || !RFC3339.test(value)) return false;
  const timeMs = Date.parse(value.replace(',', '.').replace(' ', 'T').toUpperCase());
  return timeMs >= 0 && timeMs < TIME_MS_MAX;
}

function timestampOf(timestampMs: number): string {
  const isUsable = timestampMs >= 0 && timestampMs < TIME_MS_MAX;
  return formatTimestamp(BigInt(isUsable ? Math.trunc(timestampMs) : 0) * 1_000_000n);
}

/** Line ends can stand between the parts of JSON only: inside of strings they are escaped. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').trim();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
