/** Resources as rows that the documents of journals are joined with. */
import { SQL_TYPES } from './columns.ts';
import { restMembers } from './rest-sql.ts';
import type { Column, Resource, ResourceMap } from './segment-engine.ts';
import { sqlText } from './sql-text.ts';

/** Returns the resources as a subquery. */
export function resourceValuesSql(resources: ResourceMap, columns: readonly Column[]): string {
  const shape = Object.fromEntries(resourceColumnTypes(columns));
  const structure = JSON.stringify([{ r: 'INTEGER', file_id: 'VARCHAR', ...shape }]);
  const rows = sqlText(resourceRowsJson(resources, columns));
  return `(SELECT unnest(from_json(${rows}, ${sqlText(structure)}), recursive := true))`;
}

/** Returns the column names of resource tables with their SQL types. */
export function resourceColumnTypes(columns: readonly Column[]): [string, string][] {
  return columns.map((column, index) => [`c${index}`, SQL_TYPES[column.kind]]);
}

/** Returns the rows of a resource table as a JSON array. */
export function resourceRowsJson(resources: ResourceMap, columns: readonly Column[]): string {
  return JSON.stringify([...resources].map(([id, resource]) => resourceRow(id, resource, columns)));
}

function resourceRow(id: number, resource: Resource, columns: readonly Column[]): Record<string, unknown> {
  const row: Record<string, unknown> = { r: id, file_id: resource.fileId };
  for (const [index, column] of columns.entries()) {
    const value = valueAt(resource.members, column.path);
    row[`c${index}`] = column.isRest === true ? restMembers(value, column, columns) : value;
  }
  return row;
}

/** Returns the value at a path of nested objects; null where there is none. */
export function valueAt(members: unknown, path: readonly string[]): unknown {
  let value: unknown = members;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return value ?? null;
}
