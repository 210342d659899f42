/** Where files were seen that another group follows: they are looked at again there when that group loses them. */

/** Files remembered; a further one is found again by the next look at everything. */
const PASSED_MAX = 100_000;

export class PassedFiles {
  readonly #directories = new Map<string, Set<string>>();

  add(inode: string, directory: string): void {
    const known = this.#directories.get(inode);
    if (known !== undefined) known.add(directory);
    else if (this.#directories.size < PASSED_MAX) this.#directories.set(inode, new Set([directory]));
  }

  /** The directories where the file of this inode was seen. */
  of(inode: string): Iterable<string> {
    return this.#directories.get(inode) ?? [];
  }

  get directories(): ReadonlySet<string> {
    return new Set([...this.#directories.values()].flatMap((directories) => [...directories]));
  }

  delete(inode: string): void {
    this.#directories.delete(inode);
  }
}
