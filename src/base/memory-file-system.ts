/**
 * A file system in memory for tests and the simulation: inodes, hard and symbolic links, open files that outlive
 * their names, watches, faults on demand, and two kinds of crash.
 *
 *   process crash   everything written stays; only open descriptors and watches end
 *   power loss      of each file a random prefix between what was synced and what was written stays; of each
 *                   directory either all names as they are, or as they were at the last `syncDirectory`
 *
 * Blocks can be freed inside a file (`punch`); they read as zeros, and a truncation fills them in for what is cut off.
 *
 * What it does not do: permissions (inject `EACCES` instead), seeking beyond the end, several mounts.
 */
import type {
  DirectoryEntry,
  EntryKind,
  FileStat,
  FileSystem,
  OpenFlags,
  WatchListener,
  Watcher,
} from './file-system.ts';
import { MemoryInode } from './memory-inode.ts';
import type { MemoryFileSystemOptions, Operation } from './memory-options.ts';
import { findInode, namesOf, realPathOf } from './memory-paths.ts';
import { MemoryWatches } from './memory-watches.ts';

interface OpenFile {
  readonly inode: MemoryInode;
  readonly path: string;
  readonly isWritable: boolean;
}

/** Makes an error as the system would throw it. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

export class MemoryFileSystem implements FileSystem {
  readonly #root: MemoryInode;
  readonly #files = new Map<number, OpenFile>();
  readonly #watches: MemoryWatches;
  readonly #nowNs: () => bigint;
  /** Can be replaced while the test runs. */
  onOperation: ((operation: Operation, path: string) => void) | undefined;
  capacityBytes: number;
  #usedBytes = 0;
  #nextFd = 3;
  #nextInode = 2n;
  /** When the youngest was made. */
  #bornNs = -1n;
  readonly #freeInodes: bigint[] = [];
  /** When set, a freed inode number is given to the next file, as ext4 does. */
  isInodeReused = false;

  constructor(options: MemoryFileSystemOptions = {}) {
    let ticks = 0n;
    this.#nowNs = options.nowNs ?? (() => ++ticks);
    this.#watches = new MemoryWatches(options.deliver);
    this.onOperation = options.onOperation;
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
    this.#root = this.#newInode('directory');
  }

  open(path: string, flags: OpenFlags): number {
    this.#check('open', path);
    let inode = this.#find(path, true);
    if (inode === undefined) {
      if (flags === 'r') throw systemError('ENOENT', path);
      inode = this.#create(path, 'file');
    } else if (flags === 'wx') throw systemError('EEXIST', path);
    if (inode.kind === 'directory') throw systemError('EISDIR', path);
    if (flags === 'w') this.#resize(inode, 0);
    const fd = this.#nextFd++;
    this.#files.set(fd, { inode, path, isWritable: flags !== 'r' });
    return fd;
  }

  close(fd: number): void {
    const { inode } = this.#opened(fd);
    this.#files.delete(fd);
    this.#release(inode);
  }

  read(fd: number, target: Uint8Array, targetStart: number, length: number, position: number): number {
    const { inode, path } = this.#opened(fd);
    this.#check('read', path);
    const count = Math.max(0, Math.min(length, inode.size - position));
    target.set(inode.bytes.subarray(position, position + count), targetStart);
    return count;
  }

  write(fd: number, bytes: Uint8Array): void {
    const { inode, path, isWritable } = this.#opened(fd);
    if (!isWritable) throw systemError('EBADF', path);
    this.#check('write', path);
    this.#append(inode, path, bytes);
  }

  async writeAsync(fd: number, bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.write(fd, bytes);
  }

  async sync(fd: number): Promise<void> {
    await Promise.resolve();
    const { inode, path } = this.#opened(fd);
    this.#check('sync', path);
    inode.syncedSize = inode.size;
  }

  async syncDirectory(path: string): Promise<void> {
    await Promise.resolve();
    this.#check('syncDirectory', path);
    const directory = this.#directory(path);
    directory.syncedEntries = new Map(directory.entries);
  }

  stat(path: string): FileStat | undefined {
    this.#check('stat', path);
    const inode = this.#find(path, true);
    return inode === undefined ? undefined : inode.toStat();
  }

  lstat(path: string): FileStat | undefined {
    this.#check('stat', path);
    const inode = this.#find(path, false);
    return inode === undefined ? undefined : inode.toStat();
  }

  fstat(fd: number): FileStat {
    return this.#opened(fd).inode.toStat();
  }

  readDirectory(path: string): DirectoryEntry[] {
    this.#check('readDirectory', path);
    return [...this.#directory(path).entries].map(([name, inode]) => ({ name, kind: inode.kind }));
  }

  readFile(path: string): Uint8Array {
    this.#check('read', path);
    const inode = this.#existing(path);
    if (inode.kind === 'directory') throw systemError('EISDIR', path);
    return inode.bytes.slice(0, inode.size);
  }

  realPath(path: string): string {
    const real = realPathOf(this.#root, path);
    if (real === undefined) throw systemError('ENOENT', path);
    return real;
  }

  makeDirectory(path: string): void {
    this.#check('makeDirectory', path);
    let made = '';
    for (const name of namesOf(path)) {
      made += `/${name}`;
      const inode = this.#find(made, true);
      if (inode === undefined) this.#create(made, 'directory');
      else if (inode.kind !== 'directory') throw systemError('ENOTDIR', made);
    }
  }

  rename(from: string, to: string): void {
    this.#check('rename', from);
    const inode = this.#find(from, false);
    if (inode === undefined) throw systemError('ENOENT', from);
    const replaced = this.#find(to, false);
    if (replaced === inode) return;
    const [fromDirectory, fromName] = this.#parent(from);
    const [toDirectory, toName] = this.#parent(to);
    fromDirectory.entries.delete(fromName);
    toDirectory.entries.set(toName, inode);
    if (replaced !== undefined) this.#dropLink(replaced);
    this.#touch(fromDirectory, 'renamed', fromName);
    this.#touch(toDirectory, 'renamed', toName);
  }

  unlink(path: string): void {
    this.#check('unlink', path);
    const inode = this.#find(path, false);
    if (inode === undefined) throw systemError('ENOENT', path);
    if (inode.kind === 'directory') throw systemError('EISDIR', path);
    const [directory, name] = this.#parent(path);
    directory.entries.delete(name);
    this.#dropLink(inode);
    this.#touch(directory, 'renamed', name);
  }

  removeDirectory(path: string): void {
    const inode = this.#find(path, false);
    if (inode === undefined) return;
    if (inode.kind !== 'directory') return this.unlink(path);
    for (const name of [...inode.entries.keys()]) this.removeDirectory(`${path}/${name}`);
    const [directory, name] = this.#parent(path);
    directory.entries.delete(name);
    this.#dropLink(inode);
    this.#touch(directory, 'renamed', name);
  }

  truncate(path: string, size: number): void {
    this.#check('write', path);
    const inode = this.#existing(path);
    this.#resize(inode, size);
    this.#tell(path, 'changed');
  }

  watch(directory: string, listener: WatchListener): Watcher {
    this.#check('watch', directory);
    return this.#watches.open(this.#directory(directory), listener);
  }

  freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.#usedBytes);
  }

  // What only tests and the simulation call.

  /** Appends text or bytes as another process would, creating the file and its directories. */
  append(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.makeDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
    const inode = this.#find(path, true) ?? this.#create(path, 'file');
    this.#append(inode, path, bytes);
  }

  /** Gives `from` a second name. */
  link(from: string, to: string): void {
    const inode = this.#existing(from);
    const [directory, name] = this.#parent(to);
    if (directory.entries.has(name)) throw systemError('EEXIST', to);
    directory.entries.set(name, inode);
    inode.links += 1;
    this.#touch(directory, 'renamed', name);
  }

  symlink(target: string, path: string): void {
    this.makeDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
    this.#create(path, 'link').linkTarget = target;
  }

  /** Frees the whole blocks of a range, as fallocate(2) with FALLOC_FL_PUNCH_HOLE; returns how many bytes that gave. */
  punch(path: string, startOffset: number, endOffset: number): number {
    this.#check('write', path);
    const inode = this.#existing(path);
    const freedBytes = inode.punch(startOffset, endOffset);
    this.#usedBytes -= freedBytes;
    return freedBytes;
  }

  /** The bytes of a file that a power loss would leave for certain. */
  syncedBytes(path: string): Uint8Array {
    const inode = this.#existing(path);
    return inode.bytes.slice(0, inode.syncedSize);
  }

  /** Bytes that a file has on disk, in whole blocks; of a link its own, which are none. */
  diskBytes(path: string): number {
    const inode = this.#find(path, false);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode.diskBytes;
  }

  /** Whether an open file has holes. */
  isSparse(fd: number): boolean {
    return this.#opened(fd).inode.isSparse;
  }

  /** Returns where data begins at or after `offset`; `size` when there is none. */
  nextData(fd: number, offset: number, size: number): number {
    return this.#opened(fd).inode.nextBoundary(offset, size, 'data');
  }

  /** Returns where a hole begins at or after `offset`; `size` when there is none. */
  nextHole(fd: number, offset: number, size: number): number {
    return this.#opened(fd).inode.nextBoundary(offset, size, 'hole');
  }

  /** Changes bytes in place, as a failing disk would. */
  corrupt(path: string, position: number, value: number): void {
    this.#existing(path).bytes[position] = value;
  }

  /** Ends every descriptor and watch; with `random`, also what a power loss takes. */
  crash(random?: () => number): void {
    for (const fd of [...this.#files.keys()]) this.close(fd);
    this.#watches.clear();
    if (random !== undefined) this.#losePower(this.#root, random);
  }

  /** Number of open descriptors, to find leaks. */
  get openCount(): number {
    return this.#files.size;
  }

  #losePower(inode: MemoryInode, random: () => number): void {
    if (inode.kind === 'file') {
      const kept = inode.syncedSize + Math.floor(random() * (inode.size - inode.syncedSize + 1));
      this.#resize(inode, kept);
      return;
    }
    if (inode.kind !== 'directory') return;
    if (random() < 0.5) inode.entries = new Map(inode.syncedEntries);
    for (const child of inode.entries.values()) this.#losePower(child, random);
  }

  #append(inode: MemoryInode, path: string, bytes: Uint8Array): void {
    const room = this.capacityBytes - this.#usedBytes;
    const count = Math.max(0, Math.min(bytes.length, room));
    const start = inode.size;
    this.#resize(inode, start + count);
    inode.bytes.set(bytes.subarray(0, count), start);
    this.#tell(path, 'changed');
    if (count < bytes.length) throw systemError('ENOSPC', path);
  }

  #resize(inode: MemoryInode, size: number): void {
    this.#usedBytes += inode.resize(size, this.#nowNs());
  }

  #create(path: string, kind: EntryKind): MemoryInode {
    const [directory, name] = this.#parent(path);
    const inode = this.#newInode(kind);
    directory.entries.set(name, inode);
    this.#touch(directory, 'renamed', name);
    return inode;
  }

  #newInode(kind: EntryKind): MemoryInode {
    const number = (this.isInodeReused ? this.#freeInodes.pop() : undefined) ?? this.#nextInode++;
    // Time stands still in tests, while a real clock ticks between a removal and the file that is given its inode.
    const nowNs = this.#nowNs();
    this.#bornNs = nowNs > this.#bornNs ? nowNs : this.#bornNs + 1n;
    return new MemoryInode(number, kind, this.#bornNs);
  }

  #dropLink(inode: MemoryInode): void {
    inode.links -= 1;
    this.#release(inode);
  }

  #release(inode: MemoryInode): void {
    if (inode.links > 0) return;
    for (const file of this.#files.values()) if (file.inode === inode) return;
    this.#usedBytes -= inode.free();
    this.#freeInodes.push(inode.number);
  }

  #check(operation: Operation, path: string): void {
    this.onOperation?.(operation, path);
  }

  #touch(directory: MemoryInode, event: 'renamed' | 'changed', name: string): void {
    directory.modifiedTimeNs = this.#nowNs();
    this.#watches.tell(directory, event, name);
  }

  #tell(path: string, event: 'renamed' | 'changed'): void {
    const [directory, name] = this.#parent(path);
    this.#watches.tell(directory, event, name);
  }

  #opened(fd: number): OpenFile {
    const file = this.#files.get(fd);
    if (file === undefined) throw systemError('EBADF', String(fd));
    return file;
  }

  #existing(path: string): MemoryInode {
    const inode = this.#find(path, true);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  #directory(path: string): MemoryInode {
    const inode = this.#existing(path);
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', path);
    return inode;
  }

  #parent(path: string): [MemoryInode, string] {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) throw systemError('EINVAL', path);
    return [this.#directory(`/${names.join('/')}`), name];
  }

  #find(path: string, followLast: boolean): MemoryInode | undefined {
    return findInode(this.#root, path, followLast);
  }
}
