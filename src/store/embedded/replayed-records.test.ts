/** Records that come in batches of another file id than their documents have: replayed dead letters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonObjects, SILENT_SIGNAL, StoreWorld } from './testing/store-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);

test('a replayed record fills the hole of its file once, under its own id, also sealed', async () => {
  const world = new StoreWorld({ journalBytesMax: 1_000 });
  const store = await world.open();
  const records = Array.from({ length: 20 }, (_, index) => ({
    offset: index * 10,
    message: `line ${index}`,
  }));
  const hole = 7;
  await world.append(store, [
    testBatch(
      FILE,
      records.filter((_, index) => index !== hole),
    ),
  ]);
  const replayed = { ...testBatch(FILE, records.slice(hole, hole + 1)), fileId: testFileId(99) };
  assert.equal((await world.append(store, [replayed])).appended, 1);
  assert.equal((await world.append(store, [replayed])).appended, 0);
  for (const isSealed of [false, true]) {
    if (isSealed) await world.scheduler.advance(10_000);
    assert.deepEqual(
      await world.messages(store),
      records.map(({ message }) => message),
    );
    const request = {
      query: { kind: 'all' },
      range: EVERYTHING,
      order: 'asc',
      limit: 100,
      after: undefined,
    } as const;
    const { documents } = await store.search(request, SILENT_SIGNAL);
    assert.equal(JsonObjects.eventId(documents[hole] ?? ''), `${FILE}-000000000046`);
    const audits = await world.audits(store);
    assert.deepEqual(
      audits.map(({ fileId, found, twice }) => [fileId, found, twice]),
      [[FILE, 20, 0]],
    );
  }
  await store.close();
});
