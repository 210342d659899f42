import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseExact } from '../../base/exact-json.ts';
import { addFieldTypes } from '../../record/field-types.ts';
import type { FieldTypes } from '../../record/field-types.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import { parseQuery } from '../../query/parser.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const SIGNAL = new AbortController().signal;
const world = new DuckDbWorld();
after(() => world.close());

/** Fields as they stand in documents; each number is one that a double changes. */
const EXACT =
  '{"id":9007199254740993,"big":12345678901234567890,"huge":1e400,"list":[9007199254740995],"deep":{"n":-9007199254740993},"mixed":123456789012345678901234567890}';
const PLAIN = '{"id":7,"big":8.5,"huge":1,"mixed":2}';

/** A batch of documents with these fields, and the same numbers among the labels and in a member of its own. */
function batchOf(number: number, fields: string): DocumentBatch {
  const fileId = testFileId(number);
  const batch = testBatch(fileId, [
    { offset: 0, message: `m${number}`, fields: { F: 1 }, more: { metric: { M: 1 } } },
  ]);
  const text = new TextDecoder()
    .decode(batch.body)
    .replace('{"F":1}', fields)
    .replace('{"M":1}', fields)
    .replace('"labels":{', `"labels":{"build":9007199254740993,`);
  const body = new TextEncoder().encode(text);
  const fieldTypes: FieldTypes = new Map();
  for (const key of ['fields', 'metric']) addFieldTypes(fieldTypes, key, parseExact(fields).value);
  return { ...batch, body, ends: Uint32Array.of(body.length), fieldTypes };
}

async function check(store: EmbeddedStore, when: string): Promise<void> {
  const query = { kind: 'all' } as const;
  const page = await store.search(
    { query, range: EVERYTHING, order: 'asc', limit: 9, after: undefined },
    SIGNAL,
  );
  let exported = '';
  for await (const block of store.export({ query, range: EVERYTHING }, SIGNAL)) {
    exported += new TextDecoder().decode(block);
  }
  for (const text of [page.documents.join('\n'), exported]) {
    assert.ok(text.includes(`"fields":${EXACT}`), `${when}: ${text}`);
    assert.ok(text.includes(`"fields":${PLAIN}`), `${when}: ${text}`);
    assert.ok(text.includes(`"metric":${EXACT}`), `${when}: ${text}`);
    assert.equal(text.split('"build":9007199254740993').length, 3, `${when}: ${text}`);
  }
  const found = await store.search(
    {
      query: parseQuery('fields.id>=9007199254740000').query,
      range: EVERYTHING,
      order: 'asc',
      limit: 9,
      after: undefined,
    },
    SIGNAL,
  );
  assert.equal(found.documents.length, 1, when);
}

test('numbers that a double does not hold come back with their digits, from journals and from segments', async () => {
  let store = await world.openStore('numbers');
  await store.append([batchOf(1, EXACT), batchOf(2, PLAIN)], SIGNAL);
  await check(store, 'journal');
  await store.close();
  store = await world.openStore('numbers');
  await check(store, 'recovered journal');
  await store.seal();
  await check(store, 'segment');
});
