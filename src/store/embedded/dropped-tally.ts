/**
 * What pipelines dropped of each file. Audit asks for what lies below an offset that only grows, so offsets above
 * it are kept one by one and added up once it has passed them.
 */
interface DroppedFile {
  count: number;
  /** Sum of offsets. */
  sum: bigint;
  pending: number[];
}

/** As JSON: count, sum in decimal, pending offsets. */
export type EncodedDropped = readonly [number, string, readonly number[]];

/** Offsets kept one by one for a file; the oldest are added up early when there are more. */
const PENDING_MAX = 65_536;

export class DroppedTally {
  readonly #byFile = new Map<string, DroppedFile>();

  add(fileId: string, offsets: readonly number[]): void {
    const file = this.#byFile.get(fileId) ?? { count: 0, sum: 0n, pending: [] };
    this.#byFile.set(fileId, file);
    for (const offset of offsets) file.pending.push(offset);
    if (file.pending.length > PENDING_MAX) this.#fold(file, medianOf(file.pending));
  }

  /** Adds up what lies below `belowOffset`, for good, and returns it. */
  below(fileId: string, belowOffset: number): { count: number; sum: bigint } {
    const file = this.#byFile.get(fileId);
    if (file === undefined) return { count: 0, sum: 0n };
    this.#fold(file, belowOffset);
    return { count: file.count, sum: file.sum };
  }

  fileIds(): Iterable<string> {
    return this.#byFile.keys();
  }

  encodeAll(): Record<string, EncodedDropped> {
    const encoded = [...this.#byFile].map(([fileId, file]) => [fileId, encode(file)] as const);
    return Object.fromEntries(encoded);
  }

  /** Adds what was encoded elsewhere. */
  merge(fileId: string, [count, sum, pending]: EncodedDropped): void {
    this.add(fileId, pending);
    const file = this.#byFile.get(fileId);
    if (file === undefined) return;
    file.count += count;
    file.sum += BigInt(sum);
  }

  #fold(file: DroppedFile, belowOffset: number): void {
    const kept: number[] = [];
    for (const offset of file.pending) {
      if (offset >= belowOffset) kept.push(offset);
      else {
        file.count += 1;
        file.sum += BigInt(offset);
      }
    }
    file.pending = kept;
  }
}

function medianOf(offsets: readonly number[]): number {
  return offsets.toSorted((one, other) => one - other)[Math.floor(offsets.length / 2)] ?? 0;
}

function encode(file: DroppedFile): EncodedDropped {
  return [file.count, String(file.sum), file.pending];
}
