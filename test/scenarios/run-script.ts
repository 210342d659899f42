/** Holds a store to a script. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Query } from '../../src/query/ast.ts';
import { resolveField } from '../../src/query/fields.ts';
import { parseQuery } from '../../src/query/parser.ts';
import type { HistogramBucket, SortKey, SortOrder, Store, TimeRange } from '../../src/store/store.ts';
import type { Script, ScriptCase } from './script.ts';
import { parseScript, toDocumentBatches } from './script.ts';

const SIGNAL = new AbortController().signal;

/** Pages that the hits of a case are read in, about: ties stand at their borders. */
const PAGES = 3;
const PAGE_RECORDS_MIN = 3;

/** File names of all scripts. */
export const SCRIPT_NAMES: readonly string[] = readdirSync(import.meta.dirname).filter((name) =>
  name.endsWith('.test-script'),
);

/** Reads a script by its file name. */
export function readScript(name: string): Script {
  return parseScript(readFileSync(join(import.meta.dirname, name), 'utf8'));
}

/** Opens a store, asks it everything that the script asks, and closes it. */
export async function runScript(name: string, open: () => Promise<Store>): Promise<void> {
  const script = readScript(name);
  const store = await open();
  try {
    await askAll(script, store, name);
  } finally {
    await store.close();
  }
}

async function askAll({ documents, cases }: Script, store: Store, file: string): Promise<void> {
  const first = await store.append(toDocumentBatches(documents), SIGNAL);
  assert.deepEqual(first, { appended: documents.length, duplicates: 0, rejected: [] });
  const again = await store.append(toDocumentBatches(documents), SIGNAL);
  assert.deepEqual(again, { appended: 0, duplicates: documents.length, rejected: [] });
  const nameById = new Map(
    documents.map(({ name, document }) => [(document['event'] as { id: string }).id, name]),
  );
  for (const scriptCase of cases) await runCase(scriptCase, store, nameById, file);
}

async function runCase(
  { query: text, range, by, hits, line }: ScriptCase,
  store: Store,
  nameById: ReadonlyMap<string, string>,
  file: string,
): Promise<void> {
  const { query } = parseQuery(text);
  const named = (documents: readonly string[]): (string | undefined)[] =>
    documents.map((json) => nameById.get((JSON.parse(json) as { event: { id: string } }).event.id));
  const limit = Math.max(PAGE_RECORDS_MIN, Math.ceil(hits.length / PAGES));
  const place = `${file}:${line} ${text}`;
  assert.deepEqual(named(await searchAll(store, { query, range, order: 'asc', limit })), hits, place);
  const newestFirst = named(await searchAll(store, { query, range, order: 'desc', limit }));
  assert.deepEqual(newestFirst, hits.toReversed(), `${place}, newest first`);
  assert.deepEqual(named(await exportAll(store, query, range)), hits, `${place}, exported`);
  const buckets = await store.histogram({ query, range, bucketCount: 7, by: undefined }, SIGNAL);
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  assert.equal(count, hits.length, `${place}, counted`);
  if (by === undefined) return;
  const split = await store.histogram(
    { query, range, bucketCount: 7, by: resolveField(by.field).paths },
    SIGNAL,
  );
  assert.deepEqual(summed(split), by.counts, `${place}, split by ${by.field}`);
}

function summed(buckets: readonly HistogramBucket[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const bucket of buckets) {
    for (const [value, count] of Object.entries(bucket.by ?? {}))
      counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return Object.fromEntries(counts);
}

interface Search {
  readonly query: Query;
  readonly range: TimeRange;
  readonly order: SortOrder;
  readonly limit: number;
}

async function searchAll(store: Store, search: Search): Promise<string[]> {
  const documents: string[] = [];
  let after: SortKey | undefined;
  do {
    const page = await store.search({ ...search, after }, SIGNAL);
    documents.push(...page.documents);
    after = page.next;
  } while (after !== undefined);
  return documents;
}

async function exportAll(store: Store, query: Query, range: TimeRange): Promise<string[]> {
  const blocks: Uint8Array[] = [];
  for await (const block of store.export({ query, range }, SIGNAL)) blocks.push(Uint8Array.from(block));
  const lines = Buffer.concat(blocks).toString().split('\n');
  assert.equal(lines.pop(), '');
  return lines;
}
