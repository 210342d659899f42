/**
 * Cuts a message into pieces of one look each: colours that the program wrote, and marks where the query matches.
 */
import type { StyledRange } from './ansi.ts';

export interface MarkRange {
  readonly start: number;
  readonly end: number;
}

export interface Segment {
  readonly text: string;
  readonly color: number | undefined;
  readonly isBold: boolean;
  readonly isMarked: boolean;
}

/** Beyond this many matches in one message the rest stays unmarked: nobody reads them, the browser would. */
const MARKS_MAX = 200;

/** Returns the pieces of `text` in order; together they are the whole text. */
export function messageSegments(
  text: string,
  styles: readonly StyledRange[],
  marks: readonly MarkRange[],
): Segment[] {
  const cuts = new Set([0, text.length]);
  for (const { start, end } of [...styles, ...marks]) {
    cuts.add(Math.min(start, text.length));
    cuts.add(Math.min(end, text.length));
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const [index, start] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end === undefined) break;
    const style = styles.find((range) => range.start <= start && range.end > start);
    const isMarked = marks.some((range) => range.start <= start && range.end > start);
    const isBold = style?.isBold ?? false;
    segments.push({ text: text.slice(start, end), color: style?.color, isBold, isMarked });
  }
  return segments;
}

/** Finds every occurrence of the needles, ignoring case; ranges are sorted and do not overlap. */
export function findMarks(text: string, needles: readonly string[]): MarkRange[] {
  const found: MarkRange[] = [];
  const lower = text.toLowerCase();
  // Lower case of a few letters has another length; then positions would be wrong, and no mark is better.
  if (lower.length !== text.length) return [];
  for (const needle of needles) {
    const wanted = needle.toLowerCase();
    if (wanted === '') continue;
    for (
      let at = lower.indexOf(wanted);
      at !== -1 && found.length < MARKS_MAX;
      at = lower.indexOf(wanted, at + 1)
    ) {
      found.push({ start: at, end: at + wanted.length });
    }
  }
  return joinRanges(found);
}

/** Sorts ranges and joins those that touch. */
export function joinRanges(ranges: readonly MarkRange[]): MarkRange[] {
  const joined: MarkRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end) {
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else joined.push(range);
  }
  return joined;
}
