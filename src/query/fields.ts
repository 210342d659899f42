/**
 * Names of fields as people type them, and the paths of documents that they stand for. Queries hold paths only:
 * a store never has to know an alias.
 *
 * A name that is no part of a document of Logboom's own is looked for where agents and pipelines put what applications
 * say (`fields.…`), and where other shippers leave it: at the top level. So `log_type` is `fields.log_type` or `log_type`.
 */
import { RESOURCE_KEYS } from '../record/document-layout.ts';

const ALIASES: ReadonlyMap<string, readonly string[]> = new Map([
  ['level', ['log.level']],
  ['namespace', ['kubernetes.namespace']],
  ['pod', ['kubernetes.pod.name']],
  // Containers that Docker runs without Kubernetes have only the second name.
  ['container', ['kubernetes.container.name', 'container.name']],
  // Outside Kubernetes a node is known by its host's name.
  ['node', ['kubernetes.node.name', 'host.name']],
  ['app', ['service.name']],
  ['path', ['log.file.path']],
  ['time', ['@timestamp']],
]);

/**
 * Aliases that may be members of other shippers' documents, too. Not `container`, which is an object of Logboom's own, nor
 * `time`, whose values compare as the record's.
 */
const FOREIGN_ALIASES: ReadonlySet<string> = new Set(['level', 'namespace', 'pod', 'node', 'app', 'path']);

/** Fields at the top level of every document that are no objects. */
const TOP_LEVEL_FIELDS: ReadonlySet<string> = new Set(['@timestamp', 'message', 'stream', 'tags']);

/** Objects that Logboom writes itself, and the two that hold what people and applications named. */
const OWN_OBJECTS: ReadonlySet<string> = new Set([
  'agent',
  'container',
  'ecs',
  'event',
  'fields',
  'host',
  'kubernetes',
  'labels',
  'log',
  'orchestrator',
  'service',
]);

/** Further objects of the Elastic Common Schema: lines in its shape have them at the top level, others in `fields`. */
const SCHEMA_OBJECTS: ReadonlySet<string> = new Set([
  'client',
  'cloud',
  'destination',
  'error',
  'http',
  'network',
  'process',
  'server',
  'source',
  'span',
  'trace',
  'transaction',
  'url',
  'user',
  'user_agent',
]);

/** The path of the text that people read. */
export const MESSAGE_FIELD = 'message';

/** The path of a document's time. */
export const TIME_FIELD = '@timestamp';

export interface ResolvedField {
  /** Where the value can stand; more than one path means any of them. */
  readonly paths: readonly string[];
  /** Whether the name certainly is a field; otherwise `name:value` may be text that was pasted. */
  readonly isKnown: boolean;
}

/** Whether a top-level member is one of those that Logboom writes itself. */
export function isOwnName(name: string): boolean {
  return OWN_OBJECTS.has(name) || TOP_LEVEL_FIELDS.has(name);
}

/** Whether the schema has an object of this name at the top level; `fields` holds what it has none for. */
export function isObjectName(name: string): boolean {
  return name === 'input' || (name !== 'fields' && (OWN_OBJECTS.has(name) || SCHEMA_OBJECTS.has(name)));
}

/** Returns where the field that somebody calls `name` stands in documents. `isKnownField` tells parsed fields. */
export function resolveField(name: string, isKnownField?: (name: string) => boolean): ResolvedField {
  const alias = ALIASES.get(name);
  if (alias !== undefined) return { paths: aliasPaths(name, alias), isKnown: true };
  if (name === 'tags') return { paths: ['tags', 'fields.tags'], isKnown: true };
  if (TOP_LEVEL_FIELDS.has(name)) return { paths: [name], isKnown: true };
  const dot = name.indexOf('.');
  const head = dot < 0 ? '' : name.slice(0, dot);
  if (OWN_OBJECTS.has(head)) return { paths: [name], isKnown: true };
  const parsed = `fields.${name}`;
  if (SCHEMA_OBJECTS.has(head)) return { paths: [name, parsed], isKnown: true };
  const isKnown = isKnownField?.(name) ?? false;
  // Asks whether the object is there; with a value, the name is as likely to be an application's own.
  if (OWN_OBJECTS.has(name) || SCHEMA_OBJECTS.has(name)) return { paths: [name, parsed], isKnown };
  return { paths: [parsed, name], isKnown };
}

function aliasPaths(name: string, paths: readonly string[]): readonly string[] {
  return FOREIGN_ALIASES.has(name) ? [...paths, name] : paths;
}

/** Returns the known name that `name` was probably meant to be: one letter is wrong, missing, too much, or swapped. */
export function similarField(name: string): string | undefined {
  const isNear = (known: string): boolean =>
    known.length > 3 && known[0] === name[0] && isOneEditApart(known, name);
  return [...ALIASES.keys(), ...TOP_LEVEL_FIELDS].find(isNear);
}

function isOneEditApart(left: string, right: string): boolean {
  let start = 0;
  while (start < left.length && left[start] === right[start]) start += 1;
  let tail = 0;
  const shorter = Math.min(left.length, right.length) - start;
  while (tail < shorter && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  const from = left.slice(start, left.length - tail);
  const to = right.slice(start, right.length - tail);
  const isSwap = from.length === 2 && to.length === 2 && from[0] === to[1] && from[1] === to[0];
  return isSwap || Math.max(from.length, to.length) === 1;
}

/** Top-level members that bare text does not read: ids, paths, times, and names of where a line comes from. */
export const UNSEARCHED_KEYS: ReadonlySet<string> = new Set([
  ...RESOURCE_KEYS,
  '@timestamp',
  'event',
  'log',
  'stream',
]);
