/**
 * SQL that writes a row as the document it came from: nested ECS JSON text, absent members absent. The order of
 * members is the agent's.
 */
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
  /** The members that have no columns. */
  rest: Column | undefined;
}

/** Returns the expression of a row's document, without a newline. */
export function documentSql(columns: readonly Column[]): string {
  const root = newPart();
  for (const key of TOP_ORDER) partAt(root, [key]);
  partAt(root, ['log', 'offset']);
  partAt(root, ['event', 'id']);
  addColumns(root, columns);
  const pieces = [...root.members].flatMap(([key, part]) => followingSql(key, part, [key]));
  pieces.push(...followingRestSql(root));
  // One call with many arguments copies each part once; `||` copies what stands before it again every time.
  return `concat('{"@timestamp":"', ${[...TIME_PIECES, `'"'`, ...pieces].join(', ')}, '}')`;
}

/** Returns the object at `path` as JSON, from what columns hold below it; NULL when that is nothing. */
export function objectSql(columns: readonly Column[], path: readonly string[]): string {
  const root = newPart();
  addColumns(root, columns);
  const text = membersSql(partAt(root, path));
  return text === undefined ? 'NULL::JSON' : `('{' || nullif(${text}, '') || '}')::JSON`;
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

function newPart(): Part {
  return { members: new Map(), column: undefined, rest: undefined };
}

function addColumns(root: Part, columns: readonly Column[]): void {
  for (const column of columns) {
    const part = partAt(root, column.path);
    if (column.isRest === true) part.rest = column;
    else part.column = column;
  }
}

function partAt(root: Part, path: readonly string[]): Part {
  let part = root;
  for (const key of path) {
    let next = part.members.get(key);
    if (next === undefined) {
      next = newPart();
      part.members.set(key, next);
    }
    part = next;
  }
  return part;
}

/** Pieces of `,"key":value`, each NULL when it is absent: what stands before the comma is always there. */
function followingSql(key: string, part: Part, path: readonly string[]): string[] {
  const [first] = part.members.keys();
  const own = first === undefined ? undefined : ownValueSql([...path, first]);
  if (part.column !== undefined || own === undefined) {
    const member = memberSql(key, part, ',');
    return member === undefined ? [] : [member];
  }
  const others = [...part.members].slice(1);
  const pieces = others.flatMap(([name, child]) => followingSql(name, child, [...path, name]));
  pieces.push(...followingRestSql(part));
  return [sqlText(`,${JSON.stringify(key)}:{${JSON.stringify(first)}:`), own, ...pieces, `'}'`];
}

function followingRestSql({ rest }: Part): string[] {
  return rest === undefined ? [] : [`',' || ${restMembersSql(rest)}`];
}

/** `"key":value` with the text `before` in front, or NULL when there is no value. */
function memberSql(key: string, part: Part, before: string): string | undefined {
  const lead = `${before}${JSON.stringify(key)}:`;
  if (part.column !== undefined) return `${sqlText(lead)} || ${jsonTextSql(part.column)}`;
  const members = membersSql(part);
  if (members === undefined) return undefined;
  // With one member the parts that repeat are put together once for each value of a dictionary.
  const isSingle = part.members.size === 1 && part.rest === undefined;
  return `${sqlText(`${lead}{`)} || ${isSingle ? members : `nullif(${members}, '')`} || '}'`;
}

/** The members of an object with commas between them; nothing, or NULL for a single one, when there are none. */
function membersSql(part: Part): string | undefined {
  const members = [...part.members]
    .map(([name, child]) => memberSql(name, child, ''))
    .filter((sql) => sql !== undefined);
  if (part.rest !== undefined) members.push(restMembersSql(part.rest));
  if (members.length === 0) return undefined;
  return members.length === 1 ? members.join('') : `concat_ws(',', ${members.join(', ')})`;
}

/** The members of a rest without the braces around them: a rest of none is NULL. */
function restMembersSql(rest: Column): string {
  const text = `${sqlName(rest.name)}::VARCHAR`;
  return `substr(${text}, 2, length(${text}) - 2)`;
}

function ownValueSql(path: readonly string[]): string | undefined {
  if (path.length !== 2) return undefined;
  if (path[0] === 'log' && path[1] === 'offset') return '"log.offset"::VARCHAR';
  if (path[0] === 'event' && path[1] === 'id') return `'"' || ${EVENT_ID_SQL} || '"'`;
  return undefined;
}
