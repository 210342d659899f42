import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EarlierMarks } from './earlier-marks.ts';
import { MARK_BYTES } from './fingerprint.ts';

const FILE = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31) % 251);

test('what is remembered stood in the file, the newest place always, and an old one near enough', () => {
  const runs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(runs, fc.integer({ min: 0, max: 5000 }), (lengths, offset) => {
      const marks = new EarlierMarks();
      let endOffset = 0;
      for (const length of lengths) {
        if (endOffset === 0) marks.noteFirst(0, FILE.subarray(0, length));
        endOffset += length;
        marks.note(endOffset, FILE.subarray(Math.max(0, endOffset - MARK_BYTES), endOffset));
      }
      const ends = marks.all().map((mark) => mark.offset + mark.bytes.length);
      assert.equal(ends.at(-1), endOffset);
      assert.deepEqual(
        ends,
        ends.toSorted((left, right) => left - right),
      );
      const mark = marks.all().findLast((one) => one.offset + one.bytes.length <= offset);
      if (mark !== undefined) {
        const end = mark.offset + mark.bytes.length;
        assert.deepEqual(mark.bytes, FILE.subarray(mark.offset, end));
      } else assert.ok(offset < 100 * 8, `nothing is remembered before ${offset} of ${endOffset}`);
    }),
  );
});

test('a run that is read at first has places everywhere within', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), (length) => {
      const marks = new EarlierMarks();
      marks.noteFirst(100, FILE.subarray(0, length));
      const ends = [0, ...marks.all().map((mark) => mark.offset + mark.bytes.length - 100)];
      for (const { offset, bytes } of marks.all())
        assert.deepEqual(bytes, FILE.subarray(offset - 100, offset - 100 + MARK_BYTES));
      const widest = Math.max(...ends.map((end, index) => (ends[index + 1] ?? length) - end));
      assert.ok(
        widest <= Math.max(MARK_BYTES, Math.ceil(length / 8)),
        `${widest} of ${length} without a place`,
      );
    }),
  );
});
