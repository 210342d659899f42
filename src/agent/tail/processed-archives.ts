/**
 * What an s6-log processor writes need not look like what it was made of. Each archive is made of one file, and s6-log
 * rotates one file after the other: an archive that nothing that was followed can have become was made of a file that
 * nobody saw.
 */
import type { FileGroup } from './file-group.ts';
import type { Observed, TailedFile } from './tailed-file.ts';

/** Returns the oldest file that was followed and may have become the archive `observed`, which none is known to be made of. */
export function findProcessed(group: FileGroup, observed: Observed): TailedFile | undefined {
  if (!group.spec.hasProcessor || !group.isKnown || !isS6Archive(observed.file.name)) return undefined;
  // s6-log creates the archive when the file has been rotated: one that was written to later became another.
  const birthNs = BigInt(observed.birthNs);
  return group.files.find((file) => file.modifiedNs <= birthNs && canBecomeArchive(group, file));
}

function canBecomeArchive(group: FileGroup, file: TailedFile): boolean {
  if (file.isActive || file.isProbing || file.phase === 'unidentified' || file.isProcessed) return false;
  // What was not read to its end, and is nowhere, is worth reading in another form.
  if (file.phase === 'orphaned' && (file.size > file.readOffset || file.isTruncated)) return false;
  const isArchive = isS6Archive(file.path.slice(file.path.lastIndexOf('/') + 1));
  return !isArchive && !group.hasCopyOf(file);
}

function isS6Archive(name: string): boolean {
  return name.startsWith('@');
}
