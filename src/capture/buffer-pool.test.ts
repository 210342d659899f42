import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

test('a copy has the bytes of its source, and its buffer serves the next copy of about that size', () => {
  const pool = new BufferPool(MIB);
  const source = Uint8Array.from({ length: 5000 }, (_, index) => index);
  const copy = pool.acquireCopy(source);
  assert.deepEqual(copy, source);
  pool.release(copy);
  const next = pool.acquireCopy(source.subarray(0, 4500));
  assert.equal(next.buffer, copy.buffer);
  assert.equal(next.length, 4500);
});

test('a buffer serves once at a time', () => {
  const pool = new BufferPool(MIB);
  pool.release(pool.acquireCopy(new Uint8Array(100)));
  const buffers = [1, 2, 3].map((length) => pool.acquireCopy(new Uint8Array(length)).buffer);
  assert.equal(new Set(buffers).size, 3);
});

test('a smaller copy takes a larger buffer when no other is free, and a small one does not take a huge one', () => {
  const pool = new BufferPool(MIB);
  const large = pool.acquireCopy(new Uint8Array(100 * KIB));
  pool.release(large);
  assert.notEqual(pool.acquireCopy(new Uint8Array(1)).buffer, large.buffer);
  assert.equal(pool.acquireCopy(new Uint8Array(50 * KIB)).buffer, large.buffer);
});

test('an idle pool keeps no more than its maximum, and prefers the sizes that came last (G6)', () => {
  const pool = new BufferPool(MIB);
  const small = Array.from({ length: 2000 }, () => pool.acquireCopy(new Uint8Array(4 * KIB)));
  for (const copy of small) pool.release(copy);
  const large = Array.from({ length: 20 }, () => pool.acquireCopy(new Uint8Array(256 * KIB)));
  for (const copy of large) pool.release(copy);
  const known = new Set([...small, ...large].map(({ buffer }) => buffer));
  const again = Array.from({ length: 40 }, () => pool.acquireCopy(new Uint8Array(256 * KIB)));
  const keptCount = again.filter(({ buffer }) => known.has(buffer)).length;
  assert.equal(keptCount, (4 * MIB) / (256 * KIB));
});

test('what is not of the pool stays out of it', () => {
  const pool = new BufferPool(64 * KIB);
  for (const length of [10, 5000, 64 * KIB + 1, MIB]) {
    const foreign = new Uint8Array(length);
    pool.release(foreign);
    assert.notEqual(pool.acquireCopy(new Uint8Array(Math.min(length, 60 * KIB))).buffer, foreign.buffer);
    assert.notEqual(pool.acquire().buffer, foreign.buffer);
  }
});
