/**
 * Queries over the files of a snapshot: each file is asked in its own SQL, newest first (or oldest first), and no
 * file is read any more once the page is certain.
 */
import { AppError } from '../../base/errors.ts';
import type {
  HistogramBucket,
  HistogramRequest,
  SearchPage,
  SearchRequest,
  SortKey,
  SortOrder,
  TimeRange,
} from '../store.ts';
import type { FoundRow, HistogramCount, SegmentEngine, SourceSearch } from './segment-engine.ts';
import type { SnapshotSource } from './store-state.ts';

/** Files asked at a time, once the first has not filled the page. */
const PARALLEL = 2;

/** A segment with more rows is first asked for its nearest end only. */
const SLICE_ROWS_MIN = 50_000;

/** How many times the page the nearest end should hold if everything matched. */
const SLICE_FACTOR = 100;

/** Values of a split histogram that are shown; the others are added up. */
const VALUES_MAX = 20;

export interface QueryContext {
  readonly engine: SegmentEngine;
  readonly signal: AbortSignal;
  /** Told of a file that cannot be read; the query goes on without it. */
  readonly onUnreadable: (source: SnapshotSource, error: AppError) => Promise<void>;
}

/** Returns one page of matches. */
export async function searchSources(
  sources: readonly SnapshotSource[],
  request: SearchRequest,
  context: QueryContext,
): Promise<SearchPage> {
  const { order, limit } = request;
  const waiting = nearestFirst(sources, order);
  // One more than asked for tells whether there is a next page.
  const wanted = limit + 1;
  let found: FoundRow[] = [];
  let isRare = false;
  for (let count = 1; waiting.length > 0; count = PARALLEL) {
    const next = waiting.splice(0, count).filter((source) => !isBeyond(source, found[wanted - 1], order));
    if (next.length === 0) break;
    const range = narrowed(request.range, found[wanted - 1], order);
    const asked = { ...request, range, limit: wanted };
    const pages = await Promise.all(next.map((source) => searchSource(source, asked, context, isRare)));
    found = [...found, ...pages.flat()]
      .toSorted((one, other) => compareKeys(one, other, order))
      .slice(0, wanted);
    // Where a large file has not filled the page, the nearest end of the next one will not either.
    isRare ||= found.length < wanted && next.some((source) => source.rows >= SLICE_ROWS_MIN);
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const next = found.length > limit && last !== undefined ? toSortKey(last) : undefined;
  return { documents: page.map((row) => row.document), next };
}

async function searchSource(
  source: SnapshotSource,
  request: SourceSearch,
  context: QueryContext,
  isRare: boolean,
): Promise<FoundRow[]> {
  return guarded(source, context, [], async () => {
    const slices = isRare ? [request.range] : slicesOf(source, request);
    const found: FoundRow[] = [];
    for (const range of slices) {
      const limit = request.limit - found.length;
      if (limit <= 0) break;
      found.push(
        ...(await context.engine.search(source.source, { ...request, range, limit }, context.signal)),
      );
    }
    return found;
  });
}

/** The range in one piece, or its nearest end and the rest: a page is usually in the first. */
function slicesOf(source: SnapshotSource, { range, order, limit }: SourceSearch): TimeRange[] {
  const startNs = maxOf(range.startNs, source.minNs);
  const endNs = minOf(range.endNs, source.maxNs + 1n);
  const spanNs = endNs - startNs;
  const share = Math.min(1, (limit * SLICE_FACTOR) / source.rows);
  const sliceNs = BigInt(Math.ceil(Number(spanNs) * share));
  if (source.segment === undefined || source.rows < SLICE_ROWS_MIN || sliceNs >= spanNs)
    return [{ startNs, endNs }];
  const middleNs = order === 'desc' ? endNs - sliceNs : startNs + sliceNs;
  const older = { startNs, endNs: middleNs };
  const newer = { startNs: middleNs, endNs };
  return order === 'desc' ? [newer, older] : [older, newer];
}

/** Returns counts per bucket, split by the most frequent values when asked for. */
export async function histogramOf(
  sources: readonly SnapshotSource[],
  request: HistogramRequest,
  context: QueryContext,
): Promise<HistogramBucket[]> {
  const { range, bucketCount, by, query } = request;
  const widthNs = maxOf(1n, (range.endNs - range.startNs + BigInt(bucketCount) - 1n) / BigInt(bucketCount));
  const counts: HistogramCount[] = [];
  const waiting = [...sources];
  while (waiting.length > 0) {
    const next = waiting.splice(0, PARALLEL);
    const asked = { query, range, widthNs, by };
    const found = await Promise.all(
      next.map((source) =>
        guarded(source, context, [], () => context.engine.histogram(source.source, asked, context.signal)),
      ),
    );
    for (const list of found) counts.push(...list);
  }
  return toBuckets(counts, request, widthNs);
}

function toBuckets(
  counts: readonly HistogramCount[],
  request: HistogramRequest,
  widthNs: bigint,
): HistogramBucket[] {
  const { range, bucketCount, by } = request;
  const shown = by === undefined ? new Set<string>() : mostFrequent(counts);
  const totals = Array.from({ length: bucketCount }, () => ({ count: 0, by: new Map<string, number>() }));
  for (const { bucket, value, count } of counts) {
    const total = totals[bucket];
    if (total === undefined) continue;
    total.count += count;
    if (value === undefined) continue;
    const key = shown.has(value) ? value : 'other';
    total.by.set(key, (total.by.get(key) ?? 0) + count);
  }
  return totals.map((total, index) => ({
    startNs: range.startNs + BigInt(index) * widthNs,
    count: total.count,
    by: by === undefined ? undefined : Object.fromEntries(total.by),
  }));
}

function mostFrequent(counts: readonly HistogramCount[]): Set<string> {
  const sums = new Map<string, number>();
  for (const { value, count } of counts)
    if (value !== undefined) sums.set(value, (sums.get(value) ?? 0) + count);
  const ranked = [...sums].toSorted((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  return new Set(ranked.slice(0, VALUES_MAX).map(([value]) => value));
}

/** Runs a query on one file; one that is damaged is reported and left out. */
export async function guarded<T>(
  source: SnapshotSource,
  context: QueryContext,
  without: T,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'corrupt') throw error;
    await context.onUnreadable(source, error);
    return without;
  }
}

function nearestFirst(sources: readonly SnapshotSource[], order: SortOrder): SnapshotSource[] {
  if (order === 'asc') return sources.toSorted((one, other) => compare(one.minNs, other.minNs));
  return sources.toSorted((one, other) => compare(other.maxNs, one.maxNs));
}

/** Whether nothing in the file can come before the last row of a full page. */
function isBeyond(source: SnapshotSource, last: FoundRow | undefined, order: SortOrder): boolean {
  if (last === undefined) return false;
  return order === 'desc' ? source.maxNs < last.timeNs : source.minNs > last.timeNs;
}

function narrowed(range: TimeRange, last: FoundRow | undefined, order: SortOrder): TimeRange {
  if (last === undefined) return range;
  return order === 'desc'
    ? { ...range, startNs: maxOf(range.startNs, last.timeNs) }
    : { ...range, endNs: minOf(range.endNs, last.timeNs + 1n) };
}

/** Compares sort keys in an order. */
export function compareKeys(one: SortKey, other: SortKey, order: SortOrder): number {
  const ascending =
    compare(one.timeNs, other.timeNs) || compare(one.fileId, other.fileId) || one.offset - other.offset;
  return order === 'asc' ? ascending : -ascending;
}

function toSortKey({ timeNs, fileId, offset }: FoundRow): SortKey {
  return { timeNs, fileId, offset };
}

function compare<T extends bigint | string>(one: T, other: T): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function maxOf(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function minOf(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
