/**
 * The one table of fields that the engine gets to know, from which index templates are generated. It is closed: what is
 * not in it is kept in the document and found by the words of the private member (`search-columns.ts`), so no
 * application can add a field, let alone too many, and a field that comes with two types does not conflict.
 *
 * Names follow the Elastic Common Schema. What the types cost and why they are these: docs/formats/elasticsearch.md.
 */
import { parseNumber } from '../../../query/match.ts';

/**
 * The member that the store adds to each document, always the last one: `,"_logboom":{…}}`. Not `logboom`, which
 * pipelines write into documents and people may search.
 *
 *   file    file id, for the audit and as a part of the sort key
 *   low     offset modulo 2^20, and `high` the rest of it: so that sums of doubles are exact
 *   values, numbers, origin, texts, marks: see `search-columns.ts`
 */
export const PRIVATE_MEMBER = '_logboom';

/** `high` counts in these: sums of `low` stay exact up to 2^33 records, those of `high` up to 2^25. */
export const OFFSET_UNIT = 2 ** 20;

/** Longer keywords are not indexed; UTF-8 takes at most three bytes per character of a string, and a term has 32,766. */
export const KEYWORD_LENGTH_MAX = 8_191;

/** A type of this table: what it becomes depends on what the engine has. */
export type FieldKind =
  | 'message'
  | 'prose'
  | 'keyword'
  | 'own_keyword'
  | 'word'
  | 'long'
  | 'number_only'
  | 'time'
  | 'ip'
  | 'flat';

const OWN: Readonly<Record<string, FieldKind>> = Object.fromEntries(
  [
    'stream',
    'log.level',
    'log.file.path',
    'event.kind',
    'kubernetes.namespace',
    'kubernetes.pod.name',
    'kubernetes.pod.uid',
    'kubernetes.container.name',
    'kubernetes.node.name',
    'container.id',
    'container.name',
    'container.runtime',
    'container.image.name',
    'service.name',
    'host.name',
    'agent.type',
    'agent.name',
    'agent.version',
    'input.type',
    'ecs.version',
    'orchestrator.cluster.name',
  ].map((path) => [path, 'own_keyword']),
);

/** Path to kind. `own_keyword` is what agents write: searched in its own field instead of by words. */
export const FIELD_TABLE: Readonly<Record<string, FieldKind>> = {
  '@timestamp': 'time',
  message: 'message',
  ...OWN,
  tags: 'keyword',
  'log.offset': 'long',
  'log.original_length': 'long',
  'log.flags': 'keyword',
  'log.logger': 'keyword',
  'event.id': 'keyword',
  'event.dataset': 'keyword',
  'event.action': 'keyword',
  'event.outcome': 'keyword',
  labels: 'flat',
  'kubernetes.labels': 'flat',
  'container.labels': 'flat',
  'service.version': 'keyword',
  'service.environment': 'keyword',
  'error.type': 'keyword',
  'error.message': 'prose',
  'trace.id': 'keyword',
  'span.id': 'keyword',
  'transaction.id': 'keyword',
  'http.request.method': 'keyword',
  'http.response.status_code': 'long',
  'url.path': 'keyword',
  'url.full': 'keyword',
  'user.name': 'keyword',
  'source.ip': 'ip',
  'client.ip': 'ip',
  'process.pid': 'long',
  'process.name': 'keyword',
  [`${PRIVATE_MEMBER}.file`]: 'keyword',
  [`${PRIVATE_MEMBER}.low`]: 'number_only',
  [`${PRIVATE_MEMBER}.high`]: 'number_only',
  [`${PRIVATE_MEMBER}.values`]: 'word',
  [`${PRIVATE_MEMBER}.numbers`]: 'word',
  [`${PRIVATE_MEMBER}.origin`]: 'word',
  [`${PRIVATE_MEMBER}.texts`]: 'prose',
  [`${PRIVATE_MEMBER}.marks`]: 'keyword',
};

/** Letters of ASCII fold the same way everywhere. */
const ASCII = /^[\u0020-\u007e]*$/;

/**
 * Whether the value at a path is found by the field of its own and has no words: the usual text of an `own_keyword`.
 * Text outside ASCII, numbers in any form and other types have words like everything else. Queries ask both: the words,
 * and for such a path the field itself with `case_insensitive`.
 */
export function hasOwnField(path: string, value: unknown): boolean {
  return (
    FIELD_TABLE[path] === 'own_keyword' &&
    typeof value === 'string' &&
    value.length <= KEYWORD_LENGTH_MAX &&
    ASCII.test(value) &&
    parseNumber(value) === undefined
  );
}

/** Whether a path has a field of its own that queries must ask beside the words. */
export function isOwnPath(path: string): boolean {
  return FIELD_TABLE[path] === 'own_keyword';
}
