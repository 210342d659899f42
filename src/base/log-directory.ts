/**
 * A directory whose files are rotated, held open: every name is looked up in what was opened, so that a directory
 * that is replaced by a link meanwhile leads nowhere else. `base/node/node-log-directory.ts` is the real one.
 *
 * Names are single names, never paths, and links are never followed. Failures are thrown as the system's own errors
 * with `code`; a file that is not the expected inode any more throws `ESTALE`.
 */
export interface LogEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** `device:inode`. */
  readonly inode: string;
  /** Nanoseconds since the Unix epoch, decimal; 0 where the file system has none. */
  readonly birthNs: string;
  readonly size: number;
  /** Bytes on disk. */
  readonly diskBytes: number;
  readonly modifiedMs: number;
  readonly links: number;
}

export interface ByteRange {
  readonly startOffset: number;
  /** One past the last byte. */
  readonly endOffset: number;
}

/** A file by name, and what it has to be. */
export interface NamedFile {
  readonly name: string;
  readonly inode: string;
}

export interface LogDirectory {
  /** The path with every link resolved. */
  readonly realPath: string;
  /** Size of the file system's blocks in bytes. */
  readonly blockBytes: number;
  list(): LogEntry[];
  /** Undefined when nothing is there. */
  stat(name: string): LogEntry | undefined;
  /** Frees ranges inside a file; its size stays. Returns the bytes that the disk got back. */
  punch(file: NamedFile, ranges: readonly ByteRange[]): number;
  /** Whether a process has the file open for writing. */
  findWriter(file: NamedFile): 'none' | 'some' | 'unknown';
  /** Gives a file another name, which must be free (`EEXIST`). */
  rename(file: NamedFile, to: string): void;
  unlink(file: NamedFile): void;
  /** Returns what a link says, without following it; throws `EINVAL` when it is none. */
  readLink(name: string): string;
  /** Removes a file, a link itself, or a directory with nothing in it (`ENOTEMPTY`), if it is still the one that is named. */
  remove(entry: Pick<LogEntry, 'name' | 'inode' | 'kind'>): void;
  /** Makes an empty file with the owner and the permissions of `like`; nothing happens when the name is taken. */
  createLike(name: string, like: string): void;
  /**
   * Compresses a file into `to`, with its owner, permissions and time; `to` appears whole, replaces what has its name,
   * and is returned. Nothing is left behind when it fails.
   */
  compress(file: NamedFile, to: string, compression: 'gzip' | 'zstd'): Promise<LogEntry>;
  close(): void;
}

/** What rotation needs of the machine besides. */
export interface RotateMachine {
  /**
   * Opens a directory that is `root` or below it with all links resolved; throws `ENOENT` when it is gone, and `EXDEV`
   * when it leads out of the root.
   */
  openDirectory(path: string, root: string): LogDirectory;
  /** Returns the directories and files that something is mounted on, with links resolved. */
  mountPoints(): readonly string[];
  /** Takes a tree for this process; undefined when another process has it. */
  lockRoot(root: string): { release(): void } | undefined;
  /** Runs a program to its end. Throws the system's error when it cannot be started. */
  run(program: string, options: RunProgramOptions): Promise<ProgramResult>;
  /** Returns what is wrong with a user and a group, or undefined. */
  findUserProblem(user: string, group: string): string | undefined;
  /** Sends a signal to the process whose id stands in a file; throws the system's error. */
  signal(pidFile: string, signal: 'HUP' | 'USR1' | 'USR2'): void;
  /** Writes a file whole, with this mode, replacing what is there. */
  writeFile(path: string, text: string, mode: number): void;
}

export interface RunProgramOptions {
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** Names of the user and group to run as; undefined: as this process. */
  readonly as?: { readonly user: string; readonly group: string } | undefined;
}

export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  /** What it wrote to both outputs, cut at a bound. */
  readonly output: string;
  readonly isTimedOut: boolean;
}
