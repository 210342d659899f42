/** How many records each file has, and the sum of their offsets, added up by the engine: a page of files at a time. */
import type { Dsl } from './dsl.ts';
import { ALL } from './dsl.ts';
import type { LogIndices } from './engine-search.ts';
import { sendSearch } from './engine-search.ts';
import { OFFSET_UNIT, PRIVATE_MEMBER } from '../manage/field-table.ts';

/** Files in one request. */
export const TALLY_FILES_MAX = 500;

export const FILE_COLUMN = `${PRIVATE_MEMBER}.file`;

/** Records of one file: how many, and the sum of their offsets. */
export interface Tally {
  readonly count: number;
  readonly sum: bigint;
}

export interface TallyRequest {
  readonly logs: LogIndices;
  /** Only files behind it; empty from the first one on. */
  readonly after: string;
  readonly dsl?: Dsl;
}

/** Returns the tallies of the next files behind `after`, sorted. */
export async function tallyFiles(
  { logs, after, dsl = ALL }: TallyRequest,
  signal: AbortSignal,
): Promise<Map<string, Tally>> {
  const composite = {
    size: TALLY_FILES_MAX,
    sources: [{ file: { terms: { field: FILE_COLUMN } } }],
    ...(after === '' ? {} : { after: { file: after } }),
  };
  const sums = {
    low: { sum: { field: `${PRIVATE_MEMBER}.low` } },
    high: { sum: { field: `${PRIVATE_MEMBER}.high` } },
  };
  const aggs = { files: { composite, aggs: sums } };
  const body = JSON.stringify({ size: 0, track_total_hits: false, query: dsl, aggs });
  const { aggregations } = await sendSearch(logs, body, signal);
  const { buckets = [] } = (aggregations['files'] ?? {}) as Partial<FilesAnswer>;
  return new Map(
    buckets.map(({ key, doc_count: count, low, high }) => [
      key.file,
      { count, sum: BigInt(high.value) * BigInt(OFFSET_UNIT) + BigInt(low.value) },
    ]),
  );
}

interface FilesAnswer {
  readonly buckets: readonly {
    readonly key: { readonly file: string };
    readonly doc_count: number;
    readonly low: { readonly value: number };
    readonly high: { readonly value: number };
  }[];
}
