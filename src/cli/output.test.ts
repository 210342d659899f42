import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  RecordFormatter,
  colorsFor,
  formatCount,
  formatSeconds,
  formatSize,
  formatTable,
  formatTimeLeft,
  placeOf,
  printable,
} from './output.ts';

void test('records are aligned, and further lines of a message are indented', () => {
  const formatter = new RecordFormatter(false);
  const base = {
    '@timestamp': '2026-11-23T04:30:00.123456789Z',
    kubernetes: { namespace: 'a', pod: { name: 'b' } },
  };
  assert.equal(
    formatter.format({ ...base, message: 'one\ntwo', log: { level: 'warn' } }),
    '2026-11-23T04:30:00.123Z warn  a/b          one\n    two\n',
  );
  assert.equal(
    formatter.format({ ...base, message: 'x' }),
    '2026-11-23T04:30:00.123Z -     a/b          x\n',
  );
});

void test('colours are there only when asked for', () => {
  const document = { '@timestamp': '2026-11-23T04:30:00.123456789Z', message: 'x', log: { level: 'error' } };
  assert.ok(new RecordFormatter(true).format(document).includes('\u001b['));
  assert.ok(!new RecordFormatter(false).format(document).includes('\u001b['));
});

void test('a log line cannot drive the terminal that it is shown on', () => {
  assert.equal(printable('a\u001b[31mred\u0007\u009b2J\u007f\r\tb'), 'a␛[31mred␇␡2J␡␍\tb');
});

void test('the place is the pod, the container or the name of the file', () => {
  assert.equal(placeOf({ kubernetes: { namespace: 'a', pod: { name: 'b' } } }), 'a/b');
  assert.equal(placeOf({ container: { name: 'web' } }), 'web');
  assert.equal(placeOf({ log: { file: { path: '/var/log/nginx/access.log' } } }), 'access.log');
  assert.equal(placeOf({}), '');
});

void test('tables align text to the left and numbers to the right', () => {
  const columns = [{ title: 'NAME' }, { title: 'N', isNumber: true }];
  const table = formatTable(
    columns,
    [
      ['a', '1'],
      ['longer', '1,000'],
    ],
    colorsFor(false),
  );
  assert.equal(table, 'NAME        N\na           1\nlonger  1,000\n');
});

void test('figures are short', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual([0, 1023, 1536, 2 ** 31].map(formatSize), ['0 B', '1023 B', '1.5 KiB', '2.0 GiB']);
  assert.deepEqual([0, 59, 3_661, 200_000].map(formatSeconds), ['0s', '59s', '1h 1m', '2d 7h']);
});

void test('a progress bar says how long it takes once that can be told', () => {
  assert.deepEqual([0, 35, 125].map(formatTimeLeft), ['0s', '35s', formatSeconds(125)]);
  assert.deepEqual(['0', 'INF', 'NULL', Number.NaN].map(formatTimeLeft), ['…', '…', '…', '…']);
});
