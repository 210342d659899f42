import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from './document.ts';
import { toRow } from './document.ts';
import type { LiveEvent, LiveState } from './live-state.ts';
import { LIVE_ROWS_MAX, LIVE_STATE_INITIAL, mergeRows, nextLiveState } from './live-state.ts';

function row(number: number, second = number): Row {
  const id = `file-${String(number).padStart(12, '0')}`;
  const time = `2026-11-23T04:00:${String(second % 60).padStart(2, '0')}.000000000Z`;
  return toRow({ '@timestamp': time, message: `line ${number}`, event: { id } }, '');
}

function run(events: readonly LiveEvent[], from: LiveState = LIVE_STATE_INITIAL): LiveState {
  return events.reduce(nextLiveState, from);
}

function numbers(rows: readonly Row[]): number[] {
  return rows.map(({ id }) => Number(id.slice(5)));
}

void test('the newest record stands first, whatever order they arrive in', () => {
  const state = run([
    { kind: 'records', rows: [row(2), row(5)] },
    { kind: 'records', rows: [row(9), row(4)] },
  ]);
  assert.deepEqual(numbers(state.rows), [9, 5, 4, 2]);
});

void test('records of the same time keep the order of their offsets', () => {
  const state = run([{ kind: 'records', rows: [row(1, 7), row(3, 7), row(2, 7)] }]);
  assert.deepEqual(numbers(state.rows), [3, 2, 1]);
});

void test('a stream that repeats itself after a reconnection shows nothing twice', () => {
  const state = run([
    { kind: 'records', rows: [row(1), row(2), row(2)] },
    { kind: 'pause' },
    { kind: 'records', rows: [row(2), row(3)] },
    { kind: 'records', rows: [row(3), row(1)] },
  ]);
  assert.deepEqual(numbers(state.rows), [2, 1]);
  assert.deepEqual(numbers(state.waiting), [3]);
  assert.equal(state.received, 3);
});

void test('while the reader is elsewhere records wait, and come in when the reader returns', () => {
  const paused = run([
    { kind: 'records', rows: [row(1)] },
    { kind: 'pause' },
    { kind: 'records', rows: [row(2), row(3)] },
  ]);
  assert.deepEqual(numbers(paused.rows), [1]);
  const resumed = nextLiveState(paused, { kind: 'resume' });
  assert.deepEqual(numbers(resumed.rows), [3, 2, 1]);
  assert.deepEqual([resumed.waiting, resumed.isPaused], [[], false]);
});

void test('a flood is bounded, and what left unseen is counted', () => {
  const flood = Array.from({ length: LIVE_ROWS_MAX + 50 }, (_, index) => row(index, 1));
  const shown = run([{ kind: 'records', rows: flood }]);
  assert.equal(shown.rows.length, LIVE_ROWS_MAX);
  const paused = run([{ kind: 'pause' }, { kind: 'records', rows: flood }, { kind: 'skipped', count: 7 }]);
  assert.equal(paused.waiting.length, LIVE_ROWS_MAX);
  assert.equal(paused.skipped, 57);
});

void test('events that change nothing keep the state, so that nothing is drawn', () => {
  const state = run([{ kind: 'records', rows: [row(1)] }]);
  for (const event of [
    { kind: 'records', rows: [row(1)] },
    { kind: 'resume' },
    { kind: 'skipped', count: 0 },
    { kind: 'connection', connection: 'off' },
  ] as const) {
    assert.equal(nextLiveState(state, event), state);
  }
});

void test('live rows lie over the rows of the search, each record once', () => {
  const searched = [row(3), row(2), row(1)];
  assert.deepEqual(numbers(mergeRows([row(4), row(3)], searched)), [4, 3, 2, 1]);
  assert.equal(mergeRows([], searched), searched);
});

void test('a new query starts afresh on the same connection', () => {
  const state = run([
    { kind: 'connection', connection: 'open' },
    { kind: 'records', rows: [row(1)] },
    { kind: 'reset' },
  ]);
  assert.deepEqual(state, { ...LIVE_STATE_INITIAL, connection: 'open' });
});
