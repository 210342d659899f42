/** CSV of documents (RFC 4180): fixed columns first, then every other field as JSON, so that no pass is needed before. */
import { memberTexts, plainText } from './json-text.ts';

const COLUMNS: readonly (readonly [header: string, path: string])[] = [
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

/** Turns blocks of NDJSON into blocks of CSV, with a header line first. */
export async function* toCsv(blocks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  yield encoder.encode(`${COLUMNS.map(([header]) => header).join(',')}\r\n`);
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
  const members = memberTexts(line) ?? new Map<string, string>();
  return `${COLUMNS.map(([, path]) => csvCell(textAt(members, path.split('.')))).join(',')}\r\n`;
}

/** Returns the text at a path whose keys may hold dots themselves; '' where there is none. */
function textAt(members: ReadonlyMap<string, string>, path: readonly string[]): string {
  for (let count = 1; count <= path.length; count += 1) {
    const json = members.get(path.slice(0, count).join('.'));
    if (json === undefined) continue;
    if (count === path.length) return plainText(json);
    const below = memberTexts(json);
    const text = below === undefined ? '' : textAt(below, path.slice(count));
    if (text !== '') return text;
  }
  return '';
}

/** A cell that a spreadsheet would take for a formula is written as text. */
function csvCell(text: string): string {
  const safe = /^[=+@\t\r-]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
