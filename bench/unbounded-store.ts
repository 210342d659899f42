import fs from 'node:fs';
import path from 'node:path';
import { nodeCrc32 } from '../src/base/node/node-crc32.ts';
import { nodeFileSystem } from '../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../src/base/node/node-scheduler.ts';
import { startDuckDbEngine } from '../src/store/embedded/duckdb-engine.ts';
import type { EmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import { openEmbeddedStore } from '../src/store/embedded/embedded-store.ts';

/** Opens an embedded store that removes nothing and seals only when it is told to. */
export async function openUnboundedStore(storeDirectory: string, threads: number): Promise<EmbeddedStore> {
  const temporaryDirectory = path.join(storeDirectory, 'tmp');
  fs.mkdirSync(temporaryDirectory, { recursive: true });
  const ignore = (): void => undefined;
  const forever = Number.MAX_SAFE_INTEGER;
  return openEmbeddedStore({
    directory: storeDirectory,
    config: {
      retention: { bytesMax: forever, ageMsMax: undefined },
      journalBytesMax: 1 << 30,
      journalAgeMsMax: forever,
      freeBytesMin: 0,
    },
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry: { count: ignore, gauge: ignore, observe: ignore, log: ignore },
    engine: await startDuckDbEngine({
      memoryBytesMax: 256 << 20,
      threads,
      temporaryDirectory,
      fileSystem: nodeFileSystem,
    }),
    crc32: nodeCrc32,
  });
}
