/**
 * Which group follows an inode: a file with two names is read once. What a group followed in an earlier run is its own
 * until all directories were read once; a file that has no name there any more is taken over where it stands now.
 */
import { checkpointOf } from '../ship/file-records.ts';
import type { FileCheckpoint } from '../ship/checkpoint-store.ts';
import type { FileGroup } from './file-group.ts';
import type { CheckpointMarks } from './file-marks.ts';
import { isAtRest, isFollowedBy, isNameless, standsThere } from './inode-rules.ts';
import { PassedFiles } from './passed-files.ts';
import { SavedFiles } from './saved-files.ts';
import type { TailContext } from './tail-context.ts';
import { aliasOf, type Observed, restoreFile, type TailedFile } from './tailed-file.ts';

export interface InodeOwnersParts {
  readonly saved: Iterable<FileCheckpoint>;
  readonly marksOf: (file: TailedFile) => CheckpointMarks;
  /** Ends that a group follows a file, which another one takes over. */
  readonly remove: (group: FileGroup, file: TailedFile) => void;
}

export class InodeOwners {
  readonly #context: TailContext;
  readonly #parts: InodeOwnersParts;
  readonly #saved: SavedFiles;
  readonly #owners = new Map<string, FileGroup>();
  /** Where files that another group follows were seen as well. */
  readonly #passed = new PassedFiles();

  constructor(context: TailContext, parts: InodeOwnersParts) {
    this.#context = context;
    this.#parts = parts;
    this.#saved = new SavedFiles(parts.saved);
  }

  /** Checkpoints whose group was not found so far. */
  get unclaimed(): IterableIterator<FileCheckpoint[]> {
    return this.#saved.unclaimed;
  }

  /** Takes the checkpoints of a group. */
  claim(group: string): readonly FileCheckpoint[] {
    return this.#saved.claim(group);
  }

  /** Directories where files were seen that another group follows. */
  get passedDirectories(): ReadonlySet<string> {
    return this.#passed.directories;
  }

  /** Directories where an inode was seen while another group followed it. */
  directoriesOf(inode: string): Iterable<string> {
    return this.#passed.of(inode);
  }

  /** Notes that a group follows what a listing of its directory showed. */
  take(group: FileGroup): void {
    for (const file of group.files) if (file.inode !== '') this.#own(group, file.inode);
    for (const inode of group.unreadable.keys()) this.#owners.set(inode, group);
  }

  /** Notes that a group follows an inode no more. */
  leave(group: FileGroup, inode: string): void {
    if (this.#owners.get(inode) !== group) return;
    this.#owners.delete(inode);
    this.#passed.delete(inode);
  }

  /**
   * Whether another group follows this file. One that has no name there any more is taken over, once everything of
   * it is acknowledged, with its id and its offset. What another group followed in an earlier run is left to it until
   * all directories were read once.
   */
  isElsewhere(group: FileGroup, observed: Observed): boolean {
    const { directory, key } = group.spec;
    const alias = aliasOf(observed);
    if (this.#saved.isOfAnother(alias, key)) {
      if (this.#context.isFirstScan()) this.#passed.add(observed.inode, directory);
      else this.#restoreInto(group, this.#saved.take(alias));
      return this.#context.isFirstScan();
    }
    const owner = this.#owners.get(observed.inode);
    if (owner === undefined || owner === group) return false;
    const nameless = owner.files.find(
      (file) => isNameless(owner, file) && standsThere(file, observed) !== undefined,
    );
    if (nameless === undefined) {
      if (!isFollowedBy(owner, observed)) return false;
      this.#passed.add(observed.inode, directory);
      return true;
    }
    if (!isAtRest(nameless)) {
      this.#context.retryLater(directory);
      return true;
    }
    const saved = checkpointOf(owner, nameless, this.#parts.marksOf(nameless));
    this.#parts.remove(owner, nameless);
    this.#restoreInto(group, saved);
    return false;
  }

  /** Notes that a group follows an inode, unless that of a file that is gone was given to a file of another group. */
  #own(group: FileGroup, inode: string): void {
    const owner = this.#owners.get(inode);
    const isGivenAway = owner !== undefined && owner.listed.has(inode) && !group.listed.has(inode);
    if (!isGivenAway) this.#owners.set(inode, group);
  }

  /** Goes on in a group with a file that another one followed. */
  #restoreInto(group: FileGroup, saved: FileCheckpoint | undefined): void {
    if (saved === undefined) return;
    const file = restoreFile(saved, true);
    file.progress = this.#context.ship.progressOf(saved.id);
    group.add(file);
    this.#context.noteChange(group, file);
  }
}
