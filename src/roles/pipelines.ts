import type { PipelineConfig } from '../config/pipeline-config.ts';
import { compilePipelines } from '../indexer/pipeline/compile-pipelines.ts';

/** Throws what is wrong with pipelines beyond their shape: expressions, formats, conditions. */
export function checkPipelines(pipelines: readonly PipelineConfig[]): void {
  compilePipelines(pipelines);
}
