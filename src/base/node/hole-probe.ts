import fs from 'node:fs';
import path from 'node:path';
import { findWriter, punchHole } from './libc.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDWR } = fs.constants;

/** A file without a name, open(2). */
const O_TMPFILE = 0o20000000 | O_DIRECTORY;

const PROBE_BYTES = 64 * 1024;
const BLOCK_BYTES = 512;

export interface HoleProbe {
  /** Whether the disk gives bytes inside a file back. */
  readonly canPunch: boolean;
  /** Whether it can be told if a process has a file open for writing. */
  readonly canFindWriters: boolean;
  /** Why bytes are not given back. */
  readonly reason: string | undefined;
}

/** Tries on a file of its own in the directory, which is gone afterwards. Throws when none can be made there. */
export function probeHoles(directory: string): HoleProbe {
  const fd = openProbe(directory);
  try {
    fs.writeSync(fd, Buffer.alloc(PROBE_BYTES, 'x'));
    fs.fsyncSync(fd);
    return { ...tryPunch(fd), canFindWriters: findWriter(fd) !== 'unknown' };
  } finally {
    fs.closeSync(fd);
  }
}

function tryPunch(fd: number): { canPunch: boolean; reason: string | undefined } {
  try {
    punchHole(fd, 0, PROBE_BYTES / 2);
    const { blocks, size } = fs.fstatSync(fd);
    if (blocks * BLOCK_BYTES < size) return { canPunch: true, reason: undefined };
    return { canPunch: false, reason: 'the file has as many bytes on disk as before' };
  } catch (error) {
    return { canPunch: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function openProbe(directory: string): number {
  try {
    return fs.openSync(directory, O_TMPFILE | O_RDWR, 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EINVAL'].includes(code)) throw error;
    const file = path.join(directory, `.logboom-probe-${process.pid}`);
    const fd = fs.openSync(file, O_RDWR | O_CREAT | O_EXCL, 0o600);
    fs.unlinkSync(file);
    return fd;
  }
}
