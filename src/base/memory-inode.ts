/** What a file system in memory keeps of one file, directory or link; times and numbers are the file system's. */
import type { EntryKind, FileStat } from './file-system.ts';

/** Bytes that are freed together. */
export const MEMORY_BLOCK_BYTES = 4096;

const DEVICE = 1n;

export class MemoryInode {
  readonly number: bigint;
  readonly kind: EntryKind;
  readonly birthTimeNs: bigint;
  modifiedTimeNs: bigint;
  /** Names that it has. */
  links = 1;
  /** Content up to `size`; what stands behind is room to grow. */
  bytes: Uint8Array = new Uint8Array(0);
  size = 0;
  /** Bytes that survive a power loss. */
  syncedSize = 0;
  entries = new Map<string, MemoryInode>();
  /** Names that survive a power loss. */
  syncedEntries = new Map<string, MemoryInode>();
  linkTarget = '';
  /** Numbers of blocks that were freed. */
  readonly #holes = new Set<number>();

  constructor(number: bigint, kind: EntryKind, nowNs: bigint) {
    this.number = number;
    this.kind = kind;
    this.birthTimeNs = nowNs;
    this.modifiedTimeNs = nowNs;
  }

  /** Bytes of the content that are not freed. */
  get allocatedBytes(): number {
    return this.size - this.#holes.size * MEMORY_BLOCK_BYTES;
  }

  /** Bytes on disk, in whole blocks. */
  get diskBytes(): number {
    return (Math.ceil(this.size / MEMORY_BLOCK_BYTES) - this.#holes.size) * MEMORY_BLOCK_BYTES;
  }

  get isSparse(): boolean {
    return this.#holes.size > 0;
  }

  toStat(): FileStat {
    const { kind, number, size, links, birthTimeNs, modifiedTimeNs } = this;
    const mode = kind === 'directory' ? 0o755 : 0o644;
    return { kind, device: DEVICE, inode: number, size, links, birthTimeNs, modifiedTimeNs, mode };
  }

  /** Cuts off what stands behind `size`, or fills up with zeros; returns by how many bytes more are allocated. */
  resize(size: number, nowNs: bigint): number {
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.bytes.length * 2, 256));
      grown.set(this.bytes.subarray(0, this.size));
      this.bytes = grown;
    } else if (size > this.size) this.bytes.fill(0, this.size, size);
    const before = this.allocatedBytes;
    this.size = size;
    for (const block of this.#holes) if ((block + 1) * MEMORY_BLOCK_BYTES > size) this.#holes.delete(block);
    this.syncedSize = Math.min(this.syncedSize, size);
    this.modifiedTimeNs = nowNs;
    return this.allocatedBytes - before;
  }

  /** Frees the whole blocks of a range; returns how many bytes that gave. */
  punch(startOffset: number, endOffset: number): number {
    const first = Math.ceil(startOffset / MEMORY_BLOCK_BYTES);
    const end = Math.floor(Math.min(endOffset, this.size) / MEMORY_BLOCK_BYTES);
    const before = this.allocatedBytes;
    for (let block = first; block < end; block++) this.#holes.add(block);
    if (end > first) this.bytes.fill(0, first * MEMORY_BLOCK_BYTES, end * MEMORY_BLOCK_BYTES);
    return before - this.allocatedBytes;
  }

  /** Returns where a hole, or data, begins at or after `offset`; `size` when there is none. */
  nextBoundary(offset: number, size: number, kind: 'hole' | 'data'): number {
    for (let at = offset; at < size; at = (Math.floor(at / MEMORY_BLOCK_BYTES) + 1) * MEMORY_BLOCK_BYTES) {
      if (this.#holes.has(Math.floor(at / MEMORY_BLOCK_BYTES)) === (kind === 'hole')) return at;
    }
    return size;
  }

  /** Gives up all content, once nobody can reach it any more; returns how many bytes that gave. */
  free(): number {
    const freedBytes = this.allocatedBytes;
    this.size = 0;
    this.#holes.clear();
    return freedBytes;
  }
}
