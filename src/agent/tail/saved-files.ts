/** The checkpoints of the last run that no group has claimed so far. */
import type { FileCheckpoint } from '../ship/checkpoint-store.ts';
import { aliasOf } from './tailed-file.ts';

export class SavedFiles {
  readonly #byGroup = new Map<string, FileCheckpoint[]>();
  /** By alias, the group that followed a file when the last run ended. */
  readonly #groups = new Map<string, string>();

  constructor(saved: Iterable<FileCheckpoint>) {
    for (const file of saved) {
      if (!file.isComplete) this.#groups.set(aliasOf(file), file.group);
      const list = this.#byGroup.get(file.group);
      if (list === undefined) this.#byGroup.set(file.group, [file]);
      else list.push(file);
    }
  }

  /** What nothing claimed, by group. */
  get unclaimed(): IterableIterator<FileCheckpoint[]> {
    return this.#byGroup.values();
  }

  /** Returns the checkpoints of a group, which owns them from now on. */
  claim(group: string): FileCheckpoint[] {
    const files = this.#byGroup.get(group) ?? [];
    this.#byGroup.delete(group);
    return files;
  }

  /** Takes one file out of the checkpoints that nothing claimed; undefined when its group claimed it. */
  take(alias: string): FileCheckpoint | undefined {
    const key = this.#groups.get(alias) ?? '';
    const files = this.#byGroup.get(key) ?? [];
    const taken = files.find((file) => aliasOf(file) === alias);
    if (taken === undefined) return undefined;
    this.#groups.delete(alias);
    if (files.length === 1) this.#byGroup.delete(key);
    else
      this.#byGroup.set(
        key,
        files.filter((file) => file !== taken),
      );
    return taken;
  }

  /** Whether another group than `group` followed the file of this alias, and has not claimed it again. */
  isOfAnother(alias: string, group: string): boolean {
    const key = this.#groups.get(alias);
    return key !== undefined && key !== group && this.#byGroup.has(key);
  }
}
