/** Encodes planned batches: documents are copied into them, and those that are too large are cut or given up. */
import type { KafkaConfig } from '../../../config/config.ts';
import type { Telemetry } from '../../../telemetry/telemetry.ts';
import { truncateDocument } from './oversized.ts';
import type { PlannedBatch, SendItem } from './producer-state.ts';
import { RECORD_OVERHEAD_BYTES, RecordEncoder } from '../records/record-encoder.ts';
import type { TopicKind } from '../client/topic-directory.ts';

export interface BatchEncoderOptions {
  readonly config: KafkaConfig;
  readonly telemetry: Telemetry;
  /**
   * Takes a document that is larger than its topic takes, when they are not to be truncated; resolves once it is kept
   * elsewhere.
   */
  readonly giveUp: (document: Uint8Array, bytesMax: number) => Promise<void>;
  /** Makes a record of a topic that is not one of logs fit into a topic. */
  readonly shrink: (kind: TopicKind, value: Uint8Array, bytesMax: number) => Uint8Array;
}

/** Where a batch goes. */
export interface BatchTarget {
  readonly kind: TopicKind;
  /** Largest batch that the topic takes. */
  readonly limitBytes: number;
  readonly timestampMs: number;
}

export interface EncodedBatch {
  /** Undefined when every record was given up. */
  readonly records: Buffer | undefined;
  readonly count: number;
  /** Resolves once what was given up is kept elsewhere. */
  readonly given: Promise<void>;
}

/** Incompressible records grow a little, and a batch has a header. */
const BATCH_MARGIN_BYTES = 1024;

export class BatchEncoder {
  readonly #options: BatchEncoderOptions;
  readonly #encoder = new RecordEncoder();

  constructor(options: BatchEncoderOptions) {
    this.#options = options;
  }

  /** Returns the batch in a buffer of its own: the items' bytes are not needed any more. */
  encode({ ranges, identity, sequence }: PlannedBatch, target: BatchTarget): EncodedBatch {
    const given: Promise<void>[] = [];
    for (const { item, from, to } of ranges) {
      const body = item.body === undefined ? undefined : bufferOf(item.body);
      for (let index = from; index < to; index++) {
        const waiting = this.#add(item, body, index, target);
        if (waiting !== undefined) given.push(waiting);
      }
    }
    const { count } = this.#encoder;
    const { compression } = this.#options.config;
    const { timestampMs } = target;
    const batchIdentity = { ...identity, sequence };
    const records =
      count === 0 ? undefined : this.#encoder.finish({ identity: batchIdentity, timestampMs, compression });
    return { records, count, given: Promise.all(given).then(() => undefined) };
  }

  #add(
    { key, ends }: SendItem,
    body: Buffer | undefined,
    index: number,
    target: BatchTarget,
  ): Promise<void> | undefined {
    if (body === undefined) {
      this.#encoder.add(key, undefined, 0, 0);
      return undefined;
    }
    const start = index === 0 ? 0 : (ends[index - 1] ?? 0);
    const end = (ends[index] ?? start + 1) - 1;
    const bytesMax = target.limitBytes - BATCH_MARGIN_BYTES - RECORD_OVERHEAD_BYTES - key.length;
    if (end - start > bytesMax)
      return this.#addOversized(key, body.subarray(start, end), target.kind, bytesMax);
    this.#encoder.add(key, body, start, end);
    return undefined;
  }

  #addOversized(
    key: Buffer,
    value: Uint8Array,
    kind: TopicKind,
    bytesMax: number,
  ): Promise<void> | undefined {
    const { config, telemetry, giveUp, shrink } = this.#options;
    const isGivenUp = kind === 'log' && config.oversized === 'dead_letter';
    const outcome = isGivenUp ? 'dead_letter' : 'truncated';
    telemetry.count('logboom_transport_oversized_records_total', 1, { outcome });
    if (isGivenUp) return giveUp(Uint8Array.from(value), bytesMax);
    const cut = kind === 'log' ? truncateDocument(value, bytesMax) : shrink(kind, value, bytesMax);
    this.#encoder.add(key, bufferOf(cut), 0, cut.length);
    return undefined;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
