/** Documents and batches for the store's tests, in the layout that agents write. */
import { eventIdOf } from '../../../record/identity.ts';
import { LANE } from '../../../record/lane.ts';
import type { FieldTypes } from '../../../record/field-types.ts';
import { addFieldTypes } from '../../../record/field-types.ts';
import type { DocumentBatch, DroppedRecord } from '../../../record/record-batch.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';

/** 2026-11-23T04:00:00Z. */
export const BASE_NS = 1_795_406_400_000_000_000n;

export const EVERYTHING = {
  startNs: -9_000_000_000_000_000_000n,
  endNs: 9_000_000_000_000_000_000n,
} as const;

export interface TestRecord {
  readonly offset: number;
  readonly message: string;
  /** Nanoseconds after `BASE_NS`. */
  readonly timeNs?: number;
  readonly lane?: 0 | 1 | 2;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly level?: string;
  readonly namespace?: string;
  /** Further members of the document. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A file id of 20 hexadecimal digits. */
export function testFileId(number: number): string {
  return number.toString(16).padStart(20, '0');
}

/** Returns the document of a record. */
export function testDocument(fileId: string, record: TestRecord): Record<string, unknown> {
  const { offset, message, level, fields, namespace = 'shop', more } = record;
  return {
    '@timestamp': formatTimestamp(BASE_NS + BigInt(record.timeNs ?? offset * 1000)),
    message,
    ...(fields === undefined ? {} : { fields }),
    stream: ['file', 'stdout', 'stderr'][record.lane ?? LANE.stdout],
    log: { ...(level === undefined ? {} : { level }), offset, file: { path: `/data/logs/${fileId}.log` } },
    event: { id: eventIdOf(fileId, offset) },
    ...more,
    kubernetes: {
      namespace,
      pod: { name: `pod-${fileId.slice(-2)}` },
      labels: { 'app.kubernetes.io/name': 'web' },
    },
    host: { name: 'node-1' },
  };
}

/** Returns a batch of records of one file, with the types of its fields. */
export function testBatch(
  fileId: string,
  records: readonly TestRecord[],
  dropped: readonly DroppedRecord[] = [],
): DocumentBatch {
  const documents = records.map((record) => testDocument(fileId, record));
  const fieldTypes: FieldTypes = new Map();
  for (const [index, document] of documents.entries()) {
    for (const key of ['fields', ...Object.keys(records[index]?.more ?? {})]) {
      if (document[key] !== undefined) addFieldTypes(fieldTypes, key, document[key]);
    }
  }
  return {
    ...rawBatch(
      fileId,
      records,
      documents.map((document) => JSON.stringify(document)),
    ),
    fieldTypes,
    dropped,
  };
}

function rawBatch(
  fileId: string,
  records: readonly TestRecord[],
  lines: readonly string[],
): Omit<DocumentBatch, 'fieldTypes' | 'dropped'> {
  const encoder = new TextEncoder();
  const parts = lines.map((line) => encoder.encode(`${line}\n`));
  const ends = new Uint32Array(parts.length);
  let length = 0;
  for (const [index, part] of parts.entries()) {
    length += part.length;
    ends[index] = length;
  }
  const body = new Uint8Array(length);
  for (const [index, part] of parts.entries()) body.set(part, (ends[index] ?? 0) - part.length);
  return {
    fileId,
    body,
    count: records.length,
    ends,
    offsets: Float64Array.from(records, (record) => record.offset),
    lanes: Uint8Array.from(records, (record) => record.lane ?? LANE.stdout),
  };
}
