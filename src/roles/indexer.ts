/** `logboom indexer`: takes records from a broker, runs the pipelines, and writes to a search cluster. */
import path from 'node:path';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import { checkConfig } from './check-config.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { createHealthServer } from './health-server.ts';
import { placeOfStore, printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createProgressWatch, watchRoad } from './progress-watch.ts';
import { createReachWatch, storeProbes, withReach } from './reach-watch.ts';
import { openRoad } from './road.ts';
import { createIndexing } from './indexing.ts';
import { partsOf, problemsOf } from './part-problems.ts';
import { openStorage } from './storage.ts';
import { createRoleTelemetry } from './telemetry.ts';

/** Runs until it is told to stop, and returns the exit code. */
export async function runIndexer(context: CliContext, { loaded }: RunOptions): Promise<number> {
  const { config } = loaded;
  checkConfig(config);
  // A directory of its own, so that an agent beside it can have the same data directory.
  const lock = takeDataDirectory(path.join(config.data, 'indexer'));
  try {
    const telemetry = createRoleTelemetry(context, loaded);
    const storage = await openStorage(config, telemetry);
    const road = await openRoad(config, telemetry);
    const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
    const { indexer } = createIndexing(config, { storage, road, telemetry, budget });
    const reach = createReachWatch(storeProbes(storage), telemetry);
    const watch = createProgressWatch(watchRoad(road, telemetry));
    const health = createHealthServer({
      listen: config.indexer.listen,
      problems: () => withReach(problemsOf([indexer, watch, ...partsOf(storage, road)]), reach),
      metricsText: () => telemetry.metricsText(),
    });
    const address = await health.start();
    const target = placeOfStore(config.store);
    printIntro(context, {
      config: { ...config, sources: [] },
      isCollecting: false,
      address,
      telemetry,
      target,
    });
    return await runUntilStopped({
      services: [indexer, watch, reach, health],
      budget,
      telemetry,
      onStopping: () => sayStopping(context, telemetry),
      async onStopped(isDrained) {
        await road.close();
        await storage.close();
        const records = telemetry.total('logboom_indexer_records_total:stored');
        sayStopped(context, telemetry, { isDrained, records, saved: 'positions committed' });
      },
    });
  } finally {
    lock.release();
  }
}
