import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import type { Query } from '../../query/ast.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import type { TestRecord } from './testing/test-documents.ts';
import { BASE_NS, EVERYTHING, testBatch, testDocument, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);
const SIGNAL = new AbortController().signal;
const ALL: Query = { kind: 'all' };
const world = new DuckDbWorld();
after(() => world.close());

async function append(store: EmbeddedStore, records: readonly TestRecord[]): Promise<void> {
  await store.append([testBatch(FILE, records)], SIGNAL);
}

async function found(store: EmbeddedStore, query: Query = ALL): Promise<unknown[]> {
  const request = { query, range: EVERYTHING, order: 'asc', limit: 1000, after: undefined } as const;
  const { documents } = await store.search(request, SIGNAL);
  return documents.map((document) => JSON.parse(document) as unknown);
}

async function counted(store: EmbeddedStore): Promise<number> {
  const range = { startNs: BASE_NS, endNs: BASE_NS + 1_000_000_000n };
  const buckets = await store.histogram({ query: ALL, range, bucketCount: 1, by: undefined }, SIGNAL);
  return buckets.reduce((sum, bucket) => sum + bucket.count, 0);
}

test('a search finds what came since the one before, whatever fields and types it brings', async () => {
  const store = await world.openStore('growing', { threads: 2 });
  const records: TestRecord[] = [
    { offset: 0, message: 'one', fields: { a: 1 } },
    { offset: 10, message: 'a field more', fields: { a: 2, b: true } },
    { offset: 20, message: 'another type', fields: { a: 'x', b: false } },
    { offset: 30, message: 'an object', fields: { b: { c: 1 } }, level: 'warn' },
    { offset: 40, message: 'another case', fields: { A: 1, a: 2 } },
    { offset: 50, message: 'no fields' },
    { offset: 60, message: 'an odd member', more: { cloud: { region: 'here' } } },
  ];
  for (const [index, record] of records.entries()) {
    await append(store, [record]);
    const expected = records.slice(0, index + 1).map((one) => testDocument(FILE, one));
    assert.deepEqual(await found(store), expected, record.message);
    assert.deepEqual(await found(store), expected, 'again');
  }
  await store.seal();
  assert.deepEqual(
    await found(store),
    records.map((one) => testDocument(FILE, one)),
  );
});

test('every search finds each acknowledged record once, while others append, search and seal', async () => {
  const store = await world.openStore('sealing', { threads: 2 });
  const total = 60;
  let acknowledged = 0;
  let isWriting = true;
  const search = async (): Promise<void> => {
    while (isWriting) {
      // A search of an empty store does not wait for anything.
      await new Promise((resolve) => void setImmediate(resolve));
      const before = acknowledged;
      const offsets = (await found(store)).map(
        (document) => (document as { log: { offset: number } }).log.offset,
      );
      assert.equal(new Set(offsets).size, offsets.length, 'nothing twice');
      assert.deepEqual(
        offsets,
        offsets.map((_, index) => index),
        'no gap',
      );
      assert.ok(offsets.length >= before, `${offsets.length} of ${before}`);
    }
  };
  const write = async (): Promise<void> => {
    for (let offset = 0; offset < total; offset += 1) {
      await append(store, [{ offset, message: `line ${offset}`, fields: { [`f${offset % 7}`]: offset } }]);
      acknowledged = offset + 1;
      if (offset % 20 === 10) await store.seal();
    }
  };
  await Promise.all([write().finally(() => (isWriting = false)), search(), search()]);
  assert.equal((await found(store)).length, total);
});

test('a full journal is searched as a file, with and without having been a table, and goes when it is sealed', async () => {
  const store = await world.openStore('full', { threads: 2 });
  const temporaryDirectory = world.temporaryDirectoryOf('full');
  const message = 'x'.repeat(1 << 16);
  const records = Array.from({ length: 300 }, (_, index) => ({ offset: index * 10, message }));
  await append(store, records.slice(0, 50));
  assert.equal(await counted(store), 50);
  assert.deepEqual(fs.readdirSync(temporaryDirectory), []);
  await append(store, records.slice(50, 140));
  assert.equal(await counted(store), 140);
  assert.equal(fs.readdirSync(temporaryDirectory).length, 1, 'the table has become a file');
  await append(store, records.slice(140, 280));
  assert.equal(await counted(store), 280);
  assert.equal(fs.readdirSync(temporaryDirectory).length, 2, 'the second one never was a table');
  await append(store, records.slice(280));
  const isLast: Query = { kind: 'field', field: 'log.offset', pattern: { pieces: ['2990'] } };
  assert.deepEqual(
    await found(store, isLast),
    records.slice(299).map((record) => testDocument(FILE, record)),
  );
  await store.seal();
  assert.deepEqual(fs.readdirSync(temporaryDirectory), []);
  assert.equal(await counted(store), 300);
});
