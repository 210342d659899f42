import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SearchState } from './search-state.ts';
import {
  formatSearchState,
  linkToRecord,
  parseSearchState,
  rangeLabel,
  resolveRange,
  SEARCH_STATE_DEFAULT,
  widerPreset,
} from './search-state.ts';

const NOW_MS = 1_795_408_200_000;

void test('a state survives the address, whatever its query holds', () => {
  const queries = ['', 'level:error', '"a & b" # 100% + ü', 'a=b&from=now', '/x\\/y/ and (p or q)', '  '];
  for (const query of queries) {
    for (const [from, to] of [
      ['now-1h', 'now'],
      ['all', 'now'],
      ['2026-11-23T04:00:00.000Z', '2026-11-23T04:30:00.000Z'],
    ] as const) {
      const state: SearchState = { query, from, to, isLive: query === '', record: 'abc-0001' };
      assert.deepEqual(parseSearchState(formatSearchState(state)), state);
    }
  }
});

void test('the default search has a bare address', () => {
  assert.equal(formatSearchState(SEARCH_STATE_DEFAULT), '');
  assert.deepEqual(parseSearchState(''), SEARCH_STATE_DEFAULT);
});

void test('times stay readable in the address', () => {
  const state = { ...SEARCH_STATE_DEFAULT, query: 'level:error', from: '2026-11-23T04:00:00.000Z' };
  assert.equal(formatSearchState(state), '?q=level:error&from=2026-11-23T04:00:00.000Z');
});

void test('an address that makes no sense falls back to the default range', () => {
  const state = parseSearchState('?q=x&from=yesterday&to=%00&live=yes&unknown=1');
  assert.deepEqual(state, { ...SEARCH_STATE_DEFAULT, query: 'x' });
});

void test('ranges resolve against now, and are never empty or reversed', () => {
  assert.deepEqual(resolveRange({ from: 'now-15m', to: 'now' }, NOW_MS, 0), {
    startMs: NOW_MS - 900_000,
    endMs: NOW_MS,
  });
  assert.deepEqual(resolveRange({ from: 'all', to: 'now' }, NOW_MS, 5), { startMs: 5, endMs: NOW_MS });
  const reversed = resolveRange({ from: 'now', to: 'now-1h' }, NOW_MS, 0);
  assert.ok(reversed.startMs < reversed.endMs);
  const future = resolveRange({ from: 'all', to: 'now' }, NOW_MS, NOW_MS + 10);
  assert.ok(future.startMs < future.endMs);
});

void test('the empty page offers the next wider range, and nothing beyond all', () => {
  assert.equal(widerPreset({ from: 'now-15m', to: 'now' }, NOW_MS)?.from, 'now-1h');
  assert.equal(widerPreset({ from: 'now-7d', to: 'now' }, NOW_MS)?.from, 'all');
  assert.equal(widerPreset({ from: '2020-01-01T00:00:00Z', to: 'now' }, NOW_MS)?.from, 'all');
  assert.equal(widerPreset({ from: 'all', to: 'now' }, NOW_MS), undefined);
});

void test('a range has a name', () => {
  assert.equal(rangeLabel({ from: 'now-24h', to: 'now' }), 'Last 24 hours');
  assert.equal(rangeLabel({ from: 'now-90m', to: 'now' }), 'Last 90m');
  assert.equal(rangeLabel({ from: 'now-24h', to: '2026-11-23T04:30:00Z' }), 'Custom range');
});

void test('a link to a record ends right behind it, so that it stands first', () => {
  const link = linkToRecord(
    { ...SEARCH_STATE_DEFAULT, query: 'x', isLive: true },
    { id: 'r', timeMs: NOW_MS },
  );
  assert.deepEqual(link, {
    query: 'x',
    from: '2026-11-23T04:25:00.000Z',
    to: '2026-11-23T04:30:00.001Z',
    isLive: false,
    record: 'r',
  });
});
