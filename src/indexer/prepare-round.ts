/** Runs the pipelines over what was delivered, and makes a round of it. */
import type { Scheduler } from '../base/scheduler.ts';
import { eventIdOf } from '../record/identity.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import type { DocumentBatch } from '../record/record-batch.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Delivery } from '../transport/transport.ts';
import type { Piece, Suspect } from './crash-state.ts';
import type { ProcessedDelivery } from './dead-letters.ts';
import { commitsOf, type HeldRound, type PositionCommit } from './held-rounds.ts';
import type { SeldomCounts } from './seldom-counts.ts';
import type { BatchProcessor, PipelineFailure } from './pipeline/batch-processor.ts';

/** Parsing pauses after this long, so that an API in the same process stays responsive. */
const SLICE_MS_MAX = 5;

export interface Round extends HeldRound {
  /** What the store is given, and what each batch was made of. */
  readonly batches: readonly DocumentBatch[];
  readonly processed: readonly ProcessedDelivery[];
  /** Deliveries whose document is not to be touched again. */
  readonly givenUp: readonly Delivery[];
  readonly ledger: readonly LedgerRecord[];
  readonly suspect: Suspect | undefined;
  /** Bytes of what was delivered. */
  readonly bytes: number;
  readonly startedMs: number;
}

/** A round that is not filled yet: it is told apart from its beginning, so that partitions can be taken from it. */
interface MutableRound extends Round {
  readonly batches: DocumentBatch[];
  readonly processed: ProcessedDelivery[];
  readonly givenUp: Delivery[];
  readonly ledger: LedgerRecord[];
  readonly fileIds: Set<string>;
}

export interface RoundMaker {
  readonly processor: BatchProcessor;
  readonly scheduler: Scheduler;
  readonly telemetry: Telemetry;
  readonly seldom: SeldomCounts;
}

/** Begins the round of a piece; `fillRound` runs the pipelines. */
export function openRound({ deliveries, suspect, isGivenUp }: Piece, scheduler: Scheduler): MutableRound {
  const commits: readonly PositionCommit[] = commitsOf(deliveries);
  const bytes = deliveries.reduce(
    (total, delivery) => total + (delivery.kind === 'log' ? delivery.batch.body.length : 0),
    0,
  );
  return {
    batches: [],
    processed: [],
    givenUp: isGivenUp ? [...deliveries] : [],
    ledger: [],
    fileIds: new Set(),
    commits,
    suspect,
    bytes,
    isStored: false,
    startedMs: scheduler.monotonicMs(),
  };
}

/** Runs the pipelines over the deliveries of a round, with pauses. */
export async function fillRound(
  round: MutableRound,
  deliveries: readonly Delivery[],
  { processor, scheduler, telemetry, seldom }: RoundMaker,
): Promise<void> {
  let sliceStartedMs = scheduler.monotonicMs();
  const failed: FailedBatch[] = [];
  for (const delivery of deliveries) {
    if (delivery.kind === 'ledger') {
      round.ledger.push(...delivery.records);
      continue;
    }
    if (round.givenUp.includes(delivery)) continue;
    const processed = processor.process(delivery.batch);
    round.batches.push(processed.batch);
    round.processed.push({ delivery, droppedIndexes: processed.droppedIndexes });
    round.fileIds.add(delivery.batch.fileId);
    if (processed.failedCount > 0) failed.push({ ...processed, fileId: delivery.batch.fileId });
    if (scheduler.monotonicMs() - sliceStartedMs < SLICE_MS_MAX) continue;
    await scheduler.yield();
    sliceStartedMs = scheduler.monotonicMs();
  }
  tellFailures(failed, { telemetry, seldom });
}

interface FailedBatch {
  readonly fileId: string;
  readonly failedCount: number;
  readonly failures: readonly PipelineFailure[];
}

/** Counts documents on which pipelines threw, and names one document of each pipeline now and then. */
function tellFailures(
  failed: readonly FailedBatch[],
  { telemetry, seldom }: Pick<RoundMaker, 'telemetry' | 'seldom'>,
): void {
  const count = failed.reduce((sum, { failedCount }) => sum + failedCount, 0);
  if (count === 0) return;
  telemetry.count('logboom_indexer_records_total', count, { outcome: 'failed' });
  const text = 'a pipeline failed on documents, which are kept as they were';
  for (const { fileId, failures } of failed) {
    for (const { pipeline, count: failedCount, reason, offset } of failures) {
      const documents = seldom.add(`pipeline_failed ${pipeline ?? ''}`, failedCount);
      if (documents === 0) continue;
      const example = { id: eventIdOf(fileId, offset), reason };
      telemetry.log('warn', 'pipeline_failed', text, { documents, pipeline, ...example });
    }
  }
}
