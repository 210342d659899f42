/**
 * Documents that stand among the logs where bytes of a file are known to be lost, or may be (G5). They have file ids
 * of their own, made of the file's id, so that a store takes each of them once, and an audit never takes one for a
 * record of the file:
 *
 *   gap file id   `676170` + the first 14 digits of the file's id; no file gets an id that begins so
 *   offset        where the gap begins, or one more than that of the gap before, if that is greater
 */
import { eventIdOf, FILE_ID_LENGTH, GAP_ID_PREFIX } from './identity.ts';
import type { LedgerGap } from './ledger.ts';

export interface GapPlace {
  /** The file that the gap is in. */
  readonly fileId: string;
  readonly path: string;
  /** Members that all documents of the file have: `kubernetes`, `host`, … */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** Returns the id under which the gaps of a file are stored. */
export function gapFileIdOf(fileId: string): string {
  return GAP_ID_PREFIX + fileId.slice(0, FILE_ID_LENGTH - GAP_ID_PREFIX.length);
}

/** Whether what is stored under this id are gaps. */
export function isGapFileId(fileId: string): boolean {
  return fileId.startsWith(GAP_ID_PREFIX);
}

/** Returns the offsets of the documents of a file's gaps: they increase, whatever the ranges. */
export function gapOffsets(gaps: readonly LedgerGap[]): number[] {
  let last = -1;
  return gaps.map((gap) => {
    last = Math.max(last + 1, gap.startOffset);
    return last;
  });
}

/** Returns the document of a gap, with its newline. */
export function gapDocument(place: GapPlace, gap: LedgerGap, offset: number): string {
  const { fileId, resource } = place;
  // A gap that is told again says what it said, also when its file has another name by then.
  const {
    kind,
    startOffset,
    endOffset,
    reason,
    time = '1970-01-01T00:00:00.000000000Z',
    path = place.path,
  } = gap;
  const document = {
    '@timestamp': time,
    message: gapMessage(path, gap),
    fields: { gap: { kind, start_offset: startOffset, end_offset: endOffset, reason, file_id: fileId } },
    stream: 'file',
    log: { level: 'warn', offset, file: { path } },
    event: { id: eventIdOf(gapFileIdOf(fileId), offset), kind: 'gap' },
    ...resource,
  };
  return `${JSON.stringify(document)}\n`;
}

function gapMessage(path: string, { kind, startOffset, endOffset, reason }: LedgerGap): string {
  const range = `${endOffset - startOffset} bytes (from ${startOffset} to ${endOffset})`;
  if (kind === 'gap') return `gap: ${range} of ${path} are lost: ${reason}`;
  if (endOffset > startOffset) return `possible loss: ${range} of ${path} were not collected: ${reason}`;
  return `possible loss: what was written to ${path} behind byte ${startOffset}, if anything, was not collected: ${reason}`;
}
