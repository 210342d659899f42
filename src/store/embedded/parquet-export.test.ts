import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Query } from '../../query/ast.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { field } from './testing/hard-documents.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);
const ALL: Query = { kind: 'all' };
const world = new DuckDbWorld();
const { root } = world;
after(() => world.close());

/** Two segments and a journal, in which `fields.code` has three kinds. */
async function openFilled(name: string): Promise<EmbeddedStore> {
  const store = await world.openStore(name);
  const { signal } = new AbortController();
  const first = { offset: 0, message: 'one', level: 'info', fields: { code: 200, user: { id: 7 } } };
  const second = { offset: 10, message: 'two\nlines ü', level: 'error', fields: { code: 'none', user: 'x' } };
  const third = { offset: 20, message: 'three', lane: 2, fields: { code: { deep: true } } } as const;
  await store.append([testBatch(FILE, [first])], signal);
  await store.seal();
  await store.append([testBatch(FILE, [second])], signal);
  await store.seal();
  await store.append([testBatch(FILE, [third, { offset: 30, message: 'four' }])], signal);
  return store;
}

async function exported(store: EmbeddedStore, query: Query): Promise<string> {
  const file = path.join(root, `${fs.readdirSync(root).length}.parquet`);
  const request = { query, range: EVERYTHING };
  for await (const block of store.exportParquet(request, new AbortController().signal)) {
    fs.appendFileSync(file, block);
  }
  return file;
}

async function read(file: string, columns: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = await connection.run(`SELECT ${columns} FROM read_parquet('${file}') ORDER BY "log.offset"`);
  return (await rows.getRowsJS()) as unknown[];
}

function leftovers(name: string): string[] {
  return fs.readdirSync(path.join(root, name, 'tmp')).filter((file) => file.includes('export'));
}

test('another reader finds every match of segments and journals in the exported file', async () => {
  const store = await openFilled('all');
  const file = await exported(store, ALL);
  const columns = `message, stream, "log.level", "fields.code"::VARCHAR, "fields.user"::VARCHAR, "kubernetes.namespace", "log.file.path"`;
  const file1 = `/data/logs/${FILE}.log`;
  assert.deepEqual(await read(file, columns), [
    ['one', 'stdout', 'info', '200', '{"id":7}', 'shop', file1],
    ['two\nlines ü', 'stdout', 'error', '"none"', '"x"', 'shop', file1],
    ['three', 'stderr', null, '{"deep":true}', null, 'shop', file1],
    ['four', 'stdout', null, null, null, 'shop', file1],
  ]);
  assert.deepEqual(await read(file, `file_id, epoch_ns("time") - 1795406400000000000`), [
    [FILE, 0n],
    [FILE, 10_000n],
    [FILE, 20_000n],
    [FILE, 30_000n],
  ]);
  assert.deepEqual(leftovers('all'), []);
});

test('only what matches is exported, and nothing is a file of no rows', async () => {
  const store = await openFilled('some');
  const some = await exported(store, field('log.level', 'error'));
  assert.deepEqual(await read(some, 'message'), [['two\nlines ü']]);
  const none = await exported(store, field('message', 'nowhere'));
  assert.deepEqual(await read(none, 'message'), []);
  const empty = await exported(await world.openStore('empty'), ALL);
  assert.deepEqual(await read(empty, '"time", file_id, message'), []);
});

test('the temporary file is removed when the reader goes away, before and after the first block', async () => {
  const store = await openFilled('away');
  const request = { query: ALL, range: EVERYTHING };
  for await (const block of store.exportParquet(request, new AbortController().signal)) {
    assert.ok(block.length > 0);
    assert.deepEqual(leftovers('away'), ['export-1.parquet']);
    break;
  }
  assert.deepEqual(leftovers('away'), []);
  const gone = new AbortController();
  const blocks = store.exportParquet(request, gone.signal)[Symbol.asyncIterator]();
  const first = blocks.next();
  gone.abort();
  await assert.rejects(first, { code: 'aborted' });
  assert.deepEqual(leftovers('away'), []);
  assert.equal((await read(await exported(store, ALL), 'message')).length, 4);
});

test('at most four exports hold a file at a time', async () => {
  const store = await openFilled('many');
  const start = (): AsyncIterator<Uint8Array> =>
    store
      .exportParquet({ query: ALL, range: EVERYTHING }, new AbortController().signal)
      [Symbol.asyncIterator]();
  const running = [start(), start(), start(), start()];
  for (const blocks of running) assert.equal((await blocks.next()).done, false);
  await assert.rejects(start().next(), { code: 'too_busy' });
  for (const blocks of running) await blocks.return?.();
  const again = start();
  assert.equal((await again.next()).done, false);
  await again.return?.();
  assert.deepEqual(leftovers('many'), []);
});

test('nothing is written to a disk without room', async () => {
  const store = await world.openStore('full', { freeBytesMin: Number.MAX_SAFE_INTEGER });
  await assert.rejects(exported(store, ALL), { code: 'disk_full' });
});
