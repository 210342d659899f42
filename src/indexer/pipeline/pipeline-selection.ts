/** Which pipeline takes a document: the first one whose every given glob fits what is known of where it comes from. */
import { compileGlob } from '../../base/glob.ts';
import type { PipelineMatch } from '../../config/pipeline-config.ts';
import { isObject, type JsonObject } from './document.ts';

/** What is known of where a document comes from. */
export interface DocumentOrigin {
  readonly source: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly container: string | undefined;
  readonly app: string | undefined;
  readonly path: string | undefined;
  /** Labels of the pod and fields of the source, by name. */
  readonly labels: Readonly<Record<string, unknown>>;
}

/** One condition of a `match`, as people read it in an explanation. */
export interface MatchCondition {
  readonly name: string;
  readonly pattern: string;
  readonly fits: (origin: DocumentOrigin) => boolean;
  readonly valueOf: (origin: DocumentOrigin) => string | undefined;
}

const ORIGIN_KEYS = ['source', 'namespace', 'pod', 'container', 'app', 'path'] as const;

/** Compiles the conditions of a `match`; none at all fits everything. */
export function compileMatch(match: PipelineMatch): MatchCondition[] {
  const conditions: MatchCondition[] = [];
  for (const name of ORIGIN_KEYS) {
    const pattern = match[name];
    if (pattern !== undefined) conditions.push(condition(name, pattern, (origin) => origin[name]));
  }
  for (const [label, pattern] of Object.entries(match.labels)) {
    conditions.push(condition(`labels.${label}`, pattern, ({ labels }) => labelText(labels, label)));
  }
  return conditions;
}

/** Reads where a document comes from out of the members that agents write. */
export function originOf(document: JsonObject): DocumentOrigin {
  const kubernetes = objectAt(document, 'kubernetes');
  return {
    source: textAt(objectAt(document, 'input'), 'type'),
    namespace: textAt(kubernetes, 'namespace'),
    pod: textAt(objectAt(kubernetes, 'pod'), 'name'),
    container:
      textAt(objectAt(kubernetes, 'container'), 'name') ?? textAt(objectAt(document, 'container'), 'name'),
    app: textAt(objectAt(document, 'service'), 'name'),
    path: textAt(objectAt(objectAt(document, 'log'), 'file'), 'path'),
    labels: { ...objectAt(kubernetes, 'labels'), ...objectAt(document, 'labels') },
  };
}

function condition(
  name: string,
  pattern: string,
  valueOf: (origin: DocumentOrigin) => string | undefined,
): MatchCondition {
  const matches = compileGlob(pattern);
  const fits = (origin: DocumentOrigin): boolean => {
    const value = valueOf(origin);
    return value !== undefined && matches(value);
  };
  return { name, pattern, fits, valueOf };
}

/** Documents have underscores for the dots in the names of a pod's labels. */
function labelText(labels: Readonly<Record<string, unknown>>, label: string): string | undefined {
  const name = Object.hasOwn(labels, label) ? label : label.replaceAll('.', '_');
  return Object.hasOwn(labels, name) ? textOf(labels[name]) : undefined;
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

function textAt(object: JsonObject, key: string): string | undefined {
  return textOf(object[key]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
