/** Reads `*.test-script` files; README.md beside this file has their format. */
import { LANE } from '../../src/record/lane.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import type { FieldTypes } from '../../src/record/field-types.ts';
import { addFieldTypes } from '../../src/record/field-types.ts';
import { formatTimestamp } from '../../src/record/timestamp.ts';
import { parseTime } from '../../src/query/time-range.ts';
import type { TimeRange } from '../../src/store/store.ts';

export interface Script {
  readonly documents: readonly ScriptDocument[];
  readonly cases: readonly ScriptCase[];
}

export interface ScriptDocument {
  readonly name: string;
  readonly fileId: string;
  readonly offset: number;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface ScriptCase {
  readonly line: number;
  readonly query: string;
  readonly range: TimeRange;
  /** How the hits split by the values of a field, over the whole range. */
  readonly by: ScriptSplit | undefined;
  /** Names of documents, oldest first. */
  readonly hits: readonly string[];
}

export interface ScriptSplit {
  readonly field: string;
  readonly counts: Readonly<Record<string, number>>;
}

type Json = Readonly<Record<string, unknown>>;

const START_NS = parseTime('2026-11-23T04:00:00Z', 0n) ?? 0n;
const SECOND_NS = 1_000_000_000n;

const ALL: TimeRange = {
  startNs: parseTime('1950-01-01', 0n) ?? 0n,
  endNs: parseTime('2100-01-01', 0n) ?? 0n,
};

/** Parses a script. Throws with the number of the line that it does not understand. */
export function parseScript(text: string): Script {
  const documents: ScriptDocument[] = [];
  const cases: ScriptCase[] = [];
  let query: string | undefined;
  let range = ALL;
  let by: ScriptSplit | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = repeated(raw.trim());
    if (line === '' || line.startsWith('#')) continue;
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (word === 'doc') documents.push(parseDocument(rest, documents.length, index + 1));
    else if (word === 'query') [query, range, by] = [rest, ALL, undefined];
    else if (word === 'range') range = parseRange(rest, index + 1);
    else if (word === 'by') by = parseSplit(rest, index + 1);
    else if (word === 'hits' && query !== undefined) {
      const hits = rest.split(/\s+/).filter((name) => name !== '');
      cases.push({ line: index + 1, query, range, by, hits });
      query = undefined;
    } else throw new Error(`line ${index + 1}: “${word}” is not expected here`);
  }
  if (query !== undefined) throw new Error(`the query “${query}” has no hits line`);
  return { documents, cases };
}

/** Writes out every `%{text*count}`. */
function repeated(line: string): string {
  return line.replaceAll(/%\{([^{}*]+)\*(\d+)\}/g, (_, text: string, count: string) =>
    text.repeat(Number(count)),
  );
}

function parseSplit(rest: string, line: number): ScriptSplit {
  const match = /^(\S+)\s+(\{.*\})$/.exec(rest);
  if (match === null) throw new Error(`line ${line}: expected “by FIELD {"value":count}”`);
  const [, field = '', json = ''] = match;
  return { field, counts: JSON.parse(json) as Record<string, number> };
}

/** Encodes documents as an indexer hands them to a store: one batch per file, in the order of offsets. */
export function toDocumentBatches(documents: readonly ScriptDocument[]): DocumentBatch[] {
  const files = Map.groupBy(documents, ({ fileId }) => fileId);
  return [...files].map(([fileId, ofFile]) =>
    toBatch(
      fileId,
      ofFile.toSorted((left, right) => left.offset - right.offset),
    ),
  );
}

function parseDocument(rest: string, index: number, line: number): ScriptDocument {
  const match = /^(\S+)\s+(\d+):(\d+)\s+(\{.*\})$/.exec(rest);
  if (match === null) throw new Error(`line ${line}: expected “doc NAME FILE:OFFSET JSON”`);
  const [, name = '', file = '', offsetText = '', json = ''] = match;
  const fileId = file.padStart(20, '0');
  const offset = Number(offsetText);
  return { name, fileId, offset, document: complete(JSON.parse(json) as Json, fileId, offset, index) };
}

function complete(given: Json, fileId: string, offset: number, index: number): Json {
  const { '@timestamp': time, message = '', stream = 'stdout', log, event, ...rest } = given;
  const timeNs = typeof time === 'string' ? parseTime(time, 0n) : START_NS + BigInt(index) * SECOND_NS;
  if (timeNs === undefined) throw new Error(`“${String(time)}” is no time`);
  return {
    '@timestamp': formatTimestamp(timeNs),
    message,
    stream,
    log: { offset, file: { path: `/logs/${fileId}.log` }, ...asObject(log) },
    event: { id: `${fileId}-${offset.toString(16).padStart(12, '0')}`, ...asObject(event) },
    ...rest,
  };
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function parseRange(rest: string, line: number): TimeRange {
  const [start = '', end = ''] = rest.split(/\s+/);
  const startNs = parseTime(start, 0n);
  const endNs = parseTime(end, 0n);
  if (startNs === undefined || endNs === undefined)
    throw new Error(`line ${line}: expected “range START END”`);
  return { startNs, endNs };
}

/** Members that agents write; everything else was parsed from lines. */
const AGENT_MEMBERS = new Set(
  '@timestamp message stream log event kubernetes container service host agent ecs labels'.split(' '),
);

function toBatch(fileId: string, documents: readonly ScriptDocument[]): DocumentBatch {
  const lines = documents.map(({ document }) => new TextEncoder().encode(`${JSON.stringify(document)}\n`));
  const fieldTypes: FieldTypes = new Map();
  for (const { document } of documents) {
    for (const key in document) if (!AGENT_MEMBERS.has(key)) addFieldTypes(fieldTypes, key, document[key]);
  }
  let end = 0;
  return {
    fileId,
    body: Buffer.concat(lines),
    count: lines.length,
    ends: Uint32Array.from(lines, (line) => (end += line.length)),
    offsets: Float64Array.from(documents, ({ offset }) => offset),
    lanes: Uint8Array.from(documents, ({ document }) => laneOf(document['stream'])),
    fieldTypes,
    dropped: [],
  };
}

function laneOf(stream: unknown): number {
  if (stream === 'stdout') return LANE.stdout;
  return stream === 'stderr' ? LANE.stderr : LANE.file;
}
