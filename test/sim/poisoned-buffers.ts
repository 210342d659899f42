/**
 * Buffers that were given back are overwritten at once, so that whoever still reads one reads no documents: without
 * this, a buffer that is freed too early does harm only if another user happens to write to it in time.
 */
import { FreeBuffers } from '../../src/base/free-buffers.ts';
import { BufferPool } from '../../src/capture/buffer-pool.ts';

/** In no UTF-8 text, and in no JSON. */
const POISON = 0xee;

/** Overwrites bytes that nobody may read any more. */
export function poison(bytes: Uint8Array): void {
  bytes.fill(POISON);
}

/** Makes every pool of the process overwrite what it is given, however small. */
export function poisonFreedBuffers(): void {
  const taken = new WeakSet<ArrayBufferLike>();
  const buffers = methodsOf(FreeBuffers.prototype);
  FreeBuffers.prototype.take = function (bytesMin) {
    const bytes = buffers.take.call(this, bytesMin);
    taken.add(bytes.buffer);
    return bytes;
  };
  FreeBuffers.prototype.give = function (bytes) {
    // What came from elsewhere may be shared: pools leave it alone too.
    if (taken.delete(bytes.buffer)) poison(bytes);
    buffers.give.call(this, bytes);
  };
  const pool = methodsOf(BufferPool.prototype);
  BufferPool.prototype.release = function (bytes) {
    poison(bytes);
    pool.release.call(this, bytes);
  };
}

/** Returns a copy of what is replaced. */
function methodsOf<Prototype extends object>(prototype: Prototype): Prototype {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(prototype)) as Prototype;
}
