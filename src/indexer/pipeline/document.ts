/** Documents as objects: the form in which the general path and the steps of pipelines see them. */
import { someValueAt } from '../../query/match.ts';
import { resolveField } from '../../query/fields.ts';
import { isExactNumber } from '../../base/exact-json.ts';

/** A JSON object that its holder may change. */
export type JsonObject = Record<string, unknown>;

/** Names that a line's own data never overwrites, whole objects and single members: they say where a line stood. */
const PROTECTED_OBJECTS: ReadonlySet<string> = new Set([
  '@timestamp',
  'stream',
  'kubernetes',
  'container',
  'host',
  'agent',
  'fields',
  // What routes a document is a pipeline's to say.
  'logboom',
]);

const PROTECTED_MEMBERS: ReadonlySet<string> = new Set([
  'event.id',
  'log.offset',
  'log.file',
  'log.flags',
  'log.original_length',
  'log.parse_error',
  'log.sequence',
]);

/** What identity and order are read from: not even an operator's pipeline changes it. */
const IDENTITY_PATHS: ReadonlySet<string> = new Set([
  '@timestamp',
  'event',
  'event.id',
  'log',
  'log.offset',
  'stream',
]);

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** Whether a line's own data may not write the top-level member `key`, or `key.name` of it. */
export function isProtected(key: string, name?: string): boolean {
  return PROTECTED_OBJECTS.has(key) || (name !== undefined && PROTECTED_MEMBERS.has(`${key}.${name}`));
}

/** Whether a pipeline may not write or remove `path`. */
export function isIdentityPath(path: string): boolean {
  return IDENTITY_PATHS.has(path) || path === 'log.file' || path.startsWith('log.file.');
}

/** Sets an own member, also one called `__proto__`, as `JSON.parse` does. */
export function setOwn(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** Returns the first value that the field of this name has, as queries resolve names, or undefined. */
export function readField(document: JsonObject, name: string): unknown {
  let found: unknown;
  for (const path of pathsToRead(name)) {
    const isFound = someValueAt(document, path, (value) => {
      found = value;
      return true;
    });
    if (isFound) return found;
  }
  return undefined;
}

/** Returns where the field of this name can stand, as queries resolve names. */
export function pathsToRead(name: string): readonly string[] {
  return resolveField(name).paths;
}

/** Returns where a step writes the field that an operator calls `name`: the place where a query looks for it. */
export function pathToWrite(name: string): string {
  return resolveField(name).paths[0] ?? name;
}

/** Returns where a step writes what a line itself says under `name`: never over what is protected. */
export function pathOfCapture(name: string): string {
  if (name === 'message') return name;
  if (name === 'level' || name === 'log.level') return 'log.level';
  if (name.startsWith('fields.')) return name;
  const [key = '', member] = name.split('.');
  if (member === undefined || isProtected(key, member)) return `fields.${name}`;
  const path = resolveField(name).paths[0] ?? name;
  return path === name ? name : `fields.${name}`;
}

/** Writes a value at a dotted path; where something on the way is no object, the rest of the path becomes one key. */
export function writePath(document: JsonObject, path: string, value: unknown): void {
  let object = document;
  let rest = path;
  for (;;) {
    const dot = rest.indexOf('.');
    if (dot < 0) break;
    const key = rest.slice(0, dot);
    const next = Object.hasOwn(object, key) ? object[key] : undefined;
    if (next !== undefined && next !== null && !isObject(next)) break;
    if (isObject(next)) {
      object = next;
    } else {
      const created: JsonObject = {};
      setOwn(object, key, created);
      object = created;
    }
    rest = rest.slice(dot + 1);
  }
  setOwn(object, rest, value);
}

/** Removes what stands at a dotted path, nested or under a key with dots; returns the value, or undefined. */
export function removePath(object: JsonObject, path: string): unknown {
  if (Object.hasOwn(object, path)) {
    const value = object[path];
    delete object[path];
    return value;
  }
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const key = path.slice(0, dot);
    const next = Object.hasOwn(object, key) ? object[key] : undefined;
    if (!isObject(next)) continue;
    const value = removePath(next, path.slice(dot + 1));
    if (value === undefined) continue;
    if (isEmpty(next)) delete object[key];
    return value;
  }
  return undefined;
}

export function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}

/**
 * Returns the object under `key`, made when it is not there; what stands there and is none moves below `fields`.
 * Inherited members are never returned.
 */
export function ownObject(document: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(document, key) ? document[key] : undefined;
  if (isObject(value)) return value;
  const created: JsonObject = {};
  if (value !== undefined && value !== null && key !== 'fields') moveToFields(document, key);
  setOwn(document, key, created);
  if (value !== undefined && value !== null && key === 'fields') created['fields'] = value;
  return created;
}

/** Moves a member of a document below `fields`, beside what stands there already. */
export function moveToFields(document: JsonObject, key: string): void {
  const fields = ownObject(document, 'fields');
  setOwn(fields, freeName(fields, key), document[key]);
  delete document[key];
}

/** Sets a field; another value that stands there under its name stays as `original_…`. */
export function setField(fields: JsonObject, key: string, value: unknown): void {
  const before = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(value))
    setOwn(fields, freeName(fields, key), before);
  setOwn(fields, key, value);
}

function freeName(fields: JsonObject, key: string): string {
  let name = key;
  while (Object.hasOwn(fields, name)) name = `original_${name}`;
  return name;
}
