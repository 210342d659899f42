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
  assert.deepEqual(settled({ app: { deep: many }, http: many, few: { a: { b: 1 } } }), {
    few: { a: { b: 1 } },
    fields: { app: { deep: many }, http: many },
  });
});

test('what brings a document to more than four hundred values goes below fields, those of others first', () => {
  const part = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`k${index}`, index]));
  const host = { name: 'n1', ...part };
  assert.deepEqual(settled({ a: part, b: part, d: 1, host }), { a: part, d: 1, host, fields: { b: part } });
});

test('an object of Logboom’s own keeps its identity and four hundred values, and the others go below fields', () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]));
  const event = { ...many, id: 'an id' };
  const kubernetes = { namespace: 'shop', labels: many, pod: { name: 'web-1' } };
  const document = settled({ kubernetes, event, status: 1, fields: { event: { k9000: 'own' } } });
  assert.deepEqual(document['kubernetes'], { namespace: 'shop', pod: { name: 'web-1' } });
  const kept = document['event'] as JsonObject;
  const fields = document['fields'] as Record<string, JsonObject>;
  assert.deepEqual([Object.keys(kept).length, kept['k397'], kept['id']], [399, 397, 'an id']);
  assert.deepEqual(fields['kubernetes'], { labels: many });
  assert.deepEqual([fields['event']?.['k398'], fields['event']?.['k9000']], [398, 9_000]);
  assert.equal(fields['event']?.['original_k9000'], 'own');
  assert.deepEqual([document['status'], fields['status']], [undefined, 1]);
});

test('names that engines refuse go below fields, and names that only look like those stay', () => {
  const refused = { '': 1, ' ': 2, '.': 3, '..': 4, '.env': 5, 'a..b': 6, 'a. .b': 7, _id: 8, '_id.x': 9 };
  assert.deepEqual(settled(refused), { fields: refused });
  const fine = { 'a.': 1, 'a.b': 2, 'a b': 3, _ID: 4, _id_: 5, _HOSTNAME: 'n', _type_: 6 };
  assert.deepEqual(settled(fine), fine);
});
