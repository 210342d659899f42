import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EarlierMarks, PLACES_MAX } from './earlier-marks.ts';
import { MARK_BYTES } from './fingerprint.ts';

const FILE = Uint8Array.from({ length: 5000 }, (_, index) => (index * 31) % 251);

test('what is remembered stood in the file, the first and the newest place always, and any other near enough', () => {
  const runs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(runs, fc.integer({ min: 0, max: 5000 }), (lengths, offset) => {
      const marks = new EarlierMarks();
      let endOffset = 0;
      for (const length of lengths) {
        if (endOffset + length > FILE.length) break;
        endOffset += length;
        marks.note(endOffset, FILE.subarray(Math.max(0, endOffset - MARK_BYTES), endOffset));
      }
      const ends = marks.all().map((mark) => mark.offset + mark.bytes.length);
      assert.equal(ends[0], lengths[0]);
      assert.equal(ends.at(-1), endOffset);
      assert.ok(ends.length <= PLACES_MAX);
      for (const { offset: start, bytes } of marks.all())
        assert.deepEqual(bytes, FILE.subarray(start, start + bytes.length));
      const end = ends.findLast((one) => one <= offset);
      if (end === undefined || offset > endOffset) return;
      // The longest run is what no place can be in.
      assert.ok(offset - end <= 3 * (endOffset - offset) + 200, `${end} is the last one before ${offset}`);
    }),
  );
});

test('over many reads the places reach back to the beginning, the nearer to the end the denser', () => {
  const marks = new EarlierMarks();
  const bytes = new Uint8Array(1);
  for (let endOffset = 1; endOffset <= 100_000; endOffset++) marks.note(endOffset, bytes);
  const ends = marks.all().map((mark) => mark.offset + 1);
  assert.equal(ends[0], 1);
  for (let index = 1; index < ends.length; index++) {
    const end = ends[index] ?? 0;
    assert.ok(end - (ends[index - 1] ?? 0) <= 8 * (100_001 - end), ends.join(', '));
  }
});

test('a run has places everywhere within, at ends of lines where there are some', () => {
  const texts = fc.array(fc.stringMatching(/^[a-c]{0,100}$/), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(texts, (lines) => {
      const run = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
      const marks = new EarlierMarks();
      marks.noteWithin(100, run);
      for (const { offset, bytes } of marks.all())
        assert.deepEqual(bytes, run.subarray(offset - 100, offset - 100 + bytes.length));
      const ends = [0, ...marks.all().map((mark) => mark.offset + mark.bytes.length - 100)];
      const isPlace = (end: number): boolean => ends.includes(end) || end === run.length;
      if (lines.length <= 8) for (const end of lineEndsOf(run)) assert.ok(isPlace(end));
      const widest = Math.max(...ends.map((end, index) => (ends[index + 1] ?? run.length) - end));
      const longest = Math.max(0, ...lines.map((line) => line.length + 1));
      assert.ok(widest <= Math.ceil(run.length / 8) + longest, `${widest} of ${run.length} without a place`);
    }),
  );
});

function lineEndsOf(run: Uint8Array): number[] {
  return [...run.entries()].filter(([, byte]) => byte === 10).map(([index]) => index + 1);
}
