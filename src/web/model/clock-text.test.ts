import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  axisText,
  localText,
  parseTimeInput,
  rangeText,
  rowTimeText,
  spansDays,
  zoneName,
} from './clock-text.ts';

const MORNING_MS = 1_795_408_200_123;

void test('the list shows local time to the millisecond, with the day where days mix', () => {
  assert.equal(rowTimeText(MORNING_MS, { zone: 'UTC', hasDate: false }), '04:30:00.123');
  assert.equal(rowTimeText(MORNING_MS, { zone: 'UTC', hasDate: true }), '11-23 04:30:00.123');
  assert.equal(rowTimeText(MORNING_MS, { zone: 'Asia/Kolkata', hasDate: false }), '10:00:00.123');
});

void test('midnight is 00, not 24', () => {
  assert.equal(rowTimeText(1_795_392_000_000, { zone: 'UTC', hasDate: false }), '00:00:00.000');
});

void test('the labels of an axis say no more than its span needs', () => {
  assert.equal(axisText(MORNING_MS, 60_000, 'UTC'), '04:30:00');
  assert.equal(axisText(MORNING_MS, 3_600_000, 'UTC'), '04:30');
  assert.equal(axisText(MORNING_MS, 7 * 86_400_000, 'UTC'), '11-23 04:30');
  assert.equal(axisText(MORNING_MS, 90 * 86_400_000, 'UTC'), '2026-11-23');
});

void test('a range names its days only when it has more than one', () => {
  assert.equal(rangeText(MORNING_MS - 900_000, MORNING_MS, 'UTC'), '04:15 – 04:30');
  assert.equal(rangeText(MORNING_MS - 86_400_000, MORNING_MS, 'UTC'), '11-22 04:30 – 11-23 04:30');
  assert.equal(rangeText(MORNING_MS - 30_000, MORNING_MS, 'UTC'), '04:29:30 – 04:30:00');
  assert.equal(
    spansDays(1_795_392_000_000 - 3_600_000, 1_795_392_000_000, 'UTC'),
    false,
    'the end is exclusive',
  );
  assert.equal(spansDays(1_795_392_000_000 - 3_600_000, 1_795_392_000_001, 'UTC'), true);
});

void test('what the time fields show is read back as the same time, around changes of the offset too', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe']) {
    // The nights on which Berlin, New York and Lord Howe leave and enter summer time, by the hour.
    for (const start of ['2026-03-29', '2026-10-25', '2026-11-01', '2026-04-05']) {
      const startMs = parseTimeInput(start, 'UTC') ?? 0;
      for (let hour = -12; hour < 36; hour += 1) {
        const ms = startMs + hour * 3_600_000;
        const text = localText(ms, zone);
        // One hour a year has two times by the same name; either is right.
        assert.equal(localText(parseTimeInput(text, zone) ?? 0, zone), text, `${zone} ${text}`);
      }
    }
  }
});

void test('a time with a zone means that zone, and what is no time is refused', () => {
  assert.equal(parseTimeInput('2026-11-23T04:30:00.123Z', 'Asia/Kolkata'), MORNING_MS);
  assert.equal(parseTimeInput('2026-11-23 05:30:00+01:00', 'Asia/Kolkata'), MORNING_MS - 123);
  assert.equal(parseTimeInput('2026-11-23 04:30', 'UTC'), MORNING_MS - 123);
  assert.equal(parseTimeInput('2026-11-23', 'Europe/Berlin'), 1_795_392_000_000 - 3_600_000);
  for (const wrong of ['', 'yesterday', '2026-13-01', '2026-02-30 10:00', '2026-11-23 25:00', 'now']) {
    assert.equal(parseTimeInput(wrong, 'UTC'), undefined, wrong);
  }
});

void test('the zone is named', () => {
  assert.equal(zoneName(MORNING_MS, 'UTC'), 'UTC');
});
