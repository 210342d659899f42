/** Pipelines, compiled once: the configured ones in their order, and the built-in one behind them. */
import type { PipelineConfig, PipelineStep } from '../../config/pipeline-config.ts';
import { compileStep } from './compile-step.ts';
import type { JsonObject } from './document.ts';
import { applyJsonLine, applyTextLevel, parseJsonLine } from './json-line.ts';
import { compileMatch, type DocumentOrigin, type MatchCondition } from './pipeline-selection.ts';
import type { StepFunction, StepOutcome } from './step.ts';

export const DEFAULT_PIPELINE_NAME = 'default';

export interface CompiledPipeline {
  readonly name: string;
  /** The built-in pipeline has a path of its own for documents in the agents' layout. */
  readonly isDefault: boolean;
  readonly conditions: readonly MatchCondition[];
  readonly steps: readonly CompiledStep[];
}

export interface CompiledStep {
  readonly config: PipelineStep | undefined;
  /** The step in words, for explanations. */
  readonly title: string;
  readonly run: StepFunction;
}

/** Lines that are one JSON object are parsed, and levels of others are recognised in their text. */
const DEFAULT_PIPELINE: CompiledPipeline = {
  name: DEFAULT_PIPELINE_NAME,
  isDefault: true,
  conditions: [],
  steps: [{ config: undefined, title: 'parse JSON, recognise the level', run: runDefault }],
};

/** Compiles pipelines; throws a `ConfigError` that names the step that is wrong. The last one fits everything. */
export function compilePipelines(configs: readonly PipelineConfig[]): CompiledPipeline[] {
  const compiled = configs.map((config, index) => compilePipeline(config, `indexer.pipelines[${index}]`));
  return [...compiled, DEFAULT_PIPELINE];
}

/** Compiles one pipeline; `option` is where it stands in the configuration. */
export function compilePipeline(config: PipelineConfig, option: string): CompiledPipeline {
  const steps = config.steps.map((step, index) => ({
    config: step,
    title: titleOf(step),
    run: compileStep(step, `${option}.steps[${index}]`),
  }));
  return { name: config.name, isDefault: false, conditions: compileMatch(config.match), steps };
}

/** Returns the first pipeline whose conditions all fit. */
export function selectPipeline(
  pipelines: readonly CompiledPipeline[],
  origin: DocumentOrigin,
): CompiledPipeline {
  return pipelines.find(({ conditions }) => conditions.every(({ fits }) => fits(origin))) ?? DEFAULT_PIPELINE;
}

/** Runs the steps of a pipeline on a document, until one drops it. */
export function runPipeline(pipeline: CompiledPipeline, document: JsonObject): StepOutcome {
  for (const { run } of pipeline.steps) {
    if (run(document) === 'drop') return 'drop';
  }
  return 'keep';
}

function runDefault(document: JsonObject): StepOutcome {
  const { message } = document;
  if (typeof message !== 'string') return 'keep';
  const line = parseJsonLine(message);
  if (line !== undefined) applyJsonLine(document, message, line, false);
  applyTextLevel(document, document['message']);
  return 'keep';
}

function titleOf(step: PipelineStep): string {
  const { kind, if: condition, ...options } = step;
  const words = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const suffix = condition === undefined ? '' : ` if ${condition}`;
  return `${kind}${words.length > 0 ? ` (${words.join(', ')})` : ''}${suffix}`;
}
