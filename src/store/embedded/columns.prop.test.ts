import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldTypes } from '../../record/field-types.ts';
import { addFieldTypes } from '../../record/field-types.ts';
import type { Column } from './segment-engine.ts';
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

const own = fc.constantFrom('labels', 'kubernetes', 'event', 'log', 'message', 'fields', 'tags');
const documentTypes = fc.array(fc.tuple(fc.oneof(own, key), value), { maxLength: 12 }).map((entries) => {
  const tree: FieldTypes = new Map();
  for (const [name, member] of entries) addFieldTypes(tree, name, member);
  return tree;
});

test('whatever the members of documents are, what has no column has a rest', () => {
  fc.assert(
    fc.property(documentTypes, documentTypes, fc.integer({ min: 1, max: 8 }), (one, other, columnsMax) => {
      const lists = [columnsOf(one, columnsMax), columnsOf(other, columnsMax)];
      const merged = mergeColumns(lists, columnsMax);
      for (const columns of [...lists, merged]) {
        const names = columns.map((column) => column.name.toLowerCase());
        assert.equal(new Set(names).size, names.length);
        assert.deepEqual(restoreColumns(columns.map((column) => [column.name, column.kind])), columns);
        const foreign = columns.filter(({ path, isRest }) => isRest !== true && !OWN.has(path[0] ?? ''));
        assert.ok(foreign.length <= columnsMax, JSON.stringify(columns));
      }
      for (const { path } of [...columnsOf(one), ...columnsOf(other)])
        assert.ok(merged.some((column) => canHold(column, path)));
    }),
  );
});

const OWN: ReadonlySet<string> = new Set([
  'labels',
  'kubernetes',
  'event',
  'log',
  'message',
  'fields',
  'tags',
]);

function canHold({ path: above, isRest }: Column, path: readonly string[]): boolean {
  if (isRest === true && above.length >= path.length) return false;
  return above.every((part, depth) => part === path[depth]);
}

test('labels, foreign members and fields cannot take the columns of each other', () => {
  const names = (count: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
  const tree: FieldTypes = new Map();
  addFieldTypes(tree, 'labels', names(1000));
  for (const [name, member] of Object.entries(names(1000))) addFieldTypes(tree, name, member);
  addFieldTypes(tree, 'kubernetes', { namespace: 'shop' });
  addFieldTypes(tree, 'fields', names(1000));
  const columns = columnsOf(tree, 100);
  assert.ok(columns.some(({ name }) => name === 'kubernetes.namespace'));
  const count = (top: string): number =>
    columns.filter(({ path }) => path[0] === top && path.length > 1).length;
  assert.deepEqual([count('labels'), count('kubernetes'), count('fields')], [49, 1, 25]);
  const rests = columns.filter(({ isRest }) => isRest === true).map(({ name }) => name);
  assert.deepEqual(rests, ['labels\\rest', '\\rest', 'fields_rest']);
});

test('a key with a backslash is not taken for a rest', () => {
  const tree: FieldTypes = new Map();
  for (const name of ['\\rest', 'labels\\rest', 'fields_rest', 'rest']) addFieldTypes(tree, name, 'x');
  const columns = columnsOf(tree);
  assert.deepEqual(restoreColumns(columns.map((column) => [column.name, column.kind])), columns);
  assert.ok(columns.every(({ isRest }) => isRest !== true));
});
