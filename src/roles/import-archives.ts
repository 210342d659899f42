/** What an import has to know of compressed files: whether anything of them can be read, and where they break off. */
import { messageOf } from '../base/errors.ts';
import type { OpenArchive } from '../agent/tail/archive-reader.ts';
import { FIRST_LINE_BYTES_MAX } from '../record/identity.ts';

const NEWLINE = 10;

export interface ImportProblem {
  readonly path: string;
  readonly reason: string;
}

/** Returns the compression that a file's name tells. */
export function compressionOf(path: string): 'gz' | 'zst' | undefined {
  if (path.endsWith('.gz')) return 'gz';
  return path.endsWith('.zst') ? 'zst' : undefined;
}

/**
 * Returns why nothing of a compressed file can be imported: an agent knows a file by its first line, and would wait
 * for it. Undefined when the line is there, and for plain files.
 */
export async function findBrokenHead(path: string, openArchive: OpenArchive): Promise<string | undefined> {
  const compression = compressionOf(path);
  if (compression === undefined) return undefined;
  let bytes = 0;
  try {
    for await (const chunk of openArchive(path, compression)) {
      bytes += chunk.length;
      if (bytes >= FIRST_LINE_BYTES_MAX || chunk.includes(NEWLINE)) return undefined;
    }
    return undefined;
  } catch (error) {
    const kind = compression === 'gz' ? 'gzip' : 'Zstandard';
    if (bytes > 0) return `it breaks off in its first line (${messageOf(error)})`;
    return `it is no ${kind} file, or broken at its beginning (${messageOf(error)})`;
  }
}

/** Opens archives, and remembers which of them broke off and where. */
export class WatchedArchives {
  readonly #open: OpenArchive;
  readonly #problems = new Map<string, ImportProblem>();

  constructor(open: OpenArchive) {
    this.#open = open;
  }

  readonly open: OpenArchive = (path, compression, inode) => this.#watch(path, compression, inode);

  /** Each file that broke off, once. */
  get problems(): readonly ImportProblem[] {
    return [...this.#problems.values()];
  }

  async *#watch(path: string, compression: 'gz' | 'zst', inode?: string): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    try {
      for await (const chunk of this.#open(path, compression, inode)) {
        bytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      const reason = `it breaks off or is broken behind ${bytes} bytes of its content (${messageOf(error)})`;
      this.#problems.set(path, { path, reason });
      throw error;
    }
  }
}
