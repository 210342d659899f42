/** The statements of the DuckDB engine, as text: what is asked of a source, and how files are written. */
import type { SortKey, SortOrder, TimeRange } from '../store.ts';
import { compileSql, fieldTextSql } from './compile-sql.ts';
import { documentSql, jsonTextSql, objectSql } from './document-sql.ts';
import type { JournalPlan, ReadableSource, Relation } from './relation-sql.ts';
import { journalSql, relationOf } from './relation-sql.ts';
import { resourceColumnTypes, resourceRowsJson, valueAt } from './resource-sql.ts';
import { SQL_TYPES, mergeColumns, pathKey, restPathOf } from './columns.ts';
import type {
  Column,
  FileRange,
  JournalSource,
  ResourceMap,
  SegmentSource,
  SourceHistogram,
  SourceScan,
  SourceSearch,
} from './segment-engine.ts';
import type { SegmentGroup } from './segment-groups.ts';
import { sqlName, sqlText, sqlTime } from './sql-text.ts';

/** Dictionaries of resources' columns with more values than this are plain text. */
const ENUM_VALUES_MAX = 10_000;

/** Rows of a row group. */
export const ROW_GROUP_ROWS = 61_440;

/**
 * Version 2 pages encode numbers as deltas and texts by length. The dictionary's limit keeps columns of distinct
 * values (ids, traces) out of dictionaries that only cost time: 3 % smaller on mixed logs. Row groups of half the
 * usual size are compressed as well, take half the memory, and have narrower ranges of time. No search asks for a value
 * as Bloom filters know it, because case does not count; making them takes 6 % of a seal.
 */
const PARQUET_OPTIONS = `FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, DICTIONARY_SIZE_LIMIT 5000, WRITE_BLOOM_FILTER false`;

/** Level 2 costs 7 % more time than level 1 and saves 1 %. */
const SEALED_OPTIONS = `(${PARQUET_OPTIONS}, COMPRESSION_LEVEL 1)`;

/** Files that stay are worth more time: level 10 makes them 8 % smaller; level 9 takes a fifth less time and saves 7 %. */
const COMPACTED_OPTIONS = `(${PARQUET_OPTIONS}, COMPRESSION_LEVEL 10)`;

const KEY_COLUMNS = `epoch_ns("time"), "file_id"::VARCHAR, "log.offset"`;

/** All matches of a page with their documents. */
export function searchSql(source: ReadableSource, request: SourceSearch): string {
  const relation = relationOf(source);
  const order = orderSql(request.order);
  const where = whereSql(relation, request, request.after, request.order);
  const page = `SELECT * FROM ${relation.sql} WHERE ${where} ORDER BY ${order} LIMIT ${request.limit}`;
  return `SELECT ${KEY_COLUMNS}, ${documentSql(relation.columns)} FROM (${page}) ORDER BY ${order}`;
}

/** The sort keys of a page: reads only the columns that decide. */
export function searchKeysSql(source: ReadableSource, request: SourceSearch): string {
  const relation = relationOf(source);
  const where = whereSql(relation, request, request.after, request.order);
  return `SELECT ${KEY_COLUMNS} FROM ${relation.sql} WHERE ${where} ORDER BY ${orderSql(request.order)} LIMIT ${request.limit}`;
}

/** The documents of sort keys that `searchKeysSql` found, in order. */
export function documentsSql(source: ReadableSource, keys: readonly SortKey[], order: SortOrder): string {
  const relation = relationOf(source);
  const times = keys.map((key) => key.timeNs).toSorted((one, other) => (one < other ? -1 : 1));
  const wanted = keys.map((key) => `(${sqlText(key.fileId)}, ${key.offset})`).join(', ');
  const where = [
    `"time" >= ${sqlTime(times.at(0) ?? 0n)}`,
    `"time" <= ${sqlTime(times.at(-1) ?? 0n)}`,
    `("file_id", "log.offset") IN (${wanted})`,
  ];
  const rows = `SELECT * FROM ${relation.sql} WHERE ${where.join(' AND ')}`;
  return `SELECT ${KEY_COLUMNS}, ${documentSql(relation.columns)} FROM (${rows}) ORDER BY ${orderSql(order)}`;
}

/** The documents of a source as bytes, with what `line-sorter.ts` orders them by, in no order. */
export function scanSql(source: ReadableSource | SegmentGroup, request: SourceScan): string {
  const relation = relationOf(source);
  const where = whereSql(relation, request, undefined, 'asc');
  const parts = [
    `(epoch_ns("time") >> 32)::DOUBLE`,
    `(epoch_ns("time") & 4294967295)::DOUBLE`,
    `"file_id"::VARCHAR`,
    `"log.offset"::DOUBLE`,
    'octet_length(document)::DOUBLE',
    'document',
  ];
  const rows = `SELECT "time", "file_id", "log.offset", encode(${documentSql(relation.columns)}) AS document FROM ${relation.sql} WHERE ${where}`;
  return `SELECT ${parts.join(', ')} FROM (${rows})`;
}

/** Parts of time that `orderedLinesSql` puts in order by themselves: what the engine sorts at once is a text. */
const ORDERED_PARTS = 32n;

/**
 * The documents of a source in few long texts: place in time, rows, and UTF-8 with newlines between documents, which
 * are in order; the texts are not. That takes the engine more memory than `scanSql`, and much less time for each
 * document to be handed over.
 */
export function orderedLinesSql(source: ReadableSource | SegmentGroup, request: SourceScan): string {
  const relation = relationOf(source);
  const where = whereSql(relation, request, undefined, 'asc');
  const widthNs = (request.range.endNs - request.range.startNs) / ORDERED_PARTS + 1n;
  const part = `(epoch_ns("time") // ${widthNs})::DOUBLE AS part`;
  const rows = `SELECT "time", "file_id", "log.offset", ${part}, ${documentSql(relation.columns)} AS document FROM ${relation.sql} WHERE ${where}`;
  const text = `encode(string_agg(document, chr(10) ORDER BY ${orderSql('asc')}))`;
  return `SELECT part, count(*)::DOUBLE, ${text} FROM (${rows}) GROUP BY part`;
}

export function histogramSql(source: ReadableSource, request: SourceHistogram): string {
  const relation = relationOf(source);
  const bucket = `(epoch_ns("time") - (${request.range.startNs})) // ${request.widthNs}`;
  const value = fieldTextSql(request.by ?? [], relation.columns);
  const where = whereSql(relation, request, undefined, 'asc');
  return `SELECT ${bucket}, ${value}, count(*) FROM ${relation.sql} WHERE ${where} GROUP BY ALL`;
}

/** Counts the rows of a segment, and reads every value while it does. */
export function verifySql(source: SegmentSource): string {
  return `SELECT count(*), max(hash(t)) FROM ${relationOf(source).sql} t`;
}

/** Offsets are grouped before they are counted: that takes a third of what `count(DISTINCT …)` takes. */
export function tallySql(source: ReadableSource): string {
  const { sql } = relationOf(source);
  const rows = `SELECT "file_id" AS f, "log.offset" AS o, count(*) AS c FROM ${sql} GROUP BY f, o`;
  return `SELECT f::VARCHAR, sum(c), count(*), min(o), max(o), sum(o)::VARCHAR FROM (${rows}) GROUP BY f`;
}

/** A source of `tallyRangesSql`; `isSegment` whether it counts as one, whatever it is read from. */
export interface TalliedSource {
  readonly source: ReadableSource;
  readonly isSegment: boolean;
  /** Places in the list of ranges. */
  readonly ranges: readonly number[];
}

/** Each row is compared with those ranges of its file alone that its source has something of: they are few. */
export function tallyRangesSql(sources: readonly TalliedSource[], ranges: readonly FileRange[]): string {
  const structure = sqlText('[{"i":"INTEGER","b":"VARCHAR","l":"BIGINT","h":"BIGINT"}]');
  const rows = sources
    .map(({ source, isSegment, ranges: places }, index) => {
      const { sql } = relationOf(source);
      const own = places.flatMap((place) => {
        const range = ranges[place];
        return range === undefined
          ? []
          : [{ i: place, b: range.fileId, l: range.startOffset, h: range.endOffset }];
      });
      const table = `(SELECT unnest(from_json(${sqlText(JSON.stringify(own))}, ${structure}), recursive := true))`;
      const all = `SELECT "file_id"::VARCHAR AS f, "log.offset" AS o FROM ${sql}`;
      return `SELECT ${index} AS s, ${isSegment} AS g, i, o FROM (${all}) JOIN ${table} ON f = b AND o >= l AND o < h`;
    })
    .join(' UNION ALL ');
  const bySource = `SELECT i, o, s, g, count(*) AS c FROM (${rows}) GROUP BY i, o, s, g`;
  const counts = ['sum(c) AS c', 'coalesce(sum(c) FILTER (g), 0) AS gc', 'count(*) FILTER (g) AS gk'];
  const byOffset = `SELECT i, o, ${counts.join(', ')} FROM (${bySource}) GROUP BY i, o`;
  const sums = [
    'sum(c)',
    'count(*)',
    'sum(o)::VARCHAR',
    'sum(gc)',
    'sum(gk)',
    'sum(o::HUGEINT * gk)::VARCHAR',
  ];
  return `SELECT i, ${sums.join(', ')} FROM (${byOffset}) GROUP BY i`;
}

/** Statements that leave the resources of journals in the temporary table `seal_resources`. */
export function resourceTableSql(journals: readonly JournalSource[], plan: JournalPlan): string[] {
  const resources: ResourceMap = new Map(journals.flatMap((journal) => [...journal.resources]));
  const fileIds = [...resources.values()].map((resource) => resource.fileId);
  const types = resourceColumnTypes(plan.resourceColumns);
  const columns = plan.resourceColumns.map((column, index) => {
    const isText = column.kind === 'text';
    const values = isText ? [...resources.values()].map(({ members }) => valueAt(members, column.path)) : [];
    return `c${index} ${isText ? enumType(values) : SQL_TYPES[column.kind]}`;
  });
  const table = ['r INTEGER', `file_id ${enumType(fileIds)}`, ...columns].join(', ');
  const structure = JSON.stringify([{ r: 'INTEGER', file_id: 'VARCHAR', ...Object.fromEntries(types) }]);
  const rows = sqlText(resourceRowsJson(resources, plan.resourceColumns));
  return [
    `CREATE OR REPLACE TEMP TABLE seal_resources (${table})`,
    `INSERT INTO seal_resources SELECT unnest(from_json(${rows}, ${sqlText(structure)}), recursive := true)`,
  ];
}

/** An enumeration is written to Parquet as a dictionary without hashing every value. */
function enumType(values: readonly unknown[]): string {
  const distinct = new Set(values.filter((value) => typeof value === 'string'));
  if (distinct.size === 0 || distinct.size > ENUM_VALUES_MAX) return 'VARCHAR';
  for (const value of distinct) if (value.includes('\u0000')) return 'VARCHAR';
  return `ENUM(${[...distinct].map(sqlText).join(', ')})`;
}

export interface CopyOptions {
  readonly path: string;
  readonly isLenient: boolean;
}

/** The statement that writes journals of one hour. */
export function copyJournalsSql(
  journals: readonly JournalSource[],
  plan: JournalPlan,
  { path, isLenient }: CopyOptions,
): string {
  return `COPY (${sealRowsSql(journals, plan, isLenient)}) TO ${sqlText(path)} ${SEALED_OPTIONS}`;
}

/** The statement that loads journals of several hours into the temporary table `seal_rows`. */
export function stageJournalsSql(
  journals: readonly JournalSource[],
  plan: JournalPlan,
  isLenient: boolean,
): string {
  return `CREATE OR REPLACE TEMP TABLE seal_rows AS ${sealRowsSql(journals, plan, isLenient)}`;
}

/** Writes the staged rows of one hour. */
export function copyHourSql(hour: string, path: string): string {
  const start = sqlText(`${hour}:00:00`);
  const range = `"time" >= ${start}::TIMESTAMP_NS AND "time" < (${start}::TIMESTAMP + INTERVAL 1 HOUR)::TIMESTAMP_NS`;
  return `COPY (SELECT * FROM seal_rows WHERE ${range}) TO ${sqlText(path)} ${SEALED_OPTIONS}`;
}

function sealRowsSql(journals: readonly JournalSource[], plan: JournalPlan, isLenient: boolean): string {
  return journalSql(journals, plan, { resources: 'seal_resources', isLenient });
}

/**
 * Merges segments of one hour into one, in the order they are given: their rows stand by app and file already, and to
 * sort them again would need several times the memory that an engine is given.
 */
export function compactSql(
  sources: readonly SegmentSource[],
  path: string,
  columnsMax: number,
): { sql: string; columns: Column[] } {
  const columns = mergeColumns(
    sources.map((source) => source.columns),
    columnsMax,
  );
  const parts = sources.map(
    (source) => `SELECT ${unionColumns(source, columns)} FROM ${relationOf(source).sql}`,
  );
  const rows = parts.join(' UNION ALL ');
  const sql = `COPY (${rows}) TO ${sqlText(path)} ${COMPACTED_OPTIONS}`;
  return { sql, columns };
}

/** Writes every match of all sources to one file, in no order. */
export function copyMatchesSql(
  sources: readonly ReadableSource[],
  request: SourceScan,
  path: string,
): string {
  const relations = sources.map(relationOf);
  const columns = mergeColumns(relations.map((relation) => relation.columns));
  const parts = relations.map((relation) => {
    const matches = `SELECT * FROM ${relation.sql} WHERE ${whereSql(relation, request, undefined, 'asc')}`;
    return `SELECT ${unionColumns(relation, columns)} FROM (${matches})`;
  });
  const rows = parts.length === 0 ? NO_ROWS : parts.join(' UNION ALL ');
  return `COPY (${rows}) TO ${sqlText(path)} ${SEALED_OPTIONS}`;
}

/** A file of no rows still needs columns. */
const NO_ROWS = `SELECT NULL::TIMESTAMP_NS AS "time", NULL::VARCHAR AS "file_id", NULL::BIGINT AS "log.offset", NULL::VARCHAR AS "message" WHERE false`;

function unionColumns(source: Pick<Relation, 'columns'>, columns: readonly Column[]): string {
  const own = `"time", "file_id"::VARCHAR AS "file_id", "log.offset"`;
  const left = withoutColumn(source.columns, columns);
  const others = columns.map((column) => {
    const value = column.isRest === true ? restSql(left, column) : convertedSql(source, column);
    return `${value} AS ${sqlName(column.name)}`;
  });
  return [own, ...others].join(', ');
}

/** Columns of a source that neither are columns of what it is merged into nor stand below one. */
function withoutColumn(columns: readonly Column[], targets: readonly Column[]): Column[] {
  const kept = new Set(targets.filter(({ isRest }) => isRest !== true).map(({ path }) => pathKey(path)));
  return columns.filter(({ path }) => !path.some((_, depth) => kept.has(pathKey(path.slice(0, depth + 1)))));
}

/** A rest of the merged columns: the source's own, and its columns that have no place any more. */
function restSql(left: readonly Column[], target: Column): string {
  const key = pathKey(target.path);
  const parts = left.filter(({ isRest, path }) =>
    isRest === true
      ? path.length === target.path.length && pathKey(path) === key
      : pathKey(restPathOf(path)) === key && restPathOf(path).length === target.path.length,
  );
  const [only] = parts;
  if (only?.isRest === true && parts.length === 1) return sqlName(only.name);
  return objectSql(parts, target.path);
}

/** A source's values in the type of the merged column. */
function convertedSql(source: Pick<Relation, 'columns'>, target: Column): string {
  const key = pathKey(target.path);
  const same = source.columns.find(({ path, isRest }) => isRest !== true && pathKey(path) === key);
  if (same === undefined)
    return target.kind === 'json' ? gatheredSql(source, target) : `NULL::${SQL_TYPES[target.kind]}`;
  const name = sqlName(same.name);
  if (same.kind === target.kind) return name;
  if (target.kind === 'double') return `${name}::DOUBLE`;
  return `(${jsonTextSql(same)})::JSON`;
}

/** What was several columns in a source becomes the object that it was in the documents. */
function gatheredSql(source: Pick<Relation, 'columns'>, target: Column): string {
  const below = source.columns.filter(
    ({ path, isRest }) =>
      path.length + (isRest === true ? 1 : 0) > target.path.length &&
      target.path.every((key, depth) => path[depth] === key),
  );
  return objectSql(below, target.path);
}

/** Counts by namespace and level with the range of times, of a file that was just written. */
export function factsSql(path: string, columns: readonly Column[]): string {
  const textOf = (field: string): string => fieldTextSql([field], columns);
  const relation = relationOf({ kind: 'segment', path, columns });
  return `SELECT ${textOf('kubernetes.namespace')}, ${textOf('log.level')}, count(*), epoch_ns(min("time")), epoch_ns(max("time")) FROM ${relation.sql} GROUP BY ALL`;
}

function whereSql(
  relation: Relation,
  request: { query: SourceScan['query']; range: TimeRange },
  after: SortKey | undefined,
  order: SortOrder,
): string {
  const conditions = [
    `"time" >= ${sqlTime(request.range.startNs)}`,
    `"time" < ${sqlTime(request.range.endNs)}`,
    compileSql(request.query, relation.columns),
  ];
  if (after !== undefined) conditions.push(afterSql(after, order));
  return conditions.join(' AND ');
}

function afterSql(key: SortKey, order: SortOrder): string {
  const sign = order === 'asc' ? '>' : '<';
  const time = sqlTime(key.timeNs);
  const file = sqlText(key.fileId);
  const within = `("file_id" ${sign} ${file} OR ("file_id" = ${file} AND "log.offset" ${sign} ${key.offset}))`;
  return `"time" ${sign}= ${time} AND ("time" ${sign} ${time} OR ${within})`;
}

function orderSql(order: SortOrder): string {
  const direction = order === 'asc' ? 'ASC' : 'DESC';
  return `"time" ${direction}, "file_id" ${direction}, "log.offset" ${direction}`;
}
