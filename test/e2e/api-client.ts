/** What the tests ask the program through its HTTP API. */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** How often a page is asked for again when the server says that it cannot answer just now, as on a busy machine. */
const ATTEMPTS_MAX = 3;

/** Everything that was ever collected. */
const ALL_TIME = { start: '1970-01-02T00:00:00Z', end: '2100-01-01T00:00:00Z' };

export async function getJson<T>(url: string | URL): Promise<T> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${String(url)} answers ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Asks again when the answer is 503: the same request can succeed later. */
async function getPage(url: URL): Promise<SearchAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url);
    if (response.ok) return (await response.json()) as SearchAnswer;
    const text = await response.text();
    if (response.status !== 503 || attempt === ATTEMPTS_MAX)
      throw new Error(`GET ${String(url)} answers ${response.status}: ${text}`);
    await sleep(1000);
  }
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
    const page = await getPage(url);
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
