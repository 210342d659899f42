/**
 * Keeps the note of `crash-state.ts` in a file: there while the indexer runs, removed when it ends in order. It need
 * not survive the machine, only the process, so nothing is synced.
 */
import { systemCodeOf } from '../base/errors.ts';
import type { FileSystem } from '../base/file-system.ts';
import type { CrashNote } from './crash-state.ts';

export interface CrashNotes {
  /** Returns what the process before left behind; undefined when it ended in order. */
  read(): CrashNote | undefined;
  /** Replaces the note. A disk that takes none costs the precaution, not the collection. */
  write(note: CrashNote): void;
  clear(): void;
}

/** Keeps the note in a directory, which is made when it is missing. */
export function createCrashNotes(fileSystem: FileSystem, directory: string): CrashNotes {
  const path = `${directory}/running.json`;
  return {
    read: () => readNote(fileSystem, path),
    write(note) {
      tolerant(() => {
        fileSystem.makeDirectory(directory);
        const fd = fileSystem.open(`${path}.tmp`, 'w');
        try {
          fileSystem.write(fd, new TextEncoder().encode(JSON.stringify(note)));
        } finally {
          fileSystem.close(fd);
        }
        fileSystem.rename(`${path}.tmp`, path);
      });
    },
    clear: () => tolerant(() => fileSystem.stat(path) !== undefined && fileSystem.unlink(path)),
  };
}

function readNote(fileSystem: FileSystem, path: string): CrashNote | undefined {
  try {
    if (fileSystem.stat(path) === undefined) return undefined;
    const note = JSON.parse(new TextDecoder().decode(fileSystem.readFile(path))) as Partial<CrashNote>;
    return { crashes: Number(note.crashes ?? 0), suspect: note.suspect };
  } catch {
    // Torn by a crash of the machine: an unclean end all the same.
    return { crashes: 0, suspect: undefined };
  }
}

function tolerant(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
  }
}
