import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DocumentBatch } from '../../record/record-batch.ts';
import type { Query } from '../../query/ast.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { field } from './testing/hard-documents.ts';
import { StoreWorld } from './testing/store-world.ts';
import { EVERYTHING, testBatch, testDocument, testFileId } from './testing/test-documents.ts';
import type { TestRecord } from './testing/test-documents.ts';

const FILE = testFileId(1);
const SIGNAL = new AbortController().signal;
const world = new DuckDbWorld();
after(() => world.close());

/** Members that have the names of what journals and segments keep for themselves. */
const RECORDS: readonly TestRecord[] = [
  { offset: 0, message: 'plain', level: 'info' },
  { offset: 10, message: 'all', level: 'warn', more: { $offset: 77, $level: 'mine', $resource: 1 } },
  { offset: 20, message: 'text', more: { $resource: 'none', $$offset: { $offset: 1 }, $: true } },
  { offset: 30, message: 'columns', more: { time: 'noon', file_id: 7, 'log.offset': 8, fields_rest: [1] } },
  { offset: 40, message: 'commit', more: { commit: { rows: 1 }, crc: '00000000' } },
  { offset: 50, message: 'costs $5', level: 'info', fields: { $offset: 9, price: '$', $level: 'x' } },
  { offset: 60, message: 'more of them', level: 'info', more: { $offset: 5 } },
];
const EXPECTED = RECORDS.map((record) => testDocument(FILE, record));

/** The same with a key whose dollar is escaped, and with blanks between the parts. */
function oddBatch(): DocumentBatch {
  const batch = testBatch(testFileId(2), [
    { offset: 0, message: 'odd', more: { $offset: 3, $level: 'mine' } },
  ]);
  const text = new TextDecoder().decode(batch.body).replace('"$offset"', String.raw`"\u0024offset" `);
  const body = new TextEncoder().encode(text);
  return { ...batch, body, ends: Uint32Array.of(body.length) };
}
const ODD = testDocument(testFileId(2), { offset: 0, message: 'odd', more: { $offset: 3, $level: 'mine' } });

async function found(store: EmbeddedStore, query: Query): Promise<unknown[]> {
  const request = { query, range: EVERYTHING, order: 'asc', limit: 100, after: undefined } as const;
  const { documents } = await store.search(request, SIGNAL);
  return documents.map((document) => JSON.parse(document) as unknown);
}

async function check(store: EmbeddedStore, when: string): Promise<void> {
  const all = (await found(store, { kind: 'all' })) as { message: string }[];
  assert.deepEqual(
    all.filter(({ message }) => message !== 'odd'),
    EXPECTED,
    when,
  );
  assert.deepEqual(
    all.filter(({ message }) => message === 'odd'),
    [ODD],
    when,
  );
  assert.deepEqual(await found(store, field('$offset', '77')), [EXPECTED[1]], when);
  assert.deepEqual(await found(store, field('log.level', 'warn')), [EXPECTED[1]], when);
}

test('members of documents that are named like those of journals stay what they are', async () => {
  let store = await world.openStore('keys');
  // The first document teaches a template that the later ones must not be taken to fit.
  for (const record of RECORDS) await store.append([testBatch(FILE, [record])], SIGNAL);
  await store.append([oddBatch()], SIGNAL);
  await check(store, 'journal');
  await store.close();
  store = await world.openStore('keys');
  await check(store, 'recovered journal');
  await store.seal();
  await check(store, 'segment');
});

for (const commit of [5, 'text', true, [1], { rows: 'text' }]) {
  test(`a member "commit" that is ${JSON.stringify(commit)} is none of the journal's`, async () => {
    const store = await world.openStore(`commit ${JSON.stringify(commit)}`);
    const record = { offset: 0, message: 'one', more: { commit } };
    await store.append([testBatch(FILE, [record])], SIGNAL);
    assert.deepEqual(await found(store, { kind: 'all' }), [testDocument(FILE, record)]);
    await store.seal();
    assert.deepEqual(await found(store, { kind: 'all' }), [testDocument(FILE, record)]);
    assert.deepEqual((await store.stats()).quarantined, []);
  });
}

test('segments with such members are merged without a change', async () => {
  const store = await world.openStore('merged');
  for (const record of RECORDS) {
    await store.append([testBatch(FILE, [record])], SIGNAL);
    await store.seal();
  }
  const engine = await world.startEngine('merging');
  const snapshot = store.snapshotForTests();
  const sources = snapshot.sources.map(({ source }) => source).filter((source) => source.kind === 'segment');
  const directory = `${world.directoryOf('merged')}/segments`;
  const merged = await engine.compact({ sources, directory, hour: '2026-11-23T04', sequence: 900 });
  const source = { kind: 'segment', path: `${directory}/${merged.path}`, columns: merged.columns } as const;
  const block = await engine.scan(
    [source],
    { query: { kind: 'all' }, range: EVERYTHING, bytesMax: undefined },
    SIGNAL,
  );
  snapshot.release();
  await engine.close();
  const lines = new TextDecoder().decode(block?.bytes).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    EXPECTED,
  );
});

test('the engine of the simulation reads them as they are, too', async () => {
  const memory = new StoreWorld();
  const store = await memory.open();
  for (const record of RECORDS) await memory.append(store, [testBatch(FILE, [record])]);
  await memory.append(store, [oddBatch()]);
  await check(store, 'journal');
  await store.seal();
  await check(store, 'segment');
  await store.close();
});
