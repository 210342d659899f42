import fs from 'node:fs';
import type {
  DirectoryEntry,
  EntryKind,
  FileStat,
  FileSystem,
  WatchListener,
  Watcher,
} from '../file-system.ts';

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags) => fs.openSync(path, flags, 0o640),
  close: (fd) => fs.closeSync(fd),
  read: (fd, target, targetStart, length, position) => fs.readSync(fd, target, targetStart, length, position),
  write(fd, bytes) {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done);
  },
  async writeAsync(fd, bytes) {
    for (let done = 0; done < bytes.length;) done += await writeSome(fd, bytes, done);
  },
  sync: (fd) => call((done) => fs.fdatasync(fd, done)),
  async syncDirectory(path) {
    const fd = fs.openSync(path, 'r');
    try {
      await call((done) => fs.fsync(fd, done));
    } finally {
      fs.closeSync(fd);
    }
  },
  stat: (path) => statOrUndefined(() => fs.statSync(path, { bigint: true })),
  lstat: (path) => statOrUndefined(() => fs.lstatSync(path, { bigint: true })),
  fstat: (fd) => toFileStat(fs.fstatSync(fd, { bigint: true })),
  readDirectory: (path) => fs.readdirSync(path, { withFileTypes: true }).map(toDirectoryEntry),
  readFile: (path) => fs.readFileSync(path),
  realPath: (path) => fs.realpathSync.native(path),
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true, mode: 0o750 }),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  removeDirectory: (path) => fs.rmSync(path, { recursive: true, force: true }),
  truncate: (path, size) => fs.truncateSync(path, size),
  watch: watchDirectory,
  freeBytes(path) {
    const facts = fs.statfsSync(path);
    return facts.bavail * facts.bsize;
  },
};

function watchDirectory(directory: string, listener: WatchListener): Watcher {
  const watcher = fs.watch(directory, { persistent: false }, (event, name) => {
    listener(event === 'rename' ? 'renamed' : 'changed', name ?? undefined);
  });
  // A watched directory that is removed reports an error on some kernels: its parent tells of the removal.
  watcher.on('error', () => listener('renamed', undefined));
  return { close: () => watcher.close() };
}

function writeSome(fd: number, bytes: Uint8Array, start: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, start, bytes.length - start, null, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}

function call(start: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function statOrUndefined(read: () => fs.BigIntStats): FileStat | undefined {
  try {
    return toFileStat(read());
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}

function toFileStat(stat: fs.BigIntStats): FileStat {
  return {
    kind: kindOf(stat),
    device: stat.dev,
    inode: stat.ino,
    size: Number(stat.size),
    links: Number(stat.nlink),
    birthTimeNs: stat.birthtimeNs,
    modifiedTimeNs: stat.mtimeNs,
    mode: Number(stat.mode) & 0o7777,
  };
}

function toDirectoryEntry(entry: fs.Dirent): DirectoryEntry {
  return { name: entry.name, kind: kindOf(entry) };
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): EntryKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
