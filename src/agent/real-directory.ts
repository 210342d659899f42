import type { FileSystem } from '../base/file-system.ts';

/** Returns the directory that a path leads to with its links resolved; undefined when nothing is there. */
export function realDirectoryOf(fileSystem: Pick<FileSystem, 'realPath'>, path: string): string | undefined {
  try {
    const real = fileSystem.realPath(path);
    return real.slice(0, real.lastIndexOf('/')) || '/';
  } catch {
    return undefined;
  }
}
