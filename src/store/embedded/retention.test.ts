import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemError } from '../../base/memory-file-system.ts';
import { StoreWorld } from './testing/store-world.ts';
import { testBatch, testFileId } from './testing/test-documents.ts';

const MIB = 1 << 20;

test('journals count for the size of the store: they are sealed early, and the oldest segments make room', async () => {
  const bytesMax = 8 * MIB;
  const world = new StoreWorld({ retentionBytesMax: bytesMax, journalBytesMax: 96 * MIB });
  const store = await world.open();
  let sent = 0;
  let largest = 0;
  for (let round = 0; round < 60; round += 1) {
    const message = 'x'.repeat(MIB / 2);
    await world.append(store, [testBatch(testFileId(1), [{ offset: round, message, timeNs: round * 1e9 }])]);
    sent += MIB / 2;
    await world.scheduler.advance(2_500);
    largest = Math.max(largest, (await store.stats()).bytesOnDisk);
  }
  assert.ok(sent > 3 * bytesMax);
  assert.ok(largest <= bytesMax, `${largest} bytes`);
  const messages = await world.messages(store);
  assert.ok(messages.length >= 6, `${messages.length} of the newest records are there`);
  await store.close();
});

test('appends wait rather than let journals alone outgrow the size of the store', async () => {
  const bytesMax = 8 * MIB;
  const world = new StoreWorld({ retentionBytesMax: bytesMax, journalBytesMax: 96 * MIB });
  const store = await world.open();
  const message = 'x'.repeat(MIB);
  const appended = Array.from({ length: 20 }, (_, offset) =>
    world.append(store, [testBatch(testFileId(offset), [{ offset, message }])]),
  );
  let settled = 0;
  for (const one of appended) void one.then(() => (settled += 1));
  let largest = 0;
  for (let round = 0; round < 200 && settled < appended.length; round += 1) {
    await world.scheduler.advance(100);
    largest = Math.max(largest, (await store.stats()).bytesOnDisk);
  }
  assert.equal(settled, appended.length);
  // One group may stand over, because room is looked at before it.
  assert.ok(largest <= bytesMax + 5 * MIB, `${largest} bytes`);
  await store.close();
});

test('what is too old goes although newer journals cannot be sealed', async () => {
  const roomy = new StoreWorld();
  const before = await roomy.open();
  await roomy.append(before, [testBatch(testFileId(1), [{ offset: 0, message: 'old'.repeat(MIB) }])]);
  await roomy.passHours(1_001);
  await before.close();
  assert.equal(roomy.segmentPaths().length, 1);
  const { fileSystem, scheduler } = roomy;
  const world = new StoreWorld({ fileSystem, scheduler, retentionBytesMax: 2 * MIB });
  fileSystem.onOperation = (operation, path) => {
    if (operation === 'write' && path.includes('/segments/')) throw systemError('EIO', path);
  };
  const store = await world.open();
  await world.append(store, [testBatch(testFileId(1), [{ offset: 1, message: 'new' }])]);
  await world.passHours(1_001);
  assert.deepEqual(world.segmentPaths(), []);
  assert.deepEqual(await world.messages(store), ['new']);
  await store.close();
});
