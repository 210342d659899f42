/**
 * Documents as the list shows them. A document is an ECS JSON object; nothing in it is trusted to be there or to have
 * its usual type, because other shippers write documents too.
 */
import { stripAnsi } from './ansi.ts';
import { timestampMs } from './timestamp.ts';

export type Document = Readonly<Record<string, unknown>>;

/** A record made ready for the list; the strings are cut to what a row can show. */
export interface Row {
  readonly id: string;
  readonly timestamp: string;
  readonly timeMs: number;
  readonly level: string;
  readonly namespace: string;
  readonly name: string;
  /** First line, ANSI escapes included, at most `ROW_CHARS_MAX` characters. */
  readonly firstLine: string;
  /** Lines after the first. */
  readonly moreLines: number;
  readonly isCut: boolean;
  readonly document: Document;
}

/** A screen is narrower than this; more would only slow down the browser's layout. */
export const ROW_CHARS_MAX = 1200;

/** Makes the row of a document; `fallbackId` stands in where a document has no `event.id`. */
export function toRow(document: Document, fallbackId: string): Row {
  const message = messageOf(document);
  const end = message.indexOf('\n');
  const firstLine = end === -1 ? message : message.slice(0, end);
  const timestamp = textAt(document, ['@timestamp']) ?? '';
  return {
    id: textAt(document, ['event', 'id']) ?? fallbackId,
    timestamp,
    timeMs: timestampMs(timestamp) ?? 0,
    level: levelOf(document),
    ...sourceOf(document),
    firstLine: firstLine.slice(0, ROW_CHARS_MAX),
    moreLines: end === -1 ? 0 : countLines(message, end),
    isCut: firstLine.length > ROW_CHARS_MAX,
    document,
  };
}

/** Returns the message without a trailing line break. */
export function messageOf(document: Document): string {
  return (textAt(document, ['message']) ?? '').replace(/\n+$/, '');
}

/** Returns the message as a person copies it: without colours. */
export function plainMessageOf(document: Document): string {
  return stripAnsi(messageOf(document));
}

/** Returns the text at a path of members; a literal dotted key counts too. */
export function textAt(document: Document, path: readonly string[]): string | undefined {
  const value = valueAt(document, path) ?? document[path.join('.')];
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function valueAt(document: Document, path: readonly string[]): unknown {
  let value: unknown = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Document)[name];
  }
  return value;
}

function levelOf(document: Document): string {
  if (textAt(document, ['event', 'kind']) === 'gap') return 'gap';
  return textAt(document, ['log', 'level']) ?? textAt(document, ['level']) ?? '';
}

/** What tells one source of lines from another at a glance: the pod, or the nearest thing there is. */
function sourceOf(document: Document): { namespace: string; name: string } {
  const namespace = textAt(document, ['kubernetes', 'namespace']) ?? '';
  const pod = textAt(document, ['kubernetes', 'pod', 'name']);
  const container =
    textAt(document, ['container', 'name']) ?? textAt(document, ['kubernetes', 'container', 'name']);
  const service = textAt(document, ['service', 'name']);
  const file = textAt(document, ['log', 'file', 'path']);
  const name = pod ?? service ?? container ?? file?.slice(file.lastIndexOf('/') + 1);
  return { namespace, name: name ?? textAt(document, ['host', 'name']) ?? '' };
}

function countLines(message: string, firstEnd: number): number {
  let count = 0;
  for (let at = firstEnd; at !== -1; at = message.indexOf('\n', at + 1)) count += 1;
  return count;
}
