/** What to do about the errors that rotation meets. */
import { AppError, systemCodeOf } from '../../base/errors.ts';

/** Whether an error says that the file system cannot free bytes inside a file. */
export function isPunchUnsupported(error: unknown): boolean {
  return ['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENODEV'].includes(systemCodeOf(error) ?? '');
}

/** Whether the file vanished, or was replaced, between decision and deed: it is looked at anew, and nothing is wrong. */
export function isReplaced(error: unknown): boolean {
  return ['ENOENT', 'ESTALE', 'ELOOP'].includes(systemCodeOf(error) ?? '');
}

/** Returns what a person can do about an error, as a sentence without its full stop; undefined where nothing is known. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof AppError) return error.hint;
  if (isPunchUnsupported(error)) {
    return 'This file system cannot free bytes inside a file: use method rename where the writer opens its file again, or logrotate with copytruncate where it does not';
  }
  switch (systemCodeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'Run the agent as root, or as the owner of the directory';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'The disk is full: it is tried again';
    case 'EROFS':
      return 'The file system is mounted read-only';
    case 'EMFILE':
    case 'ENFILE':
      return 'Raise the limit of open files (`ulimit -n`): each directory that is rotated takes one';
    case 'ENOLCK':
      return 'The file system has no room for locks, or none at all: a server of NFS must run lockd';
    default:
      return undefined;
  }
}
