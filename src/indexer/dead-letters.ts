/** Turns documents that are given up into dead letters, as they came from the transport. */
import { eventIdOf } from '../record/identity.ts';
import type { DeadLetter, DeadLetterError } from '../record/dead-letter.ts';
import type { RejectedDocument } from '../store/store.ts';
import type { LogDelivery } from '../transport/transport.ts';

export interface GivenUp {
  readonly error: DeadLetterError;
  readonly index: string | undefined;
  /** RFC 3339 in UTC. */
  readonly time: string;
}

/** What became of a delivery: where its documents stand in the batch that the store was given. */
export interface ProcessedDelivery {
  readonly delivery: LogDelivery;
  /** Which documents of the delivery the pipelines dropped, ascending. */
  readonly droppedIndexes: readonly number[];
}

/** Returns the letter of the document at `index` of a delivery. */
export function letterOf(
  delivery: LogDelivery,
  index: number,
  { error, index: name, time }: GivenUp,
): DeadLetter {
  const { batch, sourceOf, source, position } = delivery;
  const start = index === 0 ? 0 : (batch.ends[index - 1] ?? 0);
  const end = batch.ends[index] ?? start;
  const offset = batch.offsets[index] ?? 0;
  return {
    id: eventIdOf(batch.fileId, offset),
    fileId: batch.fileId,
    offset,
    lane: batch.lanes[index] ?? 0,
    time,
    // Without the newline that ends it.
    document: new TextDecoder().decode(batch.body.subarray(start, end - 1)),
    error,
    index: name,
    // Of a batch that holds several records, at least where it began.
    source: sourceOf?.(index) ?? (source === undefined ? undefined : { ...source, offset: String(position) }),
    attempts: 1,
  };
}

/** Returns the letters of what the store refused of deliveries, whose batches it was given in the same order. */
export function lettersOf(
  processed: readonly ProcessedDelivery[],
  rejected: readonly RejectedDocument[],
  time: string,
): DeadLetter[] {
  return rejected.flatMap(({ batchIndex, documentIndex, error, index }) => {
    const found = processed[batchIndex];
    if (found === undefined) return [];
    const original = originalIndex(documentIndex, found.droppedIndexes);
    return [letterOf(found.delivery, original, { error, index, time })];
  });
}

/** Returns where a document stood before others in front of it were dropped. */
export function originalIndex(index: number, droppedIndexes: readonly number[]): number {
  let original = index;
  for (const dropped of droppedIndexes) {
    if (dropped > original) break;
    original++;
  }
  return original;
}
