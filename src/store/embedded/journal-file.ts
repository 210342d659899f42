/** One journal of the series, as the sum of its commits. */
import type { FieldTypes } from '../../record/field-types.ts';
import { mergeFieldTypes } from '../../record/field-types.ts';
import type { Commit, LaneOffsets } from './commit-line.ts';
import { decodeTypes } from './commit-line.ts';
import type { JournalRun, JournalSource, Resource } from './segment-engine.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** Runs that are remembered of a journal of 8 MiB: with more, there is little to be gained by their order. */
const RUNS_MAX = 30_000;

export class JournalFile {
  readonly sequence: number;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  /** Committed bytes. */
  bytes = 0;
  rows = 0;
  commitSequence = 0;
  readonly types: FieldTypes = new Map();
  readonly resources = new Map<number, Resource>();
  readonly hours = new Set<string>();
  readonly namespaces = new Map<string, number>();
  /** Of the files that have records here, as of the last commit. */
  readonly watermarks = new Map<string, LaneOffsets>();
  readonly dropped = new Map<string, number[]>();
  #minSeconds = Number.MAX_SAFE_INTEGER;
  #maxSeconds = Number.MIN_SAFE_INTEGER;
  #documentBytesMax = 0;
  #hasWholeDocuments = false;
  #hasOddTimes = false;
  #isCompact = true;
  #runs: JournalRun[] | undefined = [];

  constructor(sequence: number, path: string, startedMs: number) {
    this.sequence = sequence;
    this.path = path;
    this.startedMs = startedMs;
  }

  /** Adds a commit of so many bytes, whose `runs` are counted from its beginning; without them none are known. */
  apply(commit: Commit, bytes: number, runs?: readonly JournalRun[]): void {
    this.#addRuns(runs);
    this.bytes += bytes;
    this.rows += commit.rows;
    this.commitSequence = commit.sequence;
    mergeFieldTypes(this.types, decodeTypes(commit.types));
    for (const [id, resource] of Object.entries(commit.resources)) this.resources.set(Number(id), resource);
    for (const hour of commit.hours) this.hours.add(hour);
    for (const [namespace, count] of Object.entries(commit.namespaces)) {
      this.namespaces.set(namespace, (this.namespaces.get(namespace) ?? 0) + count);
    }
    for (const [fileId, next] of Object.entries(commit.watermarks)) this.watermarks.set(fileId, next);
    for (const [fileId, offsets] of Object.entries(commit.dropped)) {
      this.dropped.set(fileId, [...(this.dropped.get(fileId) ?? []), ...offsets]);
    }
    if (commit.seconds !== undefined) {
      this.#minSeconds = Math.min(this.#minSeconds, commit.seconds[0]);
      this.#maxSeconds = Math.max(this.#maxSeconds, commit.seconds[1]);
    }
    this.#documentBytesMax = Math.max(this.#documentBytesMax, commit.documentBytesMax);
    this.#hasWholeDocuments ||= commit.hasWholeDocuments;
    this.#hasOddTimes ||= commit.hasOddTimes;
    this.#isCompact &&= commit.isCompact;
  }

  #addRuns(runs: readonly JournalRun[] | undefined): void {
    const known = this.#runs;
    if (known === undefined || runs === undefined || known.length + runs.length > RUNS_MAX) {
      this.#runs = undefined;
      return;
    }
    for (const run of runs) known.push({ ...run, start: this.bytes + run.start });
  }

  /** First and last nanosecond that a record can have. */
  get minNs(): bigint {
    return BigInt(this.#minSeconds) * NS_PER_SECOND;
  }

  get maxNs(): bigint {
    return BigInt(this.#maxSeconds) * NS_PER_SECOND + NS_PER_SECOND - 1n;
  }

  /** What an engine needs to read the file as it is now. */
  source(): JournalSource {
    return {
      kind: 'journal',
      path: this.path,
      bytes: this.bytes,
      types: this.types,
      resources: this.resources,
      hasWholeDocuments: this.#hasWholeDocuments,
      hasOddTimes: this.#hasOddTimes,
      isCompact: this.#isCompact,
      documentBytesMax: this.#documentBytesMax,
      runs: this.#runs,
    };
  }
}

/** `journal-000000001.ndjson` */
export function journalName(sequence: number): string {
  return `journal-${String(sequence).padStart(9, '0')}.ndjson`;
}

/** Returns the sequence of a journal's name, or undefined for other files. */
export function journalSequenceOf(name: string): number | undefined {
  const match = /^journal-(\d{9,})\.ndjson$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
