import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PodWatchState, RETRY_MS_MAX, type WatchOutcome } from './pod-watch-state.ts';

void test('a list comes first, then a watch from its version, and again from the last version it told', () => {
  const state = new PodWatchState('node-1');
  assert.deepEqual(state.next, { kind: 'list', delayMs: 0 });
  state.onListed('10');
  assert.deepEqual(state.next, { kind: 'watch', delayMs: 0, resourceVersion: '10' });
  state.onOpened();
  state.onVersion('12');
  state.onOutcome({ kind: 'ended' });
  assert.deepEqual(state.next, { kind: 'watch', delayMs: 0, resourceVersion: '12' });
  state.onOutcome({ kind: 'ended' });
  assert.equal(state.next.delayMs, 1000, 'a server that ends watches at once is not asked again at once');
});

void test('a version that the server forgot leads to a list at once, and later when that goes on', () => {
  const state = new PodWatchState('node-1');
  state.onListed('10');
  state.onOutcome({ kind: 'expired' });
  assert.deepEqual(state.next, { kind: 'list', delayMs: 0 });
  state.onListed('11');
  state.onOutcome({ kind: 'expired' });
  assert.equal(state.next.kind, 'list');
  assert.ok(state.next.delayMs > 0);
});

void test('a watch that breaks again and again with nothing learnt is given up for a list', () => {
  const state = new PodWatchState('node-1');
  state.onListed('10');
  const kinds = [1, 2, 3].map(() => {
    state.onOpened();
    state.onOutcome({ kind: 'failed' });
    return state.next.kind;
  });
  assert.deepEqual(kinds, ['watch', 'watch', 'list']);
});

void test('what the server asks for is waited for, up to the longest time', () => {
  const state = new PodWatchState('node-1');
  state.onOutcome({ kind: 'failed', retryAfterMs: 5000 });
  assert.equal(state.next.delayMs, 5000);
  state.onOutcome({ kind: 'failed', retryAfterMs: 3_600_000 });
  assert.equal(state.next.delayMs, RETRY_MS_MAX);
});

void test('nodes do not come back at the same moment', () => {
  const delays = Array.from({ length: 100 }, (_, number) => {
    const state = new PodWatchState(`node-${number}`);
    for (let failure = 0; failure < 9; failure += 1) state.onOutcome({ kind: 'failed' });
    return state.next.delayMs;
  });
  assert.ok(new Set(delays).size > 90);
  assert.ok(Math.max(...delays) - Math.min(...delays) > RETRY_MS_MAX / 4);
});

const anyOutcome: fc.Arbitrary<WatchOutcome> = fc.oneof(
  fc.constant({ kind: 'ended' } as const),
  fc.constant({ kind: 'expired' } as const),
  fc.record({ kind: fc.constant('failed' as const), retryAfterMs: fc.option(fc.nat(), { nil: undefined }) }),
);

void test('whatever happens, no pause is longer than the longest, and failures in a row make pauses grow', () => {
  const property = fc.property(fc.array(anyOutcome, { maxLength: 40 }), fc.string(), (outcomes, name) => {
    const state = new PodWatchState(name);
    for (const outcome of outcomes) {
      state.onOutcome(outcome);
      const { delayMs } = state.next;
      assert.ok(delayMs >= 0 && delayMs <= RETRY_MS_MAX);
    }
    for (let failure = 0; failure < 10; failure += 1) state.onOutcome({ kind: 'failed' });
    assert.equal(state.next.kind, 'list');
    assert.ok(state.next.delayMs >= RETRY_MS_MAX / 2 && state.isAway);
  });
  fc.assert(property);
});
