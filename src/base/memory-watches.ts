import type { WatchListener, Watcher } from './file-system.ts';
import type { MemoryInode } from './memory-inode.ts';

/** Who watches which directories of a file system in memory. */
export class MemoryWatches {
  readonly #listeners = new Map<MemoryInode, Set<WatchListener>>();
  readonly #deliver: (task: () => void) => void;

  /** `deliver` runs the delivery of an event; by default in a microtask. */
  constructor(deliver: (task: () => void) => void = inMicrotask) {
    this.#deliver = deliver;
  }

  /** Tells the listener of a directory's events until it is closed. */
  open(directory: MemoryInode, listener: WatchListener): Watcher {
    const listeners = this.#listeners.get(directory) ?? new Set();
    this.#listeners.set(directory, listeners);
    listeners.add(listener);
    return {
      close: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#listeners.delete(directory);
      },
    };
  }

  /** Tells all who watch the directory what happened to a name in it. */
  tell(directory: MemoryInode, event: 'renamed' | 'changed', name: string): void {
    for (const listener of this.#listeners.get(directory) ?? []) this.#deliver(() => listener(event, name));
  }

  /** Ends all watches. */
  clear(): void {
    this.#listeners.clear();
  }
}

function inMicrotask(task: () => void): void {
  void Promise.resolve().then(task);
}
