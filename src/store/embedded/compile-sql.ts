/**
 * Compiles a query into a condition on the columns of one file, with the meaning that `query/match.ts` gives each
 * node: NULL counts as false, and `not` sees to it.
 *
 * A field is found in every column whose path, joined by dots, is the field's; in the JSON of a column above it;
 * and, when its existence is asked for, in every column below it.
 */
import { UNSEARCHED_KEYS } from '../../query/fields.ts';
import { unreachable } from '../../base/assert.ts';
import type { Query, RangeOperator, TextPattern } from '../../query/ast.ts';
import { foldCase } from '../../query/fold-case.ts';
import { compileRegex } from '../../query/regex.ts';
import { parseTime } from '../../query/time-range.ts';
import { EVENT_ID_SQL, TIME_TEXT_SQL, doubleTextSql } from './document-sql.ts';
import type { Column, ColumnKind } from './segment-engine.ts';
import { sqlName, sqlText, sqlTime } from './sql-text.ts';

/** Values of a field in one column, or in the JSON of one. */
interface Operand {
  readonly kind: ColumnKind | 'scalar';
  readonly sql: string;
  /** Whether it is the array of what a path through arrays leads to: an empty one is nothing. */
  readonly isGathered?: boolean;
}

/** Builds a condition on an expression; `scalar` is the JSON of a scalar. */
type Test = (operand: Operand) => string;

const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NUMBER_SQL = sqlText('[+-]?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?');

/** Keys of a field's path that are tried as one literal key with dots. */
const LITERAL_SEGMENTS_MAX = 6;

/** Of a longer path arrays are gone through only where every key is nested: the ways would be hundreds. */
const ARRAY_SEGMENTS_MAX = 4;

const OWN_OPERANDS: ReadonlyMap<string, Operand> = new Map<string, Operand>([
  ['@timestamp', { kind: 'text', sql: `(${TIME_TEXT_SQL})` }],
  ['event.id', { kind: 'text', sql: `(${EVENT_ID_SQL})` }],
  ['log.offset', { kind: 'integer', sql: '"log.offset"' }],
]);

/** Returns the condition of a query on a file with these columns. */
export function compileSql(query: Query, columns: readonly Column[]): string {
  switch (query.kind) {
    case 'all':
      return 'true';
    case 'and':
      return joined(query.operands, columns, ' AND ', 'true');
    case 'or':
      return joined(query.operands, columns, ' OR ', 'false');
    case 'not':
      return `NOT coalesce(${compileSql(query.operand, columns)}, false)`;
    case 'text':
      return compileText(query.pattern, columns);
    case 'field':
      return onField(
        query.field,
        columns,
        query.field === 'message' ? occurs(query.pattern) : equals(query.pattern),
      );
    case 'contains':
      return onField(query.field, columns, occurs(query.pattern));
    case 'exists':
      return compileExists(query.field, columns);
    case 'range':
      return compileRange(query.field, query.operator, query.value, columns);
    case 'regex':
      return compileRegexSql(query.field ?? 'message', query.source, columns);
    default:
      return unreachable(query);
  }
}

function joined(queries: readonly Query[], columns: readonly Column[], by: string, none: string): string {
  if (queries.length === 0) return none;
  const conditions = queries.map((query) => compileSql(query, columns));
  // A field that a file does not have is no condition on it: what is left can be found by the statistics of columns.
  const told = by === ' OR ' ? conditions.filter((condition) => condition !== 'false') : conditions;
  if (told.length === 0) return 'false';
  return `(${told.join(by)})`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`;
}

function onField(field: string, columns: readonly Column[], test: Test): string {
  return anyOf(operandsOf(field, columns).map((operand) => applied(operand, test)));
}

/** Applies a test to a value, or to the elements of what may be an array. */
function applied(operand: Operand, test: Test): string {
  if (operand.kind !== 'json') return test(operand);
  return anyScalar(operand.sql, test);
}

function anyScalar(json: string, test: Test): string {
  const elements = `CASE WHEN json_type(${json}) = 'ARRAY' THEN list_concat(json_extract(${json}, '$[*]'), json_extract(${json}, '$[*][*]')) ELSE [${json}] END`;
  return `(${json} IS NOT NULL AND ${anyOfList(elements, test)})`;
}

function anyOfList(list: string, test: Test): string {
  const isScalar = "json_type(x) NOT IN ('ARRAY', 'OBJECT', 'NULL')";
  return `len(list_filter(${list}, lambda x: ${isScalar} AND ${test({ kind: 'scalar', sql: 'x' })})) > 0`;
}

/** Everywhere the field can stand in these columns. */
function operandsOf(field: string, columns: readonly Column[]): Operand[] {
  const own = OWN_OPERANDS.get(field);
  if (own !== undefined) return [own];
  const found: Operand[] = [];
  for (const column of columns) {
    if (column.isRest !== true && column.path.join('.') === field) {
      found.push({ kind: column.kind, sql: sqlName(column.name) });
      continue;
    }
    const below = pathBelow(column, field);
    if (below !== undefined) found.push(...placesIn(sqlName(column.name), below));
  }
  return found;
}

/** Returns the path of the field in the JSON of a column, dotted; undefined when it cannot stand there. */
function pathBelow({ kind, path }: Column, field: string): string | undefined {
  if (kind !== 'json') return undefined;
  const above = path.map((key) => `${key}.`).join('');
  return field.startsWith(above) ? field.slice(above.length) : undefined;
}

/** The places in a JSON value that a dotted path names: nested keys, literal keys with dots, through arrays. */
function placesIn(json: string, path: string): Operand[] {
  const places: Operand[] = [];
  const segments = path.split('.');
  for (const keys of keySplits(segments)) {
    const nested = keys.map((key) => `.${JSON.stringify(key)}`);
    places.push({ kind: 'json', sql: `json_extract(${json}, ${sqlText(`$${nested.join('')}`)})` });
    if (segments.length > ARRAY_SEGMENTS_MAX && keys.length < segments.length) continue;
    for (const through of arrayPaths(nested)) {
      const sql = `to_json(json_extract(${json}, ${sqlText(`$${through}`)}))`;
      places.push({ kind: 'json', sql, isGathered: true });
    }
  }
  return places;
}

/** The ways to go through one array, or through two, in front of any key. */
function arrayPaths(nested: readonly string[]): string[] {
  const paths: string[] = [];
  for (const first of nested.keys()) {
    const once = nested.with(first, `[*]${nested[first]}`);
    paths.push(once.join(''));
    for (let second = first + 1; second < nested.length; second += 1) {
      paths.push(once.with(second, `[*]${nested[second]}`).join(''));
    }
  }
  return paths;
}

function keySplits(segments: readonly string[]): string[][] {
  if (segments.length === 0) return [[]];
  if (segments.length > LITERAL_SEGMENTS_MAX) return [[...segments], [segments.join('.')]];
  const splits: string[][] = [];
  for (let length = 1; length <= segments.length; length += 1) {
    const key = segments.slice(0, length).join('.');
    for (const rest of keySplits(segments.slice(length))) splits.push([key, ...rest]);
  }
  return splits;
}

function compileExists(field: string, columns: readonly Column[]): string {
  if (OWN_OPERANDS.has(field) || field === 'log' || field === 'event') return 'true';
  const conditions: string[] = [];
  for (const column of columns) {
    const name = sqlName(column.name);
    if (standsWithin(column.path, field)) {
      conditions.push(`${name} IS NOT NULL`);
      continue;
    }
    const below = pathBelow(column, field);
    for (const place of below === undefined ? [] : placesIn(name, below)) {
      conditions.push(
        `${place.sql}::VARCHAR NOT IN (${place.isGathered === true ? "'null', '[]'" : "'null'"})`,
      );
    }
  }
  return anyOf(conditions);
}

/** Whether the field is the path, or an object that it leads through: the beginning of a key with dots is neither. */
function standsWithin(path: readonly string[], field: string): boolean {
  return path.some((_, depth) => path.slice(0, depth + 1).join('.') === field);
}

function compileText(pattern: TextPattern, columns: readonly Column[]): string {
  const inText = occurs(pattern);
  const number = numberOf(pattern);
  const conditions: string[] = [];
  for (const column of columns) {
    if (UNSEARCHED_KEYS.has(column.path[0] ?? '')) continue;
    const operand: Operand = { kind: column.kind, sql: sqlName(column.name) };
    if (column.kind === 'text') conditions.push(inText(operand));
    else if (column.kind === 'json') conditions.push(textInJson(operand.sql, inText, number));
    else if (column.kind !== 'boolean' && number !== undefined) conditions.push(`${operand.sql} = ${number}`);
  }
  return anyOf(conditions);
}

/** Any string at any depth that the text occurs in, or any number that is equal. */
function textInJson(json: string, inText: Test, number: number | undefined): string {
  const leaves = `list_append(json_extract(${json}, '$..*'), ${json})`;
  return `(${json} IS NOT NULL AND ${anyOfList(leaves, (leaf) => {
    const isText = `json_type(${leaf.sql}) = 'VARCHAR' AND ${inText(leaf)}`;
    return number === undefined ? `(${isText})` : `((${isText}) OR ${numberSql(leaf)} = ${number})`;
  })})`;
}

function equals(pattern: TextPattern): Test {
  const pieces = lowerCased(pattern);
  const number = numberOf(pattern);
  return (operand) => {
    if (number === undefined) return wholeSql(loweredSql(operand), pieces);
    const isEqual = `${numberSql(operand)} = ${number}`;
    if (operand.kind === 'integer' || operand.kind === 'double') return isEqual;
    const isWhole = wholeSql(loweredSql(operand), pieces);
    return operand.kind === 'scalar' ? `coalesce(${isEqual}, ${isWhole})` : isWhole;
  };
}

function occurs(pattern: TextPattern): Test {
  const pieces = lowerCased(pattern);
  return (operand) => occursSql(loweredSql(operand), pieces);
}

function lowerCased({ pieces }: TextPattern): string[] {
  return pieces.map(foldCase);
}

function numberOf({ pieces }: TextPattern): number | undefined {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? parseNumber(only) : undefined;
}

function parseNumber(text: string): number | undefined {
  const number = NUMBER.test(text) ? Number(text) : undefined;
  return number !== undefined && Number.isFinite(number) ? number : undefined;
}

/** The value as text, as JSON prints it. */
function textSql(operand: Operand): string {
  switch (operand.kind) {
    case 'text':
      return operand.sql;
    case 'double':
      return doubleTextSql(operand.sql);
    case 'scalar':
    case 'json':
      return `(${operand.sql} ->> '$')`;
    default:
      return `${operand.sql}::VARCHAR`;
  }
}

function loweredSql(operand: Operand): string {
  const text = textSql(operand);
  return operand.kind === 'integer' || operand.kind === 'boolean' ? text : `lower(${text})`;
}

/** The value as a number, NULL when it is none; texts are none. */
function numberSql(operand: Operand): string {
  if (operand.kind === 'integer' || operand.kind === 'double') return operand.sql;
  if (operand.kind !== 'scalar') return 'NULL';
  return `CASE WHEN json_type(${operand.sql}) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE') THEN try_cast(${textSql(operand)} AS DOUBLE) END`;
}

function occursSql(text: string, pieces: readonly string[]): string {
  const literal = pieces.filter((piece) => piece !== '');
  if (literal.length === 0) return `${text} IS NOT NULL`;
  if (literal.length === 1) return `contains(${text}, ${sqlText(literal[0] ?? '')})`;
  return likeSql(text, `%${literal.map(escapeLike).join('%')}%`);
}

function wholeSql(text: string, pieces: readonly string[]): string {
  if (pieces.length <= 1) return `${text} = ${sqlText(pieces[0] ?? '')}`;
  return likeSql(text, pieces.map(escapeLike).join('%'));
}

function likeSql(text: string, pattern: string): string {
  return `${text} LIKE ${sqlText(pattern)} ESCAPE '\\'`;
}

function escapeLike(piece: string): string {
  return piece.replaceAll(/[\\%_]/g, '\\$&');
}

function compileRange(
  field: string,
  operator: RangeOperator,
  value: string,
  columns: readonly Column[],
): string {
  if (field === '@timestamp') {
    const bound = parseTime(value, 0n);
    return bound === undefined ? 'false' : `"time" ${operator} ${sqlTime(bound)}`;
  }
  const number = parseNumber(value);
  if (number === undefined) {
    const bound = sqlText(foldCase(value));
    return onField(field, columns, (operand) => textRange(operand, `${operator} ${bound}`));
  }
  return onField(field, columns, (operand) => numberRange(operand, `${operator} ${number}`));
}

function textRange(operand: Operand, comparison: string): string {
  if (operand.kind === 'text') return `${loweredSql(operand)} ${comparison}`;
  if (operand.kind !== 'scalar') return 'false';
  return `(json_type(${operand.sql}) = 'VARCHAR' AND ${loweredSql(operand)} ${comparison})`;
}

function numberRange(operand: Operand, comparison: string): string {
  if (operand.kind === 'boolean') return 'false';
  if (operand.kind === 'integer' || operand.kind === 'double') return `${operand.sql} ${comparison}`;
  const text = textSql(operand);
  const isText = operand.kind === 'text' ? 'true' : `json_type(${operand.sql}) <> 'BOOLEAN'`;
  const isNumber = `${isText} AND regexp_full_match(${text}, ${NUMBER_SQL})`;
  return `CASE WHEN ${isNumber} THEN try_cast(${text} AS DOUBLE) ${comparison} END`;
}

function compileRegexSql(field: string, source: string, columns: readonly Column[]): string {
  if ('problem' in compileRegex(source)) return 'false';
  return onField(field, columns, (operand) => `regexp_matches(${textSql(operand)}, ${sqlText(source)})`);
}

/** Returns the value at the first of a field's paths that has one, for splitting a histogram; NULL where none has. */
export function fieldTextSql(paths: readonly string[], columns: readonly Column[]): string {
  const texts = paths.flatMap((path) => operandsOf(path, columns)).map(wholeTextSql);
  return texts.length === 0 ? 'NULL' : `coalesce(${texts.join(', ')})`;
}

/** An object is no value. */
function wholeTextSql(operand: Operand): string {
  const text = textSql(operand);
  if (operand.kind !== 'json') return text;
  return `CASE WHEN json_type(${operand.sql}) <> 'OBJECT' THEN ${operand.isGathered === true ? `nullif(${text}, '[]')` : text} END`;
}
