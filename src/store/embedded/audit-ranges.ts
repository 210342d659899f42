/**
 * Which offsets of a log file an audit has to count again, because the files of the store that hold them cannot just
 * be added up.
 */

/** Offsets that a file of the store has of a log file, both included. */
export interface CountedPart {
  readonly min: number;
  readonly max: number;
  /** Whether it may have got more since it was counted. */
  readonly canGrow: boolean;
}

export interface TalliedRange {
  readonly startOffset: number;
  readonly endOffset: number;
  /** Whether nothing of it counts. */
  readonly isBeyond: boolean;
}

/**
 * Returns the ranges that two parts share, and those at or beyond `belowOffset`, in order and apart from each other.
 * What can grow is in them as a whole or not at all, so that what it had can be taken back.
 */
export function unsureRanges(parts: readonly CountedPart[], belowOffset: number): TalliedRange[] {
  const ordered = parts.toSorted((one, other) => one.min - other.min);
  let ranges: Range[] = [];
  let coveredTo = -1;
  for (const { min, max } of ordered) {
    if (min <= coveredTo) ranges.push({ start: min, end: Math.min(max, coveredTo) + 1 });
    coveredTo = Math.max(coveredTo, max);
  }
  if (coveredTo >= belowOffset) ranges.push({ start: belowOffset, end: Number.MAX_SAFE_INTEGER });
  ranges = merge(ranges);
  const growing = ordered.filter(({ canGrow }) => canGrow);
  while (growing.length > 0) {
    const taken = growing.filter((part) => isTouched(part, ranges));
    if (taken.length === 0) break;
    for (const part of taken) growing.splice(growing.indexOf(part), 1);
    ranges = merge([...ranges, ...taken.map(({ min, max }) => ({ start: min, end: max + 1 }))]);
  }
  return ranges.flatMap((range) => cut(range, belowOffset));
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const { start, end } of ranges.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last === undefined || last.end < start) merged.push({ start, end });
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return merged;
}

function isTouched({ min, max }: CountedPart, ranges: readonly Range[]): boolean {
  return ranges.some(({ start, end }) => start <= max && end > min);
}

function cut({ start, end }: Range, belowOffset: number): TalliedRange[] {
  const below = { startOffset: start, endOffset: Math.min(end, belowOffset), isBeyond: false };
  const beyond = { startOffset: Math.max(start, belowOffset), endOffset: end, isBeyond: true };
  return [below, beyond].filter(({ startOffset, endOffset }) => startOffset < endOffset);
}
