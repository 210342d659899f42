/** What is made of a line that is one JSON object: the general path, on objects. */
import { resolveField } from '../../query/fields.ts';
import {
  isEmpty,
  isObject,
  isProtected,
  ownObject,
  setField,
  setOwn,
  writePath,
  type JsonObject,
} from './document.ts';
import { parseExact } from '../../base/exact-json.ts';
import { JsonScanner, SCAN_FLAG } from './json-scanner.ts';
import { LEVEL_KEYS, levelOfValue } from './level-names.ts';
import { levelOfText, SCAN_BYTES_MAX } from './level-text.ts';

/** Keys whose text becomes the message, the strongest first. */
export const MESSAGE_KEYS = ['message', 'msg', '_msg', 'log'] as const;

export interface JsonLine {
  readonly value: JsonObject;
  /** Whether the parsed object says less than the line: a key that stood twice, digits of a number. */
  readonly isLossy: boolean;
}

const scanner = new JsonScanner();
const encoder = new TextEncoder();

/** Returns the object that the line is, or undefined for any other text. Only blanks may stand around it. */
export function parseJsonLine(text: string): JsonLine | undefined {
  if (!/^[ \t\r\n]*\{/.test(text)) return undefined;
  const bytes = encoder.encode(text);
  if (!scanner.scan(bytes, 0, bytes.length)) return undefined;
  const { keyCount, flags } = scanner;
  const isSuspect = (flags & SCAN_FLAG.suspectNumber) !== 0;
  const { value, hasExactNumbers } = isSuspect
    ? parseExact(text)
    : { value: JSON.parse(text) as unknown, hasExactNumbers: false };
  if (!isObject(value)) return undefined;
  return { value, isLossy: hasExactNumbers || countKeys(value) !== keyCount };
}

/** Puts the members of a parsed line into its document; `keepOriginal` keeps the raw line whether lossy or not. */
export function applyJsonLine(
  document: JsonObject,
  raw: string,
  line: JsonLine,
  keepOriginal: boolean,
): void {
  const { value } = line;
  if (hasEcsShape(value)) mergeEcs(document, value);
  else mergeFields(document, value);
  if (line.isLossy || keepOriginal) ownObject(document, 'event')['original'] = raw;
}

/** Sets `log.level` from the text of the message, unless the document has a level or the text has none. */
export function applyTextLevel(document: JsonObject, text: unknown): void {
  if (typeof text !== 'string') return;
  const log = document['log'];
  if (isObject(log) && log['level'] !== undefined) return;
  // The scan reads escaped text, and no more of it than this.
  const bytes = encoder.encode(JSON.stringify(text.slice(0, 2 * SCAN_BYTES_MAX)));
  const level = levelOfText(bytes, 1, bytes.length - 1);
  if (level !== undefined) ownObject(document, 'log')['level'] = level;
}

/** Returns the first member that can be the message: `value[key]` is a string. */
export function messageKeyOf(value: JsonObject): string | undefined {
  return MESSAGE_KEYS.find((key) => Object.hasOwn(value, key) && typeof value[key] === 'string');
}

/** Returns the level that a structured line names, in lower case. */
export function levelOfFields(value: JsonObject): string | undefined {
  let best: string | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const key in value) {
    const rank = levelRank(key);
    if (rank < 0 || rank >= bestRank) continue;
    const level = levelOfValue(value[key]);
    if (level === undefined) continue;
    best = level;
    bestRank = rank;
  }
  if (bestRank === 0) return best;
  const log = Object.hasOwn(value, 'log') ? value['log'] : undefined;
  return (isObject(log) ? levelOfValue(log['level']) : undefined) ?? best;
}

/** Returns how strong a key says the level: 0 is the strongest, -1 is not at all. */
export function levelRank(key: string): number {
  return key.length > 9 ? -1 : (LEVEL_KEYS as readonly string[]).indexOf(key.toLowerCase());
}

/** Whether a line names the version of the Elastic Common Schema that it follows. */
export function hasEcsShape(value: JsonObject): boolean {
  if (Object.hasOwn(value, 'ecs.version')) return true;
  const ecs = Object.hasOwn(value, 'ecs') ? value['ecs'] : undefined;
  return isObject(ecs) && ecs['version'] !== undefined;
}

function mergeFields(document: JsonObject, value: JsonObject): void {
  const level = levelOfFields(value);
  const messageKey = messageKeyOf(value);
  if (messageKey !== undefined) {
    document['message'] = value[messageKey];
    delete value[messageKey];
  }
  if (level !== undefined) ownObject(document, 'log')['level'] = level;
  if (isEmpty(value)) return;
  if (document['fields'] === undefined) {
    document['fields'] = value;
    return;
  }
  const fields = ownObject(document, 'fields');
  for (const key of Object.keys(value)) setField(fields, key, value[key]);
}

/**
 * Merges a line in ECS shape at the top level, keys with dots as nested objects. What is protected goes to `fields`,
 * and so does what is no part of the schema: queries look for such names there.
 */
function mergeEcs(document: JsonObject, value: JsonObject): void {
  const level = levelOfFields(value);
  const messageKey = messageKeyOf(value);
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (key === messageKey) document['message'] = member;
    else if (!mergeMember(document, key, member)) setField(ownObject(document, 'fields'), key, member);
  }
  if (level !== undefined) ownObject(document, 'log')['level'] = level;
}

/** Merges one top-level member; false when it has to stay under `fields`. */
function mergeMember(document: JsonObject, key: string, member: unknown): boolean {
  const [object = '', name] = key.split('.');
  if (object === '' || key === 'message' || isProtected(object, name)) return false;
  if (isObject(member) && name === undefined) {
    const existing = Object.hasOwn(document, key) ? document[key] : undefined;
    if (!isSchemaName(`${key}.x`) || (existing !== undefined && !isObject(existing))) return false;
    for (const inner of Object.keys(member)) mergeInner(document, key, inner, member[inner]);
    return true;
  }
  // A plain value does not take the place of an object that the document has.
  if (!isSchemaName(key) || (name === undefined && Object.hasOwn(document, key))) return false;
  writePath(document, key, member);
  return true;
}

/** Merges one member of a top-level object. */
function mergeInner(document: JsonObject, key: string, inner: string, value: unknown): void {
  const [name = ''] = inner.split('.');
  if (isProtected(key, name)) setOwn(ownObject(ownObject(document, 'fields'), key), inner, value);
  else if (inner.includes('.')) writePath(ownObject(document, key), inner, value);
  else setOwn(ownObject(document, key), inner, value);
}

/** Whether queries look for the name at the top level. */
function isSchemaName(name: string): boolean {
  return resolveField(name).paths[0] === name;
}

/** Counts the keys of an object and of everything in it. */
function countKeys(value: unknown): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') count += countKeys(element);
  } else if (isObject(value)) {
    for (const key in value) {
      count++;
      const member = value[key];
      if (typeof member === 'object') count += countKeys(member);
    }
  }
  return count;
}
