import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTimestamp, parseTimestamp, readEpochMs } from './timestamp.ts';

test('times are written as the platform writes them, with nine digits', () => {
  const YEAR_1_MS = -62_135_596_800_000;
  const YEAR_9999_MS = 253_402_300_799_999;
  fc.assert(
    fc.property(
      fc.integer({ min: YEAR_1_MS, max: YEAR_9999_MS }),
      fc.integer({ min: 0, max: 999_999 }),
      (ms, nanos) => {
        const timeNs = BigInt(ms) * 1_000_000n + BigInt(nanos);
        const text = formatTimestamp(timeNs);
        assert.equal(text, `${new Date(ms).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`);
        assert.equal(parseTimestamp(text), timeNs);
        assert.equal(readEpochMs(new TextEncoder().encode(text), 0), ms);
      },
    ),
  );
});

test('what is no timestamp of this form is not read', () => {
  const bad = [
    '',
    '2026-11-23T04:30:00Z',
    '2026-02-29T04:30:00.000000000Z',
    '2026-11-23T24:00:00.000000000Z',
  ];
  bad.push(
    '2026-11-23T04:30:60.000000000Z',
    '2026-11-23 04:30:00.000000000Z',
    '2026-11-23T04:30:00.00000000xZ',
  );
  for (const text of bad) assert.equal(parseTimestamp(text), undefined, text);
});
