import type { Bucket } from './histogram-layout.ts';

/** Values of a field with their counts, as the list at the left shows them. */
export interface FacetValue {
  readonly value: string;
  readonly count: number;
  /** Of the most frequent value, from 0 to 1. */
  readonly part: number;
}

export interface Facet {
  readonly values: readonly FacetValue[];
  /** Records in values that are known and not listed. */
  readonly hiddenCount: number;
  /** Records in values beyond those that the server counts by themselves, or without any. */
  readonly otherCount: number;
}

/** Values listed per facet before "more" is pressed, and after. */
export const FACET_VALUES_MAX = 8;
export const FACET_VALUES_ALL = 20;

/** Under this name the server counts the values beyond the most frequent ones, and records without a value. */
const OTHER = 'other';

/** Lists the values of a facet, most frequent first. */
export function facetOf(counts: Readonly<Record<string, number>>, valuesMax: number): Facet {
  const entries = Object.entries(counts).filter(
    ([value, count]) => value !== '' && value !== OTHER && count > 0,
  );
  entries.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const max = entries[0]?.[1] ?? 1;
  const values = entries.slice(0, valuesMax).map(([value, count]) => ({ value, count, part: count / max }));
  const hiddenCount = entries.slice(valuesMax).reduce((sum, [, count]) => sum + count, 0);
  return { values, hiddenCount, otherCount: (counts[OTHER] ?? 0) + (counts[''] ?? 0) };
}

/** Adds up the counts by value over all buckets. */
export function sumByValue(buckets: readonly Bucket[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { by = {} } of buckets) {
    for (const [value, count] of Object.entries(by)) sums[value] = (sums[value] ?? 0) + count;
  }
  return sums;
}
