import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Query } from '../../query/ast.ts';
import { COLUMNS_MAX } from './columns.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import type { SegmentSource } from './segment-engine.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { field } from './testing/hard-documents.ts';
import { EVERYTHING, testBatch, testDocument, testFileId } from './testing/test-documents.ts';
import type { TestRecord } from './testing/test-documents.ts';

const FILE = testFileId(1);
const SIGNAL = new AbortController().signal;
const ALL = { kind: 'all' } as const;
const DOCUMENTS = 60;
const NAMES = 200;

/** Objects for which there can be a rest, and the top level. */
const RESTS_MAX = 20;

const world = new DuckDbWorld();
after(() => world.close());

/** Documents of which each has names of its own. */
function wideRecords(placed: (members: Record<string, unknown>) => Partial<TestRecord>): TestRecord[] {
  return Array.from({ length: DOCUMENTS }, (_, document) => {
    const members = Array.from({ length: NAMES }, (__, name) => [
      `name_${document}_${name}`,
      name % 2 === 0 ? `text ${document} ${name}` : name,
    ]);
    return { offset: document * 10, message: `wide ${document}`, ...placed(Object.fromEntries(members)) };
  });
}

const PLACES: Readonly<Record<string, (members: Record<string, unknown>) => Partial<TestRecord>>> = {
  'at the top level': (more) => ({ more }),
  'at the top level, beginning with dollars': (members) => ({
    more: Object.fromEntries(Object.entries(members).map(([key, value]) => [`$${key}`, value])),
  }),
  'at the top level, differing in case': (members) => ({
    more: { ...members, [Object.keys(members)[0]?.toUpperCase() ?? '']: 'in capitals' },
  }),
  'in one object at the top level': (custom) => ({ more: { custom } }),
  'in labels': (labels) => ({ more: { labels } }),
  'in fields': (fields) => ({ fields }),
};

for (const [place, placed] of Object.entries(PLACES)) {
  test(`documents with names of their own ${place} take no more columns than there may be`, async () => {
    const records = wideRecords(placed);
    const expected = records.map((record) => testDocument(FILE, record));
    const store = await world.openStore(place);
    for (const record of records) await store.append([testBatch(FILE, [record])], SIGNAL);
    await check(store, records, expected);
    const unsealed = await exported(store);
    await store.seal();
    await check(store, records, expected);
    assert.deepEqual(await exported(store), unsealed);
    for (const { columns } of segmentsOf(store)) assert.ok(columns.length <= COLUMNS_MAX + RESTS_MAX);
    assert.deepEqual((await store.stats()).namespaces, [{ namespace: 'shop', records: DOCUMENTS }]);
    await store.close();
  });
}

test('segments with names of their own are merged into one with no more columns than there may be', async () => {
  const store = await world.openStore('merged');
  const records = wideRecords((more) => ({ more })).slice(0, 6);
  for (const record of records) {
    await store.append([testBatch(FILE, [record])], SIGNAL);
    await store.seal();
  }
  const sources = segmentsOf(store);
  const engine = await world.startEngine('merging');
  const directory = `${world.directoryOf('merged')}/segments`;
  const merged = await engine.compact({ sources, directory, hour: '2026-11-23T04', sequence: 900 });
  assert.equal(sources.length, records.length);
  assert.ok(merged.columns.length <= COLUMNS_MAX + RESTS_MAX);
  const source = { kind: 'segment', path: `${directory}/${merged.path}`, columns: merged.columns } as const;
  const block = await engine.scan([source], { query: ALL, range: EVERYTHING, bytesMax: undefined }, SIGNAL);
  await engine.close();
  assert.deepEqual(
    linesOf(Buffer.from(block?.bytes ?? [])).map((line) => JSON.parse(line) as unknown),
    records.map((record) => testDocument(FILE, record)),
  );
});

async function check(
  store: EmbeddedStore,
  records: readonly TestRecord[],
  expected: readonly unknown[],
): Promise<void> {
  const found = await exported(store);
  assert.deepEqual(
    found.map((line) => JSON.parse(line) as unknown),
    expected,
  );
  for (const at of [0, DOCUMENTS - 1]) {
    const paths = leavesOf({ ...records[at]?.more, fields: records[at]?.fields });
    for (const path of [paths.at(0), paths.at(-1)]) {
      assert.ok(path !== undefined);
      const [name, value] = path;
      assert.deepEqual(await search(store, field(name, String(value))), [expected[at]], name);
      assert.deepEqual(await search(store, { kind: 'exists', field: name }), [expected[at]], name);
    }
  }
}

function leavesOf(object: Readonly<Record<string, unknown>>, above = ''): [string, unknown][] {
  return Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    if (typeof value !== 'object') return value === undefined ? [] : [[`${above}${key}`, value]];
    return leavesOf(value as Record<string, unknown>, `${above}${key}.`);
  });
}

async function search(store: EmbeddedStore, query: Query): Promise<unknown[]> {
  const request = { query, range: EVERYTHING, order: 'asc', limit: 100, after: undefined } as const;
  const { documents } = await store.search(request, SIGNAL);
  return documents.map((document) => JSON.parse(document) as unknown);
}

async function exported(store: EmbeddedStore): Promise<string[]> {
  const parts: Uint8Array[] = [];
  for await (const block of store.export({ query: ALL, range: EVERYTHING }, SIGNAL)) parts.push(block);
  return linesOf(Buffer.concat(parts));
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().trimEnd().split('\n');
}

function segmentsOf(store: EmbeddedStore): SegmentSource[] {
  const snapshot = store.snapshotForTests();
  snapshot.release();
  return snapshot.sources.map(({ source }) => source).filter((source) => source.kind === 'segment');
}
