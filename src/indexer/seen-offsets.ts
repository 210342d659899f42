import { LANE_COUNT } from '../record/lane.ts';
import type { DocumentBatch } from '../record/record-batch.ts';

/** Files whose last offsets are remembered; one that is forgotten may be shown live a second time after a redelivery. */
const FILES_MAX = 10_000;

/** Remembers which documents passed by, so that a redelivery is not shown live again, whatever its bounds are. */
export class SeenOffsets {
  /** By file id: the last offset of each lane, or -1. The least recently used file stands first. */
  readonly #files = new Map<string, Float64Array>();

  /**
   * Returns the documents that stand behind all that passed by before in their lanes, and remembers them. A batch of
   * which all are new is returned as it is; of others new ones are copied.
   */
  takeNew(batches: readonly DocumentBatch[]): DocumentBatch[] {
    return batches.flatMap((batch) => {
      const indexes = this.#advance(batch);
      if (indexes === undefined) return batch.count > 0 ? [batch] : [];
      return indexes.length > 0 ? [partOf(batch, indexes)] : [];
    });
  }

  /** Returns which documents of a batch are new, or undefined when all are. */
  #advance({ fileId, count, offsets, lanes }: DocumentBatch): number[] | undefined {
    const last = this.#files.get(fileId) ?? new Float64Array(LANE_COUNT).fill(-1);
    this.#files.delete(fileId);
    this.#files.set(fileId, last);
    if (this.#files.size > FILES_MAX) this.#forgetOldest();
    let indexes: number[] | undefined;
    for (let index = 0; index < count; index++) {
      const lane = lanes[index] ?? 0;
      const offset = offsets[index] ?? 0;
      if (offset > (last[lane] ?? -1)) {
        last[lane] = offset;
        indexes?.push(index);
      } else indexes ??= Array.from({ length: index }, (_, before) => before);
    }
    return indexes;
  }

  #forgetOldest(): void {
    for (const fileId of this.#files.keys()) {
      this.#files.delete(fileId);
      return;
    }
  }
}

/** Returns a batch of some of the documents of another, in memory of its own. */
function partOf(batch: DocumentBatch, indexes: readonly number[]): DocumentBatch {
  const starts = indexes.map((index) => (index === 0 ? 0 : (batch.ends[index - 1] ?? 0)));
  const ends = new Uint32Array(indexes.length);
  let length = 0;
  for (const [at, index] of indexes.entries()) {
    length += (batch.ends[index] ?? 0) - (starts[at] ?? 0);
    ends[at] = length;
  }
  const body = new Uint8Array(length);
  for (const [at, index] of indexes.entries())
    body.set(batch.body.subarray(starts[at], batch.ends[index]), at === 0 ? 0 : (ends[at - 1] ?? 0));
  return {
    ...batch,
    body,
    count: indexes.length,
    ends,
    offsets: Float64Array.from(indexes, (index) => batch.offsets[index] ?? 0),
    lanes: Uint8Array.from(indexes, (index) => batch.lanes[index] ?? 0),
  };
}
