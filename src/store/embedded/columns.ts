/**
 * Which columns a segment has. A column is a path from the root of the documents, and its name is the path's keys
 * joined by dots:
 *
 *   fields.status            {"fields":{"status":…}}
 *   labels.app\.name         {"labels":{"app.name":…}}     a dot inside a key is escaped
 *   fields.a\\b              {"fields":{"a\b":…}}          and so is a backslash; NUL is \z
 *   \e                     {"":…}                        no key at all: no engine takes a name without a letter
 *   fields.Status\1          {"fields":{"Status":…}}       the second path that differs only in case: engines
 *                                                          compare names without case
 *
 * A path that was seen with one type has that type; one with integers and other numbers is `double`; everything
 * else (two types, arrays, objects beside scalars) is `json`: the JSON text of each value as it was. `null` counts
 * as absent. `@timestamp`, `event.id` and `log.offset` are the columns `time`, `file_id` and `log.offset`.
 */
import type { FieldNode, FieldTypes } from '../../record/field-types.ts';
import { FIELD_TYPE, addFieldTypes, mergeFieldTypes } from '../../record/field-types.ts';
import type { Column, ColumnKind } from './segment-engine.ts';

/**
 * More distinct paths than this become one column of JSON text, `fields_rest`, by their key below `fields`. Writing
 * a column takes the engine 256 KiB of its memory, however few values it has.
 */
export const COLUMNS_MAX = 500;

export const REST_COLUMN: Column = { path: ['fields'], name: 'fields_rest', kind: 'json' };

/** Members that documents may have whatever their fields are, and whose types nobody tells. */
const CORE_MEMBERS = {
  message: '',
  stream: '',
  log: { level: '', file: { path: '' }, flags: [], original_length: 0, parse_error: '', sequence: 0 },
  event: { kind: '', original: '' },
  error: { message: '' },
} as const;

/** Those of them that compact documents may have: a column of nothing takes time to write, too. */
const COMPACT_MEMBERS = { message: '', stream: '', log: { level: '', file: { path: '' } } } as const;

/** Paths that are kept in columns of their own kind. */
const OWN_PATHS: ReadonlySet<string> = new Set(['@timestamp', 'event\u0000id', 'log\u0000offset']);

const NUMBER_TYPES = FIELD_TYPE.integer | FIELD_TYPE.double;

/** Returns the types of what every document may have, or every compact one, merged with `types`. */
export function withCoreTypes(types: FieldTypes, isCompact = false): FieldTypes {
  const merged: FieldTypes = new Map();
  const members = isCompact ? COMPACT_MEMBERS : CORE_MEMBERS;
  for (const [key, value] of Object.entries(members)) addFieldTypes(merged, key, value);
  mergeFieldTypes(merged, types);
  return merged;
}

/** Returns the columns of a tree of types, `fields_rest` last if there are more than `columnsMax`. */
export function columnsOf(types: FieldTypes, columnsMax = COLUMNS_MAX): Column[] {
  const found: Omit<Column, 'name'>[] = [];
  const fields: Omit<Column, 'name'>[][] = [];
  for (const [key, node] of types) {
    if (key !== 'fields' || node.types !== 0) collect([key], node, found);
    else for (const [name, child] of node.children ?? []) fields.push(collect([key, name], child, []));
  }
  let hasRest = false;
  for (const group of fields) {
    if (found.length + group.length <= columnsMax) found.push(...group);
    else hasRest = true;
  }
  const columns = nameColumns(found);
  return hasRest ? [...columns, REST_COLUMN] : columns;
}

/** Returns the path that a column's name stands for. */
export function parseColumnName(name: string): string[] {
  const path: string[] = [];
  let key = '';
  for (let at = 0; at < name.length; at += 1) {
    const char = name.charAt(at);
    if (char === '.') {
      path.push(key);
      key = '';
    } else if (char !== '\\') key += char;
    else if (isDigit(name.charCodeAt(at + 1))) break;
    else {
      at += 1;
      key += unescaped(name.charAt(at));
    }
  }
  path.push(key);
  return path;
}

/** Returns columns with a stored name and kind, such as those of a catalog entry. */
export function restoreColumns(stored: readonly (readonly [string, ColumnKind])[]): Column[] {
  return stored.map(([name, kind]) =>
    name === REST_COLUMN.name ? REST_COLUMN : { name, kind, path: parseColumnName(name) },
  );
}

/** Returns the columns that hold all of several segments' values. */
export function mergeColumns(lists: readonly (readonly Column[])[]): Column[] {
  const byPath = new Map<string, Omit<Column, 'name'>>();
  let hasRest = false;
  for (const column of lists.flat()) {
    if (column.name === REST_COLUMN.name) {
      hasRest = true;
      continue;
    }
    const key = pathKey(column.path);
    const kind = mergeKinds(byPath.get(key)?.kind ?? column.kind, column.kind);
    byPath.set(key, { path: column.path, kind });
  }
  const merged = nameColumns(foldNested([...byPath.values()]));
  return hasRest ? [...merged, REST_COLUMN] : merged;
}

/** A key for maps that tells `a.b` from the path `a`, `b`. */
export function pathKey(path: readonly string[]): string {
  return path.join('\u0000');
}

/** A column below another one (an object in one segment, a scalar in the other) disappears into that one's JSON. */
function foldNested(columns: readonly Omit<Column, 'name'>[]): Omit<Column, 'name'>[] {
  const kept = new Map(columns.map((column) => [pathKey(column.path), column]));
  for (const column of columns) {
    for (let length = 1; length < column.path.length; length += 1) {
      const above = kept.get(pathKey(column.path.slice(0, length)));
      if (above === undefined) continue;
      kept.delete(pathKey(column.path));
      kept.set(pathKey(above.path), { path: above.path, kind: 'json' });
    }
  }
  return [...kept.values()];
}

function collect(
  path: readonly string[],
  node: FieldNode,
  found: Omit<Column, 'name'>[],
): Omit<Column, 'name'>[] {
  if (OWN_PATHS.has(pathKey(path))) return found;
  const { children } = node;
  if (children === undefined || node.types !== 0) {
    if (node.types !== 0 || children !== undefined) found.push({ path, kind: kindOf(node) });
    return found;
  }
  for (const [name, child] of children) collect([...path, name], child, found);
  return found;
}

function kindOf(node: FieldNode): ColumnKind {
  if (node.children !== undefined) return 'json';
  switch (node.types) {
    case FIELD_TYPE.boolean:
      return 'boolean';
    case FIELD_TYPE.integer:
      return 'integer';
    case FIELD_TYPE.double:
    case NUMBER_TYPES:
      return 'double';
    case FIELD_TYPE.string:
      return 'text';
    default:
      return 'json';
  }
}

function mergeKinds(one: ColumnKind, other: ColumnKind): ColumnKind {
  if (one === other) return one;
  const isNumeric = (kind: ColumnKind): boolean => kind === 'integer' || kind === 'double';
  return isNumeric(one) && isNumeric(other) ? 'double' : 'json';
}

function nameColumns(columns: readonly Omit<Column, 'name'>[]): Column[] {
  const taken = new Map<string, number>([
    ['time', 1],
    ['file_id', 1],
    ['log.offset', 1],
    ['fields_rest', 1],
    ['day', 1],
    ['hour', 1],
  ]);
  return columns.map((column) => {
    const name = column.path.map(escapeKey).join('.') || EMPTY_ESCAPE;
    const folded = name.toLowerCase();
    const count = taken.get(folded) ?? 0;
    taken.set(folded, count + 1);
    return { ...column, name: count === 0 ? name : `${name}\\${count}` };
  });
}

const NUL_ESCAPE = '\\z';

/** The name of a column whose path is one empty key. */
const EMPTY_ESCAPE = '\\e';

function escapeKey(key: string): string {
  return key.replaceAll('\\', '\\\\').replaceAll('.', '\\.').replaceAll('\u0000', NUL_ESCAPE);
}

/** Returns what an escape's letter stands for. */
function unescaped(letter: string): string {
  if (letter === 'e') return '';
  return letter === 'z' ? '\u0000' : letter;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
