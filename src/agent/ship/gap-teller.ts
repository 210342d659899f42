/**
 * Sends a document for each gap of a file (`record/gap-document.ts`). After a restart all gaps of the files that are
 * remembered are told again; stores show them once, because their ids and times stand in the checkpoint before they
 * leave.
 */
import { createArrays } from '../../capture/buffer-pool.ts';
import type { EncodedBatch } from '../../capture/decoder-types.ts';
import { gapDocument, gapFileIdOf, gapOffsets, type GapPlace } from '../../record/gap-document.ts';
import { LANE } from '../../record/lane.ts';
import type { LedgerGap } from '../../record/ledger.ts';

export class GapTeller {
  readonly #emit: (batches: readonly EncodedBatch[]) => void;
  /** Batches on their way, by the id of the gaps. */
  readonly #waiting = new Map<string, number>();

  constructor(emit: (batches: readonly EncodedBatch[]) => void) {
    this.#emit = emit;
  }

  /** Sends the gaps behind the first `toldCount` ones. Gaps of earlier versions have no time, and are left out. */
  tell(place: GapPlace, gaps: readonly LedgerGap[], toldCount: number): void {
    const offsets = gapOffsets(gaps);
    const encoder = new TextEncoder();
    const bodies: Uint8Array[] = [];
    const told: number[] = [];
    for (const [index, gap] of gaps.entries()) {
      if (index < toldCount || gap.time === undefined) continue;
      const offset = offsets[index] ?? 0;
      bodies.push(encoder.encode(gapDocument(place, gap, offset)));
      told.push(offset);
    }
    if (told.length === 0) return;
    const fileId = gapFileIdOf(place.fileId);
    this.#waiting.set(fileId, (this.#waiting.get(fileId) ?? 0) + 1);
    this.#emit([batchOf(fileId, bodies, told)]);
  }

  /** Whether documents of a file's gaps are on their way: until they have arrived it must not be forgotten. */
  isTelling(fileId: string): boolean {
    return this.#waiting.has(gapFileIdOf(fileId));
  }

  /** Notes that a batch has arrived; returns whether none is on its way any more. */
  onAcknowledged(gapFileId: string): boolean {
    const left = (this.#waiting.get(gapFileId) ?? 1) - 1;
    if (left > 0) this.#waiting.set(gapFileId, left);
    else this.#waiting.delete(gapFileId);
    return left <= 0;
  }
}

function batchOf(fileId: string, bodies: readonly Uint8Array[], told: readonly number[]): EncodedBatch {
  const body = new Uint8Array(bodies.reduce((sum, { length }) => sum + length, 0));
  const { ends, offsets, lanes } = createArrays(told.length);
  let at = 0;
  for (const [index, bytes] of bodies.entries()) {
    body.set(bytes, at);
    at += bytes.length;
    ends[index] = at;
    offsets[index] = told[index] ?? 0;
    lanes[index] = LANE.file;
  }
  const safeOffset = (told.at(-1) ?? 0) + 1;
  const commits = [{ fileId, safeOffset }];
  return {
    fileId,
    body,
    count: told.length,
    ends,
    offsets,
    lanes,
    commits,
    recordBytes: 0,
    dropped: {},
    flaws: {},
  };
}
