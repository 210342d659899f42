/**
 * Gives imported lines the time that they begin with. Only records that have the time of reading are looked at: what
 * a runtime or s6-log stamped keeps its time. A line without a stamp goes with the one before it in its file.
 */
import { MESSAGE_START, STREAM_HEAD, TIMESTAMP_START } from '../record/document-layout.ts';
import { LANE } from '../record/lane.ts';
import type { RecordBatch } from '../record/record-batch.ts';
import { formatTimestamp, TIMESTAMP_LENGTH } from '../record/timestamp.ts';
import type { Producer } from '../transport/transport.ts';
import { JSON_CHARACTERS_MAX, readJsonTime, readTextTime, STAMP_CHARACTERS_MAX } from './line-time.ts';

const STREAM = Buffer.from(STREAM_HEAD);

/** Quoted JSON at the beginning of a message. */
const JSON_HEAD = '{';

export interface LineTimes {
  readonly producer: Producer;
  /** Records by where their time comes from, as far as lines were asked for it. */
  readonly counts: Readonly<LineTimeCounts>;
}

interface LineTimeCounts {
  fromLine: number;
  fromImport: number;
}

/** Wraps a producer. Records whose time is not before `startNs` have the time of reading. */
export function withLineTimes(producer: Producer, startNs: bigint): LineTimes {
  const counts: LineTimeCounts = { fromLine: 0, fromImport: 0 };
  const start = formatTimestamp(startNs);
  const nowSeconds = Number(startNs / 1_000_000_000n);
  // One entry per file that is imported.
  const lastTimes = new Map<string, string>();
  const stamp = (batch: RecordBatch): RecordBatch => {
    const body = Buffer.from(batch.body);
    let at = 0;
    for (let index = 0; index < batch.count; index += 1) {
      const end = batch.ends[index] ?? at;
      const isUnstamped = batch.lanes[index] === LANE.file && timeAt(body, at) >= start;
      const read = isUnstamped ? readTime(body, { at, end, nowSeconds }) : undefined;
      const time = read ?? (isUnstamped ? lastTimes.get(batch.fileId) : undefined);
      if (read !== undefined) lastTimes.set(batch.fileId, read);
      if (time !== undefined) body.write(time, at + TIMESTAMP_START, 'latin1');
      if (isUnstamped && time !== undefined) counts.fromLine += 1;
      if (isUnstamped && time === undefined) counts.fromImport += 1;
      at = end;
    }
    return { ...batch, body };
  };
  return {
    producer: {
      send: (batch) => producer.send(stamp(batch)),
      sendLedger: (records) => producer.sendLedger(records),
    },
    counts,
  };
}

function timeAt(body: Buffer, at: number): string {
  const start = at + TIMESTAMP_START;
  return body.toString('latin1', start, start + TIMESTAMP_LENGTH);
}

interface DocumentPlace {
  readonly at: number;
  readonly end: number;
  readonly nowSeconds: number;
}

function readTime(body: Buffer, { at, end, nowSeconds }: DocumentPlace): string | undefined {
  const start = at + MESSAGE_START;
  const messageEnd = body.indexOf(STREAM, start);
  if (messageEnd < start || messageEnd > end) return undefined;
  const isJson = body.toString('latin1', start, start + 1) === JSON_HEAD;
  if (isJson && messageEnd - start > JSON_CHARACTERS_MAX) return undefined;
  const stop = isJson ? messageEnd : Math.min(messageEnd, start + STAMP_CHARACTERS_MAX);
  const text = body.toString('utf8', start, stop);
  // The message is escaped: a stamp has nothing to escape, and JSON is unescaped first.
  const timeNs = isJson
    ? readJsonTime(JSON.parse(`"${text}"`) as string, nowSeconds)
    : readTextTime(text, nowSeconds);
  return timeNs === undefined ? undefined : formatTimestamp(timeNs);
}
