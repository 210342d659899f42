/**
 * Counts per bucket of time. The engine counts what certainly matches; what may match is read and decided here, and so
 * are the values of fields that have no column of their own. Either way the counts are exact.
 */
import type { Query } from '../../../query/ast.ts';
import { compileMatcher, firstTextAt } from '../../../query/match.ts';
import type { HistogramBucket, HistogramRequest, TimeRange } from '../../store.ts';
import { MARKED, compileUnmarked, exists } from './compile-query.ts';
import type { Bounds, Dsl } from './dsl.ts';
import { ALL, NOTHING, allOf, anyOf, exactly, noneOf, timeRange } from './dsl.ts';
import type { LogIndices } from './engine-search.ts';
import { inRange, parseDocument, scanRange, sendSearch, withBounds } from './engine-search.ts';
import { isOwnPath } from '../manage/field-table.ts';

/** Values of a split histogram that are shown; the others are added up. */
const VALUES_MAX = 20;

/** Distinct values that are told apart while counting; later ones are added up at once. */
const VALUES_COUNTED_MAX = 200_000;

/** Values in one answer of the engine. */
const VALUES_PAGE = 10_000;

const NS_PER_MS = 1_000_000n;

const OTHER = 'other';

interface Grid {
  readonly range: TimeRange;
  readonly widthNs: bigint;
  readonly bucketCount: number;
}

/** Returns counts per bucket, split by the most frequent values when asked for. */
export async function histogramOfEngine(
  logs: LogIndices,
  request: HistogramRequest,
  signal: AbortSignal,
): Promise<HistogramBucket[]> {
  const { query, range, bucketCount, by } = request;
  const lengthNs = range.endNs - range.startNs;
  const widthNs = lengthNs <= 0n ? 1n : (lengthNs + BigInt(bucketCount) - 1n) / BigInt(bucketCount);
  const grid = { range, widthNs, bucketCount };
  return withBounds(query, async (bounds) => {
    const { atMost, atLeast } = await withoutMarks({ logs, query, range, bounds }, signal);
    const counts = new Counts(grid, by !== undefined);
    const counting = { logs, grid, dsl: by === undefined ? atLeast : withTypedValue(atLeast, by), counts };
    const read = (dsl: Dsl): Promise<void> => countByReading({ ...counting, query, dsl, by }, signal);
    const splits = by === undefined ? [] : await askSplits(counting, by, signal);
    // What the engine knows only as words is read, whatever the query is.
    if (splits === undefined) await read(atMost);
    else {
      if (atMost !== counting.dsl) await read(allOf([atMost, noneOf(counting.dsl)]));
      if (by === undefined) await countBuckets(counting, signal);
      else await countSplits(counting, splits, signal);
    }
    return counts.toBuckets();
  });
}

/** The paths that come first and have a column of their own; the engine knows the others as words. */
function typedPaths(by: readonly string[]): readonly string[] {
  const firstOther = by.findIndex((path) => !isOwnPath(path));
  return firstOther < 0 ? by : by.slice(0, firstOther);
}

/** Leaves out the records whose value the engine knows only as words. */
function withTypedValue(dsl: Dsl, by: readonly string[]): Dsl {
  const typed = typedPaths(by);
  const others = by.slice(typed.length).map((path) => exists(path).atMost);
  if (typed.length === 0 || others.length === 0) return dsl;
  return allOf([dsl, anyOf([...typed.map((path) => exists(path).atMost), noneOf(anyOf(others))])]);
}

/** The records whose value stands at one path, in none before it. */
interface Split {
  readonly path: string;
  readonly dsl: Dsl;
  readonly totals: ReadonlyMap<string, number>;
}

/** Asks for the values of each path; undefined where reading alone tells them. */
async function askSplits(
  { logs, grid, dsl }: Asking,
  by: readonly string[],
  signal: AbortSignal,
): Promise<readonly Split[] | undefined> {
  const typed = typedPaths(by);
  if (typed.length === 0) return undefined;
  const splits: Split[] = [];
  for (const [index, path] of typed.entries()) {
    const before = typed.slice(0, index).map((earlier) => noneOf(exists(earlier).atMost));
    const own = allOf([dsl, ...before]);
    const totals = await askValues({ logs, grid, dsl: own, path }, signal);
    if (totals === undefined) return undefined;
    splits.push({ path, dsl: own, totals });
  }
  return splits;
}

/** Returns narrower bounds where no record of the range has a mark, which the engine knows at once. */
async function withoutMarks(
  {
    logs,
    query,
    range,
    bounds,
  }: Pick<HistogramRequest, 'query' | 'range'> & { readonly logs: LogIndices; readonly bounds: Bounds },
  signal: AbortSignal,
): Promise<Bounds> {
  if (bounds.atMost === bounds.atLeast || bounds.atMost === ALL) return bounds;
  const unmarked = compileUnmarked(query);
  if (unmarked === undefined) return bounds;
  const asked = { size: 0, track_total_hits: 1, query: inRange(MARKED, range) };
  const { total } = await sendSearch(logs, JSON.stringify(asked), signal);
  return total === 0 ? exactly(unmarked) : bounds;
}

interface Asking {
  readonly logs: LogIndices;
  readonly grid: Grid;
  readonly dsl: Dsl;
}

interface Counting extends Asking {
  readonly counts: Counts;
}

/** Adds the engine's own counts. */
async function countBuckets(counting: Counting, signal: AbortSignal): Promise<void> {
  const buckets = await askBuckets(counting, undefined, signal);
  for (const { index, count } of buckets) counting.counts.add(index, count);
}

/** The same with the most frequent values. The records of the first path are all that are counted. */
async function countSplits(counting: Counting, splits: readonly Split[], signal: AbortSignal): Promise<void> {
  const totals = new Map<string, number>();
  for (const split of splits)
    for (const [value, count] of split.totals) totals.set(value, (totals.get(value) ?? 0) + count);
  const values = counting.counts.mostFrequent(totals);
  for (const [index, { path, dsl, totals: found }] of splits.entries()) {
    if (index > 0 && found.size === 0) continue;
    await countValues({ ...counting, dsl, path, values, isCounted: index === 0 }, signal);
  }
}

interface ValueCounting extends Counting {
  readonly path: string;
  readonly values: readonly string[];
  /** Whether the records are counted besides their values. */
  readonly isCounted: boolean;
}

async function countValues(
  { values, path, isCounted, ...counting }: ValueCounting,
  signal: AbortSignal,
): Promise<void> {
  const terms = { field: path, include: values, size: VALUES_MAX, shard_size: VALUES_MAX };
  const there = { filter: exists(path).atMost };
  // An empty list of values is refused.
  const split = values.length === 0 ? { there } : { there, values: { terms } };
  for (const { index, count, bucket } of await askBuckets(counting, split, signal)) {
    if (isCounted) counting.counts.add(index, count);
    let others = bucket.there?.doc_count ?? 0;
    for (const { key, doc_count: found } of bucket.values?.buckets ?? []) {
      counting.counts.addValue(index, key, found);
      others -= found;
    }
    counting.counts.addOthers(index, others);
  }
}

interface EngineBucket {
  readonly key?: number;
  readonly doc_count: number;
  readonly there?: { readonly doc_count: number };
  readonly values?: { readonly buckets: readonly { readonly key: string; readonly doc_count: number }[] };
}

async function askBuckets(
  { logs, grid, dsl }: Asking,
  split: Dsl | undefined,
  signal: AbortSignal,
): Promise<{ index: number; count: number; bucket: EngineBucket }[]> {
  if (dsl === NOTHING) return [];
  const isAligned = grid.range.startNs % NS_PER_MS === 0n && grid.widthNs % NS_PER_MS === 0n;
  const aggregation = isAligned ? dateBuckets(grid) : rangeBuckets(grid);
  const body = JSON.stringify({
    size: 0,
    track_total_hits: false,
    query: inRange(dsl, grid.range),
    aggs: { buckets: split === undefined ? aggregation : { ...aggregation, aggs: split } },
  });
  const { aggregations } = await sendSearch(logs, body, signal);
  const { buckets = [] } = (aggregations['buckets'] ?? {}) as { readonly buckets?: readonly EngineBucket[] };
  return buckets.map((bucket, position) => {
    const sinceNs = BigInt(bucket.key ?? 0) * NS_PER_MS - grid.range.startNs;
    const index = isAligned ? Number(sinceNs / grid.widthNs) : position;
    return { index, count: bucket.doc_count, bucket };
  });
}

/** The engine's histogram counts in milliseconds. */
function dateBuckets({ range, widthNs }: Grid): Dsl {
  const widthMs = widthNs / NS_PER_MS;
  const offsetMs = (((range.startNs / NS_PER_MS) % widthMs) + widthMs) % widthMs;
  const grid = { fixed_interval: `${widthMs}ms`, offset: `${offsetMs}ms`, min_doc_count: 1 };
  return { date_histogram: { field: '@timestamp', ...grid } };
}

/** Buckets with any borders, to the nanosecond. */
function rangeBuckets({ range, widthNs, bucketCount }: Grid): Dsl {
  const filters = Array.from({ length: bucketCount }, (_, index) => {
    const startNs = range.startNs + BigInt(index) * widthNs;
    return timeRange({ startNs, endNs: startNs + widthNs });
  });
  return { filters: { filters } };
}

/** Returns how often each value occurs; undefined when the engine does not know that: records have several. */
async function askValues(
  { logs, grid, dsl, path }: Asking & { readonly path: string },
  signal: AbortSignal,
): Promise<Map<string, number> | undefined> {
  const totals = new Map<string, number>();
  if (dsl === NOTHING) return totals;
  let sum = 0;
  let there = 0;
  let after: unknown;
  do {
    const composite = {
      size: VALUES_PAGE,
      sources: [{ value: { terms: { field: path } } }],
      ...(after === undefined ? {} : { after }),
    };
    const query = inRange(dsl, grid.range);
    const aggs = { values: { composite }, there: { filter: exists(path).atMost } };
    const { aggregations } = await sendSearch(
      logs,
      JSON.stringify({ size: 0, track_total_hits: false, query, aggs }),
      signal,
    );
    const { values, there: found } = aggregations as Partial<CompositeAnswer>;
    for (const { key, doc_count: count } of values?.buckets ?? []) {
      totals.set(key.value, count);
      sum += count;
    }
    there = found?.doc_count ?? 0;
    after = values?.after_key;
  } while (after !== undefined && totals.size <= VALUES_COUNTED_MAX);
  return sum === there ? totals : undefined;
}

interface CompositeAnswer {
  readonly there: { readonly doc_count: number };
  readonly values: {
    readonly after_key?: unknown;
    readonly buckets: readonly { readonly key: { readonly value: string }; readonly doc_count: number }[];
  };
}

interface Reading extends Counting {
  readonly query: Query;
  readonly by: readonly string[] | undefined;
}

async function countByReading(reading: Reading, signal: AbortSignal): Promise<void> {
  const { logs, query, dsl, counts, by, grid } = reading;
  const scan = scanRange({
    dsl,
    range: grid.range,
    order: 'asc',
    after: undefined,
    wanted: Number.POSITIVE_INFINITY,
    matches: compileMatcher(query),
    send: (body) => sendSearch(logs, body, signal),
  });
  for await (const hits of scan) {
    for (const { key, document } of hits) {
      const index = counts.indexOf(key.timeNs);
      counts.add(index, 1);
      const value = by === undefined ? undefined : firstTextAt(parseDocument(document), by);
      if (value !== undefined) counts.addValue(index, value, 1);
    }
  }
}

/** Counts by bucket and value, until it is known which values are shown. */
class Counts {
  readonly #grid: Grid;
  readonly #totals: number[];
  readonly #others: number[];
  readonly #values: Map<string, Map<number, number>> | undefined;

  constructor(grid: Grid, isSplit: boolean) {
    this.#grid = grid;
    this.#totals = Array.from({ length: grid.bucketCount }, () => 0);
    this.#others = [...this.#totals];
    this.#values = isSplit ? new Map() : undefined;
  }

  indexOf(timeNs: bigint): number {
    return Number((timeNs - this.#grid.range.startNs) / this.#grid.widthNs);
  }

  add(index: number, count: number): void {
    this.#totals[index] = (this.#totals[index] ?? 0) + count;
  }

  addOthers(index: number, count: number): void {
    this.#others[index] = (this.#others[index] ?? 0) + count;
  }

  addValue(index: number, value: string, count: number): void {
    const values = this.#values;
    if (values === undefined) return;
    let buckets = values.get(value);
    if (buckets === undefined && values.size >= VALUES_COUNTED_MAX) return this.addOthers(index, count);
    if (buckets === undefined) values.set(value, (buckets = new Map()));
    buckets.set(index, (buckets.get(index) ?? 0) + count);
  }

  /** Returns the values that are shown when what is counted so far is added to `totals`. */
  mostFrequent(totals: ReadonlyMap<string, number>): string[] {
    const sums = new Map(totals);
    for (const [value, buckets] of this.#values ?? [])
      sums.set(value, (sums.get(value) ?? 0) + sumOf(buckets.values()));
    const ranked = [...sums].toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
    return ranked.slice(0, VALUES_MAX).map(([value]) => value);
  }

  toBuckets(): HistogramBucket[] {
    const values = this.#values ?? new Map<string, Map<number, number>>();
    const shown = new Set(this.mostFrequent(new Map()));
    const { range, widthNs, bucketCount } = this.#grid;
    const split = Array.from({ length: bucketCount }, (_, index) => this.#splitOf(index, values, shown));
    return split
      .map((by, index) => ({
        startNs: range.startNs + BigInt(index) * widthNs,
        count: this.#totals[index] ?? 0,
        by: this.#values === undefined ? undefined : by,
      }))
      .filter(({ startNs }) => startNs < range.endNs);
  }

  #splitOf(
    index: number,
    values: ReadonlyMap<string, ReadonlyMap<number, number>>,
    shown: ReadonlySet<string>,
  ): Record<string, number> {
    const by = new Map<string, number>();
    let others = this.#others[index] ?? 0;
    for (const [value, buckets] of values) {
      const count = buckets.get(index) ?? 0;
      if (count > 0 && shown.has(value)) by.set(value, count);
      else others += count;
    }
    if (others > 0) by.set(OTHER, (by.get(OTHER) ?? 0) + others);
    return Object.fromEntries(by);
  }
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
