/** Embedded stores on the real engine, in a directory of their own that is removed at the end. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeFileSystem } from '../../../base/node/node-file-system.ts';
import { nodeScheduler } from '../../../base/node/node-scheduler.ts';
import { startDuckDbEngine } from '../duckdb-engine.ts';
import type { EmbeddedStore } from '../embedded-store.ts';
import { openEmbeddedStore } from '../embedded-store.ts';
import type { SegmentEngine } from '../segment-engine.ts';

export interface DuckDbWorldOptions {
  readonly threads?: number;
  readonly freeBytesMin?: number;
  /** Of a segment; the engine's own maximum when nothing is said. */
  readonly columnsMax?: number;
  /** One that is running; the store closes it. */
  readonly engine?: SegmentEngine;
}

export class DuckDbWorld {
  /** The directory of everything. */
  readonly root = fs.mkdtempSync(path.join(os.tmpdir(), 'logboom-store-'));
  readonly #stores: EmbeddedStore[] = [];

  directoryOf(name: string): string {
    return path.join(this.root, name);
  }

  /** Where the engine of a store spills to. */
  temporaryDirectoryOf(name: string): string {
    return path.join(this.directoryOf(name), 'tmp');
  }

  /** Opens the store of that name, which is closed by `close`; one that is open must be closed first. */
  async openStore(
    name: string,
    { freeBytesMin = 0, engine, ...options }: DuckDbWorldOptions = {},
  ): Promise<EmbeddedStore> {
    const ignore = (): void => undefined;
    const store = await openEmbeddedStore({
      directory: this.directoryOf(name),
      config: {
        retention: { bytesMax: 1e12, ageMsMax: undefined },
        journalBytesMax: 1e9,
        journalAgeMsMax: 1e9,
        freeBytesMin,
      },
      fileSystem: nodeFileSystem,
      scheduler: nodeScheduler,
      telemetry: { count: ignore, gauge: ignore, observe: ignore, log: ignore },
      engine: engine ?? (await this.startEngine(name, options)),
    });
    this.#stores.push(store);
    return store;
  }

  /** Starts an engine, which its caller closes. */
  startEngine(
    name: string,
    { threads = 1, columnsMax }: Pick<DuckDbWorldOptions, 'threads' | 'columnsMax'> = {},
  ): Promise<SegmentEngine> {
    const temporaryDirectory = this.temporaryDirectoryOf(name);
    fs.mkdirSync(temporaryDirectory, { recursive: true });
    return startDuckDbEngine({
      memoryBytesMax: 256e6,
      threads,
      temporaryDirectory,
      ...(columnsMax === undefined ? {} : { columnsMax }),
      fileSystem: nodeFileSystem,
    });
  }

  async close(): Promise<void> {
    for (const store of this.#stores) await store.close();
    fs.rmSync(this.root, { recursive: true });
  }
}
