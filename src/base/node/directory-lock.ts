import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../errors.ts';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a directory for this process alone; throws `locked` when another one has it.
 *
 * Node has no `flock`. SQLite's exclusive lock is a POSIX record lock on a file (sqlite.org/lockingv3.html), so the
 * kernel gives it back however the process ends, and it holds between containers that share the directory.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = `${directory}/lock`;
  const holderPath = `${directory}/lock.pid`;
  const database = openDatabase(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new AppError('locked', `cannot use the data directory ${directory}`, {
      cause: error,
      details: { pid: readHolder(holderPath) },
      hint: 'Another Logboom process is using it. Stop that one, or give this one a directory of its own with --data.',
    });
  }
  writeFileSync(holderPath, `${process.pid}\n`);
  return { release: () => database.close() };
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw new AppError('io_failed', `cannot open ${path}`, {
      cause: error,
      hint: 'Is the data directory writable?',
    });
  }
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
