import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SILENT_SIGNAL, StoreWorld } from './testing/store-world.ts';
import { MemoryEngine } from './memory-engine.ts';
import { exportSources } from './source-export.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

/** Times that lie together, apart, and on one and the same nanosecond. */
const timeNs = fc.oneof(
  fc.integer({ min: 0, max: 3_000_000 }),
  fc.integer({ min: 0, max: 3_500_000_000_000 }),
  fc.constantFrom(0, 1, 1_000_000_000),
);
const records = fc.array(fc.tuple(timeNs, fc.nat({ max: 400 })), { minLength: 1, maxLength: 60 });
const files = fc.array(fc.tuple(records, fc.boolean()), { minLength: 1, maxLength: 6 });

test('an export gives every record once and in order, however files overlap and slices are cut', async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 200, max: 20_000 }), async (parts, sliceBytes) => {
      const world = new StoreWorld();
      const store = await world.open();
      const wanted: string[] = [];
      for (const [number, [part, isSealed]] of parts.entries()) {
        const fileId = testFileId(number);
        const made = part.map(([time, length], offset) => {
          const message = `${number}-${offset}-${'x'.repeat(length)}`;
          const key = [String(time).padStart(20, '0'), fileId, String(offset).padStart(9, '0')];
          wanted.push(`${key.join(' ')} ${message}`);
          return { offset, message, timeNs: time };
        });
        await world.append(store, [testBatch(fileId, made)]);
        if (isSealed) await store.seal();
      }
      const snapshot = store.snapshotForTests();
      const engine = new MemoryEngine({ fileSystem: world.fileSystem });
      const context = {
        engine,
        signal: SILENT_SIGNAL,
        onUnreadable: () => Promise.reject(new Error('unreadable')),
      };
      const request = { query: { kind: 'all' }, range: EVERYTHING } as const;
      let text = '';
      for await (const block of exportSources(snapshot.sources, request, context, sliceBytes)) {
        text += new TextDecoder().decode(block);
      }
      snapshot.release();
      await store.close();
      const found = text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { message: string }).message);
      const expected = wanted.toSorted().map((line) => line.split(' ')[3]);
      assert.deepEqual(found, expected);
    }),
    { numRuns: 60 },
  );
});
