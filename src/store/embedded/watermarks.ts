import type { LaneOffsets } from './commit-line.ts';

/**
 * The next offset of each lane of each file: what is below it was taken before (G4). Files that have not been
 * written to for the longest time are forgotten first; a redelivery of one of them, a million files later, would
 * be stored again.
 */
export class Watermarks {
  readonly #byFile = new Map<string, LaneOffsets>();
  readonly #filesMax: number;

  constructor(filesMax = 1_000_000) {
    this.#filesMax = filesMax;
  }

  /** The offsets of a file; zeros for one that is not known. */
  get(fileId: string): LaneOffsets {
    return this.#byFile.get(fileId) ?? [0, 0, 0];
  }

  /** Moves a file's offsets on; they never go back. */
  set(fileId: string, next: LaneOffsets): void {
    const now = this.get(fileId);
    this.#byFile.delete(fileId);
    this.#byFile.set(fileId, [
      Math.max(now[0], next[0]),
      Math.max(now[1], next[1]),
      Math.max(now[2], next[2]),
    ]);
    if (this.#byFile.size <= this.#filesMax) return;
    const [oldest] = this.#byFile.keys();
    if (oldest !== undefined) this.#byFile.delete(oldest);
  }

  entries(): Iterable<[string, LaneOffsets]> {
    return this.#byFile.entries();
  }
}
