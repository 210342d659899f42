/**
 * Which bytes of which file are acknowledged. A batch is opened when it leaves and acknowledged when the transport
 * has it; what it commits holds only once every earlier batch of all the files that it names is acknowledged too.
 *
 * Invariants:
 *   - the watermark of a file never goes back, and never passes a record that is not acknowledged (G2);
 *   - a batch that names two files moves both watermarks in one step, or neither: the head of a record that spans a
 *     rotation is never forgotten while its tail is still to be read again (G8);
 *   - `records` and `offsetSum` count exactly the acknowledged records below the watermark. Records ahead of it
 *     (another lane waits for the end of a partial line) are kept aside until the watermark passes them.
 */
import { assert, must } from '../../base/assert.ts';
import type { EncodedBatch, FileCommit } from '../../capture/decoder-types.ts';
import type { DropReason } from '../../record/drop-reason.ts';
import type { FlawCounts } from '../../record/flaw.ts';

const OFFSET_SUM_BITS = 64;
const LOW = 2 ** 32;

/** What is acknowledged of one file. Mutable; owned by `ShipState`. */
export interface FileProgress {
  readonly fileId: string;
  /** Every byte below is in an acknowledged record or in a drop. */
  acknowledgedOffset: number;
  records: number;
  offsetSum: bigint;
  dropped: Partial<Record<DropReason, number>>;
  flaws: FlawCounts;
  /** Whether something changed since `takeChanged`. */
  isChanged: boolean;
  readonly queue: Ticket[];
  /** Offsets of acknowledged records at or above the watermark. */
  ahead: number[];
}

/** A batch on its way. */
export interface Ticket {
  readonly bytes: number;
  readonly files: readonly FileProgress[];
  readonly own: FileProgress;
  readonly commits: readonly FileCommit[];
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  readonly flaws: FlawCounts;
  isAcknowledged: boolean;
  below: { count: number; sum: bigint };
  ahead: readonly number[];
}

export class ShipState {
  readonly #files = new Map<string, FileProgress>();
  readonly #changed = new Set<FileProgress>();
  #inFlightBytes = 0;
  #inFlightCount = 0;

  /** Bytes of batches that are open. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get inFlightCount(): number {
    return this.#inFlightCount;
  }

  /** Returns the progress of a file, beginning at zero when it is new. */
  progressOf(fileId: string): FileProgress {
    let progress = this.#files.get(fileId);
    if (progress === undefined) {
      progress = {
        fileId,
        acknowledgedOffset: 0,
        records: 0,
        offsetSum: 0n,
        dropped: {},
        flaws: {},
        isChanged: false,
        queue: [],
        ahead: [],
      };
      this.#files.set(fileId, progress);
    }
    return progress;
  }

  /** Whether a batch that names this file is on its way. */
  isInFlight(fileId: string): boolean {
    return (this.#files.get(fileId)?.queue.length ?? 0) > 0;
  }

  forget(fileId: string): void {
    const progress = this.#files.get(fileId);
    if (progress === undefined) return;
    this.#files.delete(fileId);
    this.#changed.delete(progress);
  }

  /** Notes that a batch leaves. Batches of a file must be opened in the order in which they were encoded. */
  open(batch: EncodedBatch): Ticket {
    const own = this.progressOf(batch.fileId);
    const files = new Set([own]);
    for (const commit of batch.commits) files.add(this.progressOf(commit.fileId));
    const ticket: Ticket = {
      bytes: batch.body.length,
      files: [...files],
      own,
      commits: batch.commits,
      dropped: batch.dropped,
      flaws: batch.flaws,
      isAcknowledged: false,
      below: { count: 0, sum: 0n },
      ahead: [],
    };
    for (const file of files) file.queue.push(ticket);
    this.#inFlightBytes += ticket.bytes;
    this.#inFlightCount++;
    return ticket;
  }

  /** Notes that the transport has a batch: the offsets are copied as far as they are still needed. */
  acknowledge(ticket: Ticket, batch: EncodedBatch): void {
    assert(!ticket.isAcknowledged, 'a batch is acknowledged once');
    ticket.isAcknowledged = true;
    const safe = batch.commits.find((commit) => commit.fileId === batch.fileId)?.safeOffset ?? 0;
    const split = splitOffsets(batch, Math.max(safe, ticket.own.acknowledgedOffset));
    ticket.below = split.below;
    ticket.ahead = split.ahead;
    this.#inFlightBytes -= ticket.bytes;
    this.#inFlightCount--;
    this.#settle(ticket);
  }

  /** Moves a watermark over bytes that will never be delivered; they are counted under `reason`. */
  skip(fileId: string, safeOffset: number, reason: DropReason): void {
    const progress = this.progressOf(fileId);
    if (safeOffset <= progress.acknowledgedOffset) return;
    progress.dropped = addCounts(progress.dropped, { [reason]: safeOffset - progress.acknowledgedOffset });
    progress.acknowledgedOffset = safeOffset;
    this.#countAhead(progress);
    this.#touch(progress);
  }

  /** Counts bytes that may be lost and may as well have been delivered by an earlier run: the watermark stays. */
  suspect(fileId: string, bytes: number, reason: DropReason): void {
    const progress = this.progressOf(fileId);
    progress.dropped = addCounts(progress.dropped, { [reason]: bytes });
    this.#touch(progress);
  }

  /** Returns the files whose progress changed since the last call. */
  takeChanged(): FileProgress[] {
    const changed = [...this.#changed];
    for (const progress of changed) progress.isChanged = false;
    this.#changed.clear();
    return changed;
  }

  /** Puts files back that `takeChanged` gave out, because they could not be written down. */
  restoreChanged(files: readonly FileProgress[]): void {
    for (const progress of files) this.#touch(progress);
  }

  #settle(first: Ticket): void {
    const candidates: Ticket[] = [first];
    for (let next = candidates.pop(); next !== undefined; next = candidates.pop()) {
      const ticket = next;
      if (!ticket.isAcknowledged || !ticket.files.every((file) => file.queue[0] === ticket)) continue;
      this.#apply(ticket);
      for (const file of ticket.files) {
        file.queue.shift();
        const head = file.queue[0];
        if (head !== undefined) candidates.push(head);
      }
    }
  }

  #apply(ticket: Ticket): void {
    const { own } = ticket;
    own.records += ticket.below.count;
    own.offsetSum = BigInt.asUintN(OFFSET_SUM_BITS, own.offsetSum + ticket.below.sum);
    own.dropped = addCounts(own.dropped, ticket.dropped);
    own.flaws = addCounts(own.flaws, ticket.flaws);
    if (ticket.ahead.length > 0) own.ahead.push(...ticket.ahead);
    for (const { fileId, safeOffset } of ticket.commits) {
      const progress = must(
        ticket.files.find((file) => file.fileId === fileId),
        'file of a commit',
      );
      if (safeOffset > progress.acknowledgedOffset) progress.acknowledgedOffset = safeOffset;
    }
    for (const file of ticket.files) {
      this.#countAhead(file);
      this.#touch(file);
    }
  }

  #countAhead(progress: FileProgress): void {
    if (progress.ahead.length === 0) return;
    const still: number[] = [];
    for (const offset of progress.ahead) {
      if (offset >= progress.acknowledgedOffset) still.push(offset);
      else {
        progress.records++;
        progress.offsetSum = BigInt.asUintN(OFFSET_SUM_BITS, progress.offsetSum + BigInt(offset));
      }
    }
    progress.ahead = still;
  }

  #touch(progress: FileProgress): void {
    progress.isChanged = true;
    this.#changed.add(progress);
  }
}

/** Returns `left` with what `right` has added, key by key. */
export function addCounts<K extends string>(
  left: Readonly<Partial<Record<K, number>>>,
  right: Readonly<Partial<Record<K, number>>>,
): Partial<Record<K, number>> {
  const sum: Partial<Record<K, number>> = { ...left };
  for (const [key, count] of Object.entries(right) as [K, number][]) {
    if (count !== 0) sum[key] = (sum[key] ?? 0) + count;
  }
  return sum;
}

/** Counts the offsets below `watermark`; the sum is kept in two halves, because doubles end at 2^53. */
function splitOffsets(
  batch: EncodedBatch,
  watermark: number,
): { below: { count: number; sum: bigint }; ahead: number[] } {
  const ahead: number[] = [];
  let count = 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < batch.count; index++) {
    const offset = batch.offsets[index] ?? 0;
    if (offset >= watermark) {
      ahead.push(offset);
      continue;
    }
    count++;
    low += offset % LOW;
    high += Math.floor(offset / LOW);
  }
  const sum = BigInt.asUintN(OFFSET_SUM_BITS, BigInt(low) + (BigInt(high) << 32n));
  return { below: { count, sum }, ahead };
}
