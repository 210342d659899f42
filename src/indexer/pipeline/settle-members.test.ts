import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from './document.ts';
import { settleMembers } from './settle-members.ts';

function settled(document: JsonObject): JsonObject {
  const copy = structuredClone(document);
  settleMembers(copy);
  return copy;
}

test('a text where the schema has an object goes below fields, and objects, lists of them and null stay', () => {
  const { message, ...rest } = settled({
    message: 'x',
    host: 'web-7',
    error: 'refused',
    agent: ['a', {}],
    user: [{ name: 'ann' }],
    service: null,
    container: { name: 'c' },
    status: 500,
    tags: ['a'],
  });
  assert.equal(message, 'x');
  assert.deepEqual(rest, {
    user: [{ name: 'ann' }],
    service: null,
    container: { name: 'c' },
    status: 500,
    tags: ['a'],
    fields: { host: 'web-7', error: 'refused', agent: ['a', {}] },
  });
});

test('what stands below fields already stays there beside what is moved', () => {
  assert.deepEqual(settled({ host: 'a', fields: { host: 'b', original_host: 'c' } }), {
    fields: { host: 'b', original_host: 'c', original_original_host: 'a' },
  });
  assert.deepEqual(settled({ host: 'a', fields: 'text' }), { fields: { fields: 'text', host: 'a' } });
  assert.deepEqual(settled({ ['__proto__x']: 1, fields: 'text' }), { ['__proto__x']: 1, fields: 'text' });
});

test('ten thousand members do not become ten thousand at the top level, nor an object of them', () => {
  const many: JsonObject = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]),
  );
  const flat = settled({ ...many, message: 'x' });
  const { fields, ...rest } = flat;
  assert.equal(Object.keys(rest).length, 201);
  assert.deepEqual([rest['k199'], (fields as JsonObject)['k200']], [199, 200]);
  assert.equal(Object.keys(fields as JsonObject).length, 9_800);
  assert.deepEqual(settled({ app: { deep: many }, http: many, labels: many, few: { a: { b: 1 } } }), {
    labels: many,
    few: { a: { b: 1 } },
    fields: { app: { deep: many }, http: many },
  });
});
