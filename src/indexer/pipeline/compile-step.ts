import { unreachable } from '../../base/assert.ts';
import { ConfigError } from '../../base/errors.ts';
import type { PipelineStep } from '../../config/pipeline-config.ts';
import { compileMatcher } from '../../query/match.ts';
import { parseQuery } from '../../query/parser.ts';
import type { StepFunction } from './step.ts';
import { compileTimestamp } from './step-timestamp.ts';
import {
  compileJson,
  compileLevel,
  compileLogfmt,
  compileRemove,
  compileRename,
  compileRoute,
  compileSet,
} from './steps-fields.ts';
import { compileDissectStep, compileGrokStep, compileRegexStep } from './steps-patterns.ts';

/** Compiles a step; `option` is where it stands in the configuration, for the `ConfigError` of a wrong one. */
export function compileStep(step: PipelineStep, option: string): StepFunction {
  const run = compileKind(step, option);
  if (step.if === undefined) return run;
  const { query, errors } = parseQuery(step.if);
  const [error] = errors;
  if (error !== undefined) throw new ConfigError(`${option}.if`, error.message);
  const matches = compileMatcher(query);
  return (document) => (matches(document) ? run(document) : 'keep');
}

function compileKind(step: PipelineStep, option: string): StepFunction {
  switch (step.kind) {
    case 'json':
      return compileJson(step.field, step.keepOriginal);
    case 'logfmt':
      return compileLogfmt(step.field);
    case 'regex':
      return compileRegexStep(step.field, step.pattern, `${option}.pattern`);
    case 'dissect':
      return compileDissectStep(step.field, step.pattern, `${option}.pattern`);
    case 'grok':
      return compileGrokStep(step.field, step.pattern, step.patterns, `${option}.pattern`);
    case 'timestamp':
      return compileTimestamp(step, option);
    case 'level':
      return compileLevel(step.field);
    case 'rename':
      return compileRename(step.from, step.to, option);
    case 'remove':
      return compileRemove(step.fields, `${option}.fields`);
    case 'set':
      return compileSet(step.field, step.value, `${option}.field`);
    case 'drop':
      return () => 'drop';
    case 'route':
      return compileRoute(step.index, `${option}.index`);
    default:
      return unreachable(step);
  }
}
