/**
 * The unfinished records of one container: of each lane at most one line whose pieces are still coming, and one
 * stack trace that may go on. Shared by the decoders of the container's successive files, so that a line whose
 * first piece ends one file is joined with its last piece in the next (G8). Key it by pod uid, container and restart
 * number; where these are unknown, by directory or file.
 */
import { LANE_COUNT } from '../record/lane.ts';
import type { Lane } from '../record/lane.ts';
import type { LaneFile } from './lane-file.ts';
import type { RecordDraft } from './record-draft.ts';
import type { TraceState } from './multiline.ts';

/** A stack trace that may go on. */
export interface OpenTrace {
  readonly draft: RecordDraft;
  state: TraceState;
}

export class ContainerLanes {
  /** Lanes with an unfinished record, as bits: what the hot path looks at. */
  busy = 0;
  readonly #partials: (RecordDraft | undefined)[] = new Array<undefined>(LANE_COUNT);
  readonly #traces: (OpenTrace | undefined)[] = new Array<undefined>(LANE_COUNT);

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
    this.#updateBusy(lane);
  }

  /** First byte of `file` that belongs to an unfinished record, or Infinity. */
  pendingOffset(file: LaneFile): number {
    let offset = Number.POSITIVE_INFINITY;
    if (this.busy === 0) return offset;
    for (let lane = 0; lane < LANE_COUNT; lane++) {
      offset = Math.min(offset, this.#partials[lane]?.offsetIn(file) ?? offset);
      offset = Math.min(offset, this.#traces[lane]?.draft.offsetIn(file) ?? offset);
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
