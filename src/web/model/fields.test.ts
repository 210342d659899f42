import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELD_ENTRIES_MAX, flattenFields } from './fields.ts';

void test('parsed fields come first by their bare name, the message not at all', () => {
  const entries = flattenFields({
    '@timestamp': '2026-11-23T04:30:00.123456789Z',
    message: 'text',
    log: { level: 'warn', offset: 7 },
    kubernetes: { namespace: 'shop' },
    fields: { order: { id: 48219 }, tags: ['a', 'b'], none: null, empty: {} },
  });
  assert.deepEqual(
    entries.map(({ name, path, value, canFilter }) => [name, path, value, canFilter]),
    [
      ['order.id', 'fields.order.id', '48219', true],
      ['tags', 'fields.tags', '["a","b"]', false],
      ['none', 'fields.none', 'null', false],
      ['empty', 'fields.empty', '{}', false],
      ['log.level', 'level', 'warn', true],
      ['kubernetes.namespace', 'namespace', 'shop', true],
      ['@timestamp', '@timestamp', '2026-11-23T04:30:00.123456789Z', true],
      ['log.offset', 'log.offset', '7', true],
    ],
  );
});

void test('a document of a hundred thousand members is cut', () => {
  const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]));
  assert.equal(flattenFields({ fields }).length, FIELD_ENTRIES_MAX);
});

void test('what is nested too deep is shown as JSON', () => {
  let value: unknown = 1;
  for (let depth = 0; depth < 40; depth += 1) value = { d: value };
  const [entry] = flattenFields({ fields: value });
  assert.match(entry?.value ?? '', /^\{"d":/);
});
