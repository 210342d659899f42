import { closeSync, mkdirSync, openSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { AppError, systemCodeOf } from '../base/errors.ts';
import type { AppErrorOptions, ErrorCode } from '../base/errors.ts';
import { lockDirectory } from '../base/node/directory-lock.ts';
import type { DirectoryLock } from '../base/node/directory-lock.ts';

/**
 * Creates the data directory when it is missing, and takes it for this process. Throws `locked` when another process
 * has it, and `read_only`, `permission_denied`, `disk_full` or `io_failed` when nothing can be written there.
 */
export function takeDataDirectory(directory: string): DirectoryLock {
  try {
    makeDirectories(directory);
    const probe = path.join(directory, `.probe-${process.pid}`);
    closeSync(openSync(probe, 'w'));
    unlinkSync(probe);
  } catch (error) {
    throw toAppError(directory, error);
  }
  return lockDirectory(directory);
}

/** Like `mkdir -p`. Node's own recursive one never returns below /proc, where a directory is there and refuses any other. */
export function makeDirectories(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = path.dirname(directory);
  if (parent !== directory) makeDirectories(parent);
  mkdirSync(directory, { mode: 0o750 });
}

function toAppError(directory: string, cause: unknown): AppError {
  const [code, hint] = explain(systemCodeOf(cause));
  const options: AppErrorOptions = { cause, hint };
  return new AppError(code, `cannot write to the data directory ${directory}`, options);
}

function explain(systemCode: string | undefined): [ErrorCode, string] {
  switch (systemCode) {
    case 'EROFS':
      return ['read_only', 'The file system is mounted read-only. Choose another directory with --data.'];
    case 'EACCES':
    case 'EPERM':
      return ['permission_denied', 'Let this user write there, or choose another directory with --data.'];
    case 'ENOSPC':
    case 'EDQUOT':
      return ['disk_full', 'Free some space, or choose another directory with --data.'];
    case 'ENOTDIR':
    case 'EEXIST':
      return ['io_failed', 'It is a file. Choose a directory with --data.'];
    default:
      return ['io_failed', 'Choose another directory with --data.'];
  }
}
