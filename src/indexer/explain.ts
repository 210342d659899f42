/** Tells what would become of a line and why, for `logboom explain`. */
import { messageOf } from '../base/errors.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import { indexNameOf } from '../record/index-name.ts';
import { compilePipelines, selectPipeline, type CompiledPipeline } from './pipeline/compile-pipelines.ts';
import { isObject, type JsonObject } from './pipeline/document.ts';
import { inLayoutOrder } from './pipeline/general-path.ts';
import { originOf, type DocumentOrigin } from './pipeline/pipeline-selection.ts';
import { routedIndexOf } from './pipeline/steps-fields.ts';
import { documentOfLine } from './pipeline-tests.ts';

export interface SelectionExplanation {
  /** Name of the pipeline that is taken. */
  readonly pipeline: string;
  /** The pipelines that were looked at, in order; the last one is taken. */
  readonly considered: readonly ConsideredPipeline[];
}

export interface ConsideredPipeline {
  readonly name: string;
  readonly isTaken: boolean;
  readonly conditions: readonly {
    readonly name: string;
    readonly pattern: string;
    readonly value: string | undefined;
    readonly fits: boolean;
  }[];
}

export interface StepExplanation {
  readonly step: string;
  readonly outcome: 'changed' | 'unchanged' | 'dropped' | 'failed';
  /** What the step changed: `+ path: value`, `- path: value`; or why it failed. */
  readonly changes: readonly string[];
}

export interface LineExplanation extends SelectionExplanation {
  readonly steps: readonly StepExplanation[];
  /** The document as it is stored; undefined when it is dropped. */
  readonly document: JsonObject | undefined;
  /** The index or partition; undefined when it is dropped. */
  readonly index: string | undefined;
}

export interface ExplainLineOptions {
  readonly pipelines: readonly PipelineConfig[];
  readonly line: string;
  /** Members that the agent would give the document, by dotted path: `kubernetes.namespace`, `input.type`. */
  readonly members: Readonly<Record<string, string>>;
  /** Time of the line, as documents carry it. */
  readonly time: string;
}

/** Longest value that is shown, in characters. */
const SHOWN_LENGTH_MAX = 200;

/** Tells which pipeline takes documents of an origin, and why not those before it. */
export function explainSelection(
  pipelines: readonly PipelineConfig[],
  origin: DocumentOrigin,
): SelectionExplanation {
  return explainOrigin(compilePipelines(pipelines), origin);
}

/** Runs a line through the pipeline that takes it, and tells what each step did. */
export function explainLine({ pipelines, line, members, time }: ExplainLineOptions): LineExplanation {
  const compiled = compilePipelines(pipelines);
  const document = documentOfLine(line, members, time);
  const origin = originOf(document);
  const selection = explainOrigin(compiled, origin);
  const steps: StepExplanation[] = [];
  for (const { title, run } of selectPipeline(compiled, origin).steps) {
    const before = flatten(document);
    const explained = runStep(
      title,
      () => run(document),
      () => changesOf(before, flatten(document)),
    );
    steps.push(explained);
    if (explained.outcome === 'dropped')
      return { ...selection, steps, document: undefined, index: undefined };
    if (explained.outcome === 'failed') break;
  }
  const timestamp = String(document['@timestamp']);
  const index = indexNameOf(timestamp, routedIndexOf(document) ?? originOf(document).namespace);
  return { ...selection, steps, document: inLayoutOrder(document), index };
}

/** Returns an explanation as lines for people. */
export function formatExplanation(explanation: LineExplanation): string[] {
  const { pipeline, considered, steps, document, index } = explanation;
  const lines = [`pipeline: ${pipeline}`];
  for (const { name, isTaken, conditions } of considered) {
    if (conditions.length === 0) lines.push(`  ${name} takes everything`);
    for (const { name: what, pattern, value, fits } of conditions) {
      lines.push(
        `  ${name}: ${what} is ${value ?? '(unknown)'}, ${fits ? 'fits' : 'does not fit'} ${pattern}`,
      );
    }
    if (!isTaken) lines.push(`  ${name} is not taken`);
  }
  lines.push('steps:');
  for (const { step, outcome, changes } of steps) {
    lines.push(`  ${step}: ${outcome}`, ...changes.map((change) => `    ${change}`));
  }
  lines.push(document === undefined ? 'the line is dropped' : `index: ${index}`);
  if (document !== undefined) lines.push('document:', ...JSON.stringify(document, undefined, 2).split('\n'));
  return lines;
}

function explainOrigin(compiled: readonly CompiledPipeline[], origin: DocumentOrigin): SelectionExplanation {
  const taken = selectPipeline(compiled, origin);
  const considered = compiled.slice(0, compiled.indexOf(taken) + 1).map((pipeline) => ({
    name: pipeline.name,
    isTaken: pipeline === taken,
    conditions: pipeline.conditions.map(({ name, pattern, valueOf, fits }) => ({
      name,
      pattern,
      value: valueOf(origin),
      fits: fits(origin),
    })),
  }));
  return { pipeline: taken.name, considered };
}

function runStep(step: string, run: () => 'keep' | 'drop', changes: () => string[]): StepExplanation {
  try {
    if (run() === 'drop') return { step, outcome: 'dropped', changes: [] };
  } catch (error) {
    return { step, outcome: 'failed', changes: [messageOf(error)] };
  }
  const found = changes();
  return { step, outcome: found.length > 0 ? 'changed' : 'unchanged', changes: found };
}

function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const removed = [...before].filter(([path, value]) => after.get(path) !== value);
  const added = [...after].filter(([path, value]) => before.get(path) !== value);
  return [
    ...removed.map(([path, value]) => `- ${path}: ${value}`),
    ...added.map(([path, value]) => `+ ${path}: ${value}`),
  ];
}

/** Returns every value of the document as text, by its path. */
function flatten(value: JsonObject, prefix = '', into: Map<string, string> = new Map()): Map<string, string> {
  for (const [key, member] of Object.entries(value)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (isObject(member)) {
      flatten(member, path, into);
      continue;
    }
    const text = JSON.stringify(member) ?? 'undefined';
    into.set(path, text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text);
  }
  return into;
}
