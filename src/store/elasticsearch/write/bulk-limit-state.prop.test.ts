import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../../../base/prng.ts';
import { BulkLimitState } from './bulk-limit-state.ts';

const answer = fc.record({
  tookMs: fc.integer({ min: 1, max: 5_000 }),
  stepMs: fc.integer({ min: 0, max: 1_000 }),
  bytes: fc.integer({ min: 1, max: 1 << 24 }),
  isRefused: fc.boolean(),
});

void test('whatever the engine answers, the limit stays between one and the maximum, and pauses are bounded', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 64 }),
      fc.array(answer, { maxLength: 200 }),
      (inFlightMax, answers) => {
        const state = new BulkLimitState(inFlightMax);
        let nowMs = 0;
        for (const { tookMs, stepMs, bytes, isRefused } of answers) {
          nowMs += stepMs;
          const pauseMs = state.answered({ sentMs: nowMs - tookMs, nowMs, bytes, isRefused });
          assert.ok(state.limit >= 1 && state.limit <= inFlightMax);
          assert.equal(pauseMs > 0, isRefused);
          assert.ok(pauseMs <= 10_000);
        }
      },
    ),
  );
});

/** An engine that answers after `ms` per request that is under way beside others, and refuses beyond its queue. */
function settle(capacity: number, queue: number, rounds: number): number[] {
  const state = new BulkLimitState(64);
  const limits: number[] = [];
  let nowMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { limit } = state;
    const tookMs = 100 * Math.max(1, limit / capacity);
    const sentMs = nowMs;
    nowMs += tookMs;
    for (let index = 0; index < limit; index += 1)
      state.answered({ sentMs, nowMs, bytes: 1 << 20, isRefused: index >= capacity + queue });
    limits.push(state.limit);
  }
  return limits;
}

void test('the limit grows to what the engine works on at once, and not far beyond', () => {
  for (const capacity of [2, 8, 24]) {
    const late = settle(capacity, 100, 2_000)
      .slice(200)
      .toSorted((left, right) => left - right);
    const [median = 0, most = 0] = [late[late.length >> 1], late.at(-1)];
    assert.ok(median >= capacity, `usually at least ${capacity}: ${median}`);
    assert.ok(most <= capacity + 8, `not far beyond ${capacity}: ${most}`);
  }
});

/**
 * An engine that works on `capacity` requests at once, whose sizes and times differ, some of them answered in no time.
 * Returns the share of its capacity that it was busy.
 */
function busyShare(capacity: number, seed: number): number {
  const random = createRandom(seed);
  const state = new BulkLimitState(16);
  const freeMs = Array.from({ length: capacity }, () => 0);
  const underWay: { readonly sentMs: number; readonly endMs: number; readonly bytes: number }[] = [];
  let nowMs = 0;
  let busyMs = 0;
  for (let answers = 0; answers < 4_000; answers += 1) {
    while (underWay.length < state.limit) {
      const bytes = (2 + 4 * random()) * 2 ** 20;
      const workMs = (bytes / 2 ** 20) * 40 * 3 ** (random() * 2 - 1) * (random() < 0.02 ? 0.1 : 1);
      const next = freeMs.indexOf(Math.min(...freeMs));
      const endMs = Math.max(nowMs, freeMs[next] ?? 0) + workMs;
      freeMs[next] = endMs;
      busyMs += workMs;
      underWay.push({ sentMs: nowMs, endMs, bytes });
    }
    underWay.sort((left, right) => left.endMs - right.endMs);
    const [first] = underWay.splice(0, 1);
    assert.ok(first !== undefined);
    nowMs = first.endMs;
    state.answered({ sentMs: first.sentMs, nowMs, bytes: first.bytes, isRefused: false });
  }
  return busyMs / (nowMs * capacity);
}

void test('an engine is kept busy though requests differ', () => {
  for (const capacity of [1, 2, 4, 8]) {
    for (const seed of [1, 2, 3, 4]) {
      const share = busyShare(capacity, seed);
      assert.ok(share > 0.85, `${capacity} with seed ${seed}: ${share}`);
    }
  }
});

void test('an engine that refuses soon is asked less, and more again when it has room', () => {
  const late = settle(4, 1, 400).slice(200);
  assert.ok(Math.max(...late) <= 6);
  assert.ok(Math.min(...late) >= 1);
});

void test('refusals of requests that were sent before a decrease decrease no further', () => {
  const state = new BulkLimitState(64);
  for (let nowMs = 0; nowMs < 64; nowMs += 1)
    state.answered({ sentMs: nowMs, nowMs: nowMs + 1, bytes: 1 << 20, isRefused: false });
  const before = state.limit;
  for (let index = 0; index < before; index += 1)
    state.answered({ sentMs: 100, nowMs: 200 + index, bytes: 1, isRefused: true });
  assert.ok(state.limit >= Math.floor(before / 2) - 1, `${before} became ${state.limit}`);
});
