/**
 * The file system as Logboom sees it. `base/node/node-file-system.ts` is the real one and
 * `base/memory-file-system.ts` the one of the simulation; nothing else touches files.
 *
 * Reads and metadata are synchronous: they hit the page cache, where a thread-pool round trip costs ten times
 * the call itself. Writes that must reach the disk are asynchronous, because a sync may take a second.
 *
 * Failures are thrown as the system's own errors, with `code` (`ENOENT`, `EACCES`, `ENOSPC`, `EROFS`, …).
 */
export type EntryKind = 'file' | 'directory' | 'link' | 'other';

export interface FileStat {
  readonly kind: EntryKind;
  readonly device: bigint;
  readonly inode: bigint;
  /** Bytes. */
  readonly size: number;
  /** Number of names; 0 once the last one is unlinked. */
  readonly links: number;
  /** Nanoseconds since the Unix epoch; 0 where the file system has none. */
  readonly birthTimeNs: bigint;
  readonly modifiedTimeNs: bigint;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

/** `r` reads, `a` appends (creates), `w` truncates (creates), `wx` creates or fails. */
export type OpenFlags = 'r' | 'a' | 'w' | 'wx';

/** `renamed` is any change of the directory's names; `changed` a write to an entry. `name` may be unknown. */
export type WatchListener = (event: 'renamed' | 'changed', name: string | undefined) => void;

export interface Watcher {
  close(): void;
}

export interface FileSystem {
  open(path: string, flags: OpenFlags): number;
  close(fd: number): void;
  /** Reads up to `length` bytes at `position` into `target` from `targetStart`; returns the count, 0 at the end. */
  read(fd: number, target: Uint8Array, targetStart: number, length: number, position: number): number;
  /** Appends all of `bytes`, in the page cache only. */
  write(fd: number, bytes: Uint8Array): void;
  /** Appends all of `bytes` without blocking the event loop, in the page cache only. `bytes` is borrowed until settled. */
  writeAsync(fd: number, bytes: Uint8Array): Promise<void>;
  /** Makes what was written through `fd` durable (fdatasync). */
  sync(fd: number): Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Follows links. Undefined when nothing is there. */
  stat(path: string): FileStat | undefined;
  /** Does not follow links. Undefined when nothing is there. */
  lstat(path: string): FileStat | undefined;
  fstat(fd: number): FileStat;
  readDirectory(path: string): DirectoryEntry[];
  readFile(path: string): Uint8Array;
  /** The path with every link resolved. */
  realPath(path: string): string;
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Removes a directory and what is in it; nothing happens when it is not there. */
  removeDirectory(path: string): void;
  truncate(path: string, size: number): void;
  /** Watches one directory, not those below it. Throws `ENOSPC` or `EMFILE` at the kernel's limits. */
  watch(directory: string, listener: WatchListener): Watcher;
  /** Bytes that an unprivileged process can still write on that file system. */
  freeBytes(path: string): number;
}
