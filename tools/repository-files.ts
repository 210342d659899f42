import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { TidyFile } from './tidy.ts';

/** Files that are larger hold no prose of ours. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

const UNTRACKED = new Set(['node_modules', '.git', 'dist', 'coverage', 'logboom-data']);

/** Reads every text file of the repository: what git knows or would add, or all but what is built without git. */
export function readRepository(root: string): TidyFile[] {
  return listFiles(root).flatMap((file) => {
    const full = path.join(root, file);
    const facts = statSync(full, { throwIfNoEntry: false });
    if (facts === undefined || !facts.isFile() || facts.size > FILE_BYTES_MAX) return [];
    const bytes = readFileSync(full);
    // A NUL byte marks what is no text; its name still counts as the target of a link.
    return [{ path: file, text: bytes.includes(0) ? '' : bytes.toString('utf8') }];
  });
}

function listFiles(root: string): string[] {
  try {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const listing = execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [...new Set(listing.split('\0').filter((file) => file !== ''))];
  } catch {
    return walk(root, '');
  }
}

function walk(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return UNTRACKED.has(entry.name) ? [] : walk(root, name);
    return entry.isFile() ? [name] : [];
  });
}
