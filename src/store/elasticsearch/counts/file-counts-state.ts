/**
 * What is remembered of a file's records by the index that they stand in, so that they are accounted for when the index
 * is gone: engines delete whole indices, and tell nobody what stood in them.
 *
 *   entries   indices that were there when they were last looked at: how many records of the file, and the sum of
 *             their offsets. An index is told by its uuid, because one of the same name may come after it
 *   gone      the same of indices that are gone, added up
 */

/** What a file has in one index. */
export interface IndexCount {
  readonly uuid: string;
  readonly index: string;
  /** When the index was created, in milliseconds since the Unix epoch. */
  readonly createdMs: number;
  readonly records: number;
  /** Modulo 2^64, in decimal. */
  readonly offsetSum: string;
}

/** What a file had in indices that are gone. */
export interface GoneCount {
  readonly records: number;
  readonly offsetSum: string;
  /** Of `records`: in indices that were deleted before the lifecycle would have. */
  readonly early: number;
}

export interface FileCounts {
  readonly fileId: string;
  readonly entries: readonly IndexCount[];
  readonly gone: GoneCount;
}

/** Indices that are remembered of one file; those beyond are missed when they go, which is seen. */
const ENTRIES_MAX = 2_000;

const SUM_MODULUS = 1n << 64n;

const NONE: GoneCount = { records: 0, offsetSum: '0', early: 0 };

/** Returns the counts with what one index holds, in place of what it held before. */
export function withIndex(before: FileCounts | undefined, fileId: string, entry: IndexCount): FileCounts {
  const { entries = [], gone = NONE } = before ?? {};
  const others = entries.filter(({ uuid }) => uuid !== entry.uuid);
  if (others.length >= ENTRIES_MAX) return { fileId, entries, gone };
  return { fileId, entries: [...others, entry], gone };
}

/** Returns the counts after an index has gone. */
export function withoutIndex(before: FileCounts, uuid: string, isEarly: boolean): FileCounts {
  const { fileId, entries, gone } = before;
  const leaving = entries.filter((entry) => entry.uuid === uuid);
  if (leaving.length === 0) return before;
  return {
    fileId,
    entries: entries.filter((entry) => entry.uuid !== uuid),
    gone: leaving.reduce((sum, entry) => added(sum, entry, isEarly), gone),
  };
}

/** Returns what is gone by now, also where nobody has moved it yet. */
export function goneBy(
  { entries, gone }: FileCounts,
  indices: {
    readonly isThere: (uuid: string) => boolean;
    readonly isEarly: (createdMs: number) => boolean;
  },
): GoneCount {
  const missing = entries.filter(({ uuid }) => !indices.isThere(uuid));
  return missing.reduce((sum, entry) => added(sum, entry, indices.isEarly(entry.createdMs)), gone);
}

function added(gone: GoneCount, { records, offsetSum }: IndexCount, isEarly: boolean): GoneCount {
  return {
    records: gone.records + records,
    offsetSum: String((BigInt(gone.offsetSum) + BigInt(offsetSum)) % SUM_MODULUS),
    early: gone.early + (isEarly ? records : 0),
  };
}
