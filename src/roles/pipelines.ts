import type { PipelineTestOutcome } from '../cli/context.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import { compilePipelines } from '../indexer/pipeline/compile-pipelines.ts';
import { runPipelineTests } from '../indexer/pipeline-tests.ts';

/** Throws what is wrong with pipelines beyond their shape: expressions, formats, conditions. */
export function checkPipelines(pipelines: readonly PipelineConfig[]): void {
  compilePipelines(pipelines);
}

/** Runs the tests that stand beside the pipelines. */
export function testPipelines(pipelines: readonly PipelineConfig[]): readonly PipelineTestOutcome[] {
  return runPipelineTests(pipelines);
}
