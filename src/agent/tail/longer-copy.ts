/**
 * Whether a copy is only the beginning of a longer one: logrotate that is killed between copying and truncating copies
 * the same file again when it runs next, and only the last copy holds what was written in between.
 */
import { systemCodeOf } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import { isSameBytes, MARK_BYTES, readAt } from './fingerprint.ts';
import type { Observed } from './tailed-file.ts';

/** Copies that are compared with one; beyond it what is longer is not found. */
const COMPARED_MAX = 64;

export interface OpenCopy {
  readonly observed: Observed;
  readonly fd: number;
}

/**
 * Returns which of `others`, none of them shorter, holds at its place what `copy` ends with. `isOfSame` says of an open
 * file whether it begins like the file that was copied. What cannot be opened is left out.
 */
export function findLongerCopy(
  { observed, fd }: OpenCopy,
  others: readonly Observed[],
  { fileSystem, isOfSame }: { fileSystem: FileSystem; isOfSame: (fd: number, size: number) => boolean },
): Observed | undefined {
  const start = Math.max(0, observed.size - MARK_BYTES);
  const end = readAt(fileSystem, fd, start, observed.size - start);
  const longer = others.filter((other) => isPlainCopy(other) && other.size >= observed.size);
  return longer.slice(-COMPARED_MAX).find((other) => {
    const otherFd = tryOpen(fileSystem, other);
    if (otherFd === undefined) return false;
    try {
      const same = readAt(fileSystem, otherFd, start, end.length);
      return isSameBytes(end, same) && isOfSame(otherFd, other.size);
    } finally {
      fileSystem.close(otherFd);
    }
  });
}

function isPlainCopy({ file: { rotated } }: Observed): boolean {
  return rotated.rotation !== undefined && rotated.compression === undefined;
}

function tryOpen(fileSystem: FileSystem, { file }: Observed): number | undefined {
  try {
    return fileSystem.open(file.path, 'r');
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return undefined;
  }
}
