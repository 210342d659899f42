import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTimestamp } from '../record/timestamp.ts';
import { readJsonTime, readTextTime } from './line-time.ts';

/** 2026-11-23T00:00:00Z */
const NOW = 1_795_392_000;

function text(line: string): string | undefined {
  const timeNs = readTextTime(line, NOW);
  return timeNs === undefined ? undefined : formatTimestamp(timeNs);
}

function json(line: string): string | undefined {
  const timeNs = readJsonTime(line, NOW);
  return timeNs === undefined ? undefined : formatTimestamp(timeNs);
}

void test('the stamps that lines usually begin with are read', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['2026-11-20T10:00:00Z ERROR x', '2026-11-20T10:00:00.000000000Z'],
    ['2026-11-20T10:00:00.123456789+02:00 x', '2026-11-20T08:00:00.123456789Z'],
    ['2026-11-20 10:00:00,123 INFO x', '2026-11-20T10:00:00.123000000Z'],
    ['2026-11-20 10:00:00 +0100 x', '2026-11-20T09:00:00.000000000Z'],
    ['2026-11-20 10:00:00 UTC [7] LOG: x', '2026-11-20T10:00:00.000000000Z'],
    ['[2026-11-20 10:00:00] x', '2026-11-20T10:00:00.000000000Z'],
    ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000000000Z'],
    ['2026/11/20 10:00:00 [error] 7#7: x', '2026-11-20T10:00:00.000000000Z'],
    ['2026/11/20 10:00:00.5 x', '2026-11-20T10:00:00.500000000Z'],
    ['10.0.0.1 - - [20/Nov/2026:10:00:00 +0200] "GET / HTTP/1.1" 200', '2026-11-20T08:00:00.000000000Z'],
    ['::1 - jo [20/Nov/2026:10:00:00 +0000] x', '2026-11-20T10:00:00.000000000Z'],
    ['[Fri Nov 20 10:00:00.123456 2026] [core:error] x', '2026-11-20T10:00:00.123456000Z'],
    ['[Fri Nov 20 10:00:00 2026] [error] x', '2026-11-20T10:00:00.000000000Z'],
    ['Nov 20 10:00:00 host app[7]: x', '2026-11-20T10:00:00.000000000Z'],
    ['<34>Nov  3 10:00:00 host x', '2026-11-03T10:00:00.000000000Z'],
  ];
  for (const [line, time] of cases) assert.equal(text(line), time, line);
});

void test('a stamp without a year is never of the future', () => {
  assert.equal(text('Dec 31 23:59:59 host x'), '2025-12-31T23:59:59.000000000Z');
  assert.equal(text('Jan  2 03:04:05 host x'), '2026-01-02T03:04:05.000000000Z');
});

void test('what is no stamp, or stands elsewhere, is left alone', () => {
  const lines = [
    '',
    'at 2026-11-20T10:00:00Z x',
    '2026-13-20T10:00:00Z x',
    '2026-11-20T10:00:00Zebra',
    '2026-11-20 x',
    'Nov 31 10:00:00 x',
    'Nothing 20 10:00:00 x',
    '10:00:00 x',
    '1795392000 x',
    '\tat com.example.Main(Main.java:7)',
  ];
  for (const line of lines) assert.equal(text(line), undefined, line);
});

void test('JSON brings its time as text or as a number since the epoch, in any unit', () => {
  const time = '2026-11-20T10:00:00.500000000Z';
  const lines = [
    '{"time":"2026-11-20T10:00:00.5Z"}',
    '{"timestamp":"2026-11-20 10:00:00,5"}',
    '{"@timestamp":"2026-11-20T10:00:00.500Z","ts":1}',
    '{"level":"info","ts":1795168800.5}',
    '{"ts":"1795168800.5"}',
    '{"ts":1795168800500}',
    '{"ts":1795168800500000}',
    '{"time":null,"ts":1795168800500000000}',
    '{"time":"soon","ts":1795168800.5}',
  ];
  for (const line of lines) assert.equal(json(line), time, line);
  for (const line of ['{', '7', 'null', '{}', '{"time":{}}', '{"time":"soon"}', '{"ts":-1}', '{"ts":true}']) {
    assert.equal(json(line), undefined, line);
  }
});
