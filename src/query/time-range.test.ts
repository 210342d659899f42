import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTimestamp } from '../record/timestamp.ts';
import { formatQuery } from './format.ts';
import { parseQuery } from './parser.ts';
import { resolveTimes } from './resolve-times.ts';
import { parseDurationNs, parseTime } from './time-range.ts';

const NOW_NS = 1_795_408_200_123_456_789n;

function written(text: string): string | undefined {
  const timeNs = parseTime(text, NOW_NS);
  return timeNs === undefined ? undefined : formatTimestamp(timeNs);
}

test('RFC 3339 keeps nine digits and minds the zone', () => {
  assert.equal(written('2026-11-23T04:30:00Z'), '2026-11-23T04:30:00.000000000Z');
  assert.equal(written('2026-11-23T04:30:00.123456789123Z'), '2026-11-23T04:30:00.123456789Z');
  assert.equal(written('2026-11-23t04:30:00.5+05:30'), '2026-11-22T23:00:00.500000000Z');
  assert.equal(written('2026-11-23 04:30:00-0100'), '2026-11-23T05:30:00.000000000Z');
  assert.equal(written('2024-02-29'), '2024-02-29T00:00:00.000000000Z');
  assert.equal(written('1969-12-31T23:59:59.999999999Z'), '1969-12-31T23:59:59.999999999Z');
});

test('now moves by seconds, minutes, hours, days and weeks', () => {
  assert.equal(parseTime('now', NOW_NS), NOW_NS);
  assert.equal(parseTime(' now-15m ', NOW_NS), NOW_NS - 900_000_000_000n);
  assert.equal(parseTime('now+1h30m', NOW_NS), NOW_NS + 5_400_000_000_000n);
  assert.equal(parseTime('now-2w1d5s', NOW_NS), NOW_NS - 1_296_005_000_000_000n);
  assert.equal(parseDurationNs('1h'), 3_600_000_000_000n);
  assert.equal(parseDurationNs('1y'), undefined);
});

test('what names no time is none', () => {
  const wrong = [
    '',
    'yesterday',
    'now-',
    'now-5',
    'now15m',
    '2026-13-01',
    '2023-02-29',
    '2026-11-23T24:00:00Z',
    '2026-11-23T04:60Z',
  ];
  const beyond = ['0001-01-01', '9999-12-31', 'now-999999999w', '1700000000', '2026-11-23T04:30:00+99:00'];
  for (const text of [...wrong, ...beyond]) assert.equal(parseTime(text, NOW_NS), undefined, text);
});

test('relative times in a query become moments', () => {
  const { query } = parseQuery('a (not @timestamp>=now-1h or @timestamp<2026-11-23)');
  assert.equal(
    formatQuery(resolveTimes(query, NOW_NS)),
    'a (not @timestamp>="2026-11-23T03:30:00.123456789Z" or @timestamp<"2026-11-23T00:00:00.000000000Z")',
  );
});
