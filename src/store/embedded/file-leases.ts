/** Files that readers hold: they are unlinked once the last reader has left. */
export class FileLeases {
  readonly #held = new Map<string, number>();
  readonly #doomed = new Set<string>();
  readonly #unlink: (path: string) => void;

  /** `unlink` removes a file, and must not throw. */
  constructor(unlink: (path: string) => void) {
    this.#unlink = unlink;
  }

  /** Holds files until the returned function is called. */
  take(paths: readonly string[]): () => void {
    for (const path of paths) this.#held.set(path, (this.#held.get(path) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (isHeld) for (const path of paths) this.#release(path);
      isHeld = false;
    };
  }

  isHeld(path: string): boolean {
    return this.#held.has(path);
  }

  /** Unlinks a file now, or as soon as nobody holds it. */
  doom(path: string): void {
    if (this.#held.has(path)) this.#doomed.add(path);
    else this.#unlink(path);
  }

  #release(path: string): void {
    const count = (this.#held.get(path) ?? 0) - 1;
    if (count > 0) {
      this.#held.set(path, count);
      return;
    }
    this.#held.delete(path);
    if (this.#doomed.delete(path)) this.#unlink(path);
  }
}
