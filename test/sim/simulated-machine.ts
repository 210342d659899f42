/** What rotation needs of a machine, on the file system of the simulation. */
import { gzipSync } from 'node:zlib';
import type {
  ByteRange,
  LogDirectory,
  LogEntry,
  NamedFile,
  RotateMachine,
} from '../../src/base/log-directory.ts';
import { type MemoryFileSystem, systemError } from '../../src/base/memory-file-system.ts';
import { MEMORY_BLOCK_BYTES } from '../../src/base/memory-inode.ts';

/** The world around a machine. */
export interface Surroundings {
  /** Whether an application has the file open for writing. */
  readonly isOpen: (inode: string) => boolean;
  /** Tells whose bytes are freed now; a file that is removed loses all of them. */
  readonly onFreed: (file: string, ranges: readonly ByteRange[]) => void;
  readonly onSignal: (pidFile: string) => void;
  /** Comes before and after each change: the process may die here. */
  readonly onChange: () => void;
}

interface MachineOptions extends Surroundings {
  readonly fileSystem: MemoryFileSystem;
  readonly isDead: () => boolean;
}

/** Makes the machine of one process; once the process is dead every call fails. */
export function simulatedMachine(options: MachineOptions): RotateMachine {
  const { fileSystem } = options;
  const checkAlive = (): void => {
    if (options.isDead()) throw systemError('EIO', 'the process is dead');
  };
  return {
    openDirectory(path, root) {
      checkAlive();
      const realPath = fileSystem.realPath(path);
      if (!`${realPath}/`.startsWith(`${fileSystem.realPath(root)}/`)) throw systemError('EXDEV', path);
      return mortalDirectory(new SimulatedDirectory(options, realPath), checkAlive);
    },
    mountPoints: () => [],
    lockRoot: () => ({ release: () => undefined }),
    run: (program) => Promise.reject(systemError('ENOENT', program)),
    findUserProblem: (user) => `user ${user} does not exist`,
    signal(pidFile) {
      checkAlive();
      options.onSignal(pidFile);
    },
    writeFile(path, text) {
      checkAlive();
      const fd = fileSystem.open(`${path}.new`, 'w');
      fileSystem.write(fd, new TextEncoder().encode(text));
      fileSystem.close(fd);
      fileSystem.rename(`${path}.new`, path);
    },
  };
}

/** A directory that the dead cannot touch. */
function mortalDirectory(directory: LogDirectory, checkAlive: () => void): LogDirectory {
  return new Proxy(directory, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]): unknown => {
        if (property !== 'close') checkAlive();
        return Reflect.apply(member, target, parameters);
      };
    },
  });
}

class SimulatedDirectory implements LogDirectory {
  readonly realPath: string;
  readonly blockBytes = MEMORY_BLOCK_BYTES;
  readonly #options: MachineOptions;

  constructor(options: MachineOptions, realPath: string) {
    this.#options = options;
    this.realPath = realPath;
  }

  list(): LogEntry[] {
    return this.#files.readDirectory(this.realPath).flatMap(({ name }) => this.stat(name) ?? []);
  }

  stat(name: string): LogEntry | undefined {
    const stat = this.#files.lstat(this.#pathOf(name));
    if (stat === undefined) return undefined;
    return {
      name,
      kind: stat.kind,
      inode: `${stat.device}:${stat.inode}`,
      birthNs: stat.birthTimeNs.toString(),
      size: stat.size,
      diskBytes: stat.kind === 'file' ? this.#files.diskBytes(this.#pathOf(name)) : 0,
      modifiedMs: Number(stat.modifiedTimeNs / 1_000_000n),
      links: stat.links,
    };
  }

  punch(file: NamedFile, ranges: readonly ByteRange[]): number {
    const key = this.#check(file);
    return this.#change(() => {
      this.#options.onFreed(key, ranges);
      return ranges.reduce(
        (sum, { startOffset, endOffset }) =>
          sum + this.#files.punch(this.#pathOf(file.name), startOffset, endOffset),
        0,
      );
    });
  }

  findWriter(file: NamedFile): 'none' | 'some' {
    this.#check(file);
    return this.#options.isOpen(file.inode) ? 'some' : 'none';
  }

  rename(file: NamedFile, to: string): void {
    this.#check(file);
    if (this.stat(to) !== undefined) throw systemError('EEXIST', to);
    this.#change(() => this.#files.rename(this.#pathOf(file.name), this.#pathOf(to)));
  }

  unlink(file: NamedFile): void {
    const key = this.#check(file);
    const { links = 0, size = 0 } = this.stat(file.name) ?? {};
    this.#change(() => {
      if (links === 1) this.#options.onFreed(key, [{ startOffset: 0, endOffset: size }]);
      this.#files.unlink(this.#pathOf(file.name));
    });
  }

  readLink(name: string): string {
    throw systemError('EINVAL', name);
  }

  remove(entry: LogEntry): void {
    if (entry.kind === 'file') return this.unlink(entry);
    if (this.#files.readDirectory(this.#pathOf(entry.name)).length > 0) {
      throw systemError('ENOTEMPTY', entry.name);
    }
    this.#change(() => this.#files.removeDirectory(this.#pathOf(entry.name)));
  }

  createLike(name: string): void {
    if (this.stat(name) === undefined) this.#change(() => this.#files.append(this.#pathOf(name), ''));
  }

  async compress(file: NamedFile, to: string): Promise<LogEntry> {
    const key = this.#check(file);
    const bytes = gzipSync(this.#files.readFile(this.#pathOf(file.name)), { level: 1 });
    await Promise.resolve();
    if (this.#check(file) !== key) throw systemError('ESTALE', file.name);
    this.#change(() => this.#files.append(this.#pathOf(to), new Uint8Array(bytes)));
    const made = this.stat(to);
    if (made === undefined) throw systemError('ENOENT', to);
    return made;
  }

  close(): void {
    // Nothing is held open.
  }

  get #files(): MemoryFileSystem {
    return this.#options.fileSystem;
  }

  /** Does one change whole; the process may die before it or after it. */
  #change<Result>(change: () => Result): Result {
    const { onChange, isDead } = this.#options;
    onChange();
    if (isDead()) throw systemError('EIO', 'the process is dead');
    const result = change();
    onChange();
    if (isDead()) throw systemError('EIO', 'the process is dead');
    return result;
  }

  /** Returns what tells the file from all others, also from a later one with its inode number. */
  #check({ name, inode }: NamedFile): string {
    const entry = this.stat(name);
    if (entry === undefined) throw systemError('ENOENT', name);
    if (entry.inode !== inode) throw systemError('ESTALE', name);
    return fileKey(entry.inode, entry.birthNs);
  }

  #pathOf(name: string): string {
    return `${this.realPath}/${name}`;
  }
}

/** Returns the key of a file whose inode number may be used again. */
export function fileKey(inode: string, birthNs: string): string {
  return `${inode}@${birthNs}`;
}
