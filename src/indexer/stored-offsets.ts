import { LANE_COUNT } from '../record/lane.ts';
import type { DocumentBatch } from '../record/record-batch.ts';

/** Files whose last offsets are remembered; one that is forgotten may be shown live a second time after a redelivery. */
const FILES_MAX = 10_000;

/** Remembers what this process has stored, so that a redelivery is not shown live again. */
export class StoredOffsets {
  /** By file id: the last offset stored of each lane, or -1. The least recently used file stands first. */
  readonly #files = new Map<string, Float64Array>();

  /** Returns the batches that begin behind what was stored before, and remembers all of them. */
  takeNew(batches: readonly DocumentBatch[]): DocumentBatch[] {
    return batches.filter((batch) => batch.count > 0 && this.#advance(batch));
  }

  #advance(batch: DocumentBatch): boolean {
    const { fileId, count, offsets, lanes } = batch;
    const last = this.#files.get(fileId) ?? new Float64Array(LANE_COUNT).fill(-1);
    this.#files.delete(fileId);
    this.#files.set(fileId, last);
    if (this.#files.size > FILES_MAX) this.#forgetOldest();
    const isNew = (offsets[0] ?? 0) > (last[lanes[0] ?? 0] ?? -1);
    for (let index = 0; index < count; index++) {
      const lane = lanes[index] ?? 0;
      last[lane] = Math.max(last[lane] ?? -1, offsets[index] ?? 0);
    }
    return isNew;
  }

  #forgetOldest(): void {
    for (const fileId of this.#files.keys()) {
      this.#files.delete(fileId);
      return;
    }
  }
}
