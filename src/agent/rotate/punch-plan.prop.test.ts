import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { punchRanges } from './punch-plan.ts';

/** Bytes before the acknowledged offset that are compared after a restart, see `tail/fingerprint.ts`. */
const MARK_BYTES = 64;

const HEAD_BYTES = 1024;

const files = fc
  .record({
    size: fc.integer({ min: 0, max: 10_000_000 }),
    free: fc.double({ min: 0, max: 1, noNaN: true }),
    givenFrom: fc.double({ min: 0, max: 1, noNaN: true }),
    givenTo: fc.double({ min: 0, max: 1, noNaN: true }),
    hasGiven: fc.boolean(),
  })
  .map(({ size, free, givenFrom, givenTo, hasGiven }) => {
    const freeOffset = Math.floor(size * free);
    const startOffset = freeOffset + Math.floor((size - freeOffset) * givenFrom);
    const endOffset = startOffset + Math.floor((size - startOffset) * givenTo);
    return { size, freeOffset, given: hasGiven ? [{ startOffset, endOffset }] : [] };
  });

void test('only what is acknowledged or given up is freed, and never what a file is recognised by (G5)', () => {
  fc.assert(
    fc.property(files, fc.constantFrom(512, 1024, 4096, 65_536), fc.nat(1_000_000), (file, block, tail) => {
      for (const { startOffset, endOffset } of punchRanges(file, block, tail)) {
        assert.ok(startOffset < endOffset);
        assert.equal(startOffset % block, 0);
        assert.equal(endOffset % block, 0);
        assert.ok(startOffset >= HEAD_BYTES);
        assert.ok(endOffset <= file.size - tail);
        const isAcknowledged = endOffset <= file.freeOffset - MARK_BYTES;
        const isGiven = file.given.some(
          (given) => given.startOffset <= startOffset && endOffset <= given.endOffset,
        );
        assert.ok(isAcknowledged || isGiven, `${startOffset} to ${endOffset}`);
      }
    }),
  );
});

void test('all but two blocks of what is acknowledged is freed when nothing has to stay', () => {
  const file = { size: 100 * 4096, freeOffset: 100 * 4096, given: [] };
  assert.deepEqual(punchRanges(file, 4096, 0), [{ startOffset: 4096, endOffset: 99 * 4096 }]);
  assert.deepEqual(punchRanges({ ...file, freeOffset: 3 * 4096 - 1 }, 4096, 0), []);
});

void test('what was given up is freed around what is still on its way', () => {
  const file = { size: 40_960, freeOffset: 8192, given: [{ startOffset: 12_289, endOffset: 30_000 }] };
  assert.deepEqual(punchRanges(file, 4096, 0), [{ startOffset: 16_384, endOffset: 28_672 }]);
});
