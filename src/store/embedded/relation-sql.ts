/**
 * SQL that shows a file as a table with the columns `time`, `file_id`, `log.offset` and one per path, whether it is
 * a Parquet segment or a journal of documents: everything else is written once, for both.
 */
import { SQL_TYPES, columnsOf, pathKey, withCoreTypes } from './columns.ts';
import type { Column, ColumnKind, JournalSource, Source } from './segment-engine.ts';
import type { FieldNode, FieldTypes } from '../../record/field-types.ts';
import { addFieldTypes, mergeFieldTypes } from '../../record/field-types.ts';
import { must } from '../../base/assert.ts';
import type { SegmentGroup } from './segment-groups.ts';
import { sqlName, sqlText, sqlTextList } from './sql-text.ts';
import { toJournalKey } from './own-keys.ts';
import { LEVEL_KEY, OFFSET_KEY, RESOURCE_KEY } from './commit-line.ts';
import { isRootRest, restSql, WHOLE_LINE } from './rest-sql.ts';
import { resourceValuesSql } from './resource-sql.ts';

export interface Relation {
  /** What stands behind FROM. */
  readonly sql: string;
  readonly columns: readonly Column[];
}

/** DuckDB reads in buffers of twice this size, at least 32 MiB for each thread, and refuses longer lines. */
const OBJECT_BYTES_MIN = 1 << 20;

/** A node of what is read from a journal. */
interface Member {
  /** As it stands in the journal. */
  readonly key: string;
  /** Name in SQL. */
  name: string;
  readonly path: readonly string[];
  type: string | undefined;
  readonly members: Map<string, Member>;
  /** Another member of the same object has this name in other letters, or the name is empty. */
  readonly isShadowed: boolean;
  /** Of a top-level member: SQL cannot name all that is in it, so it is read as JSON text and taken apart. */
  isJson: boolean;
}

export interface JournalPlan {
  readonly columns: readonly Column[];
  /** SQL types of the resources' columns, by column name. */
  readonly resourceColumns: readonly Column[];
  readonly documentPaths: ReadonlySet<string>;
  /** Rests that documents have something for; resources may, too. */
  readonly documentRests: readonly Column[];
  /** Whether top-level members that begin with a dollar have no columns. */
  readonly hasDollarRest: boolean;
  /** Whether all documents are compact: then `log` and `event` need not be looked for. */
  readonly isCompact: boolean;
}

/** What an engine keeps of a journal, in a table. */
export interface TableSource {
  readonly kind: 'table';
  readonly name: string;
  readonly columns: readonly Column[];
}

export type ReadableSource = Source | TableSource;

/** Returns the relation of a source, with resources spelled out in the text. */
export function relationOf(source: ReadableSource | SegmentGroup): Relation {
  if (source.kind === 'segments') {
    return {
      sql: `read_parquet(${sqlTextList(source.paths)}, hive_partitioning = false)`,
      columns: source.columns,
    };
  }
  if (source.kind === 'table') return { sql: source.name, columns: source.columns };
  if (source.kind === 'segment') {
    return {
      sql: `read_parquet(${sqlText(source.path)}, hive_partitioning = false)`,
      columns: source.columns,
    };
  }
  const plan = planJournals([source]);
  const resources = resourceValuesSql(source.resources, plan.resourceColumns);
  const sql = journalSql([source], plan, { resources, isLenient: true });
  return { sql: `(${sql})`, columns: plan.columns };
}

/** Decides which columns journals have together. */
export function planJournals(journals: readonly JournalSource[], columnsMax?: number): JournalPlan {
  const documents: FieldTypes = new Map();
  for (const journal of journals) mergeFieldTypes(documents, journal.types);
  const isCompact = journals.every((journal) => journal.isCompact);
  const documentTypes = isCompact ? withMessageType(documents) : withCoreTypes(documents);
  const resourceTypes: FieldTypes = new Map();
  for (const journal of journals) {
    for (const { members } of journal.resources.values()) addMemberTypes(resourceTypes, members);
  }
  const together: FieldTypes = new Map();
  mergeFieldTypes(together, withCoreTypes(documentTypes, isCompact));
  mergeFieldTypes(together, resourceTypes);
  const columns = columnsOf(together, columnsMax);
  const isBelow = (root: FieldTypes, { path, isRest }: Column): boolean =>
    isRest === true ? root.get(path[0] ?? '')?.children !== undefined : hasPath(root, path);
  const inDocuments = columns.filter((column) => isRootRest(column) || isBelow(documentTypes, column));
  const tops = new Set(columns.map(({ path }) => path[0]));
  return {
    columns,
    resourceColumns: columns.filter((column) => !isRootRest(column) && isBelow(resourceTypes, column)),
    documentPaths: new Set(
      inDocuments.filter(({ isRest }) => isRest !== true).map((column) => pathKey(column.path)),
    ),
    documentRests: inDocuments.filter(({ isRest }) => isRest === true),
    hasDollarRest: [...together.keys()].some((key) => toJournalKey(key) !== key && !tops.has(key)),
    isCompact,
  };
}

/** The types of compact documents: their level and offset have names of their own. */
function withMessageType(types: FieldTypes): FieldTypes {
  const merged: FieldTypes = new Map();
  addFieldTypes(merged, 'message', '');
  mergeFieldTypes(merged, types);
  return merged;
}

export interface JournalSqlOptions {
  /** A table or subquery with the columns `r`, `file_id` and `c0`, `c1`, … */
  readonly resources: string;
  /** Skips lines that are no JSON, such as the torn last one of a journal that is being written. */
  readonly isLenient: boolean;
  /** A subquery with the column `json`, of lines to be read instead of the journals' files. */
  readonly lines?: string | undefined;
}

/** Returns the SELECT over journals. */
export function journalSql(
  journals: readonly JournalSource[],
  plan: JournalPlan,
  options: JournalSqlOptions,
): string {
  const root = memberTree(plan);
  const offset = offsetSql(root, plan);
  const hasWhole = journals.some((journal) => journal.hasWholeDocuments);
  const fileId = hasWhole
    ? `coalesce(r.file_id, left(${documentValue(root, ['event', 'id'], 'text')}, -13))`
    : 'r.file_id';
  const hasOddTimes = journals.some((journal) => journal.hasOddTimes);
  const hasLine = plan.columns.some(isRootRest);
  const time = 'j."@timestamp"';
  const parts = [
    `${hasOddTimes ? `coalesce(try_cast(${time} AS TIMESTAMP_NS), make_timestamp_ns(0))` : time} AS "time"`,
    `${fileId} AS "file_id"`,
    `${offset} AS "log.offset"`,
    ...plan.columns.map((column) => `${valueSql(root, plan, column)} AS ${sqlName(column.name)}`),
  ];
  return [
    `SELECT ${parts.join(',\n  ')}`,
    `FROM (${transformSql(root, readSql(journals, { root, hasLine, hasOddTimes }, options))}) j`,
    `LEFT JOIN ${options.resources} r ON j.${sqlName(RESOURCE_KEY)} = r.r`,
    `WHERE ${offset} IS NOT NULL`,
  ].join('\n');
}

function offsetSql(root: Member, plan: JournalPlan): string {
  const own = `j.${sqlName(OFFSET_KEY)}`;
  return plan.isCompact ? own : `coalesce(${own}, ${documentValue(root, ['log', 'offset'], 'integer')})`;
}

function addMemberTypes(types: FieldTypes, members: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(members)) addFieldTypes(types, key, members[key]);
}

function hasPath(types: FieldTypes, path: readonly string[]): boolean {
  let level: FieldTypes | undefined = types;
  for (const key of path) {
    const node: FieldNode | undefined = level?.get(key);
    if (node === undefined) return false;
    level = node.children;
  }
  return true;
}

function valueSql(root: Member, plan: JournalPlan, column: Column): string {
  const index = plan.resourceColumns.indexOf(column);
  const values: string[] = [];
  if (column.isRest === true) {
    if (plan.documentRests.includes(column)) values.push(restSql(plan, column, restSourceSql(root, column)));
  } else if (pathKey(column.path) === LEVEL_PATH) values.push(levelSql(column));
  if (isInDocuments(plan, column)) values.push(documentValue(root, column.path, column.kind));
  if (index >= 0) values.push(`r.c${index}`);
  if (values.length === 0) return `NULL::${SQL_TYPES[column.kind]}`;
  return values.length === 1 ? values.join('') : `coalesce(${values.join(', ')})`;
}

const LEVEL_PATH = pathKey(['log', 'level']);

/** The level of compact documents, in the type that the levels of others ask for. */
function levelSql({ kind }: Column): string {
  const level = `j.${sqlName(LEVEL_KEY)}`;
  return kind === 'json' ? `to_json(${level})` : level;
}

function isInDocuments({ documentPaths }: JournalPlan, { path, isRest }: Column): boolean {
  return isRest !== true && documentPaths.has(pathKey(path));
}

/** The object that a rest is left of. */
function restSourceSql(root: Member, column: Column): string {
  if (isRootRest(column)) return `j.${sqlName(WHOLE_LINE)}`;
  return `j.${sqlName(must(root.members.get(column.path[0] ?? ''), 'top-level member').name)}`;
}

/** The tree of what is read, with the members that every document must have. */
function memberTree(plan: JournalPlan): Member {
  const root = newMember('', [], false);
  if (!plan.isCompact) {
    insertMember(root, ['event', 'id'], 'VARCHAR');
    insertMember(root, ['log', 'offset'], 'BIGINT');
  }
  for (const column of plan.columns) {
    if (isInDocuments(plan, column)) insertMember(root, column.path, SQL_TYPES[column.kind]);
  }
  const rests = plan.documentRests.filter((column) => !isRootRest(column));
  for (const { path } of rests) insertMember(root, path, undefined);
  for (const top of root.members.values()) {
    const hasRest = rests.some(({ path }) => path[0] === top.path[0]);
    top.isJson = top.isShadowed || hasRest || hasShadowed(top);
  }
  return root;
}

function newMember(key: string, path: readonly string[], isShadowed: boolean): Member {
  return { key, name: key, path, type: undefined, members: new Map(), isShadowed, isJson: false };
}

function insertMember(root: Member, path: readonly string[], type: string | undefined): void {
  let node = root;
  for (const [depth, key] of path.entries()) {
    let member = node.members.get(key);
    if (member === undefined) {
      const folded = key.toLowerCase();
      const isTaken = [...node.members.values()].some((other) => other.key.toLowerCase() === folded);
      const journalKey = depth === 0 ? toJournalKey(key) : key;
      member = newMember(
        journalKey,
        path.slice(0, depth + 1),
        key === '' || key.includes('\u0000') || isTaken,
      );
      if (member.isShadowed) member.name = `#${node.members.size}`;
      node.members.set(key, member);
    }
    node = member;
  }
  node.type = type;
}

function hasShadowed(member: Member): boolean {
  for (const child of member.members.values()) if (child.isShadowed || hasShadowed(child)) return true;
  return false;
}

/** Returns the expression of a member of the document, in the SQL type of `kind`. */
function documentValue(root: Member, path: readonly string[], kind: ColumnKind): string {
  const top = must(root.members.get(path[0] ?? ''), 'top-level member');
  const base = `j.${sqlName(top.name)}`;
  if (!top.isJson) return [base, ...path.slice(1).map(sqlName)].join('.');
  if (path.length === 1) return fromJson(base, undefined, kind);
  let node: Member = top;
  for (const key of path.slice(1)) {
    node = must(node.members.get(key), 'member');
    if (node.isShadowed) return fromJson(base, path.slice(1), kind);
  }
  return [`j.${sqlName(`${top.name}#`)}`, ...path.slice(1).map(sqlName)].join('.');
}

function fromJson(json: string, path: readonly string[] | undefined, kind: ColumnKind): string {
  const place = sqlText(path === undefined ? '$' : jsonPath(path));
  if (kind === 'json') return `nullif((${json} -> ${place})::VARCHAR, 'null')::JSON`;
  const text = `(${json} ->> ${place})`;
  return kind === 'text' ? text : `CAST(${text} AS ${SQL_TYPES[kind]})`;
}

/** Returns a JSON pointer: unlike paths it can name every key. */
function jsonPath(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** What is read of the lines of journals. */
interface Reading {
  readonly root: Member;
  /** Whether the line itself is wanted, too, as the column `WHOLE_LINE`. */
  readonly hasLine: boolean;
  readonly hasOddTimes: boolean;
}

function readSql(
  journals: readonly JournalSource[],
  reading: Reading,
  { isLenient, lines }: JournalSqlOptions,
): string {
  if (lines !== undefined) return readLinesSql(lines, reading);
  const { root, hasLine } = reading;
  const longest = Math.max(...journals.map((journal) => journal.documentBytesMax));
  const files = [
    sqlTextList(journals.map((journal) => journal.path)),
    "format = 'newline_delimited'",
    `ignore_errors = ${isLenient}`,
    `maximum_object_size = ${Math.max(OBJECT_BYTES_MIN, 2 * longest)}`,
  ].join(', ');
  if (hasLine || hasShadowed(root)) return transformLinesSql(`read_ndjson_objects(${files})`, reading);
  const columns = ownColumns(timeTypeOf(reading));
  for (const top of root.members.values()) columns.push([top.key, top.isJson ? 'JSON' : typeOf(top)]);
  const spelled = columns.map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`).join(', ');
  return `SELECT * FROM read_json(${files}, columns = {${spelled}})`;
}

function timeTypeOf({ hasOddTimes }: Reading): string {
  return hasOddTimes ? 'VARCHAR' : 'TIMESTAMP_NS';
}

/**
 * Reading files takes the engine 32 MiB of its memory per thread, however small they are; lines that are at hand
 * take little more than their bytes.
 */
function readLinesSql(lines: string, reading: Reading): string {
  if (!reading.hasLine && !hasShadowed(reading.root))
    return transformLinesSql(`${lines} WHERE json <> ''`, reading);
  const objects = `(SELECT CASE WHEN json_valid(json) THEN json::JSON END AS json FROM ${lines})`;
  return transformLinesSql(objects, reading);
}

/** Members that SQL cannot name beside others are looked for one by one. */
function transformLinesSql(lines: string, reading: Reading): string {
  const shape: [string, unknown][] = ownColumns(timeTypeOf(reading));
  const others: [sql: string, name: string][] = [];
  if (reading.hasLine) others.push(['json', sqlName(WHOLE_LINE)]);
  for (const top of reading.root.members.values()) {
    if (top.isShadowed) others.push([`json -> ${sqlText(jsonPath([top.key]))}`, sqlName(top.name)]);
    else shape.push([top.key, top.isJson ? 'JSON' : transformStructure(top)]);
  }
  const structure = sqlText(JSON.stringify(Object.fromEntries(shape)));
  // Inside a list it is computed once: otherwise every condition on a member would parse the line again.
  const parsed = [
    `unnest([TRY(json_transform(json, ${structure}))]) AS line`,
    ...others.map(([sql, name]) => `${sql} AS ${name}`),
  ];
  const columns = ['unnest(line)', ...others.map(([, name]) => name)];
  return `SELECT ${columns.join(', ')} FROM (SELECT ${parsed.join(', ')} FROM ${lines})`;
}

function ownColumns(timeType: string): [string, string][] {
  return [
    ['@timestamp', timeType],
    [RESOURCE_KEY, 'INTEGER'],
    [OFFSET_KEY, 'BIGINT'],
    [LEVEL_KEY, 'VARCHAR'],
  ];
}

function typeOf(member: Member): string {
  if (member.type !== undefined) return member.type;
  const members = [...member.members.values()].map((child) => `${sqlName(child.key)} ${typeOf(child)}`);
  return `STRUCT(${members.join(', ')})`;
}

/** Adds a struct beside each object that was read as JSON. */
function transformSql(root: Member, read: string): string {
  const parts: string[] = [];
  for (const top of root.members.values()) {
    if (!top.isJson || top.members.size === 0) continue;
    const structure = sqlText(JSON.stringify(transformStructure(top)));
    parts.push(`json_transform(${sqlName(top.name)}, ${structure}) AS ${sqlName(`${top.name}#`)}`);
  }
  return parts.length === 0 ? read : `SELECT *, ${parts.join(', ')} FROM (${read})`;
}

function transformStructure(member: Member): unknown {
  if (member.members.size === 0) return member.type;
  const shape: [string, unknown][] = [];
  for (const child of member.members.values()) {
    if (!child.isShadowed) shape.push([child.key, transformStructure(child)]);
  }
  // An object of which nothing can be named still needs a structure.
  return shape.length === 0 ? { '#': 'BOOLEAN' } : Object.fromEntries(shape);
}
