/** Below this a loop is faster than a call into the runtime. */
const SMALL_BYTES_MAX = 48;

/** What Node's `Buffer` has beside a plain array of bytes: a way to copy a part that makes no view of it first. */
interface CopyableBytes extends Uint8Array {
  copy(target: Uint8Array, targetStart: number, sourceStart: number, sourceEnd: number): number;
}

/** Copies `source[from, to)` to `target` at `at`, where there must be room; returns the place behind the copy. */
export function copyBytes(
  source: CopyableBytes,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  const length = to - from;
  if (length > SMALL_BYTES_MAX) source.copy(target, at, from, to);
  else for (let index = 0; index < length; index++) target[at + index] = source[from + index] as number;
  return at + length;
}
