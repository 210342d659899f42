import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeBuffers } from '../../src/base/free-buffers.ts';
import { BufferPool } from '../../src/capture/buffer-pool.ts';
import { poisonFreedBuffers } from './poisoned-buffers.ts';

void test('whoever reads a buffer that was given back reads no text, and what came from elsewhere stays', () => {
  poisonFreedBuffers();
  const buffers = new FreeBuffers(1024);
  const bytes = buffers.take(10).fill(65);
  const foreign = new Uint8Array(10).fill(65);
  buffers.give(bytes);
  buffers.give(foreign);
  assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  assert.equal(new TextDecoder().decode(foreign), 'AAAAAAAAAA');
  const pool = new BufferPool(1024 * 1024);
  const copy = pool.acquireCopy(foreign);
  pool.release(copy);
  assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(copy));
});
