import type { FieldTypes } from '../../record/field-types.ts';
import type { LaneOffsets } from './commit-line.ts';
import type { JournalRun, Resource } from './segment-engine.ts';

/** What a commit line will say of the documents that were encoded since the one before. */
interface CommitGroup {
  rows: number;
  readonly watermarks: Record<string, LaneOffsets>;
  readonly dropped: Record<string, number[]>;
  readonly namespaces: Map<string, number>;
  readonly resources: Record<string, Resource>;
  readonly types: FieldTypes;
  readonly hours: string[];
  minSeconds: number;
  maxSeconds: number;
  documentBytesMax: number;
  hasWholeDocuments: boolean;
  hasOddTimes: boolean;
  isCompact: boolean;
  /** Counted from the beginning of the group. */
  readonly runs: JournalRun[];
}

/** Returns the group of no documents. */
export function emptyGroup(): CommitGroup {
  return {
    rows: 0,
    watermarks: {},
    dropped: {},
    namespaces: new Map(),
    resources: {},
    types: new Map(),
    hours: [],
    minSeconds: Number.MAX_SAFE_INTEGER,
    maxSeconds: Number.MIN_SAFE_INTEGER,
    documentBytesMax: 0,
    hasWholeDocuments: false,
    hasOddTimes: false,
    isCompact: true,
    runs: [],
  };
}
