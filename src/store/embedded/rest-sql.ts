/** What members of objects have no columns, as SQL over lines of journals and as values of resources. */
import { LEVEL_KEY, OFFSET_KEY, RESOURCE_KEY } from './commit-line.ts';
import { OWN_PATHS, pathKey } from './columns.ts';
import { toJournalKey } from './own-keys.ts';
import type { Column } from './segment-engine.ts';
import { sqlText } from './sql-text.ts';

/** The column of a whole line where a rest of top-level members is taken from it; no member of a journal has this name. */
export const WHOLE_LINE = '$line';

/** Members of lines that are no document's, or that have columns in any case. */
const LINE_KEYS = [
  '@timestamp',
  'message',
  'stream',
  'log',
  'event',
  'fields',
  LEVEL_KEY,
  OFFSET_KEY,
  RESOURCE_KEY,
];

/** Whether a column has the rest of the top-level members. */
export function isRootRest({ isRest, path }: Column): boolean {
  return isRest === true && path.length === 0;
}

export interface RestPlan {
  readonly columns: readonly Column[];
  /** Whether names of top-level members in the rest begin with a dollar. */
  readonly hasDollarRest: boolean;
}

/** Returns the SQL of a rest; `object` is the JSON that it is left of. NULL when nothing is left. */
export function restSql({ columns, hasDollarRest }: RestPlan, rest: Column, object: string): string {
  const isRoot = isRootRest(rest);
  const keys = isRoot
    ? [
        ...LINE_KEYS,
        ...columns.filter(({ path }) => path.length > 0).map(({ path }) => toJournalKey(path[0] ?? '')),
      ]
    : knownKeys(rest, columns);
  // A merge patch (RFC 7396) removes what is null in it.
  const patch = sqlText(JSON.stringify(Object.fromEntries(keys.map((key) => [key, null]))));
  // Of nothing and a patch the engine makes the patch.
  const left = `CASE WHEN ${object} IS NOT NULL THEN json_merge_patch(${object}, ${patch}) END`;
  const named = isRoot && hasDollarRest ? documentKeysSql(left) : `(${left})::VARCHAR`;
  return `nullif(${named}, '{}')::JSON`;
}

/** Returns what a resource has for a rest of `columns`; null when it is nothing. */
export function restMembers(
  object: unknown,
  rest: Column,
  columns: readonly Column[],
): Record<string, unknown> | null {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return null;
  const known = new Set(knownKeys(rest, columns));
  const left = Object.entries(object).filter(([key]) => !known.has(key));
  return left.length === 0 ? null : Object.fromEntries(left);
}

/** Keys of the object of a rest that have columns. */
function knownKeys(rest: Column, columns: readonly Column[]): string[] {
  const [top = ''] = rest.path;
  const known = new Set<string>();
  for (const { path, isRest } of columns) {
    if (isRest !== true && path[0] === top && path[1] !== undefined) known.add(path[1]);
  }
  for (const key of ['id', 'offset']) if (OWN_PATHS.has(pathKey([top, key]))) known.add(key);
  return [...known];
}

/** Names as documents have them: in journals those that begin with a dollar have another one in front. */
function documentKeysSql(object: string): string {
  const name = `to_json(CASE WHEN starts_with(k, '$$') THEN substr(k, 2) ELSE k END)::VARCHAR`;
  const pointer = `'/' || replace(replace(k, '~', '~0'), '/', '~1')`;
  const member = `${name} || ':' || json_extract(x, ${pointer})::VARCHAR`;
  const members = `array_to_string(list_transform(json_keys(x), lambda k: ${member}), ',')`;
  return `list_transform([${object}], lambda x: '{' || ${members} || '}')[1]`;
}
