/**
 * The unfinished records of one container: of each lane at most one line whose pieces are still coming, and one
 * stack trace that may go on. Shared by the decoders of the container's successive files, so that a line whose
 * first piece ends one file is joined with its last piece in the next (G8). Key it by pod uid, container and restart
 * number; where these are unknown, by directory or file.
 *
 * Safe offsets: a reader that begins again at one must see every record from its first piece or not at all. So a
 * record of several pieces that is complete, but has a piece behind the beginning of another one that is not,
 * holds the safe offset back at its own beginning, in each of its files, until the other one is complete. Where
 * the line that showed the end of a trace stands in a later file, that file is held back at this line as well:
 * otherwise the trace, read again, would go on with what follows it.
 */
import { LANE_COUNT } from '../record/lane.ts';
import type { Lane } from '../record/lane.ts';
import { readEpochMs } from '../record/timestamp.ts';
import type { LaneFile } from './lane-file.ts';
import type { RecordDraft, Segment } from './record-draft.ts';
import type { TraceState } from './multiline.ts';

/** A stack trace that may go on. */
export interface OpenTrace {
  readonly draft: RecordDraft;
  state: TraceState;
}

export class ContainerLanes {
  /** Lanes with an unfinished record, as bits: what the hot path looks at. */
  busy = 0;
  /**
   * Time of the last line of the open trace that has waited longest, in milliseconds since the epoch; infinite when
   * none has stamps. The hot path looks at it too.
   */
  oldestTraceMs = Number.POSITIVE_INFINITY;
  /** Files whose safe offset waits for another file's. */
  #straddled = new Set<LaneFile>();
  /** Records that were given out and that a safe offset must not fall into. */
  #completed: (readonly Segment[])[] = [];
  readonly #partials: (RecordDraft | undefined)[] = new Array<undefined>(LANE_COUNT);
  readonly #traces: (OpenTrace | undefined)[] = new Array<undefined>(LANE_COUNT);
  readonly #traceTimesMs: number[] = new Array<number>(LANE_COUNT).fill(Number.POSITIVE_INFINITY);

  partial(lane: Lane): RecordDraft | undefined {
    return this.#partials[lane];
  }

  setPartial(lane: Lane, draft: RecordDraft | undefined): void {
    this.#partials[lane] = draft;
    this.#updateBusy(lane);
  }

  trace(lane: Lane): OpenTrace | undefined {
    return this.#traces[lane];
  }

  setTrace(lane: Lane, trace: OpenTrace | undefined): void {
    this.#traces[lane] = trace;
    const isStamped = trace?.draft.isStamped === true;
    this.#traceTimesMs[lane] = isStamped ? readEpochMs(trace.draft.lastTime, 0) : Number.POSITIVE_INFINITY;
    this.oldestTraceMs = Math.min(...this.#traceTimesMs);
    this.#updateBusy(lane);
  }

  /** Time of the last line of the lane's open trace, in milliseconds since the epoch; infinite without a stamp. */
  traceTimeMs(lane: Lane): number {
    return this.#traceTimesMs[lane] ?? Number.POSITIVE_INFINITY;
  }

  /** First byte of `file` from which a new decoder would give out what is missing, and no piece of a record. */
  safeOffset(file: LaneFile): number {
    if (this.busy === 0) this.#completed = [];
    if (this.#completed.length === 0) return Math.min(file.position, this.pendingOffset(file));
    const offsets = this.#settle();
    return offsets.get(file) ?? Math.min(file.position, this.pendingOffset(file));
  }

  /** Remembers a record of several pieces that was given out while others are unfinished. */
  noteCompleted(draft: RecordDraft): void {
    // A file that is held back for another record may be read again from before this one, too.
    const held = new Set(this.#completed.flat().map(({ file }) => file));
    const isStraddled = draft.segments.some(
      ({ file, end }) => held.has(file) || this.#pendingOffsetBesides(file, draft) < end,
    );
    if (!isStraddled) return;
    const segments = [...draft.segments, ...draft.enders].map((segment) => ({ ...segment }));
    for (const { file } of segments) this.#straddled.add(file);
    this.#completed.push(segments);
    if (this.#completed.length <= COMPLETED_MAX) return;
    this.#settle();
    if (this.#completed.length > COMPLETED_MAX) this.#completed = [mergeSegments(this.#completed.flat())];
  }

  /** Files whose safe offset had to wait for another file's: they are committed again until it has come. */
  takeStraddled(): readonly LaneFile[] {
    if (this.#straddled.size === 0) return [];
    const files = [...this.#straddled];
    if (this.busy === 0) this.#completed = [];
    else this.#settle();
    this.#straddled = new Set(this.#completed.flat().map(({ file }) => file));
    return files;
  }

  /** Computes the safe offsets of the files that completed records are in, and forgets those that are passed. */
  #settle(): Map<LaneFile, number> {
    const offsets = new Map<LaneFile, number>();
    for (const { file } of this.#completed.flat()) {
      offsets.set(file, Math.min(file.position, this.pendingOffset(file)));
    }
    const isPassed = (segments: readonly Segment[]): boolean =>
      segments.every(({ file, end, isEnder }) => isEnder === true || (offsets.get(file) ?? 0) >= end);
    // Each round lowers an offset to a record's beginning, so there are no more rounds than records.
    for (let isStable = false; !isStable;) {
      isStable = true;
      for (const { file, offset } of this.#completed.filter((segments) => !isPassed(segments)).flat()) {
        if ((offsets.get(file) ?? 0) <= offset) continue;
        offsets.set(file, offset);
        isStable = false;
      }
    }
    this.#completed = this.#completed.filter((segments) => !isPassed(segments));
    return offsets;
  }

  /** First byte of `file` that belongs to an unfinished record, or Infinity. */
  pendingOffset(file: LaneFile): number {
    return this.#pendingOffsetBesides(file, undefined);
  }

  #pendingOffsetBesides(file: LaneFile, besides: RecordDraft | undefined): number {
    let offset = Number.POSITIVE_INFINITY;
    if (this.busy === 0) return offset;
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      const partial = this.#partials[lane];
      const trace = this.#traces[lane]?.draft;
      if (partial !== undefined && partial !== besides) offset = Math.min(offset, partial.offsetIn(file));
      if (trace !== undefined && trace !== besides) offset = Math.min(offset, trace.offsetIn(file));
    }
    return offset;
  }

  /** Content bytes held by records whose last piece came from `file`. */
  heldBytes(file: LaneFile): number {
    let bytes = 0;
    if (this.busy === 0) return bytes;
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      const partial = this.#partials[lane];
      const trace = this.#traces[lane]?.draft;
      if (partial?.lastFile === file) bytes += partial.content.length;
      if (trace?.lastFile === file) bytes += trace.content.length;
    }
    return bytes;
  }

  /** Whether a record that may already be whole, and whose last piece came from `file`, waits for more. */
  hasIdleRecord(file: LaneFile): boolean {
    if (this.busy === 0) return false;
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      const partial = this.#partials[lane];
      if (partial?.isGuess === true && partial.lastFile === file) return true;
      if (this.#traces[lane]?.draft.lastFile === file) return true;
    }
    return false;
  }

  #updateBusy(lane: Lane): void {
    const isBusy = this.#partials[lane] !== undefined || this.#traces[lane] !== undefined;
    this.busy = isBusy ? this.busy | (1 << lane) : this.busy & ~(1 << lane);
  }
}

/** More completed records than this, while one is unfinished, are held back together instead of one by one. */
const COMPLETED_MAX = 64;

function mergeSegments(segments: readonly Segment[]): Segment[] {
  const merged = new Map<LaneFile, Segment>();
  for (const { file, offset, end } of segments) {
    const known = merged.get(file);
    merged.set(file, {
      file,
      offset: Math.min(offset, known?.offset ?? offset),
      end: Math.max(end, known?.end ?? end),
    });
  }
  return [...merged.values()];
}
