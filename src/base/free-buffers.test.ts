import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeBuffers } from './free-buffers.ts';

const KIB = 1024;

void test('a buffer that was given back is taken again for about as much', () => {
  const buffers = new FreeBuffers(1024 * KIB);
  const first = buffers.take(100 * KIB);
  assert.ok(first.length >= 100 * KIB);
  const other = buffers.take(100 * KIB);
  assert.notEqual(other.buffer, first.buffer);
  buffers.give(first.subarray(0, 7));
  assert.notEqual(buffers.take(10 * KIB).buffer, first.buffer);
  const again = buffers.take(90 * KIB);
  assert.equal(again.buffer, first.buffer);
  assert.ok(again.length >= 100 * KIB);
});

void test('no more is kept than was allowed, and nothing small or huge', () => {
  const buffers = new FreeBuffers(256 * KIB);
  const taken = [128, 128, 128].map((kibibytes) => buffers.take(kibibytes * KIB));
  for (const buffer of taken) buffers.give(buffer);
  const again = taken.map(({ length }) => buffers.take(length).buffer);
  assert.equal(again.filter((buffer) => taken.some((one) => one.buffer === buffer)).length, 2);
  for (const bytes of [0, 1, 64 * KIB * KIB]) {
    const buffer = buffers.take(bytes);
    assert.equal(buffer.length, bytes);
    buffers.give(buffer);
    assert.notEqual(buffers.take(bytes).buffer, buffer.buffer);
  }
});

void test('a buffer that came from elsewhere, or was given back before, comes to nobody', () => {
  const buffers = new FreeBuffers(1024 * KIB);
  const shared = new Uint8Array(64 * KIB);
  buffers.give(shared);
  assert.notEqual(buffers.take(64 * KIB).buffer, shared.buffer);
  const taken = buffers.take(64 * KIB);
  buffers.give(taken);
  buffers.give(taken);
  assert.equal(buffers.take(64 * KIB).buffer, taken.buffer);
  assert.notEqual(buffers.take(64 * KIB).buffer, taken.buffer);
});
