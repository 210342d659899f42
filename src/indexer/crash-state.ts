/**
 * Finds the document that ends the process again and again, so that it can be given up (G7): a pure state, whose note
 * survives the process in `crash-notes.ts`.
 *
 * Most ends have nothing to do with documents, so an end costs nothing at first. Only when processes have ended
 * `CAREFUL_CRASHES_MIN` times in a row before they got anywhere, deliveries are worked on one by one, each under a
 * note that names it. When the process ends under such a note, the documents of that delivery are worked on one by
 * one the next time; and a document under whose own note the process ended `DOCUMENT_CRASHES_MAX` times is given up.
 *
 * Being careful lasts for a bounded number of bytes: what the process before had in its hands comes first again.
 */
import type { RecordBatch } from '../record/record-batch.ts';
import type { Delivery, LogDelivery } from '../transport/transport.ts';

/** Unclean ends in a row after which deliveries are looked at one by one. */
const CAREFUL_CRASHES_MIN = 2;

/** Unclean ends under a note that names one document, after which it is given up. */
const DOCUMENT_CRASHES_MAX = 2;

/** What comes first after a start has been worked on by then, unless the store was away. */
const PROVEN_MS = 60_000;

/** What was being worked on: `count` documents of a file from the one at `offset` on. */
export interface Suspect {
  readonly fileId: string;
  readonly offset: number;
  readonly count: number;
  /** How often the process ended while it worked on exactly this. */
  readonly crashes: number;
}

/** What is on disk while the process runs; it is removed when it ends in order. */
export interface CrashNote {
  /** Unclean ends in a row, of processes that did not get anywhere. */
  readonly crashes: number;
  readonly suspect: Suspect | undefined;
}

/** Documents that are worked on together, and what the note says while they are. */
export interface Piece {
  readonly deliveries: readonly Delivery[];
  /** Undefined while nothing is suspected. */
  readonly suspect: Suspect | undefined;
  /** The document is not to be touched again: it goes to the dead letters. */
  readonly isGivenUp: boolean;
}

export class CrashState {
  readonly #crashes: number;
  readonly #suspect: Suspect | undefined;
  /** Bytes for which this process is careful yet. */
  #carefulBytes: number;
  /** Bytes that this process has to store before it counts as one that got somewhere. */
  #unprovenBytes: number;

  /** `before` is the note that the process before left behind; `heldBytesMax` what one can have in its hands. */
  constructor(before: CrashNote | undefined, heldBytesMax: number) {
    this.#crashes = before === undefined ? 0 : before.crashes + 1;
    this.#suspect =
      before?.suspect === undefined ? undefined : { ...before.suspect, crashes: before.suspect.crashes + 1 };
    this.#carefulBytes = this.#crashes >= CAREFUL_CRASHES_MIN ? heldBytesMax : 0;
    this.#unprovenBytes = heldBytesMax;
  }

  get isCareful(): boolean {
    return this.#carefulBytes > 0;
  }

  /** The note to leave on disk while `suspect` is worked on. */
  noteOf(suspect: Suspect | undefined): CrashNote {
    return { crashes: this.#isProven ? 0 : this.#crashes, suspect };
  }

  /**
   * Notes that `bytes` were stored by a process that runs for `uptimeMs`; true when the note on disk is to be written
   * anew, because this process has got further than those before it.
   */
  prove(bytes: number, uptimeMs: number): boolean {
    if (this.#isProven) return false;
    this.#unprovenBytes -= uptimeMs >= PROVEN_MS ? this.#unprovenBytes : bytes;
    return this.#isProven && this.#crashes > 0;
  }

  get #isProven(): boolean {
    return this.#unprovenBytes <= 0;
  }

  /** Returns the deliveries in the pieces in which they are to be worked on, in order. */
  plan(deliveries: readonly Delivery[]): Piece[] {
    if (!this.isCareful) return [{ deliveries, suspect: undefined, isGivenUp: false }];
    return deliveries.flatMap((delivery) => {
      if (delivery.kind === 'ledger')
        return [{ deliveries: [delivery], suspect: undefined, isGivenUp: false }];
      this.#carefulBytes -= delivery.batch.body.length;
      return this.#planLog(delivery);
    });
  }

  #planLog(delivery: LogDelivery): Piece[] {
    const { batch } = delivery;
    const suspect = this.#suspect;
    const at = suspect?.fileId === batch.fileId ? batch.offsets.indexOf(suspect.offset) : -1;
    if (suspect === undefined || at < 0 || at >= batch.count) return [pieceOf(delivery, 0, batch.count)];
    if (suspect.count > 1) {
      return Array.from({ length: batch.count }, (_, index) => pieceOf(delivery, index, index + 1));
    }
    const isGivenUp = suspect.crashes >= DOCUMENT_CRASHES_MAX;
    return [
      ...(at > 0 ? [pieceOf(delivery, 0, at)] : []),
      { ...pieceOf(delivery, at, at + 1, suspect.crashes), isGivenUp },
      ...(at + 1 < batch.count ? [pieceOf(delivery, at + 1, batch.count)] : []),
    ];
  }
}

/** Only the last piece of a delivery moves the position past it. */
function pieceOf(delivery: LogDelivery, from: number, to: number, crashes = 0): Piece {
  const { batch, position, sourceOf } = delivery;
  const isLast = to >= batch.count;
  const part: LogDelivery = {
    ...delivery,
    batch: sliceBatch(batch, from, to),
    nextPosition: isLast ? delivery.nextPosition : position,
    ...(sourceOf === undefined ? {} : { sourceOf: (index) => sourceOf(from + index) }),
  };
  const offset = batch.offsets[from] ?? 0;
  const suspect = { fileId: batch.fileId, offset, count: to - from, crashes };
  return { deliveries: [part], suspect, isGivenUp: false };
}

/** Returns the documents `[from, to)` of a batch; the body is shared. */
export function sliceBatch(batch: RecordBatch, from: number, to: number): RecordBatch {
  const start = from === 0 ? 0 : (batch.ends[from - 1] ?? 0);
  const end = batch.ends[to - 1] ?? start;
  return {
    fileId: batch.fileId,
    body: batch.body.subarray(start, end),
    count: to - from,
    ends: batch.ends.slice(from, to).map((documentEnd) => documentEnd - start),
    offsets: batch.offsets.slice(from, to),
    lanes: batch.lanes.slice(from, to),
  };
}
