import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import { startDuckDbEngine } from '../../src/store/embedded/duckdb-engine.ts';
import type { EmbeddedStore } from '../../src/store/embedded/embedded-store.ts';
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createTailStore } from './tail-store.ts';

export interface ScenarioStore {
  readonly name: string;
  /** Opens an empty store; the runner closes it. */
  open(): Promise<Store>;
}

/** Every store that must give the answers of the scenarios. */
export const SCENARIO_STORES: readonly ScenarioStore[] = [
  { name: 'memory', open: () => Promise.resolve(new MemoryStore()) },
  { name: 'live tail', open: () => Promise.resolve(createTailStore()) },
  { name: 'unsealed embedded', open: () => openEmbedded(() => Promise.resolve()) },
  { name: 'sealed embedded', open: () => openEmbedded((store) => store.seal()) },
];

/** Opens an embedded store in a directory of its own; `settle` is awaited behind every append. */
async function openEmbedded(settle: (store: EmbeddedStore) => Promise<void>): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), 'logboom-scenarios-'));
  const temporaryDirectory = join(directory, 'tmp');
  mkdirSync(temporaryDirectory);
  const ignore = (): void => undefined;
  const store = await openEmbeddedStore({
    directory,
    config: {
      retention: { bytesMax: Number.MAX_SAFE_INTEGER, ageMsMax: undefined },
      journalBytesMax: Number.MAX_SAFE_INTEGER,
      journalAgeMsMax: Number.MAX_SAFE_INTEGER,
      freeBytesMin: 0,
    },
    fileSystem: nodeFileSystem,
    scheduler: nodeScheduler,
    telemetry: { count: ignore, gauge: ignore, observe: ignore, log: ignore },
    engine: await startDuckDbEngine({
      memoryBytesMax: 256 << 20,
      threads: 1,
      temporaryDirectory,
      fileSystem: nodeFileSystem,
    }),
  });
  return {
    async append(batches, signal) {
      const result = await store.append(batches, signal);
      await settle(store);
      return result;
    },
    appendLedger: (records, signal) => store.appendLedger(records, signal),
    search: (request, signal) => store.search(request, signal),
    export: (request, signal) => store.export(request, signal),
    histogram: (request, signal) => store.histogram(request, signal),
    stats: () => store.stats(),
    audit: (signal) => store.audit(signal),
    agents: () => store.agents(),
    problem: () => store.problem(),
    async close() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
