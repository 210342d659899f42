/** Looks at what stands under paths, and tells what is not there from what cannot be looked at. */
import { systemCodeOf } from '../../base/errors.ts';
import type { FileStat, FileSystem } from '../../base/file-system.ts';

/** Whether a link leads to a path, or to a directory above it. */
export function isReachedByLink(fileSystem: FileSystem, path: string): boolean {
  try {
    return fileSystem.realPath(path) !== path;
  } catch {
    return false;
  }
}

/** Returns what stands under a path; undefined when nothing does, or that cannot be told. */
export function statOf(fileSystem: FileSystem, path: string): FileStat | undefined {
  return lookAt(fileSystem, path).stat;
}

/** Returns what stands under a path, if anything does, or why that cannot be told. */
export function lookAt(
  fileSystem: FileSystem,
  path: string,
): { stat?: FileStat | undefined; error?: unknown } {
  try {
    return { stat: fileSystem.stat(path) };
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return { error };
  }
}

/** Returns the directory of a path. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
