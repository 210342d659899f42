/**
 * Runs pipelines on whole batches: documents in the agents' layout that the built-in pipeline takes are spliced as
 * bytes, all others go through the general path. A batch in which nothing changes keeps its bytes.
 */
import { FreeBuffers } from '../../base/free-buffers.ts';
import type { PipelineConfig } from '../../config/pipeline-config.ts';
import { isGapFileId } from '../../record/gap-document.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import type { Lane } from '../../record/lane.ts';
import type { DocumentBatch, DroppedRecord, RecordBatch } from '../../record/record-batch.ts';
import { compilePipelines, type CompiledPipeline } from './compile-pipelines.ts';
import { DocumentFrames, type FileTemplate, type Frame } from './document-frame.ts';
import { keepDocument, processDocument, type DocumentFailure } from './general-path.ts';
import { LineSplicer } from './line-splicer.ts';
import { SpliceWriter } from './splice-writer.ts';

export interface ProcessedBatch {
  readonly batch: DocumentBatch;
  /** Documents on which the pipeline threw: they are in the batch as they were. */
  readonly failedCount: number;
  /** The same by pipeline. */
  readonly failures: readonly PipelineFailure[];
  /** Which documents of the batch that was given are not in the result, ascending. */
  readonly droppedIndexes: readonly number[];
}

/** Documents on which a pipeline threw. */
export interface PipelineFailure {
  /** Name of the pipeline; undefined where the document was none, so that no pipeline got it. */
  readonly pipeline: string | undefined;
  readonly count: number;
  /** Of the first of them: why, and where its record stands in its file. */
  readonly reason: string;
  readonly offset: number;
}

export interface BatchProcessor {
  /** Runs the pipelines; the result lends the bytes of `batch` where nothing was changed. */
  process(batch: RecordBatch): ProcessedBatch;
  /** Takes back what `process` made of `batch`, which nobody reads any more: its buffer is used again. */
  recycle(processed: DocumentBatch, batch: RecordBatch): void;
}

export interface BatchProcessorOptions {
  /** False holds every document to the general path, for the tests that compare the two. */
  readonly hasFastPath?: boolean;
}

/** Room for what pipelines add, so that most batches are written without growing. */
const GROWTH_BYTES = 4096;

/** What is kept for later batches: about as much as the rounds that an indexer appends at once. */
const FREE_BYTES_MAX = 32 * 2 ** 20;

/** Compiles pipelines and returns what runs them; throws a `ConfigError` for a wrong one. */
export function createBatchProcessor(
  configs: readonly PipelineConfig[],
  { hasFastPath = true }: BatchProcessorOptions = {},
): BatchProcessor {
  return new Processor(compilePipelines(configs), hasFastPath);
}

/** What a batch becomes, while its documents are taken one by one. */
interface Result {
  readonly source: Buffer;
  readonly writer: SpliceWriter;
  readonly types: FieldTypes;
  readonly dropped: DroppedRecord[];
  readonly droppedIndexes: number[];
  readonly ends: Uint32Array;
  readonly offsets: Float64Array;
  readonly lanes: Uint8Array;
  count: number;
  failedCount: number;
  readonly failures: (PipelineFailure & { count: number })[];
}

class Processor implements BatchProcessor {
  readonly #pipelines: readonly CompiledPipeline[];
  readonly #frames: DocumentFrames;
  readonly #splicer = new LineSplicer();
  readonly #buffers = new FreeBuffers(FREE_BYTES_MAX);
  readonly #hasFastPath: boolean;

  constructor(pipelines: readonly CompiledPipeline[], hasFastPath: boolean) {
    this.#pipelines = pipelines;
    this.#frames = new DocumentFrames(pipelines);
    this.#hasFastPath = hasFastPath;
  }

  process(batch: RecordBatch): ProcessedBatch {
    const result = resultOf(batch, this.#buffers);
    const templates = this.#hasFastPath ? this.#frames.templatesOf(batch.fileId) : undefined;
    let start = 0;
    for (let index = 0; index < batch.count; index++) {
      const end = batch.ends[index] ?? 0;
      const frame = templates && this.#frameOf(templates, batch, result.source, index, start);
      const isSpliced =
        frame !== undefined && this.#splicer.splice(result.writer, result.source, start, frame);
      const isKept = isSpliced || this.#processWhole(result, batch, index, start);
      if (isKept) {
        const { count } = result;
        result.ends[count] = result.writer.lengthAt(end);
        result.offsets[count] = batch.offsets[index] ?? 0;
        result.lanes[count] = batch.lanes[index] ?? 0;
        result.count = count + 1;
      } else result.droppedIndexes.push(index);
      start = end;
    }
    this.#splicer.collectTypes(result.types);
    return finish(batch, result);
  }

  recycle({ body }: DocumentBatch, { body: given }: RecordBatch): void {
    // Where nothing was changed, the bytes are those that were given.
    if (body.buffer !== given.buffer) this.#buffers.give(body);
  }

  /** Returns the parts of a document that the fast path can take, or undefined. */
  #frameOf(
    templates: FileTemplate[],
    batch: RecordBatch,
    source: Buffer,
    index: number,
    start: number,
  ): Frame | undefined {
    const end = batch.ends[index] ?? 0;
    const lane = batch.lanes[index] ?? 0;
    for (let attempt = 0; attempt < templates.length; attempt++) {
      const template = templates[attempt];
      if (template === undefined) break;
      const frame = this.#frames.frame(template, source, start, end, lane);
      if (frame === undefined) continue;
      return template.pipeline.isDefault ? frame : undefined;
    }
    if (!this.#frames.learn(templates, source, start, end)) return undefined;
    const [learned] = templates;
    if (learned === undefined || !learned.pipeline.isDefault) return undefined;
    return this.#frames.frame(learned, source, start, end, lane);
  }

  /** Takes the general path; false when the document was dropped. */
  #processWhole(result: Result, batch: RecordBatch, index: number, start: number): boolean {
    const end = batch.ends[index] ?? 0;
    const { source, writer } = result;
    const bytes = source.subarray(start, end - 1);
    const processed = isGapFileId(batch.fileId)
      ? keepDocument(bytes, result.types)
      : processDocument(bytes, this.#pipelines, result.types);
    writer.replaceWithText(source, start, end, processed.outcome === 'drop' ? '' : `${processed.text}\n`);
    if (processed.outcome === 'failed') noteFailure(result, processed.failure, batch.offsets[index] ?? 0);
    if (processed.outcome !== 'drop') return true;
    const lane = (batch.lanes[index] ?? 0) as Lane;
    const timestamp = timestampAtBeginning(bytes);
    const place = { reason: 'pipeline', lane, offset: batch.offsets[index] ?? 0 } as const;
    result.dropped.push(timestamp === undefined ? place : { ...place, timestamp });
    return false;
  }
}

const TIMESTAMP_HEAD = '{"@timestamp":"';

/** RFC 3339 with nine digits and a zone. */
const TIMESTAMP_LENGTH_MAX = 35;

/** The time of a document as agents lay it out; undefined when it is elsewhere. */
function timestampAtBeginning(document: Buffer): string | undefined {
  const head = document.toString('latin1', 0, TIMESTAMP_HEAD.length + TIMESTAMP_LENGTH_MAX + 1);
  const end = head.startsWith(TIMESTAMP_HEAD) ? head.indexOf('"', TIMESTAMP_HEAD.length) : -1;
  return end < 0 ? undefined : head.slice(TIMESTAMP_HEAD.length, end);
}

function resultOf(batch: RecordBatch, buffers: FreeBuffers): Result {
  const { body, count } = batch;
  const source = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return {
    source,
    writer: new SpliceWriter(source.length + (source.length >> 3) + GROWTH_BYTES, buffers),
    types: new Map(),
    dropped: [],
    droppedIndexes: [],
    ends: new Uint32Array(count),
    offsets: new Float64Array(count),
    lanes: new Uint8Array(count),
    count: 0,
    failedCount: 0,
    failures: [],
  };
}

function noteFailure(result: Result, failure: DocumentFailure | undefined, offset: number): void {
  result.failedCount++;
  const { pipeline, reason = '' } = failure ?? {};
  const known = result.failures.find((other) => other.pipeline === pipeline);
  if (known === undefined) result.failures.push({ pipeline, count: 1, reason, offset });
  else known.count++;
}

function finish(batch: RecordBatch, result: Result): ProcessedBatch {
  const { source, writer, types, dropped, ends, offsets, lanes, count, droppedIndexes } = result;
  const { failedCount, failures } = result;
  const { fileId } = batch;
  if (!writer.hasChanges)
    return { batch: { ...batch, fieldTypes: types, dropped }, failedCount, failures, droppedIndexes };
  const body = writer.finish(source);
  return {
    batch: { fileId, body, count, ends, offsets, lanes, fieldTypes: types, dropped },
    failedCount,
    failures,
    droppedIndexes,
  };
}
