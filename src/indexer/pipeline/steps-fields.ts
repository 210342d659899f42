/** Steps that move whole fields: rename, remove, set, drop, route, level, json, logfmt. */
import { ConfigError } from '../../base/errors.ts';
import {
  isIdentityPath,
  isObject,
  ownObject,
  pathOfCapture,
  pathToWrite,
  pathsToRead,
  readField,
  removePath,
  setOwn,
  writePath,
  type JsonObject,
} from './document.ts';
import { applyJsonLine, applyTextLevel, levelOfFields, parseJsonLine } from './json-line.ts';
import { levelOfValue } from './level-names.ts';
import { parseLogfmt } from './logfmt.ts';
import type { StepFunction } from './step.ts';

/** Names of indices and partitions: lower case, as stores that keep them as directories or indices need them. */
const INDEX_NAME = /^[a-z0-9][a-z0-9._-]{0,199}$/;

export function compileJson(field: string, keepOriginal: boolean): StepFunction {
  return (document) => {
    const text = readField(document, field);
    if (typeof text !== 'string') return 'keep';
    const line = parseJsonLine(text);
    if (line !== undefined) applyJsonLine(document, text, line, keepOriginal);
    return 'keep';
  };
}

export function compileLogfmt(field: string): StepFunction {
  return (document) => {
    const text = readField(document, field);
    if (typeof text !== 'string') return 'keep';
    const value = parseLogfmt(text);
    if (value !== undefined) applyJsonLine(document, text, { value, isLossy: false }, false);
    return 'keep';
  };
}

export function compileRename(from: string, to: string, option: string): StepFunction {
  const source = pathToWrite(from);
  const target = pathToWrite(to);
  refuseIdentity(source, option);
  refuseIdentity(target, option);
  return (document) => {
    const value = removeNamed(document, from);
    if (value !== undefined) writeValue(document, target, value);
    return 'keep';
  };
}

export function compileRemove(fields: readonly string[], option: string): StepFunction {
  for (const field of fields) refuseIdentity(pathToWrite(field), option);
  return (document) => {
    for (const field of fields) removeNamed(document, field);
    return 'keep';
  };
}

export function compileSet(field: string, value: string | number | boolean, option: string): StepFunction {
  const path = pathToWrite(field);
  refuseIdentity(path, option);
  return (document) => {
    writeValue(document, path, value);
    return 'keep';
  };
}

export function compileRoute(name: string, option: string): StepFunction {
  if (!INDEX_NAME.test(name)) {
    throw new ConfigError(
      option,
      `'${name}' is no name of an index`,
      'Use lower-case letters, digits, `.`, `_` and `-`.',
    );
  }
  return (document) => {
    ownObject(document, 'logboom')['index'] = name;
    return 'keep';
  };
}

/** With a field, its value is the level; without one, parsed fields are asked, then the message's text. */
export function compileLevel(field: string | undefined): StepFunction {
  if (field === undefined) {
    return (document) => {
      const fields = Object.hasOwn(document, 'fields') ? document['fields'] : undefined;
      const level = isObject(fields) ? levelOfFields(fields) : undefined;
      if (level === undefined) applyTextLevel(document, document['message']);
      else ownObject(document, 'log')['level'] = level;
      return 'keep';
    };
  }
  return (document) => {
    const level = levelOfValue(readField(document, field));
    if (level !== undefined) ownObject(document, 'log')['level'] = level;
    return 'keep';
  };
}

/** Writes what a pattern found in a line under the names that the pattern gives. */
export function writeCapture(document: JsonObject, name: string, value: unknown): void {
  const path = pathOfCapture(name);
  const written = path === 'log.level' ? levelOfValue(value) : value;
  if (written === undefined) return;
  if (name.includes('.') || path !== `fields.${name}`) writePath(document, path, written);
  else setOwn(ownObject(document, 'fields'), name, written);
}

/** Levels are written in their one form, wherever they come from. */
function writeValue(document: JsonObject, path: string, value: unknown): void {
  writePath(document, path, path === 'log.level' ? (levelOfValue(value) ?? value) : value);
}

/** Removes the first place where the field stands, of those where a query looks for it. */
function removeNamed(document: JsonObject, name: string): unknown {
  for (const path of pathsOf(name)) {
    if (isIdentityPath(path)) continue;
    const value = removePath(document, path);
    if (value !== undefined) return value;
  }
  return undefined;
}

function pathsOf(name: string): readonly string[] {
  const paths = pathsToRead(name);
  return paths.some((path) => path.startsWith('fields.')) ? paths : [...paths, `fields.${name}`];
}

function refuseIdentity(path: string, option: string): void {
  if (!isIdentityPath(path)) return;
  throw new ConfigError(option, `'${path}' says where a record stood and cannot be changed`);
}

/** Whether a document was sent to an index of its own by `route`. */
export function routedIndexOf(document: JsonObject): string | undefined {
  const own = document['logboom'];
  const index = isObject(own) ? own['index'] : undefined;
  return typeof index === 'string' ? index : undefined;
}
