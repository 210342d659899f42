/**
 * Which ranges of a growing file may be freed.
 *
 *   0        first block      …freed…        freeOffset - one block    freeOffset         size
 *   |  stays: the file's head |   a hole   | stays: the last bytes read | not acknowledged |
 *
 * What stays before `freeOffset` is what the agent compares after a restart before it reads on.
 */
import type { ByteRange } from '../../base/log-directory.ts';
import type { RotateFile } from './rotate-types.ts';

/** The head of a file is recognised by its first KiB; a page covers it on every file system. */
const HEAD_BYTES_MIN = 4096;

/** Bytes before the read offset by which a file is recognised are fewer than this. */
const MARK_BYTES_MIN = 4096;

type Punchable = Pick<RotateFile, 'size' | 'freeOffset' | 'given'>;

/**
 * Returns the ranges that can be freed, aligned to blocks, in order. `tailBytes` at the end of the file stay for
 * people who look at it, acknowledged or not.
 */
export function punchRanges(file: Punchable, blockBytes: number, tailBytes: number): ByteRange[] {
  const head = alignUp(HEAD_BYTES_MIN, blockBytes);
  const mark = Math.max(MARK_BYTES_MIN, blockBytes);
  const end = alignDown(Math.min(file.freeOffset - mark, file.size - tailBytes), blockBytes);
  const ranges: ByteRange[] = [];
  if (end > head) ranges.push({ startOffset: head, endOffset: end });
  for (const given of file.given) {
    const startOffset = Math.max(head, alignUp(given.startOffset, blockBytes));
    const endOffset = alignDown(Math.min(given.endOffset, file.size - tailBytes), blockBytes);
    if (endOffset > startOffset) ranges.push({ startOffset, endOffset });
  }
  return ranges;
}

/** Returns the bytes that ranges have together. */
export function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0);
}

function alignUp(offset: number, blockBytes: number): number {
  return Math.ceil(offset / blockBytes) * blockBytes;
}

function alignDown(offset: number, blockBytes: number): number {
  return Math.max(0, Math.floor(offset / blockBytes) * blockBytes);
}
