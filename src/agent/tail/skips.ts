/**
 * Ranges of a file that are not read although they have a place in it: bytes that were given up because a disk budget
 * was exceeded, and holes, whose bytes were freed earlier.
 *
 * A skip is decided on before it is reached, stands in the checkpoint from then on, and is applied when everything
 * before it is acknowledged: the watermark moves over it, and decoding begins anew behind it. What was given up is
 * skipped only as far as the checkpoint on disk says: after a power loss it would be read, and stores that have records
 * from behind it take what comes later from before them for repeats.
 */
import type { DropReason } from '../../record/drop-reason.ts';
import type { LedgerGap } from '../../record/ledger.ts';
import { FIRST_LINE_BYTES_MAX } from '../../record/identity.ts';
import { formatTimestamp } from '../../record/timestamp.ts';
import { readAt } from './fingerprint.ts';
import type { TailContext } from './tail-context.ts';
import type { TailedFile } from './tailed-file.ts';

/** Why a range is skipped; `text` goes into the gap record, and without it there is none. */
export interface Skip {
  readonly startOffset: number;
  /** One past the last byte. */
  readonly endOffset: number;
  readonly reason: DropReason;
  readonly text: string | undefined;
}

/** How holes of a file are found. Offsets are those of lseek(2) with SEEK_DATA and SEEK_HOLE. */
export interface HoleFinder {
  /** Whether an open file has fewer bytes on disk than its size says. */
  isSparse(fd: number): boolean;
  /** Returns where data begins at or after `offset`; `size` when there is none. */
  nextData(fd: number, offset: number, size: number): number;
  /** Returns where a hole begins at or after `offset`; `size` when there is none. */
  nextHole(fd: number, offset: number, size: number): number;
}

/** Skips kept per file; beyond it the last one is widened. Discarding widens one skip, so more are not expected. */
const SKIPS_MAX = 64;

const NEWLINE = 10;
const HOLE_TEXT =
  'its bytes were freed before (the file has a hole); they were collected then if Logboom freed them';

/** Returns how many bytes may be read at the read offset before the next skip. */
export function bytesBeforeSkip(file: TailedFile, lengthMax: number): number {
  const skip = file.skips[0];
  return skip === undefined
    ? lengthMax
    : Math.max(0, Math.min(lengthMax, skip.startOffset - file.readOffset));
}

/** Adds a range to skip behind what was read; one that continues the last widens it. */
export function addSkip(file: TailedFile, skip: Skip): void {
  const last = file.skips.at(-1);
  const startsAt = Math.max(skip.startOffset, last?.endOffset ?? file.readOffset);
  if (skip.endOffset <= startsAt) return;
  const isContinued = last !== undefined && (last.endOffset === startsAt || file.skips.length >= SKIPS_MAX);
  if (last !== undefined && isContinued && last.reason === skip.reason && isHole(last) === isHole(skip)) {
    file.skips[file.skips.length - 1] = { ...last, endOffset: skip.endOffset };
  } else file.skips.push({ ...skip, startOffset: startsAt });
}

/**
 * Looks for a hole at the read offset and adds a skip over it. Returns how many bytes may be read before the next
 * hole: none of a hole's zeros is ever read as data.
 */
export function bytesBeforeHole(context: TailContext, file: TailedFile, lengthMax: number): number {
  const { holes } = context;
  const { fd } = file;
  if (holes === undefined || fd === undefined) return lengthMax;
  if (!file.isHoleChecked) {
    file.isHoleChecked = true;
    file.mayHaveHoles = holes.isSparse(fd);
  }
  if (!file.mayHaveHoles) return lengthMax;
  const { size } = context.fileSystem.fstat(fd);
  if (file.readOffset >= size) return lengthMax;
  const dataOffset = holes.nextData(fd, file.readOffset, size);
  if (dataOffset > file.readOffset) {
    addSkip(file, holeSkip(context, fd, file.readOffset, { dataOffset, size }));
    return 0;
  }
  const holeOffset = holes.nextHole(fd, file.readOffset, size);
  if (holeOffset >= size) file.mayHaveHoles = false;
  return Math.min(lengthMax, holeOffset - file.readOffset);
}

/**
 * Applies the skip at the read offset once everything before it is acknowledged, as far as it is on the disk; returns
 * whether it did.
 */
export function applySkip(context: TailContext, file: TailedFile): boolean {
  const [first] = file.skips;
  const { id } = file;
  if (first === undefined || id === undefined || !file.isAtSkip || !file.isSettled) return false;
  const endOffset = isHole(first) ? first.endOffset : Math.min(first.endOffset, context.givenUntil(id));
  if (endOffset <= first.startOffset) return false;
  const skip = { ...first, endOffset };
  if (endOffset === first.endOffset) file.skips.shift();
  else file.skips[0] = { ...first, startOffset: endOffset };
  const bytes = skip.endOffset - skip.startOffset;
  context.ship.skip(id, skip.endOffset, skip.reason);
  context.telemetry.count('logboom_agent_dropped_bytes_total', bytes, { reason: skip.reason });
  file.readOffset = skip.endOffset;
  file.markLength = 0;
  file.savedMark = undefined;
  // What could not be read of it is not tried again, and holds nothing back.
  file.noteSuccess();
  const time = formatTimestamp(context.scheduler.nowNs());
  if (skip.text !== undefined) file.addGap({ ...gapOf(skip, skip.text), time });
  const text = `${file.path}: ${bytes} bytes are not read: ${skip.text ?? 'a hole that never held any'}`;
  const { startOffset } = skip;
  context.telemetry.log('warn', 'gap', text, { path: file.path, fileId: id, startOffset, endOffset });
  return true;
}

/** Whether it is found again whenever it is looked for. */
function isHole({ text }: Skip): boolean {
  return text === undefined || text === HOLE_TEXT;
}

/** Returns the end of the line that `offset` stands in, so that what is left begins with a whole line. */
export function lineEndAt(context: TailContext, fd: number, offset: number, size: number): number {
  const limit = Math.min(size, offset + context.config.agent.lineBytesMax);
  for (let at = offset; at < limit; at += FIRST_LINE_BYTES_MAX) {
    const bytes = readAt(context.fileSystem, fd, at, Math.min(FIRST_LINE_BYTES_MAX, limit - at));
    const newline = bytes.indexOf(NEWLINE);
    if (newline >= 0) return at + newline + 1;
    if (bytes.length === 0) return at;
  }
  return limit;
}

/**
 * A hole at the very beginning is where a writer went on at its old offset after a truncation: nothing ever stood
 * there. Any other was freed, and the line that its end cuts was acknowledged whole.
 */
function holeSkip(
  context: TailContext,
  fd: number,
  startOffset: number,
  at: { readonly dataOffset: number; readonly size: number },
): Skip {
  const { dataOffset, size } = at;
  if (startOffset === 0) return { startOffset, endOffset: dataOffset, reason: 'nul_run', text: undefined };
  const isCutLine = dataOffset < size && readAt(context.fileSystem, fd, dataOffset, 1)[0] !== 0;
  const endOffset = isCutLine ? lineEndAt(context, fd, dataOffset, size) : dataOffset;
  return { startOffset, endOffset, reason: 'possible_loss', text: HOLE_TEXT };
}

function gapOf({ startOffset, endOffset, reason }: Skip, text: string): LedgerGap {
  return { kind: reason === 'gap' ? 'gap' : 'possible_loss', startOffset, endOffset, reason: text };
}
