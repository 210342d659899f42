import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextCronMs } from '../../config/cron.ts';
import { ScheduleState } from './schedule-state.ts';
import { SAMPLE_MS } from './testing/rotate-samples.ts';

const MINUTE_MS = 60_000;
const everyTen = (afterMs: number): number | undefined => nextCronMs('*/10 * * * *', 'UTC', afterMs);

void test('a schedule is due once per time', () => {
  const state = new ScheduleState(everyTen, SAMPLE_MS + 1);
  assert.equal(state.nextMs, SAMPLE_MS + 10 * MINUTE_MS);
  assert.equal(state.isDue(SAMPLE_MS + 10 * MINUTE_MS - 1), false);
  assert.equal(state.isDue(SAMPLE_MS + 10 * MINUTE_MS), true);
  assert.equal(state.isDue(SAMPLE_MS + 10 * MINUTE_MS + 1), false);
});

void test('a clock that jumps forward makes it due once, one that jumps back is followed', () => {
  const state = new ScheduleState(everyTen, SAMPLE_MS);
  const later = SAMPLE_MS + 5000 * MINUTE_MS;
  assert.equal(state.isDue(later), true);
  assert.equal(state.isDue(later), false);
  assert.equal(state.isDue(SAMPLE_MS), false);
  assert.equal(state.isDue(SAMPLE_MS + 10 * MINUTE_MS), true);
});

void test('schedules have a time zone, through the change to summer time too', () => {
  const inBerlin = (afterMs: number): number | undefined =>
    nextCronMs('30 2 * * *', 'Europe/Berlin', afterMs);
  assert.equal(inBerlin(SAMPLE_MS), Date.UTC(2026, 10, 24, 1, 30));
  const spring = inBerlin(Date.UTC(2027, 2, 27, 12));
  assert.ok(spring !== undefined && spring > Date.UTC(2027, 2, 28) && spring < Date.UTC(2027, 2, 29, 3));
});

void test('an expression that never comes is never due', () => {
  const state = new ScheduleState(() => undefined, SAMPLE_MS);
  assert.equal(state.isDue(SAMPLE_MS * 2), false);
});
