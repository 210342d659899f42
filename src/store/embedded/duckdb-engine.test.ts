import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { Query } from '../../query/ast.ts';
import { compileMatcher } from '../../query/match.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { BASE_NS, EVERYTHING, testBatch, testDocument, testFileId } from './testing/test-documents.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { HARD, QUERIES, field } from './testing/hard-documents.ts';

const FILE = testFileId(1);
const world = new DuckDbWorld();
let count = 0;
after(() => world.close());

function openStore(name = `store-${count++}`): Promise<EmbeddedStore> {
  return world.openStore(name);
}

async function append(store: EmbeddedStore, ...batches: DocumentBatch[]): Promise<void> {
  await store.append(batches, new AbortController().signal);
}

async function exported(store: EmbeddedStore, query: Query = { kind: 'all' }): Promise<unknown[]> {
  const parts: Uint8Array[] = [];
  const blocks = store.export({ query, range: EVERYTHING }, new AbortController().signal);
  for await (const block of blocks) parts.push(block);
  const lines = Buffer.concat(parts).toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
}

async function searched(store: EmbeddedStore, query: Query, limit = 1000): Promise<unknown[]> {
  const request = { query, range: EVERYTHING, order: 'asc', limit, after: undefined } as const;
  const { documents } = await store.search(request, new AbortController().signal);
  return documents.map((document) => JSON.parse(document) as unknown);
}

const expected = HARD.map((record) => testDocument(FILE, record));

test('a document comes back as it was, from the journal and from the segment', async () => {
  const store = await openStore();
  await append(store, testBatch(FILE, HARD));
  assert.deepEqual(await exported(store), expected);
  await store.seal();
  assert.deepEqual(await exported(store), expected);
  assert.deepEqual(await searched(store, { kind: 'all' }), expected);
  assert.equal((await store.stats()).records, HARD.length);
});

test('every query finds in journals and in segments what the matcher finds', async () => {
  const journal = await openStore();
  await append(journal, testBatch(FILE, HARD));
  const segment = await openStore();
  await append(segment, testBatch(FILE, HARD));
  await segment.seal();
  for (const query of QUERIES) {
    const matches = compileMatcher(query);
    const wanted = expected.filter((document) => matches(document)).map((document) => document['message']);
    const text = JSON.stringify(query);
    assert.deepEqual(messagesOf(await searched(journal, query)), wanted, `journal: ${text}`);
    assert.deepEqual(messagesOf(await searched(segment, query)), wanted, `segment: ${text}`);
  }
});

function messagesOf(documents: readonly unknown[]): unknown[] {
  return documents.map((document) => (document as Record<string, unknown>)['message']);
}

test('segments of several hours lie by day and hour, and other readers see one table with times', async () => {
  const name = `store-${count++}`;
  const directory = world.directoryOf(name);
  const store = await openStore(name);
  const hour = 3_600_000_000_000;
  await append(
    store,
    testBatch(FILE, [
      { offset: 0, message: 'four', fields: { a: 1 } },
      { offset: 10, message: 'five', timeNs: hour, fields: { a: 'x' } },
      { offset: 20, message: 'next day', timeNs: 20 * hour },
    ]),
  );
  await store.seal();
  await append(store, testBatch(FILE, [{ offset: 30, message: 'again', fields: { b: true } }]));
  await store.seal();
  const files = fs.globSync('**/*.parquet', { cwd: path.join(directory, 'segments') }).toSorted();
  assert.deepEqual(files, [
    'day=2026-11-23/hour=04/000000001-0.parquet',
    'day=2026-11-23/hour=04/000000002-0.parquet',
    'day=2026-11-23/hour=05/000000001-1.parquet',
    'day=2026-11-24/hour=00/000000001-2.parquet',
  ]);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const result = await connection.runAndReadAll(
    `SELECT message, typeof("time"), epoch_ns("time"), day::VARCHAR, "fields.b"
     FROM read_parquet('${directory}/segments/**/*.parquet', union_by_name = true, hive_partitioning = true)
     ORDER BY "time", "log.offset"`,
  );
  assert.deepEqual(result.getRowsJS(), [
    ['four', 'TIMESTAMP_NS', BASE_NS, '2026-11-23', null],
    ['again', 'TIMESTAMP_NS', BASE_NS + 30_000n, '2026-11-23', true],
    ['five', 'TIMESTAMP_NS', BASE_NS + BigInt(hour), '2026-11-23', null],
    ['next day', 'TIMESTAMP_NS', BASE_NS + BigInt(20 * hour), '2026-11-24', null],
  ]);
  connection.closeSync();
});

test('more paths than columns allow go into one column, and come back', async () => {
  const store = await openStore();
  const fields = (from: number): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`key-${from + index}`, index]));
  const records = [
    { offset: 0, message: 'low', fields: fields(0) },
    { offset: 10, message: 'high', fields: { ...fields(300), Deep: { er: 'x' } } },
  ];
  const documents = records.map((record) => testDocument(FILE, record));
  await append(store, testBatch(FILE, records));
  assert.deepEqual(await exported(store), documents);
  await store.seal();
  assert.deepEqual(await exported(store), documents);
  assert.deepEqual(messagesOf(await searched(store, field('fields.key-650', '350'))), ['high']);
  assert.deepEqual(messagesOf(await searched(store, field('fields.key-3', '3'))), ['low']);
  assert.deepEqual(messagesOf(await searched(store, field('fields.Deep.er', 'x'))), ['high']);
});

test('documents whose types were told wrong are sealed all the same', async () => {
  const store = await openStore();
  const batch = testBatch(FILE, [
    { offset: 0, message: 'a', fields: { n: 1 } },
    { offset: 10, message: 'b', fields: { n: 'not a number', o: { p: 1 } } },
  ]);
  const lie = testBatch(FILE, [{ offset: 0, message: 'a', fields: { n: 1, o: 'text' } }]).fieldTypes;
  await append(store, { ...batch, fieldTypes: lie });
  await store.seal();
  const found = (await exported(store)) as Record<string, unknown>[];
  assert.deepEqual(
    found.map((document) => document['fields']),
    [{ n: 1 }, { n: 'not a number', o: { p: 1 } }],
  );
});

test('a line that is no JSON costs only itself: the others are sealed, and its journal is kept', async () => {
  const store = await openStore();
  const good = testBatch(FILE, [
    { offset: 0, message: 'good', fields: { a: 1 } },
    { offset: 10, message: 'bad!', fields: { a: 2 } },
  ]);
  const at = Buffer.from(good.body).indexOf('"bad!"');
  good.body[at] = 0x58;
  await append(store, good);
  await store.seal();
  assert.deepEqual(messagesOf(await exported(store)), ['good']);
  const { quarantined } = await store.stats();
  assert.match(quarantined[0]?.path ?? '', /quarantine\/journal-000000001\.ndjson$/);
});

test('documents of other shippers, with members and times of their own, are kept whole', async () => {
  const store = await openStore();
  const encoder = new TextEncoder();
  const document = {
    message: 'foreign',
    '@timestamp': '2026-11-23T06:00:00.5+02:00',
    log: { offset: 5, file: { path: '/x' } },
    event: { id: `${FILE}-000000000005` },
    agent: { type: 'filebeat' },
    input: { type: 'log' },
  };
  const body = encoder.encode(`${JSON.stringify(document, null, 1).replaceAll('\n', '')}\n`);
  const batch = {
    ...testBatch(FILE, [{ offset: 5, message: 'x' }]),
    body,
    ends: Uint32Array.of(body.length),
  };
  await append(store, { ...batch, fieldTypes: new Map() });
  const wanted = { ...document, '@timestamp': '2026-11-23T04:00:00.500000000Z' };
  assert.deepEqual(await exported(store), [wanted]);
  await store.seal();
  assert.deepEqual(await exported(store), [wanted]);
});

test('compaction keeps every value, whatever the types of the segments were', async () => {
  const engine = await world.startEngine('compacting');
  const name = `compact-${count++}`;
  const store = await openStore(name);
  for (const record of HARD) {
    await append(store, testBatch(FILE, [record]));
    await store.seal();
  }
  const snapshot = store.snapshotForTests();
  const segments = snapshot.sources.map(({ source }) => source).filter((source) => source.kind === 'segment');
  const target = path.join(world.directoryOf(name), 'segments');
  const merged = await engine.compact({
    sources: segments,
    directory: target,
    hour: '2026-11-23T04',
    sequence: 900,
  });
  snapshot.release();
  const source = { kind: 'segment', path: path.join(target, merged.path), columns: merged.columns } as const;
  const request = { query: { kind: 'all' }, range: EVERYTHING, bytesMax: undefined } as const;
  const block = await engine.scan([source], request, new AbortController().signal);
  const lines = Buffer.from(block?.bytes ?? [])
    .toString()
    .trimEnd()
    .split('\n');
  const found = lines.map((line) => JSON.parse(line) as unknown);
  await engine.close();
  assert.deepEqual(found, expected);
});

test('a Parquet file that is damaged is set aside, and the others are served', async () => {
  const name = `store-${count++}`;
  const directory = world.directoryOf(name);
  const store = await openStore(name);
  await append(store, testBatch(FILE, [{ offset: 0, message: 'lost' }]));
  await store.seal();
  await append(store, testBatch(FILE, [{ offset: 10, message: 'kept' }]));
  await store.seal();
  fs.writeFileSync(path.join(directory, 'segments/day=2026-11-23/hour=04/000000001-0.parquet'), 'rubbish');
  assert.deepEqual(messagesOf(await searched(store, { kind: 'all' })), ['kept']);
  assert.equal((await store.stats()).quarantined.length, 1);
  assert.equal(fs.readdirSync(path.join(directory, 'quarantine')).length, 1);
});

test('a query that is aborted ends, and the next one is answered', async () => {
  const store = await openStore();
  await append(store, testBatch(FILE, HARD));
  const abort = new AbortController();
  const request = {
    query: { kind: 'all' },
    range: EVERYTHING,
    order: 'asc',
    limit: 10,
    after: undefined,
  } as const;
  const waiting = store.search(request, abort.signal);
  abort.abort();
  await assert.rejects(waiting, { code: 'aborted' });
  assert.equal((await searched(store, { kind: 'all' })).length, HARD.length);
});

test('a histogram counts by bucket and value', async () => {
  const store = await openStore();
  await append(
    store,
    testBatch(FILE, [
      { offset: 0, message: 'a', level: 'info' },
      { offset: 10, message: 'b', level: 'warn' },
    ]),
  );
  await store.seal();
  await append(store, testBatch(FILE, [{ offset: 20, message: 'c', level: 'info' }]));
  const range = { startNs: BASE_NS, endNs: BASE_NS + 40_000n };
  const buckets = await store.histogram(
    { query: { kind: 'all' }, range, bucketCount: 2, by: ['log.level'] },
    new AbortController().signal,
  );
  assert.deepEqual(buckets, [
    { startNs: BASE_NS, count: 2, by: { info: 1, warn: 1 } },
    { startNs: BASE_NS + 20_000n, count: 1, by: { info: 1 } },
  ]);
});
