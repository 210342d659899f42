/**
 * SQL that writes a row as the document it came from: nested ECS JSON text, absent members absent. The order of
 * members is the agent's.
 */
import { REST_COLUMN } from './columns.ts';
import type { Column } from './segment-engine.ts';
import { sqlName, sqlText } from './sql-text.ts';

const TIME_PIECES = [
  `strftime("time"::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.')`,
  `lpad((((epoch_ns("time") % 1000000000) + 1000000000) % 1000000000)::VARCHAR, 9, '0')`,
  `'Z'`,
];

/** The text of the time as documents carry it. */
export const TIME_TEXT_SQL = `concat(${TIME_PIECES.join(', ')})`;

/** The event id. */
export const EVENT_ID_SQL = `"file_id"::VARCHAR || '-' || format('{:012x}', "log.offset")`;

const TOP_ORDER = [
  'message',
  'stream',
  'log',
  'event',
  'fields',
  'kubernetes',
  'container',
  'service',
  'host',
];

interface Part {
  readonly members: Map<string, Part>;
  column: Column | undefined;
}

/** Returns the expression of a row's document, without a newline. */
export function documentSql(columns: readonly Column[]): string {
  const root: Part = { members: new Map(), column: undefined };
  for (const key of TOP_ORDER) partAt(root, [key]);
  partAt(root, ['log', 'offset']);
  partAt(root, ['event', 'id']);
  for (const column of columns) {
    if (column !== REST_COLUMN) partAt(root, column.path).column = column;
  }
  const hasRest = columns.includes(REST_COLUMN);
  const pieces = [...root.members].flatMap(([key, part]) => followingSql(key, part, [key], hasRest));
  // One call with many arguments copies each part once; `||` copies what stands before it again every time.
  return `concat('{"@timestamp":"', ${[...TIME_PIECES, `'"'`, ...pieces].join(', ')}, '}')`;
}

/** Returns a column's value as JSON text; NULL when it is absent. */
export function jsonTextSql(column: Column): string {
  const name = sqlName(column.name);
  switch (column.kind) {
    case 'text':
      return `to_json(${name}::VARCHAR)::VARCHAR`;
    case 'double':
      return doubleTextSql(name);
    default:
      return `${name}::VARCHAR`;
  }
}

/** Whole numbers have no fraction, as JSON usually writes them, also where others of the same field have one. */
export function doubleTextSql(name: string): string {
  const small = `abs(${name}) < 9007199254740992 AND trunc(${name}) = ${name}`;
  const text = `regexp_replace(to_json(${name})::VARCHAR, '\\.0$', '')`;
  // JSON has no infinity: what was too large for a double is a number that is too large again.
  const huge = `CASE WHEN ${name} > 0 THEN '1e999' ELSE '-1e999' END`;
  return `CASE WHEN ${small} THEN ${name}::BIGINT::VARCHAR WHEN isinf(${name}) THEN ${huge} ELSE ${text} END`;
}

function partAt(root: Part, path: readonly string[]): Part {
  let part = root;
  for (const key of path) {
    let next = part.members.get(key);
    if (next === undefined) {
      next = { members: new Map(), column: undefined };
      part.members.set(key, next);
    }
    part = next;
  }
  return part;
}

/** Pieces of `,"key":value`, each NULL when it is absent: what stands before the comma is always there. */
function followingSql(key: string, part: Part, path: readonly string[], hasRest: boolean): string[] {
  const [first] = part.members.keys();
  const own = first === undefined ? undefined : ownValueSql([...path, first]);
  if (part.column !== undefined || own === undefined) {
    const member = memberSql(key, part, path, { hasRest, before: ',' });
    return member === undefined ? [] : [member];
  }
  const others = [...part.members].slice(1);
  const pieces = others.flatMap(([name, child]) => followingSql(name, child, [...path, name], hasRest));
  return [sqlText(`,${JSON.stringify(key)}:{${JSON.stringify(first)}:`), own, ...pieces, `'}'`];
}

interface MemberOptions {
  readonly hasRest: boolean;
  /** Text in front. */
  readonly before: string;
}

/** `"key":value`, or NULL when there is no value. */
function memberSql(
  key: string,
  part: Part,
  path: readonly string[],
  { hasRest, before }: MemberOptions,
): string | undefined {
  const lead = `${before}${JSON.stringify(key)}:`;
  if (part.column !== undefined) return `${sqlText(lead)} || ${jsonTextSql(part.column)}`;
  const members = [...part.members]
    .map(([name, child]) => memberSql(name, child, [...path, name], { hasRest, before: '' }))
    .filter((sql) => sql !== undefined);
  const [only] = members;
  if (hasRest && path.length === 1 && key === 'fields') {
    const rest = `${sqlName(REST_COLUMN.name)}::VARCHAR`;
    members.push(`substr(${rest}, 2, length(${rest}) - 2)`);
  }
  if (only === undefined && members.length === 0) return undefined;
  // With one member the parts that repeat are put together once for each value of a dictionary.
  if (only !== undefined && members.length === 1) return `${sqlText(`${lead}{`)} || ${only} || '}'`;
  return `${sqlText(`${lead}{`)} || nullif(concat_ws(',', ${members.join(', ')}), '') || '}'`;
}

function ownValueSql(path: readonly string[]): string | undefined {
  if (path.length !== 2) return undefined;
  if (path[0] === 'log' && path[1] === 'offset') return '"log.offset"::VARCHAR';
  if (path[0] === 'event' && path[1] === 'id') return `'"' || ${EVENT_ID_SQL} || '"'`;
  return undefined;
}
