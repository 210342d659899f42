/**
 * How long searches of an OpenSearch store take, beside what the engine takes for a query of the same kind in its own
 * language: a match of words for text, a term for a field, its own histogram for counts. The documents are mixed, half of
 * them with parsed fields.
 *
 *   node bench/search-elasticsearch.bench.ts [--json] [--documents N]
 *
 * Medians of several, after the first. Where the two columns ask for something different, the line says so.
 */
import { parseArgs } from 'node:util';
import { parseQuery } from '../src/query/parser.ts';
import { SEPARATOR } from '../src/store/elasticsearch/column-names.ts';
import { numberWord } from '../src/store/elasticsearch/search-columns.ts';
import type { Store } from '../src/store/store.ts';
import { ENGINES } from '../test/e2e/engine-stores.ts';
import { createMixedBatches } from './mixed-documents.ts';

/** 2026-11-23T04:00:00Z; a line every 0.2 ms. */
const START_NS = 1_795_406_400_000_000_000n;
const STEP_NS = 200_000n;
const RANGE = { startNs: START_NS, endNs: START_NS + 3_600_000_000_000n };
const ROUND = 20_000;
const REPEATS = 7;
const BUCKETS = 100;

const SIGNAL = new AbortController().signal;

type Json = Readonly<Record<string, unknown>>;

const IN_RANGE: Json = {
  range: { '@timestamp': { gte: '2026-11-23T04:00:00Z', lt: '2026-11-23T05:00:00Z' } },
};

/** Query, what the engine is asked beside it, and what differs. */
const SEARCHES: readonly (readonly [string, Json, string])[] = [
  ['*', IN_RANGE, ''],
  ['timeout', { match: { message: 'timeout' } }, 'whole words of the message only'],
  ['nosuchword', { match: { message: 'nosuchword' } }, 'whole words of the message only'],
  [
    '"there is no such text"',
    { match_phrase: { message: 'there is no such text' } },
    'words of the message in order',
  ],
  [
    '"connection timeout"',
    { match_phrase: { message: 'connection timeout' } },
    'words of the message in order',
  ],
  ['level:error', { term: { 'log.level': 'error' } }, ''],
  ['pod:*payment*', { wildcard: { 'kubernetes.pod.name': '*payment*' } }, ''],
  ['fields.status:500', { term: { '_logboom.numbers': `fields.status${SEPARATOR}${numberWord(500)}` } }, ''],
];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    documents: { type: 'string', default: '500000' },
  },
});

const engine = ENGINES.find(({ name }) => name.startsWith('OpenSearch'));
if (engine === undefined || engine.skipReason !== undefined) {
  process.stdout.write(`not measured: ${engine?.skipReason ?? 'no engine'}\n`);
} else {
  await using stores = await engine.start({ heapMiB: 1_024, isFast: true });
  const store = await stores.open();
  await load(store);
  await measure(store, stores.url);
  await store.close();
}

async function load(store: Store): Promise<void> {
  const next = createMixedBatches(START_NS, STEP_NS);
  for (let done = 0; done < Number(options.documents); done += ROUND) await store.append(next(ROUND), SIGNAL);
}

async function measure(store: Store, url: string): Promise<void> {
  for (const [text, dsl, difference] of SEARCHES) {
    const { query } = parseQuery(text);
    const page = { query, range: RANGE, order: 'desc', limit: 100, after: undefined } as const;
    await report(`search ${text}`, difference, {
      own: () => store.search(page, SIGNAL),
      engine: () =>
        ask(url, { size: 100, sort: [{ '@timestamp': 'desc' }], track_total_hits: false, ...within(dsl) }),
    });
    const counts = { query, range: RANGE, bucketCount: BUCKETS, by: undefined };
    const histogram = { date_histogram: { field: '@timestamp', fixed_interval: '36s' } };
    await report(`histogram ${text}`, difference, {
      own: () => store.histogram(counts, SIGNAL),
      engine: () => ask(url, { size: 0, track_total_hits: false, ...within(dsl), aggs: { histogram } }),
    });
  }
}

function within(dsl: Json): Json {
  return { query: { bool: { filter: [IN_RANGE, dsl] } } };
}

async function ask(url: string, body: Json): Promise<unknown> {
  const response = await fetch(`${url}/s1-*/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function report(
  name: string,
  difference: string,
  tasks: { readonly own: () => Promise<unknown>; readonly engine: () => Promise<unknown> },
): Promise<void> {
  const ms: Record<string, number> = {};
  for (const [who, task] of Object.entries(tasks)) ms[who] = Math.round((await median(task)) * 10) / 10;
  const result = {
    bench: 'search-elasticsearch',
    documents: Number(options.documents),
    name,
    ms,
    difference,
  };
  const line = `${name.padEnd(44)} ${String(ms['own']).padStart(8)} ms, engine ${ms['engine']} ms`;
  const note = difference === '' ? '' : ` (${difference})`;
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${line}${note}\n`);
}

async function median(task: () => Promise<unknown>): Promise<number> {
  const spent: number[] = [];
  await task();
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const started = performance.now();
    await task();
    spent.push(performance.now() - started);
  }
  return spent.toSorted((one, other) => one - other)[REPEATS >> 1] ?? 0;
}
