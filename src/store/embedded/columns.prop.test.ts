import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldTypes } from '../../record/field-types.ts';
import { addFieldTypes } from '../../record/field-types.ts';
import { COLUMNS_MAX, columnsOf, mergeColumns, parseColumnName, restoreColumns } from './columns.ts';

const key = fc.oneof(
  fc.constantFrom('a', 'A', 'b', 'a.b', 'a\\b', 'a\\1', '', '.', '\\', 'ä', 'time', '__proto__'),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.string(), fc.constant(null)),
    },
    { weight: 1, arbitrary: fc.array(fc.integer(), { maxLength: 2 }) },
    { weight: 2, arbitrary: fc.array(fc.tuple(key, tie('any')), { maxLength: 4 }).map(Object.fromEntries) },
  ),
})).any;

function typesOf(entries: readonly (readonly [string, unknown])[]): FieldTypes {
  const types: FieldTypes = new Map();
  for (const [name, member] of entries) addFieldTypes(types, 'fields', Object.fromEntries([[name, member]]));
  return types;
}

const types = fc.array(fc.tuple(key, value), { maxLength: 8 }).map(typesOf);

test('a column of the empty key at the top level has a name, which no other key has', () => {
  const tree: FieldTypes = new Map();
  for (const name of ['', 'e', '\\e', '\\', '.']) addFieldTypes(tree, name, 'text');
  const columns = columnsOf(tree);
  assert.equal(columns[0]?.name, '\\e');
  assert.equal(new Set(columns.map(({ name }) => name)).size, 5);
  assert.deepEqual(restoreColumns(columns.map(({ name }) => [name, 'text'])), columns);
});

test('names of columns differ without case, stand for their paths, and survive the catalog', () => {
  fc.assert(
    fc.property(types, (tree) => {
      const columns = columnsOf(tree);
      const names = columns.map((column) => column.name.toLowerCase());
      assert.equal(new Set(names).size, names.length);
      for (const column of columns) assert.deepEqual(parseColumnName(column.name), column.path);
      assert.deepEqual(restoreColumns(columns.map((column) => [column.name, column.kind])), columns);
    }),
  );
});

test('merged columns have a place for every column of every segment', () => {
  fc.assert(
    fc.property(types, types, (one, other) => {
      const lists = [columnsOf(one), columnsOf(other)];
      const merged = mergeColumns(lists);
      const names = merged.map((column) => column.name.toLowerCase());
      assert.equal(new Set(names).size, names.length);
      for (const { path } of lists.flat()) {
        const holds = (above: readonly string[]): boolean =>
          above.every((part, depth) => part === path[depth]);
        assert.ok(
          merged.some((column) => holds(column.path)),
          path.join('/'),
        );
      }
    }),
  );
});

test('beyond the greatest number of columns, whole members of fields go into the rest', () => {
  const entries = Array.from({ length: COLUMNS_MAX + 5 }, (_, index) => [`k${index}`, index] as const);
  const columns = columnsOf(typesOf(entries));
  assert.equal(columns.length, COLUMNS_MAX + 1);
  assert.equal(columns.at(-1)?.name, 'fields_rest');
});
