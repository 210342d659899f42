/** Documents of other programs, which do not say which record they are, in journals and in segments. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { addFieldTypes, type FieldTypes } from '../../record/field-types.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import { parseQuery } from '../../query/parser.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { SILENT_SIGNAL, StoreWorld } from './testing/store-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const PARTITION = testFileId(8);
const TIME = '"@timestamp":"2026-11-23T08:20:00.123Z"';

const GIVEN = [
  `{${TIME},"host":{"name":"vm"},"agent":{"type":"filebeat"},"log":{"offset":40,"file":{"path":"/a"}},"message":"beat","n":12345678901234567890}`,
  `{${TIME},"message":"no identity"}`,
  `{${TIME},"log":"text of another driver","event":"started"}`,
  `{${TIME},"log":{"offset":"far"},"event":{"id":"abc","kind":"alert"}}`,
  `{${TIME},"message":"kept","log":{"parse_error":"not_json"}}`,
];

/** A batch as a broker's partition gives it: offsets are places in the partition. */
function foreignBatch(given = GIVEN, from = 0): DocumentBatch {
  const body = Buffer.from(given.map((document) => `${document}\n`).join(''));
  let end = 0;
  const ends = Uint32Array.from(given, (document) => (end += Buffer.byteLength(document) + 1));
  const fieldTypes: FieldTypes = new Map();
  // What pipelines tell of them.
  addFieldTypes(fieldTypes, 'log', 'text');
  addFieldTypes(fieldTypes, 'event', { kind: 'alert' });
  addFieldTypes(fieldTypes, 'event', 'started');
  addFieldTypes(fieldTypes, 'n', 1.5);
  const offsets = Float64Array.from(GIVEN, (_, index) => from + index);
  const lanes = new Uint8Array(GIVEN.length);
  return { fileId: PARTITION, body, count: GIVEN.length, ends, offsets, lanes, fieldTypes, dropped: [] };
}

async function documentsOf(store: EmbeddedStore, query = ''): Promise<Record<string, unknown>[]> {
  const request = { query: parseQuery(query).query, range: EVERYTHING, order: 'asc', limit: 100 } as const;
  const { documents } = await store.search({ ...request, after: undefined }, SILENT_SIGNAL);
  return documents.map((document) => JSON.parse(document) as Record<string, unknown>);
}

async function check(store: EmbeddedStore): Promise<void> {
  const documents = await documentsOf(store);
  const ids = documents.map(({ event }) => (event as { id: string }).id);
  assert.deepEqual(
    ids,
    GIVEN.map((_, index) => `${PARTITION}-00000000000${index}`),
  );
  const [beat, , odd, far, kept] = documents;
  assert.deepEqual(beat?.['log'], { offset: 0, file: { path: '/a' }, original_offset: 40 });
  assert.deepEqual([beat?.['host'], beat?.['message']], [{ name: 'vm' }, 'beat']);
  assert.deepEqual([odd?.['original_log'], odd?.['original_event']], ['text of another driver', 'started']);
  assert.deepEqual(far?.['event'], { id: ids[3], kind: 'alert', original_id: 'abc' });
  assert.deepEqual(kept?.['log'], { offset: 4, parse_error: 'not_json' });
  assert.equal((await documentsOf(store, 'log.parse_error:not_json')).length, 1);
  const audits = [];
  for await (const { fileId, found, twice } of store.audit(SILENT_SIGNAL))
    audits.push([fileId, found, twice]);
  assert.deepEqual(audits, [[PARTITION, GIVEN.length, 0]]);
}

const world = new DuckDbWorld();
after(() => world.close());

test('documents that do not say who they are are kept under the place that their batch gives them, once', async () => {
  const store = await world.openStore('foreign');
  assert.equal((await store.append([foreignBatch()], SILENT_SIGNAL)).appended, GIVEN.length);
  assert.equal((await store.append([foreignBatch()], SILENT_SIGNAL)).appended, 0);
  await check(store);
  await store.seal();
  await check(store);
  assert.deepEqual((await store.stats()).quarantined, []);
});

test('agents and other programs stand in one store, each record under its own id', async () => {
  const memory = new StoreWorld();
  const given = GIVEN.map((document) => document.replace('.123Z', '.123000000Z'));
  const store = await memory.open();
  await memory.append(store, [
    foreignBatch(given),
    testBatch(testFileId(1), [{ offset: 7, message: 'of an agent' }]),
  ]);
  await memory.append(store, [foreignBatch(given, GIVEN.length)]);
  const ids = (await documentsOf(store)).map(({ event }) => (event as { id: string }).id);
  assert.equal(new Set(ids).size, 2 * GIVEN.length + 1);
  assert.ok(ids.includes(`${testFileId(1)}-000000000007`));
});
