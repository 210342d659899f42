/** The indexer of a role with the live tail beside it, put together the same way for `up`, `server`, `indexer` and `import`. */
import path from 'node:path';
import { TailHub } from '../api/tail-hub.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import type { Config } from '../config/config.ts';
import { createCrashNotes } from '../indexer/crash-notes.ts';
import { createIndexer } from '../indexer/indexer.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { DrainBudget } from './drain-budget.ts';
import type { Road } from './road.ts';
import type { Storage } from './storage.ts';

export interface Indexing {
  readonly indexer: Service;
  readonly tail: TailHub;
}

export interface IndexingParts {
  readonly storage: Storage;
  readonly road: Road;
  readonly telemetry: Telemetry;
  readonly budget: DrainBudget;
}

/** Makes the indexer between a road and a store, with the live tail beside it. */
export function createIndexing(config: Config, parts: IndexingParts): Indexing {
  const { storage, road, telemetry, budget } = parts;
  const tail = new TailHub();
  const indexer = createIndexer({
    pipelines: config.indexer.pipelines,
    batchBytesMax: config.indexer.batchBytesMax,
    transport: road.transport,
    store: storage.store,
    rounds: storage.rounds,
    scheduler: nodeScheduler,
    telemetry,
    onStored: (batches) => tail.publish(batches),
    // Asked for when the indexer stops: what is left then is what it has.
    get drainMsMax() {
      return budget.indexerMs;
    },
    crashNotes: createCrashNotes(nodeFileSystem, path.join(config.data, 'indexer')),
  });
  return { indexer, tail };
}
