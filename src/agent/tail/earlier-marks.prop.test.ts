import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EarlierMarks } from './earlier-marks.ts';
import { MARK_BYTES } from './fingerprint.ts';

const FILE = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31) % 251);

test('what is remembered stood in the file, the newest place always, and an old one near enough', () => {
  const runs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(runs, fc.integer({ min: 0, max: 5000 }), (lengths, offset) => {
      const marks = new EarlierMarks();
      let endOffset = 0;
      for (const length of lengths) {
        endOffset += length;
        marks.note(endOffset, FILE.subarray(Math.max(0, endOffset - MARK_BYTES), endOffset));
      }
      const newest = marks.lastWithin(endOffset);
      assert.equal((newest?.offset ?? 0) + (newest?.bytes.length ?? 0), endOffset);
      const mark = marks.lastWithin(offset);
      if (mark !== undefined) {
        const end = mark.offset + mark.bytes.length;
        assert.ok(end <= offset);
        assert.deepEqual(mark.bytes, FILE.subarray(mark.offset, end));
      } else assert.ok(offset < 100 * 8, `nothing is remembered before ${offset} of ${endOffset}`);
    }),
  );
});
