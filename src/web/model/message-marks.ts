/** Where a message matches the query. */
import type { MarkRange } from './message-segments.ts';
import { findMarks, joinRanges } from './message-segments.ts';

export interface Highlighter {
  readonly needles: readonly string[];
  /** Global ones. */
  readonly regexes: readonly RegExp[];
}

export const HIGHLIGHTER_NONE: Highlighter = { needles: [], regexes: [] };

/** Regular expressions mark within this much text only: the browser's engine is not linear, the server's is. */
const REGEX_CHARS_MAX = 500;

/** Returns the ranges of `text` that a query matches. */
export function marksOf(text: string, highlighter: Highlighter): MarkRange[] {
  const marks = findMarks(text, highlighter.needles);
  for (const regex of highlighter.regexes) {
    for (const match of text.slice(0, REGEX_CHARS_MAX).matchAll(regex)) {
      if (match[0] !== '') marks.push({ start: match.index, end: match.index + match[0].length });
    }
  }
  return joinRanges(marks);
}
