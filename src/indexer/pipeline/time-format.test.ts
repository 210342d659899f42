import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTimestamp } from '../../record/timestamp.ts';
import { compileTimeFormat } from './time-format.ts';
import { compileZone } from './time-zone.ts';

const NEAR_SECONDS = Date.UTC(2026, 10, 23, 4, 0, 0) / 1000;

function read(format: string, value: unknown, zone = 'UTC', nearSeconds = NEAR_SECONDS): string | undefined {
  const timeNs = compileTimeFormat(format, 'formats')(value, {
    zone: compileZone(zone, 'timeZone'),
    nearSeconds,
  });
  return timeNs === undefined ? undefined : formatTimestamp(timeNs);
}

test('stamps of every named format and of patterns are read', () => {
  const cases: [format: string, value: unknown, expected: string][] = [
    ['rfc3339', '2026-11-23T04:00:00Z', '2026-11-23T04:00:00.000000000Z'],
    ['rfc3339', '2026-11-23T06:00:00.123456789+02:00', '2026-11-23T04:00:00.123456789Z'],
    ['rfc3339', '2026-11-23 04:00:00,5', '2026-11-23T04:00:00.500000000Z'],
    ['iso8601', '2026-11-23T04:00-0130', '2026-11-23T05:30:00.000000000Z'],
    ['rfc3339', '2026-11-23T04:00:00.1234567899Z', '2026-11-23T04:00:00.123456789Z'],
    ['rfc3339', '2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000000000Z'],
    ['unix', 1795406400, '2026-11-23T04:00:00.000000000Z'],
    ['unix', '1795406400.25', '2026-11-23T04:00:00.250000000Z'],
    ['unix_ms', 1795406400001, '2026-11-23T04:00:00.001000000Z'],
    ['unix_ns', '1795406400000000007', '2026-11-23T04:00:00.000000007Z'],
    ['clf', '23/Nov/2026:04:00:00 +0000', '2026-11-23T04:00:00.000000000Z'],
    ['apache', '23/Nov/2026:04:00:00 -0100', '2026-11-23T05:00:00.000000000Z'],
    ['syslog', 'Nov 23 04:00:00', '2026-11-23T04:00:00.000000000Z'],
    ['syslog', 'Nov  3 04:00:00', '2026-11-03T04:00:00.000000000Z'],
    ['yyyy-MM-dd HH:mm:ss.SSS', '2026-11-23 04:00:00.123', '2026-11-23T04:00:00.123000000Z'],
    ["yyyy-MM-dd'T'HH:mm:ss,SSSXXX", '2026-11-23T04:00:00,123+01:00', '2026-11-23T03:00:00.123000000Z'],
    ['dd.MM.yyyy HH:mm:ss', '23.11.2026 04:00:00', '2026-11-23T04:00:00.000000000Z'],
    ['EEE MMM d HH:mm:ss yyyy', 'Mon Nov 23 04:00:00 2026', '2026-11-23T04:00:00.000000000Z'],
    ['M/d/yy h:mm a', '11/23/26 4:00 PM', '2026-11-23T16:00:00.000000000Z'],
    ['%Y/%m/%d %H:%M:%S', '2026/11/23 04:00:00', '2026-11-23T04:00:00.000000000Z'],
    ['%d/%b/%Y %T.%f %z', '23/Nov/2026 04:00:00.000001 +0000', '2026-11-23T04:00:00.000001000Z'],
    ['%s', '1795406400', '2026-11-23T04:00:00.000000000Z'],
  ];
  for (const [format, value, expected] of cases)
    assert.equal(read(format, value), expected, `${format}: ${String(value)}`);
});

test('what does not have the format is not read', () => {
  const cases: [format: string, value: unknown][] = [
    ['rfc3339', '2026-02-29T04:00:00Z'],
    ['rfc3339', '2026-13-01T04:00:00Z'],
    ['rfc3339', '2026-11-23T24:00:00Z'],
    ['rfc3339', '2026-11-23T04:00:00Z and more'],
    ['rfc3339', '2026-11-23T04:00:00.Z'],
    ['rfc3339', '1969-12-31T23:59:59Z'],
    ['rfc3339', 12],
    ['rfc3339', ''],
    ['unix', 'yesterday'],
    ['unix', -5],
    ['unix', 1e30],
    ['unix', Number.NaN],
    ['clf', '23/Foo/2026:04:00:00 +0000'],
    ['syslog', 'Feb 30 04:00:00'],
    ['yyyy-MM-dd HH:mm:ss', '2026-11-23'],
    ['rfc3339', '2'.repeat(1_000_000)],
  ];
  for (const [format, value] of cases)
    assert.equal(read(format, value), undefined, `${format}: ${String(value).slice(0, 40)}`);
});

test('a stamp without a zone is in the zone of the step, summer time included', () => {
  assert.equal(read('rfc3339', '2026-07-01 12:00:00', 'Europe/Berlin'), '2026-07-01T10:00:00.000000000Z');
  assert.equal(read('rfc3339', '2026-12-01 12:00:00', 'Europe/Berlin'), '2026-12-01T11:00:00.000000000Z');
  assert.equal(read('rfc3339', '2026-12-01 12:00:00', '-05:30'), '2026-12-01T17:30:00.000000000Z');
  // 02:30 stands twice on the day when summer time ends; the first one is taken.
  assert.equal(read('rfc3339', '2026-10-25 02:30:00', 'Europe/Berlin'), '2026-10-25T00:30:00.000000000Z');
  assert.equal(read('rfc3339', '2026-10-25 03:30:00', 'Europe/Berlin'), '2026-10-25T02:30:00.000000000Z');
  // 02:30 does not exist on the day when summer time begins.
  assert.notEqual(read('rfc3339', '2026-03-29 02:30:00', 'Europe/Berlin'), undefined);
});

test('a stamp without a year gets the year that is nearest to when it was read', () => {
  const newYear = Date.UTC(2027, 0, 1, 0, 0, 5) / 1000;
  assert.equal(read('syslog', 'Dec 31 23:59:59', 'UTC', newYear), '2026-12-31T23:59:59.000000000Z');
  assert.equal(read('syslog', 'Jan  1 00:00:01', 'UTC', newYear), '2027-01-01T00:00:01.000000000Z');
});

test('a format or zone that there is not is the mistake of an operator', () => {
  for (const format of ['nonsense', 'yyyy-QQ-dd HH', '%Q', '']) {
    assert.throws(
      () => compileTimeFormat(format, 'steps[0].formats'),
      { name: 'ConfigError', option: 'steps[0].formats' },
      format,
    );
  }
  assert.throws(() => compileZone('Mars/Olympus', 'steps[0].timeZone'), { name: 'ConfigError' });
});
