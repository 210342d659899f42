/**
 * The general path behind the parser: pieces to lines, lines to stack traces, and what is whole to the writer. The
 * unfinished records themselves are in `ContainerLanes`, which several files share.
 *
 * A record is appended to the writer before it leaves the lanes (see batch-writer.ts).
 */
import { LOG_FLAG } from '../record/document-layout.ts';
import type { Lane } from '../record/lane.ts';
import { readEpochMs } from '../record/timestamp.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { ContainerLanes } from './container-lanes.ts';
import type { FlushCause } from './decoder-types.ts';
import type { LaneFile } from './lane-file.ts';
import type { Multiline, MultilineOptions, TraceState } from './multiline.ts';
import type { ParsedLine } from './parsed-line.ts';
import { RecordDraft } from './record-draft.ts';
import type { Piece, Segment } from './record-draft.ts';

/** What was odd about the lines so far, for metrics. */
export interface DecodeCounts {
  /** Maximal subparts of invalid UTF-8 that became U+FFFD. */
  invalidSequences: number;
  parseErrors: number;
  /** Lines over the limit, truncated or split. */
  longLines: number;
  /** Lines or pieces given out without their end. */
  partials: number;
  /** Traces that were cut because they had too many lines or bytes. */
  multilineCaps: number;
}

export interface JoinerOptions {
  readonly lineBytesMax: number;
  readonly longLines: 'truncate' | 'split';
  readonly multilineOptions: MultilineOptions;
  readonly multiline: Multiline | undefined;
}

/** Parts of one trace that is over its limits; what follows begins anew. */
const TRACE_PARTS_MAX = 16;

const LANES: readonly Lane[] = [0, 1, 2];

export class RecordJoiner {
  readonly counts: DecodeCounts = {
    invalidSequences: 0,
    parseErrors: 0,
    longLines: 0,
    partials: 0,
    multilineCaps: 0,
  };
  readonly #file: LaneFile;
  readonly #lanes: ContainerLanes;
  readonly #writer: BatchWriter;
  readonly #options: JoinerOptions;
  readonly #keptBytesMax: number;

  constructor(file: LaneFile, writer: BatchWriter, options: JoinerOptions) {
    this.#file = file;
    this.#lanes = file.lanes;
    this.#writer = writer;
    this.#options = options;
    this.#keptBytesMax = options.longLines === 'split' ? Number.POSITIVE_INFINITY : options.lineBytesMax;
  }

  /** Takes one line or piece, whose time is `time` unless it belongs to a record that has begun. */
  accept(line: ParsedLine, piece: Piece, time: Uint8Array): void {
    const { lane } = line;
    if (line.parseError !== undefined) this.#clear(lane, piece);
    let draft = this.#lanes.partial(lane);
    if (draft?.isGuess === true && this.#isLate(draft, time)) {
      this.#completeGuess(draft);
      draft = undefined;
    }
    const isContinued = draft !== undefined;
    if (line.hasTime) this.#endLateTraces(piece, time, isContinued ? lane : undefined);
    draft ??= this.#begin(line, piece, time);
    draft.append(this.#file, piece, this.#keptBytesMax);
    draft.lastTime = time;
    draft.isStamped = line.hasTime;
    if (isContinued && draft.isGuess) draft.flags |= LOG_FLAG.s6Split;
    if (line.isPartial) {
      draft.isGuess = line.isGuess;
      this.#lanes.setPartial(lane, draft);
      this.#splitLong(draft);
      return;
    }
    this.#complete(draft);
    if (isContinued) this.#lanes.setPartial(lane, undefined);
  }

  /** Gives out what waits in the lanes and came last from this file. */
  flush(cause: FlushCause): void {
    for (const lane of LANES) {
      const partial = this.#lanes.partial(lane);
      if (partial?.lastFile === this.#file) this.#flushPartial(partial, cause);
      const trace = this.#lanes.trace(lane);
      if (trace?.draft.lastFile === this.#file) this.#endTrace(lane, []);
    }
  }

  /**
   * Gives out what waits in the lane, because a record that cannot wait behind it comes. Malformed lines have a lane
   * without pieces and traces, which they share with Docker's lines that name no stream only.
   */
  #clear(lane: Lane, piece: Piece): void {
    const draft = this.#lanes.partial(lane);
    if (draft !== undefined) this.#flushPartial(draft, 'gone');
    this.#endTrace(lane, this.#segmentsOf(piece));
  }

  #flushPartial(draft: RecordDraft, cause: FlushCause): void {
    if (draft.isGuess) {
      this.#completeGuess(draft);
    } else if (cause === 'gone') {
      draft.flags |= LOG_FLAG.partial;
      this.counts.partials++;
      this.#complete(draft);
      this.#lanes.setPartial(draft.lane, undefined);
    }
  }

  #begin(line: ParsedLine, piece: Piece, time: Uint8Array): RecordDraft {
    const draft = new RecordDraft(this.#file, line.lane, piece.offset, time);
    draft.parseError = line.parseError;
    if (line.parseError !== undefined) this.counts.parseErrors++;
    return draft;
  }

  #completeGuess(draft: RecordDraft): void {
    this.#complete(draft);
    this.#lanes.setPartial(draft.lane, undefined);
  }

  /** A line is whole: cuts or splits it, and looks whether it belongs to a trace. */
  #complete(draft: RecordDraft): void {
    const { lineBytesMax, longLines } = this.#options;
    if (longLines === 'truncate') {
      draft.finish(lineBytesMax);
      if (draft.originalLength !== undefined) this.counts.longLines++;
    } else {
      draft.finish(Number.POSITIVE_INFINITY);
      while (draft.totalBytes > lineBytesMax) this.#splitOne(draft);
    }
    if (draft.sequence !== undefined || draft.parseError !== undefined) this.#emit(draft);
    else this.#join(draft);
  }

  /** Gives out parts of a line that is longer than allowed, as soon as they are certain. */
  #splitLong(draft: RecordDraft): void {
    if (this.#options.longLines !== 'split') return;
    while (draft.canSplit(this.#options.lineBytesMax)) this.#splitOne(draft);
  }

  #splitOne(draft: RecordDraft): void {
    if (draft.sequence === undefined) {
      this.counts.longLines++;
      this.#endTrace(draft.lane, draft.segments);
    }
    this.#emit(draft.splitOff(this.#options.lineBytesMax));
  }

  #join(draft: RecordDraft): void {
    const { multiline } = this.#options;
    if (multiline === undefined) return this.#emit(draft);
    const { lane } = draft;
    const trace = this.#lanes.trace(lane);
    if (trace !== undefined && !this.#isLate(trace.draft, draft.time)) {
      const next = multiline.next(trace.state, draft.content, 0, draft.length);
      if (next !== undefined && !this.#isFull(trace.draft, draft)) {
        trace.draft.absorb(draft);
        return this.#lanes.setTrace(lane, { draft: trace.draft, state: next });
      }
      if (next !== undefined && this.#beginPart(trace.draft, next, draft)) return;
    }
    this.#endTrace(lane, draft.segments);
    this.#startTrace(multiline, draft);
  }

  #startTrace(multiline: Multiline, draft: RecordDraft): void {
    const state = multiline.start(draft.content, 0, draft.length);
    if (state === undefined) this.#emit(draft);
    else this.#lanes.setTrace(draft.lane, { draft, state });
  }

  #isFull(trace: RecordDraft, line: RecordDraft): boolean {
    const { linesMax, bytesMax } = this.#options.multilineOptions;
    return trace.lineCount >= linesMax || trace.length + 1 + line.length > bytesMax;
  }

  /**
   * Gives out a trace that has reached its limit and goes on with the line as its next part. Returns false when it
   * has too many parts: they hold the safe offset back at the first one, so the line then begins anew.
   */
  #beginPart(trace: RecordDraft, state: TraceState, line: RecordDraft): boolean {
    this.counts.multilineCaps++;
    if (trace.partIndex + 1 >= TRACE_PARTS_MAX) return false;
    this.#endTrace(line.lane, line.segments);
    line.follow(trace);
    line.flags |= LOG_FLAG.multiline;
    this.#lanes.setTrace(line.lane, { draft: line, state });
    return true;
  }

  /**
   * Gives out the traces that a line with this stamp is too late for, whatever its lane: while one stream is written
   * to, the file never gets idle, and a trace of the other stream would wait for ever. Only stamps are compared, so
   * that the same bytes give the same records. A lane whose line goes on is left to `#join`, which counts from the
   * line's first piece.
   */
  #endLateTraces(piece: Piece, time: Uint8Array, besides: Lane | undefined): void {
    if (this.#lanes.oldestTraceMs === Number.POSITIVE_INFINITY) return;
    const lateMs = readEpochMs(time, 0) - this.#options.multilineOptions.flushMs;
    if (this.#lanes.oldestTraceMs >= lateMs) return;
    const ender = this.#segmentsOf(piece);
    for (const lane of LANES) {
      if (lane !== besides && this.#lanes.traceTimeMs(lane) < lateMs) this.#endTrace(lane, ender);
    }
  }

  /** Gives out the lane's trace, of which the line in `ender` showed that it has ended. */
  #endTrace(lane: Lane, ender: readonly Segment[]): void {
    const trace = this.#lanes.trace(lane);
    if (trace === undefined) return;
    trace.draft.endBefore(ender);
    this.#emit(trace.draft);
    this.#lanes.setTrace(lane, undefined);
  }

  #emit(draft: RecordDraft): void {
    this.counts.invalidSequences += this.#writer.append(draft);
    if (draft.isSpanning) this.#lanes.noteCompleted(draft);
  }

  #segmentsOf({ offset, endOffset }: Piece): Segment[] {
    return [{ file: this.#file, offset, end: endOffset }];
  }

  /** Whether more time lies between a record's last line and `time` than the patience allows. */
  #isLate(draft: RecordDraft, time: Uint8Array): boolean {
    const gapMs = readEpochMs(time, 0) - readEpochMs(draft.lastTime, 0);
    return gapMs > this.#options.multilineOptions.flushMs;
  }
}
