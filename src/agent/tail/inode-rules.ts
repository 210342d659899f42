/** What an inode number tells of a file, and what it does not: it can have had several lives, and be given away. */
import { compareAge } from '../discovery/rotated-name.ts';
import { isSameFile } from '../file-identity.ts';
import type { FileGroup } from './file-group.ts';
import { aliasOf, type Observed, type TailedFile } from './tailed-file.ts';

/** Orders files that stand in one directory, the oldest first. */
export function compareObserved(left: Observed, right: Observed): number {
  return compareAge(
    { rotation: left.file.rotated.rotation, modifiedNs: left.modifiedNs },
    { rotation: right.file.rotated.rotation, modifiedNs: right.modifiedNs },
  );
}

/** Returns what was observed when it is this file: an inode that was given to another file has another birth. */
export function standsThere(file: TailedFile, observed: Observed | undefined): Observed | undefined {
  return observed !== undefined && isSameFile(file, observed) ? observed : undefined;
}

/** Of several lives under one inode only the latest can be what stands there now. */
export function leaveInodesToLatest(group: FileGroup): void {
  const latest = new Map<string, TailedFile>();
  for (const file of group.files) {
    const other = latest.get(aliasOf(file));
    if (other === undefined || other.generation < file.generation) latest.set(aliasOf(file), file);
  }
  for (const file of group.files) if (latest.get(aliasOf(file)) !== file) file.inode = '';
}

/** Whether a group reads this very file: its inode alone may have been used again. */
export function isFollowedBy(owner: FileGroup, observed: Observed): boolean {
  // What could not be opened so far is the owner's all the same.
  if (owner.unreadable.has(observed.inode)) return true;
  return owner.files.some((file) => {
    if (standsThere(file, observed) === undefined) return false;
    if (owner.listed.has(file.inode)) return true;
    // One that is done and has a name still was read, and is read on when it grows.
    return file.isListed || (file.phase !== 'done' && (file.fd !== undefined || file.archive !== undefined));
  });
}

/** Whether a file that is known by its id has no name left where it was followed. */
export function isNameless(owner: FileGroup, file: TailedFile): boolean {
  // One that could not be opened so far is there all the same.
  if (file.isListed || owner.listed.has(file.inode)) return false;
  return file.id !== undefined && file.progress !== undefined && file.archive === undefined;
}

/** Whether nothing of a file is on its way, nor held by its decoder: another group can go on with it. */
export function isAtRest(file: TailedFile): boolean {
  if (file.pendingGap !== undefined || file.isTruncated || !file.isSettled) return false;
  return file.decoder === undefined || file.decoder.safeOffset >= file.readOffset;
}

/** Whether it is one of a group's files, or a copy of one; what an orphan was copied to is looked into again. */
export function isKnownIn(group: FileGroup, observed: Observed): boolean {
  const alias = aliasOf(observed);
  return group.files.some(
    (file) =>
      standsThere(file, observed) !== undefined || (file.phase !== 'orphaned' && file.also.has(alias)),
  );
}
