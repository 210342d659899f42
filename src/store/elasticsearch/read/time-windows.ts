/**
 * Splits a range of time into windows with so few records that an engine sorts each of them quickly.
 *
 * Engines sort by time without looking at every record only where the range is all that is asked for and the time all
 * that is sorted by; for pages of newest records by the whole sort key they compare every record of the range. How many
 * records stand in which stretch of time, on the other hand, they read from the upper levels of an index. The windows
 * are the whole range whatever the counts say, so they decide about speed only, never about what is found.
 */
import { AppError } from '../../../base/errors.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import type { SortOrder, TimeRange } from '../../store.ts';
import type { SearchAnswer } from './search-answer.ts';

/** Records in a window all of which match: an engine compares that many in a few milliseconds. */
const DENSE_WINDOW_RECORDS = 25_000;

/** The same where only some of them match. */
const SPARSE_WINDOW_RECORDS = 100_000;

/** Stretches with fewer are not split: comparing them takes no longer than counting once more. */
const SPLIT_RECORDS_MIN = 100_000;

/** Stretches of time that are counted in one request. */
const STRETCHES = 128n;

/** How often a stretch with too many records is split: 128^4 of them make a millisecond of eight years and more. */
const DEPTH_MAX = 4;

const NS_PER_MS = 1_000_000n;

/** The times that engines hold; the last one is left out. */
const TIME_NS_END = (1n << 63n) - 1n;

export interface WindowRequest {
  readonly range: TimeRange;
  readonly order: SortOrder;
  /** Whether all of the records are matches; otherwise nothing is split behind the first window. */
  readonly isDense: boolean;
  readonly send: (body: string) => Promise<SearchAnswer>;
}

interface Stretch extends TimeRange {
  readonly count: number;
}

/** Yields windows that follow each other in `order`, and together are the range. */
export function timeWindows(request: WindowRequest): AsyncIterable<TimeRange> {
  return splitRange({ ...request, crowded: request.range, depth: 0 });
}

interface SplitRequest extends WindowRequest {
  /** Where the range's records are; the rest of it was empty a moment ago. */
  readonly crowded: TimeRange;
  readonly depth: number;
}

async function* splitRange(request: SplitRequest): AsyncIterable<TimeRange> {
  const { range, order, isDense, depth } = request;
  const enough = isDense ? DENSE_WINDOW_RECORDS : SPARSE_WINDOW_RECORDS;
  let rest = range;
  let count = 0;
  const stretches = await countStretches(request);
  for (const [index, stretch] of stretches.entries()) {
    count += stretch.count;
    // What is left behind the last stretch belongs to it.
    const [window, behind] =
      index === stretches.length - 1 ? [rest, undefined] : splitBehind(rest, stretch, order);
    if (behind !== undefined && count < enough) continue;
    const isTooLarge = stretch.count > SPLIT_RECORDS_MIN && isDivisible(stretch) && depth < DEPTH_MAX;
    if (isTooLarge) yield* splitRange({ ...request, range: window, crowded: stretch, depth: depth + 1 });
    else yield window;
    if (behind === undefined) return;
    rest = behind;
    count = 0;
    if (!isDense) break;
  }
  yield rest;
}

function isDivisible({ startNs, endNs }: TimeRange): boolean {
  return endNs - startNs > NS_PER_MS;
}

/** Cuts a range where a stretch of it ends, in the order of reading; nothing behind it is undefined. */
function splitBehind(
  range: TimeRange,
  stretch: Stretch,
  order: SortOrder,
): [window: TimeRange, behind: TimeRange | undefined] {
  const { startNs, endNs } = range;
  if (order === 'asc') {
    if (stretch.endNs >= endNs) return [range, undefined];
    return [
      { startNs, endNs: stretch.endNs },
      { startNs: stretch.endNs, endNs },
    ];
  }
  if (stretch.startNs <= startNs) return [range, undefined];
  return [
    { startNs: stretch.startNs, endNs },
    { startNs, endNs: stretch.startNs },
  ];
}

/** Returns how many records stand where, in the order of reading; stretches without any are left out. */
async function countStretches({ range, crowded, order, send }: SplitRequest): Promise<Stretch[]> {
  const startNs = latest(range.startNs, crowded.startNs, 0n);
  const endNs = -latest(-range.endNs, -crowded.endNs, -TIME_NS_END);
  if (endNs - startNs <= NS_PER_MS) return [];
  const widthMs = (endNs - startNs) / NS_PER_MS / STRETCHES + 1n;
  const stretches = {
    date_histogram: { field: '@timestamp', fixed_interval: `${widthMs}ms`, min_doc_count: 1 },
  };
  // Nothing but the range: only then is it counted without looking at the records.
  const query = { range: { '@timestamp': { gte: formatTimestamp(startNs), lt: formatTimestamp(endNs) } } };
  const body = JSON.stringify({ size: 0, track_total_hits: false, query, aggs: { stretches } });
  const aggregations = await send(body).then(
    (answer) => answer.aggregations,
    (error: unknown) => {
      // An engine that cannot count this is asked for the whole range at once.
      if (error instanceof AppError && error.code === 'bad_request') return {};
      throw error;
    },
  );
  const { stretches: answer } = aggregations as { readonly stretches?: StretchAnswer };
  const buckets = answer?.buckets ?? [];
  const found = buckets.map(({ key, doc_count: count }) => {
    const from = BigInt(key) * NS_PER_MS;
    return { startNs: from, endNs: from + widthMs * NS_PER_MS, count };
  });
  return order === 'asc' ? found : found.toReversed();
}

function latest(...times: readonly bigint[]): bigint {
  return times.reduce((one, other) => (one > other ? one : other));
}

interface StretchAnswer {
  readonly buckets: readonly { readonly key: number; readonly doc_count: number }[];
}
