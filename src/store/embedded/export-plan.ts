/** Where an export cuts time: decisions only. */
import type { TimeRange } from '../store.ts';

/** What is known of a file without asking it. */
export interface FileFacts {
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly rows: number;
}

/** Matches in one bucket of a count. */
export interface CountedBucket {
  readonly bucket: number;
  readonly rows: number;
}

export interface CutOptions {
  readonly range: TimeRange;
  readonly bucketNs: bigint;
  /** Rows of a slice that are aimed at. */
  readonly sliceRows: number;
}

export interface CountedSlice extends TimeRange {
  readonly rows: number;
}

/**
 * Returns the next range in which the files have something, as long as they hold about `rowsMax` rows in it, if
 * each has its rows evenly over its time; undefined when nothing is left.
 */
export function stretchEnd(
  files: readonly FileFacts[],
  range: TimeRange,
  rowsMax: number,
): TimeRange | undefined {
  if (range.startNs >= range.endNs) return undefined;
  let startNs: bigint | undefined;
  for (const { minNs, maxNs } of files) {
    if (maxNs < range.startNs || minNs >= range.endNs) continue;
    const first = minNs > range.startNs ? minNs : range.startNs;
    if (startNs === undefined || first < startNs) startNs = first;
  }
  if (startNs === undefined) return undefined;
  const beginning = startNs;
  const open = files.filter(({ minNs, maxNs }) => minNs <= beginning && maxNs >= beginning);
  let rowsPerNs = 0;
  for (const { minNs, maxNs, rows } of open) rowsPerNs += rows / Number(maxNs - minNs + 1n);
  const lastNs = open.reduce((last, { maxNs }) => (maxNs > last ? maxNs : last), startNs);
  const spanNs = BigInt(Math.ceil(Math.min(rowsMax / rowsPerNs, Number(lastNs - startNs) + 1)));
  const endNs = startNs + (spanNs > 1n ? spanNs : 1n);
  return { startNs, endNs: endNs < range.endNs ? endNs : range.endNs };
}

/**
 * Joins neighbouring buckets to slices of about the same size, none of which has many more than `sliceRows`; a bucket
 * with more is a slice of its own.
 */
export function cutIntoSlices(
  buckets: readonly CountedBucket[],
  { range, bucketNs, sliceRows }: CutOptions,
): CountedSlice[] {
  const total = buckets.reduce((sum, { rows }) => sum + rows, 0);
  const target = total / Math.max(1, Math.ceil(total / sliceRows));
  const slices: CountedSlice[] = [];
  for (const { bucket, rows } of buckets.toSorted((one, other) => one.bucket - other.bucket)) {
    const startNs = range.startNs + BigInt(bucket) * bucketNs;
    const nextNs = startNs + bucketNs;
    const endNs = nextNs < range.endNs ? nextNs : range.endNs;
    const last = slices.at(-1);
    // Half of the bucket may stand over: otherwise the last slice would be left with all that is missing.
    if (last !== undefined && last.rows + rows / 2 <= target && last.rows + rows <= sliceRows) {
      slices[slices.length - 1] = { startNs: last.startNs, endNs, rows: last.rows + rows };
    } else slices.push({ startNs, endNs, rows });
  }
  return slices;
}
