import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileCounts, IndexCount } from './file-counts-state.ts';
import { goneBy, withIndex, withoutIndex } from './file-counts-state.ts';

const FILE = 'f'.repeat(20);
const SUM_MODULUS = 1n << 64n;

/** Whatever is early here was created at an odd millisecond. */
const isEarly = (createdMs: number): boolean => createdMs % 2 === 1;

const count = fc.record({
  uuid: fc.constantFrom('a', 'b', 'c', 'd'),
  records: fc.integer({ min: 0, max: 1_000_000 }),
  sum: fc.bigInt({ min: 0n, max: SUM_MODULUS - 1n }),
});

function entryOf({ uuid, records, sum }: { uuid: string; records: number; sum: bigint }): IndexCount {
  const createdMs = uuid.charCodeAt(0);
  return { uuid, index: `logs-${uuid}`, createdMs, records, offsetSum: String(sum) };
}

test('of each index that is gone its last count is remembered, whether it was moved or not', () => {
  const steps = fc.array(count, { minLength: 1, maxLength: 12 });
  const gone = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
  const moved = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
  fc.assert(
    fc.property(steps, gone, moved, (counts, goneUuids, movedUuids) => {
      let held: FileCounts | undefined;
      for (const one of counts) held = withIndex(held, FILE, entryOf(one));
      assert.ok(held !== undefined);
      const last = new Map(counts.map((one) => [one.uuid, one]));
      for (const uuid of movedUuids) {
        if (!goneUuids.includes(uuid)) continue;
        held = withoutIndex(held, uuid, isEarly(uuid.charCodeAt(0)));
        // A second time changes nothing.
        assert.equal(withoutIndex(held, uuid, true), held);
      }
      const leaving = goneUuids.flatMap((uuid) => last.get(uuid) ?? []);
      const early = leaving.filter(({ uuid }) => isEarly(uuid.charCodeAt(0)));
      const total = (all: readonly { records: number }[]): number =>
        all.reduce((sum, { records }) => sum + records, 0);
      assert.deepEqual(goneBy(held, { isThere: (uuid) => goneUuids.every((one) => one !== uuid), isEarly }), {
        records: total(leaving),
        offsetSum: String(leaving.reduce((sum, one) => sum + one.sum, 0n) % SUM_MODULUS),
        early: total(early),
      });
    }),
  );
});

test('of one file no more than a maximum of indices is remembered, and known ones are brought up to date', () => {
  let held: FileCounts | undefined;
  for (let index = 0; index < 2_100; index += 1)
    held = withIndex(held, FILE, entryOf({ uuid: `u${index}`, records: 1, sum: 0n }));
  assert.equal(held?.entries.length, 2_000);
  held = withIndex(held, FILE, entryOf({ uuid: 'u5', records: 7, sum: 0n }));
  assert.equal(held.entries.length, 2_000);
  assert.equal(held.entries.find(({ uuid }) => uuid === 'u5')?.records, 7);
});
