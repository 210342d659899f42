/** Calls of a file system in memory before which a fault can be injected. */
export type Operation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'syncDirectory'
  | 'readDirectory'
  | 'rename'
  | 'unlink'
  | 'makeDirectory'
  | 'watch'
  | 'stat';

/** How a file system in memory differs from an endless one on a clock that ticks with every change. */
export interface MemoryFileSystemOptions {
  readonly nowNs?: () => bigint;
  /** Runs a watch event's delivery; by default in a microtask. */
  readonly deliver?: (task: () => void) => void;
  /** Called before every operation; throws what `systemError` makes to inject a fault. */
  readonly onOperation?: (operation: Operation, path: string) => void;
  /** Total bytes of file content that fit; writes beyond it are torn and throw `ENOSPC`. */
  readonly capacityBytes?: number;
}
