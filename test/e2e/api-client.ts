/** What the tests ask the program through its HTTP API. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

export interface LogDocument {
  readonly '@timestamp': string;
  readonly message: string;
  readonly stream: string;
  readonly event: { readonly id: string };
  readonly log: {
    readonly offset: number;
    readonly file: { readonly path: string };
    readonly flags?: readonly string[];
    readonly original_length?: number;
  };
  readonly kubernetes?: {
    readonly namespace?: string;
    readonly pod?: { readonly name?: string; readonly uid?: string };
    readonly container?: { readonly name?: string };
  };
}

interface SearchAnswer {
  readonly records: readonly LogDocument[];
  readonly cursor: string | null;
}

/** Everything that was ever collected. */
const ALL_TIME = { start: '1970-01-02T00:00:00Z', end: '2100-01-01T00:00:00Z' };

export async function getJson<T>(url: string | URL): Promise<T> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${String(url)} answers ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Yields every match, page by page with the cursor, oldest first unless `order` says otherwise. */
export async function* searchAll(
  baseUrl: string,
  query: string,
  { order = 'asc', limit = 1000 }: { order?: 'asc' | 'desc'; limit?: number } = {},
): AsyncGenerator<LogDocument> {
  let cursor: string | null = null;
  do {
    const url = new URL('/api/v1/search', baseUrl);
    const fields = { query, order, limit: String(limit), ...ALL_TIME };
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    if (cursor !== null) url.searchParams.set('cursor', cursor);
    const page: SearchAnswer = await getJson(url);
    yield* page.records;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Returns every match as a list. */
export async function searchList(baseUrl: string, query: string): Promise<LogDocument[]> {
  const found: LogDocument[] = [];
  for await (const document of searchAll(baseUrl, query)) found.push(document);
  return found;
}

/** Yields every match of the export, oldest first. */
export async function* exportAll(baseUrl: string, query: string): AsyncGenerator<LogDocument> {
  const url = new URL('/api/v1/export', baseUrl);
  for (const [name, value] of Object.entries({ query, format: 'ndjson', ...ALL_TIME }))
    url.searchParams.set(name, value);
  const response = await fetch(url);
  if (!response.ok || response.body === null)
    throw new Error(`GET ${String(url)} answers ${response.status}`);
  const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as LogDocument;
  }
}
