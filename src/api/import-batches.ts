import { AppError, messageOf } from '../base/errors.ts';
import { LANE, type Lane } from '../record/lane.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import { parseTimestamp } from '../record/timestamp.ts';

interface Line {
  readonly fileId: string;
  readonly offset: number;
  readonly lane: Lane;
  readonly bytes: Uint8Array;
}

/** `<20 hex file id>-<12 hex offset>`. */
const EVENT_ID = /^([0-9a-f]{20})-([0-9a-f]{12})$/;

/**
 * Cuts a body of NDJSON into batches, one for each file, in the order of offsets. Throws `bad_request`, naming the
 * line, when one is no document that can be stored once.
 */
export function readImportBatches(body: Uint8Array): RecordBatch[] {
  const files = new Map<string, Line[]>();
  let lineNumber = 0;
  for (let start = 0; start < body.length;) {
    const newline = body.indexOf(10, start);
    const end = newline < 0 ? body.length : newline;
    lineNumber += 1;
    if (end > start) {
      const line = readLine(body.subarray(start, end), lineNumber);
      const lines = files.get(line.fileId);
      if (lines === undefined) files.set(line.fileId, [line]);
      else lines.push(line);
    }
    start = end + 1;
  }
  // A store takes a record below its lane's watermark for a duplicate, so offsets must not go back.
  return [...files.values()].map((lines) =>
    toBatch(lines.toSorted((left, right) => left.offset - right.offset)),
  );
}

function readLine(bytes: Uint8Array, lineNumber: number): Line {
  const document = parseLine(bytes, lineNumber);
  const {
    event,
    stream,
    '@timestamp': time,
  } = document as { event?: { id?: unknown }; stream?: unknown; '@timestamp'?: unknown };
  const id = EVENT_ID.exec(typeof event?.id === 'string' ? event.id : '');
  if (id === null) {
    throw refusal(
      lineNumber,
      'event.id must be 20 hexadecimal digits of a file id, “-”, and 12 of an offset',
    );
  }
  if (typeof time !== 'string' || parseTimestamp(time) === undefined) {
    throw refusal(lineNumber, '@timestamp must have the form 2026-11-23T04:30:00.123456789Z');
  }
  const lane = stream === 'stdout' ? LANE.stdout : stream === 'stderr' ? LANE.stderr : LANE.file;
  return { fileId: id[1] ?? '', offset: Number.parseInt(id[2] ?? '0', 16), lane, bytes };
}

function parseLine(bytes: Uint8Array, lineNumber: number): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refusal(lineNumber, `it is no JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw refusal(lineNumber, 'it is no JSON object');
}

function refusal(lineNumber: number, reason: string): AppError {
  return new AppError('bad_request', `cannot import line ${lineNumber}: ${reason}`, {
    hint: 'Nothing of this request was stored. Send one document of Logboom per line.',
  });
}

function toBatch(lines: readonly Line[]): RecordBatch {
  const length = lines.reduce((total, { bytes }) => total + bytes.length + 1, 0);
  const batch = {
    fileId: lines[0]?.fileId ?? '',
    body: new Uint8Array(length),
    count: lines.length,
    ends: new Uint32Array(lines.length),
    offsets: new Float64Array(lines.length),
    lanes: new Uint8Array(lines.length),
  };
  let end = 0;
  for (const [index, { bytes, offset, lane }] of lines.entries()) {
    batch.body.set(bytes, end);
    end += bytes.length + 1;
    batch.body[end - 1] = 10;
    batch.ends[index] = end;
    batch.offsets[index] = offset;
    batch.lanes[index] = lane;
  }
  return batch;
}
