/**
 * Reads the journals that a process left behind: everything that was committed is taken, a torn end is cut off, and
 * what stands behind damage is moved aside.
 */
import type { Crc32 } from '../../base/crc32.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { Scheduler } from '../../base/scheduler.ts';
import type { Commit } from './commit-line.ts';
import { readCommits } from './commit-line.ts';
import { JournalFile, journalSequenceOf } from './journal-file.ts';

export interface RecoveryOptions {
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly crc32: Crc32;
  readonly journalDirectory: string;
  readonly quarantineDirectory: string;
  /** Journals up to this one are in segments. */
  readonly throughJournal: number;
}

export interface RecoveredJournals {
  readonly files: readonly JournalFile[];
  readonly commits: readonly Commit[];
  /** Parts of journals that were moved aside. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
  /** The highest sequence that any file had. */
  readonly lastSequence: number;
}

/** Reads all journals in order; removes those that are in segments already or hold nothing. */
export async function recoverJournals(options: RecoveryOptions): Promise<RecoveredJournals> {
  const { fileSystem, journalDirectory, throughJournal } = options;
  const sequences = fileSystem
    .readDirectory(journalDirectory)
    .map((entry) => ({ name: entry.name, sequence: journalSequenceOf(entry.name) }))
    .filter((entry): entry is { name: string; sequence: number } => entry.sequence !== undefined)
    .toSorted((one, other) => one.sequence - other.sequence);
  const files: JournalFile[] = [];
  const commits: Commit[] = [];
  const damaged: { path: string; reason: string }[] = [];
  for (const { name, sequence } of sequences) {
    const path = `${journalDirectory}/${name}`;
    const found = sequence > throughJournal ? await recoverJournal(options, path, sequence) : undefined;
    if (found?.damage !== undefined) damaged.push(found.damage);
    if (found === undefined || found.file.rows + found.commits.length === 0) {
      fileSystem.unlink(path);
      continue;
    }
    files.push(found.file);
    for (const commit of found.commits) commits.push(commit);
  }
  const lastSequence = Math.max(throughJournal, sequences.at(-1)?.sequence ?? 0);
  return { files, commits, damaged, lastSequence };
}

async function recoverJournal(
  options: RecoveryOptions,
  path: string,
  sequence: number,
): Promise<{
  file: JournalFile;
  commits: readonly Commit[];
  damage: { path: string; reason: string } | undefined;
}> {
  const { fileSystem, scheduler, crc32, quarantineDirectory } = options;
  const bytes = fileSystem.readFile(path);
  const { commits, soundBytes, isDamaged } = readCommits(bytes, crc32);
  const file = new JournalFile(sequence, path, scheduler.nowMs());
  for (const commit of commits) file.apply(commit, 0);
  file.bytes = soundBytes;
  let damage: { path: string; reason: string } | undefined;
  if (isDamaged) {
    const keptAs = `${quarantineDirectory}/${path.slice(path.lastIndexOf('/') + 1)}.from-${soundBytes}`;
    await writeDurably(fileSystem, keptAs, bytes.subarray(soundBytes));
    damage = { path: keptAs, reason: `${path} does not match its checksum from byte ${soundBytes}` };
  }
  if (soundBytes < bytes.length) await cutFile(fileSystem, path, soundBytes);
  return { file, commits, damage };
}

async function writeDurably(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const fd = fileSystem.open(path, 'w');
  try {
    fileSystem.write(fd, bytes);
    await fileSystem.sync(fd);
  } finally {
    fileSystem.close(fd);
  }
}

async function cutFile(fileSystem: FileSystem, path: string, bytes: number): Promise<void> {
  fileSystem.truncate(path, bytes);
  const fd = fileSystem.open(path, 'a');
  try {
    await fileSystem.sync(fd);
  } finally {
    fileSystem.close(fd);
  }
}
