/** Runs the tests that stand beside pipelines in the configuration, for `logboom test`. */
import type { PipelineConfig, PipelineMatch, PipelineTest } from '../config/pipeline-config.ts';
import { messageOf } from '../base/errors.ts';
import { compilePipeline, runPipeline, type CompiledPipeline } from './pipeline/compile-pipelines.ts';
import { isObject, readField, writePath, type JsonObject } from './pipeline/document.ts';

export interface PipelineTestResult {
  readonly pipeline: string;
  readonly test: string;
  readonly isPassed: boolean;
  /** What is different, one line per difference; empty when the test passed. */
  readonly diff: string;
}

/** Documents of tests are of this time, unless a step takes it from the line. */
const TEST_TIME = '2026-01-01T00:00:00.000000000Z';

/** Longest value in a diff, in characters. */
const SHOWN_LENGTH_MAX = 200;

/** Where a pipeline's `match` reads its values in documents. */
const MATCH_PATHS = {
  source: 'input.type',
  namespace: 'kubernetes.namespace',
  pod: 'kubernetes.pod.name',
  container: 'kubernetes.container.name',
  app: 'service.name',
  path: 'log.file.path',
} as const;

/** Runs the tests of all pipelines; throws a `ConfigError` for a pipeline that does not compile. */
export function runPipelineTests(pipelines: readonly PipelineConfig[]): PipelineTestResult[] {
  return pipelines.flatMap((config, index) => {
    const compiled = compilePipeline(config, `indexer.pipelines[${index}]`);
    return config.tests.map((test) => {
      const differences = runTest(compiled, config.match, test);
      const isPassed = differences.length === 0;
      return { pipeline: config.name, test: test.name, isPassed, diff: differences.join('\n') };
    });
  });
}

/** Returns the document of a line before any pipeline, with `members` by dotted path. */
export function documentOfLine(
  line: string,
  members: Readonly<Record<string, string>>,
  time: string,
): JsonObject {
  const document: JsonObject = {
    '@timestamp': time,
    message: line,
    stream: 'stdout',
    log: { offset: 0, file: { path: '/line' } },
    event: { id: `${'0'.repeat(20)}-${'0'.repeat(12)}` },
  };
  for (const [path, value] of Object.entries(members)) writePath(document, path, value);
  return document;
}

function runTest(pipeline: CompiledPipeline, match: PipelineMatch, test: PipelineTest): string[] {
  const differences: string[] = [];
  if (test.input.length !== test.expect.length) {
    differences.push(`${test.input.length} input lines, but ${test.expect.length} expected documents`);
  }
  const members = membersOf(match);
  for (const [index, line] of test.input.entries()) {
    const expected = test.expect[index];
    if (expected === undefined) continue;
    const found = compare(pipeline, documentOfLine(line, members, TEST_TIME), expected);
    if (found.length > 0)
      differences.push(`line ${index + 1}: ${show(line)}`, ...found.map((each) => `  ${each}`));
  }
  return differences;
}

function compare(
  pipeline: CompiledPipeline,
  document: JsonObject,
  expected: PipelineTest['expect'][number],
): string[] {
  let outcome: string;
  try {
    outcome = runPipeline(pipeline, document);
  } catch (error) {
    return [`- expected a document`, `+ the pipeline failed: ${messageOf(error)}`];
  }
  if (expected === 'dropped') return outcome === 'drop' ? [] : ['- dropped', `+ ${show(document)}`];
  if (outcome === 'drop') return [`- ${show(expected)}`, '+ dropped'];
  return Object.entries(expected).flatMap(([name, value]) => {
    const actual = Object.hasOwn(document, name) ? document[name] : readField(document, name);
    return differencesOf(name, value, actual);
  });
}

/** Compares what is expected of one member: of an object only the members that are named, null is absence. */
function differencesOf(name: string, expected: unknown, actual: unknown): string[] {
  if (isObject(expected) && isObject(actual)) {
    return Object.entries(expected).flatMap(([key, value]) => {
      const member = Object.hasOwn(actual, key) ? actual[key] : undefined;
      return differencesOf(`${name}.${key}`, value, member);
    });
  }
  if (expected === null ? actual === undefined || actual === null : isSame(expected, actual)) return [];
  return [`- ${name}: ${show(expected)}`, `+ ${name}: ${show(actual)}`];
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((element, index) => isSame(element, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return keys.length === Object.keys(right).length && keys.every((key) => isSame(left[key], right[key]));
  }
  return (
    left === right ||
    (typeof right === 'object' && right !== null && JSON.stringify(left) === JSON.stringify(right))
  );
}

/** Names in `match` that are no globs are what the test's documents have. */
function membersOf(match: PipelineMatch): Record<string, string> {
  const members: Record<string, string> = {};
  for (const [name, path] of Object.entries(MATCH_PATHS)) {
    const pattern = match[name as keyof typeof MATCH_PATHS];
    if (pattern !== undefined && !/[*?]/.test(pattern)) members[path] = pattern;
  }
  for (const [label, pattern] of Object.entries(match.labels)) {
    if (!/[*?]/.test(pattern)) members[`labels.${label.replaceAll('.', '_')}`] = pattern;
  }
  return members;
}

function show(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}
