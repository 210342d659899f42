/**
 * Every match of a snapshot as one Parquet file: written to a temporary file, because the format ends with its
 * index, then handed out in blocks and removed, also when the reader goes away. What a killed process left is removed
 * when the store opens.
 */
import { AppError } from '../../base/errors.ts';
import type { FileSystem } from '../../base/file-system.ts';
import type { SegmentEngine, SourceScan } from './segment-engine.ts';
import type { Snapshot } from './store-state.ts';

const BLOCK_BYTES = 256 * 1024;

/** Exports at a time: each holds its result on the disk. */
const EXPORTS_MAX = 4;

export interface ParquetExportOptions {
  readonly engine: SegmentEngine;
  readonly fileSystem: FileSystem;
  /** Directory of the temporary files; made when it is not there. */
  readonly directory: string;
  /** With less room than this nothing is begun. */
  readonly freeBytesMin: number;
}

export class ParquetExports {
  readonly #options: ParquetExportOptions;
  #running = 0;
  #nextNumber = 1;

  constructor(options: ParquetExportOptions) {
    this.#options = options;
  }

  /**
   * Yields the file in blocks, which are the caller's. `take` is called when the first one is asked for. Throws `too_busy`, `disk_full`,
   * `aborted`, and `corrupt` when a file of the snapshot cannot be read.
   */
  async *run(take: () => Snapshot, request: SourceScan, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { fileSystem, directory } = this.#options;
    const path = `${directory}/export-${this.#nextNumber++}.parquet`;
    this.#running += 1;
    try {
      await this.#write(path, take, request, signal);
      yield* readBlocks(fileSystem, path, signal);
    } finally {
      this.#running -= 1;
      if (fileSystem.stat(path) !== undefined) fileSystem.unlink(path);
    }
  }

  async #write(path: string, take: () => Snapshot, request: SourceScan, signal: AbortSignal): Promise<void> {
    const { engine, fileSystem, directory, freeBytesMin } = this.#options;
    if (this.#running > EXPORTS_MAX) {
      throw new AppError('too_busy', 'cannot export to Parquet: others are at it', {
        hint: 'Try again when they are done, or export as ndjson.',
      });
    }
    fileSystem.makeDirectory(directory);
    if (fileSystem.freeBytes(directory) < freeBytesMin) {
      throw new AppError('disk_full', 'cannot export to Parquet', {
        hint: 'The file is made on the disk of the store first: free space, or export as ndjson.',
      });
    }
    const { query, range } = request;
    const snapshot = take();
    const sources = snapshot.sources.map(({ source }) => source);
    await engine.copyMatches({ sources, query, range, path }, signal).finally(() => snapshot.release());
  }
}

async function* readBlocks(
  fileSystem: FileSystem,
  path: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const fd = fileSystem.open(path, 'r');
  try {
    for (let position = 0; ;) {
      if (signal.aborted) throw new AppError('aborted', 'cannot finish the export');
      const block = new Uint8Array(BLOCK_BYTES);
      const count = fileSystem.read(fd, block, 0, block.length, position);
      if (count === 0) return;
      position += count;
      yield block.subarray(0, count);
    }
  } finally {
    fileSystem.close(fd);
  }
}
