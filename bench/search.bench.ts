/**
 * How long searches of the embedded store take: in journals that are not sealed yet, in a journal that grows
 * between searches, and in sealed segments. Documents are mixed, half of them with parsed fields.
 *
 *   node bench/search.bench.ts [--json] [--unsealed N] [--sealed N] [--threads N]
 *
 * `first` is the search that meets the data for the first time; the others are medians of several.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseQuery } from '../src/query/parser.ts';
import type { EmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import { createMixedBatches } from './mixed-documents.ts';
import { openUnboundedStore } from './unbounded-store.ts';

/** 2026-11-23T04:00:00Z; a line every 0.2 ms stays within the hour for 18 million lines. */
const START_NS = 1_795_406_400_000_000_000n;
const STEP_NS = 200_000n;
const RANGE = { startNs: START_NS, endNs: START_NS + 3_600_000_000_000n };
const ROUND_LINES = 20_000;
const SEALED_AT_ONCE = 160_000;
const REPEATS = 5;
const GROWTHS = 40;
const GROWTH_LINES = 500;

const SIGNAL = new AbortController().signal;
const QUERIES: readonly (readonly [string, string])[] = [
  ['newest 100', '*'],
  ['absent text', '"there is no such text"'],
  ['absent field value', 'fields.logger:"com.nobody"'],
  ['common text', 'timeout'],
  ['status 500', 'fields.status:500'],
];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    unsealed: { type: 'string', default: '160000' },
    sealed: { type: 'string', default: '960000' },
    threads: { type: 'string', default: '2' },
  },
});

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-bench-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true }));

await measure('unsealed', Number(options.unsealed), false);
await measure('sealed', Number(options.sealed), true);

async function measure(name: string, lines: number, isSealed: boolean): Promise<void> {
  const store = await openUnboundedStore(path.join(directory, name), Number(options.threads));
  const next = createMixedBatches(START_NS, STEP_NS);
  for (let done = 0; done < lines; done += ROUND_LINES) {
    await store.append(next(ROUND_LINES), SIGNAL);
    const isLast = done + ROUND_LINES >= lines;
    if (isSealed && (isLast || (done + ROUND_LINES) % SEALED_AT_ONCE === 0)) await store.seal();
  }
  const figures: Record<string, number> = {};
  figures['first'] = await timed(() => search(store, '*'));
  for (const [label, query] of QUERIES) figures[label] = await median(() => search(store, query));
  figures['histogram by level'] = await median(() => histogram(store));
  if (!isSealed) {
    const spent: number[] = [];
    for (let round = 0; round < GROWTHS; round += 1) {
      await store.append(next(GROWTH_LINES), SIGNAL);
      spent.push(await timed(() => search(store, '"there is no such text"')));
    }
    figures['absent text while growing'] = middleOf(spent);
  }
  await store.close();
  report(name, lines, figures);
}

function report(name: string, lines: number, figures: Readonly<Record<string, number>>): void {
  const rounded = Object.entries(figures).map(([label, ms]) => [label, Math.round(ms * 10) / 10] as const);
  const text = rounded.map(([label, ms]) => `  ${label.padEnd(28)} ${ms} ms`).join('\n');
  const result = { bench: 'search', store: name, lines, ms: Object.fromEntries(rounded) };
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${name}, ${lines} records\n${text}\n`);
}

async function search(store: EmbeddedStore, text: string): Promise<void> {
  const { query } = parseQuery(text);
  await store.search({ query, range: RANGE, order: 'desc', limit: 100, after: undefined }, SIGNAL);
}

async function histogram(store: EmbeddedStore): Promise<void> {
  const { query } = parseQuery('*');
  await store.histogram({ query, range: RANGE, bucketCount: 100, by: ['log.level'] }, SIGNAL);
}

async function timed(task: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await task();
  return performance.now() - started;
}

async function median(task: () => Promise<void>): Promise<number> {
  const spent: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) spent.push(await timed(task));
  return middleOf(spent);
}

function middleOf(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
