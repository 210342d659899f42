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
 *
 * A segment has at most `COLUMNS_MAX` of them, and so many rests: of the members of an object that have no column, a
 * rest has the JSON text as one object. What goes there goes whole: a top-level member, or a member of an object that
 * Logboom itself writes.
 *
 *   fields_rest              members of `fields`
 *   labels\rest              members of `labels`; no escaped key has such a name
 *   \rest                    top-level members
 */
import type { FieldNode, FieldTypes } from '../../record/field-types.ts';
import { FIELD_TYPE, addFieldTypes, mergeFieldTypes } from '../../record/field-types.ts';
import { RESOURCE_KEYS } from '../../record/document-layout.ts';
import { isOwnName } from '../../query/fields.ts';
import type { Column, ColumnKind } from './segment-engine.ts';

/** Types of columns in SQL. */
export const SQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  boolean: 'BOOLEAN',
  integer: 'BIGINT',
  double: 'DOUBLE',
  text: 'VARCHAR',
  json: 'JSON',
};

/**
 * Columns of a segment besides its rests, whatever the documents are. Writing a column takes the engine 256 KiB of its
 * memory, however few values it has.
 */
export const COLUMNS_MAX = 500;

const FIELDS_REST = 'fields_rest';
const REST_SUFFIX = '\\rest';
const REST_NAME = /^[^\\]*\\rest$/;

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

/**
 * Members of objects that have a column before any other has: what Logboom's own documents have, and what people ask for
 * most.
 */
const FIRST_MEMBERS: ReadonlySet<string> = new Set(
  [
    ...Object.entries(CORE_MEMBERS).flatMap(([key, members]) =>
      typeof members === 'string' ? [] : Object.keys(members).map((name) => [key, name]),
    ),
    ...['namespace', 'pod', 'container', 'node'].map((name) => ['kubernetes', name]),
    ...['container', 'service', 'host'].map((key) => [key, 'name']),
  ].map(pathKey),
);

/** Paths that are kept in columns of their own kind. */
export const OWN_PATHS: ReadonlySet<string> = new Set(['@timestamp', 'event\u0000id', 'log\u0000offset']);

const NUMBER_TYPES = FIELD_TYPE.integer | FIELD_TYPE.double;

type UnnamedColumn = Omit<Column, 'name'>;

const FIELDS = 'fields';

/** Returns the types of what every document may have, or every compact one, merged with `types`. */
export function withCoreTypes(types: FieldTypes, isCompact = false): FieldTypes {
  const merged: FieldTypes = new Map();
  const members = isCompact ? COMPACT_MEMBERS : CORE_MEMBERS;
  for (const [key, value] of Object.entries(members)) addFieldTypes(merged, key, value);
  mergeFieldTypes(merged, types);
  return merged;
}

/** Returns the columns of a tree of types: at most `columnsMax`, but for the members of a closed list, and the rests. */
export function columnsOf(types: FieldTypes, columnsMax = COLUMNS_MAX): Column[] {
  const found: UnnamedColumn[] = [];
  const fields: UnnamedColumn[] = [];
  for (const [key, node] of types) collect([key], node, key === FIELDS ? fields : found);
  return boundColumns([...found, ...fields], [], columnsMax);
}

/** Returns the column of what has no column of its own below `path`, which is one key or none. */
function restColumn(path: readonly string[]): Column {
  const [key] = path;
  const name = key === FIELDS ? FIELDS_REST : `${path.map(escapeKey).join('')}${REST_SUFFIX}`;
  return { path, name, kind: 'json', isRest: true };
}

/** Returns where the rest stands that a column belongs to when there are too many: below an object of Logboom, or the root. */
export function restPathOf(path: readonly string[]): readonly string[] {
  const [key = ''] = path;
  return path.length > 1 && isOwnMember(key) ? [key] : [];
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
  return stored.map(([name, kind]) => {
    if (name === FIELDS_REST) return restColumn([FIELDS]);
    if (!REST_NAME.test(name)) return { name, kind, path: parseColumnName(name) };
    const key = name.slice(0, -REST_SUFFIX.length);
    return restColumn(key === '' ? [] : [key]);
  });
}

/** Returns the columns that hold all of several segments' values, as many as `columnsOf` returns. */
export function mergeColumns(lists: readonly (readonly Column[])[], columnsMax = COLUMNS_MAX): Column[] {
  const byPath = new Map<string, UnnamedColumn>();
  const rests = new Map<string, readonly string[]>();
  for (const { path, kind, isRest } of lists.flat()) {
    const key = pathKey(path);
    if (isRest === true) rests.set(key, path);
    else byPath.set(key, { path, kind: mergeKinds(byPath.get(key)?.kind ?? kind, kind) });
  }
  for (const [key, path] of rests) {
    // What is an object with a rest here and something else there is JSON as a whole.
    if (path.length === 0 || !byPath.has(key)) continue;
    byPath.set(key, { path, kind: 'json' });
    rests.delete(key);
  }
  return boundColumns(foldNested([...byPath.values()]), [...rests.values()], columnsMax);
}

/** A key for maps that tells `a.b` from the path `a`, `b`. */
export function pathKey(path: readonly string[]): string {
  return path.join('\u0000');
}

/** Columns that stand together or go into a rest together. */
interface ColumnGroup {
  readonly columns: UnnamedColumn[];
  /** The path of the rest. */
  readonly rest: readonly string[];
  readonly part: 'own' | 'foreign' | 'fields';
  readonly isFirst: boolean;
}

/**
 * Keeps the first groups of columns that there is room for: of Logboom's own members, which come first, up to half of all;
 * of other top-level members up to half of what is left then; the others are for `fields`. So none of them can take the
 * place of the others.
 */
function boundColumns(
  found: readonly UnnamedColumn[],
  rests: readonly (readonly string[])[],
  columnsMax: number,
): Column[] {
  const groups = groupColumns(found);
  const restPaths = new Map(rests.map((path) => [pathKey(path), path]));
  const left = new Set<UnnamedColumn>();
  let room = columnsMax;
  for (const part of ['own', 'foreign', 'fields'] as const) {
    let share = part === 'fields' ? room : Math.ceil(room / 2);
    for (const { columns, rest, isFirst } of groups.filter((group) => group.part === part)) {
      const hasPlace = columns.length <= share || (isFirst && columns.length === 1);
      if (hasPlace) {
        share -= columns.length;
        room -= columns.length;
        continue;
      }
      restPaths.set(pathKey(rest), rest);
      for (const column of columns) left.add(column);
    }
  }
  const kept = nameColumns(found.filter((column) => !left.has(column)));
  return [...kept, ...[...restPaths.values()].map(restColumn)];
}

function groupColumns(found: readonly UnnamedColumn[]): ColumnGroup[] {
  const groups = new Map<string, ColumnGroup>();
  for (const column of found) {
    const { path } = column;
    const rest = restPathOf(path);
    const key = pathKey(path.slice(0, rest.length + 1));
    const group = groups.get(key);
    if (group !== undefined) {
      group.columns.push(column);
      continue;
    }
    const isOwn = isOwnMember(path[0] ?? '');
    const part = rest[0] === FIELDS ? 'fields' : isOwn ? 'own' : 'foreign';
    const isFirst = isOwn && (rest.length === 0 || FIRST_MEMBERS.has(key));
    groups.set(key, { columns: [column], rest, part, isFirst });
  }
  return [...groups.values()].toSorted((one, other) => Number(other.isFirst) - Number(one.isFirst));
}

/** Whether Logboom itself writes a top-level member of this name: a closed list. */
function isOwnMember(key: string): boolean {
  return isOwnName(key) || RESOURCE_KEYS.has(key) || Object.hasOwn(CORE_MEMBERS, key);
}

/** A column below another one (an object in one segment, a scalar in the other) disappears into that one's JSON. */
function foldNested(columns: readonly UnnamedColumn[]): UnnamedColumn[] {
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

function collect(path: readonly string[], node: FieldNode, found: UnnamedColumn[]): UnnamedColumn[] {
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

function nameColumns(columns: readonly UnnamedColumn[]): Column[] {
  const taken = new Map<string, number>([
    ['time', 1],
    ['file_id', 1],
    ['log.offset', 1],
    [FIELDS_REST, 1],
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
