/**
 * The few calls of the C library that Node lacks, through koffi, loaded at the first call: a process that never
 * rotates pays nothing for it. Numbers are those of Linux, the same on x86-64 and arm64.
 */
import { createRequire } from 'node:module';
import { systemErrorOf } from './system-error.ts';

interface Libc {
  readonly fallocate: (fd: number, mode: number, offset: number, length: number) => number;
  readonly lseek: (fd: number, offset: number, whence: number) => number;
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  readonly flock: (fd: number, operation: number) => number;
  readonly linkat: (fromFd: number, from: string, toFd: number, to: string, flags: number) => number;
  readonly errno: () => number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded !== undefined) return loaded;
  // Required, not imported: whoever does not call this does not load it.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const library = koffi.load(null);
  const define = (prototype: string): ((...values: number[]) => number) =>
    library.func(prototype) as (...values: number[]) => number;
  loaded = {
    fallocate: define('int fallocate(int fd, int mode, int64_t offset, int64_t length)'),
    lseek: define('int64_t lseek(int fd, int64_t offset, int whence)'),
    fcntl: define('int fcntl(int fd, int command, int argument)'),
    flock: define('int flock(int fd, int operation)'),
    linkat: library.func(
      'int linkat(int fromFd, const char *from, int toFd, const char *to, int flags)',
    ) as Libc['linkat'],
    errno: () => koffi.errno(),
  };
  return loaded;
}

/** FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of fallocate(2). */
const PUNCH_HOLE_KEEP_SIZE = 3;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;

/** fcntl(2): leases, and the signal that tells of one that is broken. SIGWINCH is ignored by default. */
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
const SIGWINCH = 28;
const EAGAIN = 11;

/** linkat(2). */
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

/** LOCK_EX | LOCK_NB of flock(2). */
const EXCLUSIVE_AT_ONCE = 6;

/** Frees `length` bytes at `offset`; the size stays. Throws the system's error, `EOPNOTSUPP` where it cannot be done. */
export function punchHole(fd: number, offset: number, length: number): void {
  const { fallocate, errno } = libc();
  if (fallocate(fd, PUNCH_HOLE_KEEP_SIZE, offset, length) !== 0) throw systemErrorOf(errno(), 'fallocate');
}

/** Gives an open file without a name one. Throws the system's error, `EEXIST` when the name is taken. */
export function linkOpenFile(fd: number, to: string): void {
  const { linkat, errno } = libc();
  const from = `/proc/self/fd/${fd}`;
  if (linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) !== 0) throw systemErrorOf(errno(), 'linkat');
}

/** Returns where data begins at or after `offset`; `size` when there is none, and `offset` where nobody knows. */
export function nextData(fd: number, offset: number, size: number): number {
  const { lseek, errno } = libc();
  const found = lseek(fd, offset, SEEK_DATA);
  if (found >= 0) return Math.min(found, size);
  return errno() === ENXIO ? size : offset;
}

/** Returns where a hole begins at or after `offset`; `size` when there is none. */
export function nextHole(fd: number, offset: number, size: number): number {
  const found = libc().lseek(fd, offset, SEEK_HOLE);
  return found < 0 ? size : Math.min(found, size);
}

/**
 * Returns whether a process has the file open for writing: a read lease is granted only when none has (fcntl(2)).
 * `fd` is open for reading. `unknown` where leases are not to be had: for files of others without CAP_LEASE, on NFS.
 */
export function findWriter(fd: number): 'none' | 'some' | 'unknown' {
  const { fcntl, errno } = libc();
  // Somebody who opens the file in this very moment would break the lease, and the usual signal ends the process.
  if (fcntl(fd, F_SETSIG, SIGWINCH) !== 0) return 'unknown';
  if (fcntl(fd, F_SETLEASE, F_RDLCK) !== 0) return errno() === EAGAIN ? 'some' : 'unknown';
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return 'none';
}

/** Takes the open directory or file for this process until it is closed; returns false when another has it. */
export function tryLock(fd: number): boolean {
  const { flock, errno } = libc();
  if (flock(fd, EXCLUSIVE_AT_ONCE) === 0) return true;
  if (errno() === EAGAIN) return false;
  throw systemErrorOf(errno(), 'flock');
}
