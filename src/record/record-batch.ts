import type { DropReason } from './drop-reason.ts';
import type { FieldTypes } from './field-types.ts';
import type { Lane } from './lane.ts';

/**
 * A run of records of one file: the unit that is encoded, sent, acknowledged and counted. Records of one lane stand
 * in the order of their offsets.
 *
 * The arrays are parallel; only their first `count` entries count. They and `body` belong to the receiver until it
 * settles the call that handed them over; the sender may reuse them afterwards.
 */
export interface RecordBatch {
  /** File id: the transport's key, because it is what order is kept by. */
  readonly fileId: string;
  /** Documents in ECS JSON, UTF-8, each ended by one `\n`; exactly the bytes of `count` documents. */
  readonly body: Uint8Array;
  readonly count: number;
  /** Where each document ends in `body`, its `\n` included. */
  readonly ends: Uint32Array;
  /** `log.offset` of each document: where its first byte stood in the file. */
  readonly offsets: Float64Array;
  /** The `Lane` of each document. */
  readonly lanes: Uint8Array;
}

/** A record that a pipeline dropped on purpose: it is accounted for instead of stored. */
export interface DroppedRecord {
  readonly reason: DropReason;
  readonly lane: Lane;
  readonly offset: number;
  /** `@timestamp` as the document came, where it stands at its beginning. */
  readonly timestamp?: string;
}

/** What the indexer hands to a store: the batch after its pipelines. */
export interface DocumentBatch extends RecordBatch {
  /** Every field under `fields`, and every field that a line in ECS shape brought, with the types seen. */
  readonly fieldTypes: FieldTypes;
  readonly dropped: readonly DroppedRecord[];
}
