/** The statements that keep journals in tables. */
import { SQL_TYPES } from './columns.ts';
import type { JournalPlan } from './relation-sql.ts';
import { journalSql } from './relation-sql.ts';
import { resourceValuesSql } from './resource-sql.ts';
import { RESOURCE_KEY } from './commit-line.ts';
import type { Column, JournalSource, Resource } from './segment-engine.ts';
import { sqlName, sqlText } from './sql-text.ts';

/** The lines of the text that is bound to the statement. */
const BOUND_LINES = '(SELECT unnest(string_split($1::VARCHAR, chr(10))) AS json)';

const FILE_OPTIONS = '(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)';

export function createTableSql(name: string, columns: readonly Column[]): string {
  const own = ['"time" TIMESTAMP_NS', '"file_id" VARCHAR', '"log.offset" BIGINT'];
  return `CREATE TABLE ${name} (${[...own, ...columns.map(definition)].join(', ')})`;
}

export function addColumnsSql(name: string, columns: readonly Column[]): string[] {
  return columns.map((column) => `ALTER TABLE ${name} ADD COLUMN ${definition(column)}`);
}

/** The rows of lines of a journal that are bound to the statement as `$1`. */
export function selectLinesSql(source: JournalSource, plan: JournalPlan, lines: Uint8Array): string {
  const resources = resourceValuesSql(resourcesIn(lines, source.resources), plan.resourceColumns);
  return journalSql([source], plan, { resources, isLenient: true, lines: BOUND_LINES });
}

/** The statement that adds rows to a table. */
export function insertRowsSql(name: string, rows: string): string {
  return `INSERT INTO ${name} BY NAME ${rows}`;
}

export function selectTableSql(name: string): string {
  return `FROM ${name}`;
}

/** The statement that writes rows to a file of its own. */
export function copyRowsSql(rows: string, path: string): string {
  return `COPY (${rows}) TO ${sqlText(path)} ${FILE_OPTIONS}`;
}

export function dropTableSql(name: string): string {
  return `DROP TABLE IF EXISTS ${name}`;
}

function definition({ name, kind }: Column): string {
  return `${sqlName(name)} ${SQL_TYPES[kind]}`;
}

const RESOURCE_MARK = new RegExp(`"${RESOURCE_KEY.replace('$', '\\$')}":(\\d+)`, 'g');

/** The resources that lines speak of, and maybe others that only their texts mention. */
function resourcesIn(lines: Uint8Array, resources: ReadonlyMap<number, Resource>): Map<number, Resource> {
  const found = new Map<number, Resource>();
  const text = new TextDecoder('latin1').decode(lines);
  for (const [, digits] of text.matchAll(RESOURCE_MARK)) {
    const id = Number(digits);
    const resource = found.has(id) ? undefined : resources.get(id);
    if (resource !== undefined) found.set(id, resource);
  }
  return found;
}
