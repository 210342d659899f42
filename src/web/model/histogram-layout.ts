/** From counts in time to bars: which class of level stands where in each bucket, and what a brushed range means. */
import type { LevelClass } from './level.ts';
import { levelClass, levelRank } from './level.ts';
import type { RangeMs } from './search-state.ts';

export interface Bucket {
  readonly timeMs: number;
  readonly count: number;
  readonly by: Readonly<Record<string, number>> | undefined;
}

export interface Bar {
  readonly levelClass: LevelClass;
  readonly count: number;
  /** Parts of the height of the drawing, from the top. */
  readonly top: number;
  readonly height: number;
}

export interface Column {
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
  /** From the bottom up. */
  readonly bars: readonly Bar[];
}

export interface HistogramLayout {
  readonly range: RangeMs;
  readonly columns: readonly Column[];
  readonly total: number;
  /** Classes that occur, gravest first, with their counts. */
  readonly classes: readonly { readonly levelClass: LevelClass; readonly count: number }[];
}

/** A count of one among millions is still there to see. */
const BAR_HEIGHT_MIN = 0.014;
const AXIS_LABELS = 6;

/** Lays out buckets over a range; buckets that the answer leaves out are empty. */
export function layoutHistogram(buckets: readonly Bucket[], range: RangeMs): HistogramLayout {
  const widthMs = bucketWidthMs(buckets, range);
  const domain = domainOf(buckets, range, widthMs);
  const max = Math.max(1, ...buckets.map(({ count }) => count));
  const totals = new Map<LevelClass, number>();
  const columns = buckets.map((bucket) => {
    const counts = countsByClass(bucket);
    for (const [name, count] of counts) totals.set(name, (totals.get(name) ?? 0) + count);
    return {
      startMs: bucket.timeMs,
      endMs: bucket.timeMs + widthMs,
      count: bucket.count,
      bars: stack(counts, max),
    };
  });
  const classes = [...totals].map(([name, count]) => ({ levelClass: name, count }));
  classes.sort((a, b) => levelRank(a.levelClass) - levelRank(b.levelClass));
  return { range: domain, columns, total: buckets.reduce((sum, { count }) => sum + count, 0), classes };
}

/** Returns the times of the labels beneath the drawing, evenly from its start to its end. */
export function axisTimes(range: RangeMs): number[] {
  const stepMs = (range.endMs - range.startMs) / (AXIS_LABELS - 1);
  return Array.from({ length: AXIS_LABELS }, (_, index) => range.startMs + index * stepMs);
}

/** Returns the column at a part (0 to 1) of the width, or undefined. */
export function columnAt(layout: HistogramLayout, part: number): Column | undefined {
  const timeMs = timeAt(layout.range, part);
  return layout.columns.find(({ startMs, endMs }) => timeMs >= startMs && timeMs < endMs);
}

/** Returns the range that a brush between two parts of the width means, whole columns; undefined for a mere click. */
export function brushedRange(layout: HistogramLayout, from: number, to: number): RangeMs | undefined {
  const [low, high] = from < to ? [from, to] : [to, from];
  if (high - low < 0.006) return undefined;
  const first = columnAt(layout, Math.max(0, low));
  const last = columnAt(layout, Math.min(high, 0.999_999));
  const startMs = first?.startMs ?? timeAt(layout.range, low);
  const endMs = last?.endMs ?? timeAt(layout.range, high);
  return endMs > startMs ? { startMs: Math.floor(startMs), endMs: Math.ceil(endMs) } : undefined;
}

function timeAt(range: RangeMs, part: number): number {
  return range.startMs + part * (range.endMs - range.startMs);
}

/** A lone bucket is as wide as the range. */
function bucketWidthMs(buckets: readonly Bucket[], range: RangeMs): number {
  let widthMs = range.endMs - range.startMs;
  for (const [index, bucket] of buckets.entries()) {
    const following = buckets[index + 1];
    if (following !== undefined) widthMs = Math.min(widthMs, following.timeMs - bucket.timeMs);
  }
  return Math.max(1, widthMs);
}

/**
 * The server's clock decides what `now` is, so an answer without holes tells the range better than this machine's
 * clock; one with holes may lack its ends.
 */
function domainOf(buckets: readonly Bucket[], range: RangeMs, widthMs: number): RangeMs {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) return range;
  const endMs = last.timeMs + widthMs;
  const isWhole = buckets.length > 1 && Math.round((endMs - first.timeMs) / widthMs) === buckets.length;
  if (isWhole) return { startMs: first.timeMs, endMs };
  return { startMs: Math.min(range.startMs, first.timeMs), endMs: Math.max(range.endMs, endMs) };
}

function countsByClass(bucket: Bucket): Map<LevelClass, number> {
  const counts = new Map<LevelClass, number>();
  let known = 0;
  for (const [level, count] of Object.entries(bucket.by ?? {})) {
    const name = levelClass(level);
    counts.set(name, (counts.get(name) ?? 0) + count);
    known += count;
  }
  if (known < bucket.count) counts.set('none', (counts.get('none') ?? 0) + bucket.count - known);
  return counts;
}

function stack(counts: ReadonlyMap<LevelClass, number>, max: number): Bar[] {
  const bars: Bar[] = [];
  let bottom = 1;
  for (const [name, count] of [...counts].sort((a, b) => levelRank(a[0]) - levelRank(b[0]))) {
    if (count === 0) continue;
    const height = Math.max(BAR_HEIGHT_MIN, (count / max) * 0.96);
    bottom -= height;
    bars.push({ levelClass: name, count, top: Math.max(0, bottom), height });
  }
  return bars;
}
