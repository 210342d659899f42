import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, parseBytes, parseDuration, parseScalar } from './scalars.ts';

void test('sizes are read in binary and decimal units, with and without a blank', () => {
  const sizes = ['0', '12', '1KiB', '1.5 MiB', '2GB', '3Gi', '4kb', '1TiB'].map(parseBytes);
  assert.deepEqual(sizes, [0, 12, 1024, 1_572_864, 2_000_000_000, 3 * 2 ** 30, 4000, 2 ** 40]);
});

void test('what is no size is none', () => {
  for (const text of ['', 'MiB', '-1', '1 XB', '1,5MiB', '1e3', '99999999TiB']) {
    assert.equal(parseBytes(text), undefined, text);
  }
});

void test('durations are read in every unit and in sums of them', () => {
  const durations = ['250', '500ms', '10s', '1h30m', '1.5h', '7d', '2w'].map(parseDuration);
  assert.deepEqual(durations, [250, 500, 10_000, 5_400_000, 5_400_000, 604_800_000, 1_209_600_000]);
});

void test('what is no duration is none', () => {
  for (const text of ['', 's', '-1s', '10 s', '1y', '1h 30m'])
    assert.equal(parseDuration(text), undefined, text);
});

void test('a formatted value is read as the same value', () => {
  for (const value of [0, 1, 999, 1000, 1024, 1_048_576, 5_400_000, 86_400_000, 123_456_789]) {
    assert.equal(parseBytes(formatBytes(value)), value);
    assert.equal(parseDuration(formatDuration(value)), value);
  }
});

void test('addresses have a host and a port', () => {
  for (const text of ['127.0.0.1:0', 'localhost:6410', '[::1]:6410', ':6410', '0.0.0.0:65535']) {
    assert.deepEqual(parseScalar({ kind: 'address' }, text), { value: text });
  }
  for (const text of ['6410', 'localhost', '127.0.0.1:70000', '::1:6410', 'http://x:1', 'a b:1']) {
    assert.ok('problem' in parseScalar({ kind: 'address' }, text), text);
  }
});
