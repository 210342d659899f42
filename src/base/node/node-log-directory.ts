import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { ByteRange, LogDirectory, LogEntry, NamedFile } from '../log-directory.ts';
import { findWriter, linkOpenFile, punchHole } from './libc.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/** The kernel's own bit beside O_DIRECTORY, open(2): a file without a name. */
const O_TMPFILE = 0o20000000 | O_DIRECTORY;

/** Freed in steps, so that a writer's own calls come between them. */
const PUNCH_STEP_BYTES = 64 * 2 ** 20;

const STAT_BLOCK_BYTES = 512;

const CHUNK_BYTES = 256 * 1024;

const read = promisify(fs.read);
const write = promisify(fs.write);

/**
 * Opens a directory for rotation. Linux only: names are looked up below /proc/self/fd, as openat(2) would. Throws
 * `ENOENT` when it is gone, and `EXDEV` when it is not below `root`.
 */
export function openLogDirectory(directory: string, root: string): LogDirectory {
  const fd = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    const realPath = fs.readlinkSync(`/proc/self/fd/${fd}`);
    const realRoot = fs.realpathSync.native(root);
    if (realPath !== realRoot && !realPath.startsWith(realRoot === '/' ? '/' : `${realRoot}/`)) {
      throw systemError('EXDEV', `${directory} leads out of ${root}, to ${realPath}`);
    }
    return new NodeLogDirectory(fd, realPath);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

class NodeLogDirectory implements LogDirectory {
  readonly realPath: string;
  readonly blockBytes: number;
  readonly #fd: number;

  constructor(fd: number, realPath: string) {
    this.#fd = fd;
    this.realPath = realPath;
    this.blockBytes = fs.statfsSync(this.#pathOf('.')).bsize;
  }

  list(): LogEntry[] {
    return fs.readdirSync(this.#pathOf('.')).flatMap((name) => this.stat(name) ?? []);
  }

  stat(name: string): LogEntry | undefined {
    const stat = fs.lstatSync(this.#pathOf(name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : entryOf(name, stat);
  }

  punch(file: NamedFile, ranges: readonly ByteRange[]): number {
    return this.#withOpen(file, O_RDWR, (fd) => {
      const before = fs.fstatSync(fd).blocks;
      for (const { startOffset, endOffset } of ranges) {
        for (let at = startOffset; at < endOffset; at += PUNCH_STEP_BYTES) {
          punchHole(fd, at, Math.min(PUNCH_STEP_BYTES, endOffset - at));
        }
      }
      return Math.max(0, before - fs.fstatSync(fd).blocks) * STAT_BLOCK_BYTES;
    });
  }

  findWriter(file: NamedFile): 'none' | 'some' | 'unknown' {
    return this.#withOpen(file, O_RDONLY, findWriter);
  }

  rename(file: NamedFile, to: string): void {
    this.#check(file);
    if (this.stat(to) !== undefined) throw systemError('EEXIST', to);
    fs.renameSync(this.#pathOf(file.name), this.#pathOf(to));
  }

  unlink(file: NamedFile): void {
    this.#check(file);
    fs.unlinkSync(this.#pathOf(file.name));
  }

  readLink(name: string): string {
    return fs.readlinkSync(this.#pathOf(name));
  }

  remove({ name, inode, kind }: Pick<LogEntry, 'name' | 'inode' | 'kind'>): void {
    const now = this.stat(name);
    if (now === undefined) throw systemError('ENOENT', name);
    if (now.inode !== inode || now.kind !== kind) throw systemError('ESTALE', `${name} is another file now`);
    // Both refuse what has become the other kind meanwhile, and neither follows a link.
    if (kind === 'directory') fs.rmdirSync(this.#pathOf(name));
    else fs.unlinkSync(this.#pathOf(name));
  }

  createLike(name: string, like: string): void {
    const model = fs.lstatSync(this.#pathOf(like));
    let fd: number;
    try {
      fd = fs.openSync(this.#pathOf(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw error;
    }
    try {
      imitate(fd, model);
    } finally {
      fs.closeSync(fd);
    }
  }

  async compress(file: NamedFile, to: string, compression: 'gzip' | 'zstd'): Promise<LogEntry> {
    const source = this.#open(file, O_RDONLY);
    const temporary = `.${to}.new`;
    let target: { fd: number; isNamed: boolean } | undefined;
    try {
      target = this.#openTemporary(temporary);
      const { fd } = target;
      const deflate = compression === 'gzip' ? createGzip() : createZstdCompress();
      await pipeline(readChunks(source), deflate, (chunks: AsyncIterable<Uint8Array>) =>
        writeChunks(fd, chunks),
      );
      const model = fs.fstatSync(source);
      imitate(fd, model);
      fs.fsyncSync(fd);
      fs.futimesSync(fd, model.atime, model.mtime);
      if (!target.isNamed) linkOpenFile(fd, this.#pathOf(temporary));
      fs.renameSync(this.#pathOf(temporary), this.#pathOf(to));
      fs.fsyncSync(this.#fd);
      return entryOf(to, fs.fstatSync(fd, { bigint: true }));
    } catch (error) {
      fs.rmSync(this.#pathOf(temporary), { force: true });
      throw error;
    } finally {
      fs.closeSync(source);
      if (target !== undefined) fs.closeSync(target.fd);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  /** A file that nobody sees before it is whole; with a name where the file system has none without. */
  #openTemporary(name: string): { fd: number; isNamed: boolean } {
    fs.rmSync(this.#pathOf(name), { force: true });
    try {
      return { fd: fs.openSync(this.#pathOf('.'), O_TMPFILE | O_RDWR, 0o600), isNamed: false };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EINVAL'].includes(code)) throw error;
      const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
      return { fd: fs.openSync(this.#pathOf(name), flags, 0o600), isNamed: true };
    }
  }

  #withOpen<Result>(file: NamedFile, flags: number, use: (fd: number) => Result): Result {
    const fd = this.#open(file, flags);
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  #open({ name, inode }: NamedFile, flags: number): number {
    // A pipe of the same name must not block.
    const fd = fs.openSync(this.#pathOf(name), flags | O_NOFOLLOW | O_NONBLOCK);
    const stat = fs.fstatSync(fd, { bigint: true });
    if (stat.isFile() && inodeOf(stat) === inode) return fd;
    fs.closeSync(fd);
    throw systemError('ESTALE', `${name} is another file now`);
  }

  #check({ name, inode }: NamedFile): void {
    const entry = this.stat(name);
    if (entry === undefined) throw systemError('ENOENT', name);
    if (entry.kind !== 'file' || entry.inode !== inode) {
      throw systemError('ESTALE', `${name} is another file now`);
    }
  }

  #pathOf(name: string): string {
    if (name.includes('/') || name === '..' || name === '') throw systemError('EINVAL', name);
    return path.join('/proc/self/fd', String(this.#fd), name);
  }
}

/** Streams of Node's own would close the descriptors whenever they fail. */
async function* readChunks(fd: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; ;) {
    const { bytesRead, buffer } = await read(fd, new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeChunks(fd: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) {
      done += (await write(fd, chunk, done, chunk.length - done, null)).bytesWritten;
    }
  }
}

function imitate(fd: number, model: fs.Stats): void {
  const own = fs.fstatSync(fd);
  if (own.uid !== model.uid || own.gid !== model.gid) fs.fchownSync(fd, model.uid, model.gid);
  fs.fchmodSync(fd, model.mode & 0o777);
}

function entryOf(name: string, stat: fs.BigIntStats): LogEntry {
  return {
    name,
    kind: kindOf(stat),
    inode: inodeOf(stat),
    birthNs: stat.birthtimeNs.toString(),
    size: Number(stat.size),
    diskBytes: Number(stat.blocks) * STAT_BLOCK_BYTES,
    modifiedMs: Number(stat.mtimeMs),
    links: Number(stat.nlink),
  };
}

function kindOf(stat: fs.BigIntStats): LogEntry['kind'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'link' : 'other';
}

function inodeOf(stat: fs.BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}
