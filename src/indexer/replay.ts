/**
 * Sends dead letters through the current pipelines to the store once more. Whatever breaks off on the way, a letter
 * is taken from the queue only after its document is stored; a second replay of it stores nothing twice (G4).
 */
import type { Scheduler } from '../base/scheduler.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import { toDiscarded, type DeadLetter, type ReplayOutcome } from '../record/dead-letter.ts';
import type { DocumentBatch, RecordBatch } from '../record/record-batch.ts';
import { formatTimestamp } from '../record/timestamp.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { DeadLetterQueue } from '../transport/transport.ts';
import { createBatchProcessor, type BatchProcessor } from './pipeline/batch-processor.ts';

export interface ReplayerOptions {
  readonly pipelines: readonly PipelineConfig[];
  readonly store: Store;
  /**
   * Where the store takes what lies below a file's watermark for a duplicate: the file id, made of a letter's id, under
   * which the letter is stored instead, because it always lies there. Its own watermark keeps it from being stored
   * twice; its document says where it belongs. Undefined where documents are known by their ids.
   */
  readonly ownFileId: ((letterId: string) => string) | undefined;
  readonly queue: DeadLetterQueue;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
}

export class Replayer {
  readonly #options: ReplayerOptions;
  readonly #processor: BatchProcessor;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    this.#processor = createBatchProcessor(options.pipelines);
  }

  /** Says what pipelines would do with letters; what the store would say is not known before it is asked. */
  check(letters: readonly DeadLetter[]): ReplayOutcome[] {
    return letters.map((letter) => {
      const { batch } = this.#processor.process(batchOf(letter, letter.fileId));
      return { id: letter.id, result: batch.count === 0 ? 'dropped' : 'stored', error: undefined };
    });
  }

  /** Stores letters and settles them in the queue. Rejects when the store or the queue is away, or when aborted. */
  async replay(letters: readonly DeadLetter[], signal: AbortSignal): Promise<ReplayOutcome[]> {
    const { store, ownFileId, queue, telemetry } = this.#options;
    const batches: DocumentBatch[] = [];
    /** Which letter each batch is of. */
    const owners: DeadLetter[] = [];
    const outcomes = new Map<string, ReplayOutcome>();
    for (const letter of letters) {
      const fileId = ownFileId?.(letter.id) ?? letter.fileId;
      const { batch } = this.#processor.process(batchOf(letter, fileId));
      if (batch.count > 0) {
        batches.push(batch);
        owners.push(letter);
      } else outcomes.set(letter.id, { id: letter.id, result: 'dropped', error: undefined });
    }
    const { rejected } = batches.length > 0 ? await store.append(batches, signal) : { rejected: [] };
    const refused: DeadLetter[] = rejected.flatMap(({ batchIndex, error, index }) => {
      const letter = owners[batchIndex];
      if (letter === undefined) return [];
      outcomes.set(letter.id, { id: letter.id, result: 'refused', error });
      const time = formatTimestamp(this.#options.scheduler.nowNs());
      return [{ ...letter, error, index, time, attempts: letter.attempts + 1 }];
    });
    const stored = owners.filter(({ id }) => !outcomes.has(id)).map(({ id }) => id);
    const dropped = letters.filter(({ id }) => outcomes.get(id)?.result === 'dropped');
    const kept = [...refused, ...dropped.map((letter) => toDiscarded(letter, 'dropped by a pipeline'))];
    if (kept.length > 0) await queue.send(kept);
    if (stored.length > 0) await queue.remove(stored);
    for (const id of stored) outcomes.set(id, { id, result: 'stored', error: undefined });
    countAll(telemetry, [...outcomes.values()]);
    return letters.flatMap(({ id }) => outcomes.get(id) ?? []);
  }
}

function countAll(telemetry: Telemetry, outcomes: readonly ReplayOutcome[]): void {
  for (const result of ['stored', 'dropped', 'refused'] as const) {
    const count = outcomes.filter((outcome) => outcome.result === result).length;
    if (count > 0) telemetry.count('logboom_replay_documents_total', count, { result });
  }
}

function batchOf({ document, offset, lane }: DeadLetter, fileId: string): RecordBatch {
  // A newline between members of an object is a blank as well.
  const body = Buffer.from(`${document.replaceAll('\n', ' ')}\n`);
  return {
    fileId,
    body,
    count: 1,
    ends: Uint32Array.of(body.length),
    offsets: Float64Array.of(offset),
    lanes: Uint8Array.of(lane),
  };
}
