import type { LedgerRecord } from './ledger.ts';

/** Offsets of a file, the end excluded. */
export interface LossRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

/**
 * Returns what an agent says may be lost of a file below its acknowledged offset, in order and apart from each other.
 * Records may stand there all the same, and are not in the agent's own count: after a power loss that took back its
 * checkpoint it does not know that they were delivered.
 */
export function possibleLossRanges({ gaps, acknowledgedOffset }: LedgerRecord): LossRange[] {
  const known = gaps.filter(({ kind }) => kind === 'possible_loss');
  const ranges: LossRange[] = [];
  for (const gap of known.toSorted((left, right) => left.startOffset - right.startOffset)) {
    const endOffset = Math.min(gap.endOffset, acknowledgedOffset);
    const last = ranges.at(-1);
    if (last !== undefined && gap.startOffset <= last.endOffset) {
      ranges[ranges.length - 1] = { ...last, endOffset: Math.max(last.endOffset, endOffset) };
    } else if (endOffset > gap.startOffset) ranges.push({ startOffset: gap.startOffset, endOffset });
  }
  return ranges;
}

/** Returns whether an offset is in one of the ranges. */
export function isInRanges(ranges: readonly LossRange[], offset: number): boolean {
  return ranges.some(({ startOffset, endOffset }) => offset >= startOffset && offset < endOffset);
}
