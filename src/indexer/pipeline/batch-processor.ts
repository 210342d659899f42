/** Runs pipelines on whole batches. */
import type { PipelineConfig } from '../../config/pipeline-config.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import type { Lane } from '../../record/lane.ts';
import type { DocumentBatch, DroppedRecord, RecordBatch } from '../../record/record-batch.ts';
import { ByteWriter } from './byte-writer.ts';
import { compilePipelines, type CompiledPipeline } from './compile-pipelines.ts';
import { processDocument } from './general-path.ts';

export interface ProcessedBatch {
  readonly batch: DocumentBatch;
  /** Documents on which the pipeline threw: they are in the batch as they were. */
  readonly failedCount: number;
}

export interface BatchProcessor {
  /** Runs the pipelines; the result lends the bytes of `batch` where nothing was changed. */
  process(batch: RecordBatch): ProcessedBatch;
}

/** Room for what pipelines add, so that most batches are written without growing. */
const GROWTH_BYTES = 4096;

/** Compiles pipelines and returns what runs them; throws a `ConfigError` for a wrong one. */
export function createBatchProcessor(configs: readonly PipelineConfig[]): BatchProcessor {
  const pipelines = compilePipelines(configs);
  return { process: (batch) => processBatch(batch, pipelines) };
}

function processBatch(batch: RecordBatch, pipelines: readonly CompiledPipeline[]): ProcessedBatch {
  const body = Buffer.from(batch.body.buffer, batch.body.byteOffset, batch.body.byteLength);
  const writer = new ByteWriter(body.length + (body.length >> 2) + GROWTH_BYTES);
  const types: FieldTypes = new Map();
  const dropped: DroppedRecord[] = [];
  const ends = new Uint32Array(batch.count);
  const offsets = new Float64Array(batch.count);
  const lanes = new Uint8Array(batch.count);
  let count = 0;
  let failedCount = 0;
  let start = 0;
  for (let index = 0; index < batch.count; index++) {
    const end = batch.ends[index] ?? 0;
    const { outcome, text } = processDocument(body.toString('utf8', start, end - 1), pipelines, types);
    const offset = batch.offsets[index] ?? 0;
    const lane = batch.lanes[index] ?? 0;
    start = end;
    if (outcome === 'drop') {
      dropped.push({ reason: 'pipeline', lane: lane as Lane, offset });
      continue;
    }
    if (outcome === 'failed') failedCount++;
    writer.writeText(text);
    writer.writeByte(0x0a);
    ends[count] = writer.length;
    offsets[count] = offset;
    lanes[count] = lane;
    count++;
  }
  const result = {
    fileId: batch.fileId,
    body: writer.finish(),
    count,
    ends,
    offsets,
    lanes,
    fieldTypes: types,
    dropped,
  };
  return { batch: result, failedCount };
}
