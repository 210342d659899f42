/**
 * The index in which it is remembered what each index holds of each file. Documents of two kinds:
 *
 *   _id = file id             file, indices (uuids of the entries), counts: see `file-counts-state.ts`
 *   _id = `index-` + uuid     uuid, counted: when the index was counted, and what it was like then
 */
import type { FileCounts } from './file-counts-state.ts';

/** An index that was counted. */
export interface CountedIndex {
  readonly uuid: string;
  readonly index: string;
  readonly createdMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly countedMs: number;
  /** Differs when anything was written or deleted since; empty while it is being counted for the first time. */
  readonly stamp: string;
  readonly records: number;
}

/** Returns what the index is created with. */
export function countsIndexBody(replicas: number): Readonly<Record<string, unknown>> {
  const anything = { type: 'object', enabled: false };
  return {
    settings: {
      index: { number_of_shards: '1', number_of_replicas: String(replicas), refresh_interval: '10s' },
    },
    mappings: {
      dynamic: 'false',
      properties: {
        file: { type: 'keyword' },
        indices: { type: 'keyword' },
        uuid: { type: 'keyword' },
        counts: anything,
        counted: anything,
      },
    },
  };
}

/** Returns the document of a file. */
export function fileDocument(counts: FileCounts): Readonly<Record<string, unknown>> {
  return { file: counts.fileId, indices: counts.entries.map(({ uuid }) => uuid), counts };
}

/** Returns the document of an index. */
export function indexDocument(counted: CountedIndex): Readonly<Record<string, unknown>> {
  return { uuid: counted.uuid, counted };
}

export function indexDocumentId(uuid: string): string {
  return `index-${uuid}`;
}
