import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { DuckDbWorld } from './testing/duckdb-world.ts';
import { StoreWorld } from './testing/store-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);
const SIGNAL = new AbortController().signal;
const duckDb = new DuckDbWorld();
after(() => duckDb.close());

test('a segment that was set aside is taken back at the next start when it can be read again', async () => {
  const world = new StoreWorld();
  let store = await world.open();
  await world.append(store, [testBatch(FILE, [{ offset: 0, message: 'back' }])]);
  await store.seal();
  await world.append(store, [testBatch(FILE, [{ offset: 10, message: 'kept' }])]);
  const [segment = ''] = world.segmentPaths();
  const sound = world.fileSystem.readFile(segment).slice();
  world.fileSystem.corrupt(segment, 0, 0);
  assert.deepEqual(await world.messages(store), ['kept']);
  const [aside] = (await store.stats()).quarantined;
  assert.ok(aside !== undefined);
  await store.close();

  store = await world.open();
  assert.deepEqual(
    await world.messages(store),
    ['kept'],
    'as long as it cannot be read it stays where it is',
  );
  assert.equal((await store.stats()).quarantined.length, 1);
  await store.close();

  const fd = world.fileSystem.open(aside.path, 'w');
  world.fileSystem.write(fd, sound);
  world.fileSystem.close(fd);
  for (let round = 0; round < 2; round += 1) {
    store = await world.open();
    assert.deepEqual(await world.messages(store), ['back', 'kept']);
    const stats = await store.stats();
    assert.deepEqual(
      { quarantined: stats.quarantined, records: stats.records },
      { quarantined: [], records: 2 },
    );
    const [audit] = await world.audits(store);
    assert.deepEqual({ found: audit?.found, twice: audit?.twice }, { found: 2, twice: 0 });
    await store.close();
  }
});

test('a file that somebody removed from the quarantine is no longer told of', async () => {
  const world = new StoreWorld();
  let store = await world.open();
  await world.append(store, [testBatch(FILE, [{ offset: 0, message: 'lost' }])]);
  await store.seal();
  world.fileSystem.corrupt(world.segmentPaths()[0] ?? '', 0, 0);
  assert.deepEqual(await world.messages(store), []);
  const [aside] = (await store.stats()).quarantined;
  await store.close();
  world.fileSystem.unlink(aside?.path ?? '');
  store = await world.open();
  assert.deepEqual((await store.stats()).quarantined, []);
  await store.close();
});

test('a Parquet file is taken back only when every column of it can be read', async () => {
  let store = await duckDb.openStore('parquet');
  const records = Array.from({ length: 200 }, (_, offset) => ({
    offset,
    message: `line ${offset} ${offset ** 7}`,
  }));
  await store.append([testBatch(FILE, records)], SIGNAL);
  await store.seal();
  const segment = path.join(
    duckDb.directoryOf('parquet'),
    'segments/day=2026-11-23/hour=04/000000001-0.parquet',
  );
  const sound = fs.readFileSync(segment);
  const search = {
    query: { kind: 'all' },
    range: EVERYTHING,
    order: 'asc',
    limit: 1000,
    after: undefined,
  } as const;
  fs.writeFileSync(segment, 'rubbish');
  assert.equal((await store.search(search, SIGNAL)).documents.length, 0);
  const [aside] = (await store.stats()).quarantined;
  await store.close();
  // The pages of the message come first of what is long: with other bytes there the file's index is as it was.
  const broken = Buffer.from(sound);
  broken.fill(0x55, 300, 900);
  fs.writeFileSync(aside?.path ?? '', broken);
  store = await duckDb.openStore('parquet');
  assert.equal((await store.stats()).quarantined.length, 1);
  await store.close();
  fs.writeFileSync(aside?.path ?? '', sound);
  store = await duckDb.openStore('parquet');
  assert.equal((await store.search(search, SIGNAL)).documents.length, 200);
  assert.equal((await store.stats()).quarantined.length, 0);
});

test('journals of several files of which one lost its end are sealed as far as they go, and set aside', async () => {
  const store = await duckDb.openStore('short');
  const records = Array.from({ length: 50 }, (_, offset) => ({ offset, message: `line ${offset}` }));
  for (const file of [1, 2]) await store.append([testBatch(testFileId(file), records)], SIGNAL);
  const journals = path.join(duckDb.directoryOf('short'), 'journals');
  const journal = path.join(journals, fs.readdirSync(journals)[0] ?? '');
  const commits = [...fs.readFileSync(journal, 'latin1').matchAll(/^\{"commit"/gm)];
  // The second file's documents begin behind the first commit; of them, a few are left.
  fs.truncateSync(journal, (commits[0]?.index ?? 0) + 2_000);
  await store.seal();
  const { records: stored, quarantined } = await store.stats();
  assert.ok(stored >= 50 && stored < 100, `${stored} are left`);
  assert.equal(quarantined.length, 1);
});
