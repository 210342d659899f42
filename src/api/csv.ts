/** CSV of documents (RFC 4180): fixed columns first, then every other field as JSON, so that no pass is needed before. */
import { parseKeepingDigits } from '../base/exact-json.ts';
import type { JsonObject } from '../query/match.ts';
import { someValueAt } from '../query/match.ts';

interface CsvColumn {
  readonly path: string;
  readonly keys: readonly string[];
}

const HEADERS_AND_PATHS: readonly (readonly [header: string, path: string])[] = [
  ['time', '@timestamp'],
  ['level', 'log.level'],
  ['namespace', 'kubernetes.namespace'],
  ['pod', 'kubernetes.pod.name'],
  ['container', 'kubernetes.container.name'],
  ['node', 'host.name'],
  ['stream', 'stream'],
  ['message', 'message'],
  ['fields', 'fields'],
  ['path', 'log.file.path'],
  ['offset', 'log.offset'],
  ['id', 'event.id'],
];

const COLUMNS: readonly CsvColumn[] = HEADERS_AND_PATHS.map(([, path]) => ({ path, keys: path.split('.') }));

/** Turns blocks of NDJSON into blocks of CSV, with a header line first. */
export async function* toCsv(blocks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  yield encoder.encode(`${HEADERS_AND_PATHS.map(([header]) => header).join(',')}\r\n`);
  let rest = '';
  for await (const block of blocks) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    const rows = lines.filter((line) => line !== '').map(csvRow);
    if (rows.length > 0) yield encoder.encode(rows.join(''));
  }
  if (rest !== '') yield encoder.encode(csvRow(rest));
}

function csvRow(line: string): string {
  const document = parseKeepingDigits(line) as JsonObject;
  return `${COLUMNS.map((path) => csvCell(textAt(document, path))).join(',')}\r\n`;
}

/** Returns the text at a path whose keys may hold dots themselves; '' where there is none. */
function textAt(document: JsonObject, { path, keys }: CsvColumn): string {
  // The usual way first: nested objects.
  let value: unknown = document;
  for (const key of keys) {
    value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  if (value === undefined && keys.length > 1) {
    someValueAt(document, path, (found) => {
      value = found;
      return true;
    });
  }
  if (typeof value === 'string') return value;
  return value === undefined ? '' : (JSON.stringify(value) ?? '');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

const FORMULA = /^[=+@\t\r-]/;
const QUOTED = /[",\r\n]/;

/** A cell that a spreadsheet would take for a formula is written as text. */
function csvCell(text: string): string {
  if (text === '') return text;
  const safe = FORMULA.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
