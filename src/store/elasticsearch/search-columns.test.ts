import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../query/match.ts';
import { WORDS_MAX, WORD_LENGTH_MAX, searchColumns, sortableDigits } from './search-columns.ts';

const FILE = '00000000000000000001';
const PLACE = { eventId: `${FILE}-000000000007`, offset: 7 };

function columnsOf(members: JsonObject): ReturnType<typeof searchColumns> {
  const base = { '@timestamp': '2026-11-23T04:00:00.000000000Z', message: 'm', stream: 'stdout' };
  return searchColumns({ ...base, log: { offset: 7 }, event: { id: PLACE.eventId }, ...members }, PLACE);
}

test('every value stands behind its path, numbers as digits that sort, and what bare text does not read apart', () => {
  const { values, numbers, origin, texts, marks } = columnsOf({
    fields: { user: { Name: 'Ann' }, 'a.b': [1, 'X', null, { c: true }], gone: null, took: '0.5' },
    kubernetes: { namespace: 'Shop', labels: { a: 'X' } },
    host: { name: 'Größe' },
  });
  assert.deepEqual(values, [
    'fields.user.Name\u007f=ann',
    'fields.user',
    'fields.a.b',
    'fields.a.b\u007f=x',
    'fields.a.b.c\u007f&true',
    'fields.took\u007f=0.5',
    'fields',
  ]);
  assert.deepEqual(numbers, [
    `fields.a.b\u007f#${sortableDigits(1)}!1`,
    `fields.took\u007f<${sortableDigits(0.5)}!`,
  ]);
  assert.deepEqual(origin, [
    'kubernetes.labels.a\u007f=x',
    'kubernetes.labels',
    'host.name\u007f=größe',
    'host',
  ]);
  assert.deepEqual([texts, marks], [[], []]);
});

test('of a long value the beginning is a word, and the whole a text', () => {
  const body = 'Ab'.repeat(WORD_LENGTH_MAX);
  const { values, texts, marks } = columnsOf({ fields: { body } });
  assert.ok(values.includes(`fields.body\u007f~${body.slice(0, WORD_LENGTH_MAX).toLowerCase()}`));
  assert.deepEqual([texts, marks], [[body], ['long']]);
  const { values: astral } = columnsOf({ fields: { body: `${'x'.repeat(WORD_LENGTH_MAX - 1)}🚀` } });
  assert.ok(astral.includes(`fields.body\u007f~${'x'.repeat(WORD_LENGTH_MAX - 1)}`));
});

test('what words cannot say is marked', () => {
  const odd: JsonObject[] = [
    { 'a.b': 1 },
    { service: { name: 5 } },
    { kubernetes: { 'pod.name': 'x' } },
    { message: 7 },
    { message: undefined },
    { event: { id: 'other' } },
    { log: { offset: 8 } },
    { fields: { 'a\u007fb': 1 } },
    { fields: { '\ud800': 1 } },
    { fields: { [`k${'.x'.repeat(12)}`]: 1 } },
    { fields: { ['k'.repeat(600)]: 1 } },
    { fields: Object.fromEntries(Array.from({ length: WORDS_MAX }, (_, index) => [`k${index}`, 1])) },
  ];
  for (const members of odd) {
    assert.deepEqual(columnsOf(members).marks, ['odd'], JSON.stringify(members).slice(0, 80));
  }
  assert.deepEqual(columnsOf({ message: 'x'.repeat(255) }).marks, ['long']);
});

test('digits of numbers sort as the numbers do', () => {
  const sorted = [-Infinity, -1e300, -2, -1.5, -1e-300, 0, 5e-324, 1, 1.5, 10, 1e300, Infinity];
  assert.deepEqual(sorted.map(sortableDigits), sorted.map(sortableDigits).toSorted());
  assert.equal(new Set(sorted.map(sortableDigits)).size, sorted.length);
  assert.equal(sortableDigits(-0), sortableDigits(0));
});
