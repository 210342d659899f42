/** Chooses partitions as Kafka's own clients do by default, so that any of them finds a file's records in one place. */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** Returns the partition of a key: murmur2 without its sign, modulo the number of partitions. */
export function partitionOf(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}

/** MurmurHash 2, 32 bits, with the seed of Kafka's `Utils.murmur2`; the result is signed. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  const blocksEnd = length - (length % 4);
  for (let at = 0; at < blocksEnd; at += 4) {
    let block = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8);
    block |= (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    block = Math.imul(block, MULTIPLIER);
    block = Math.imul(block ^ (block >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ block;
  }
  for (let at = length - 1; at >= blocksEnd; at--) hash ^= byteAt(bytes, at) << ((at - blocksEnd) * 8);
  if (blocksEnd < length) hash = Math.imul(hash, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
