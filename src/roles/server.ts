/** `logboom server`: answers searches; takes records and indexes them too, unless indexers of their own do that. */
import { BugError } from '../base/assert.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { Service } from '../base/service.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import { TailHub } from '../api/tail-hub.ts';
import { LiveTail } from '../indexer/live-tail.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { checkConfig } from './check-config.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createProgressWatch, watchRoad } from './progress-watch.ts';
import { createReachWatch, roadProbes, storeProbes, withReach } from './reach-watch.ts';
import { openRoad } from './road.ts';
import type { Road } from './road.ts';
import { createIndexing } from './indexing.ts';
import { partsOf, problemsOf } from './part-problems.ts';
import { createApi } from './server-parts.ts';
import { openStorage } from './storage.ts';
import type { Storage } from './storage.ts';
import { createRoleTelemetry } from './telemetry.ts';
import type { TallyingTelemetry } from './telemetry.ts';

/** Runs until it is told to stop, and returns the exit code. */
export async function runServer(context: CliContext, { loaded }: RunOptions): Promise<number> {
  const { config } = loaded;
  checkConfig(config);
  const telemetry = createRoleTelemetry(context, loaded);
  if (!hasIndexer(config)) return serve(context, config, telemetry);
  const lock = takeDataDirectory(config.data);
  try {
    return await serve(context, config, telemetry);
  } finally {
    lock.release();
  }
}

/** A server indexes what it takes, and what a broker has for a store that only this process can write. */
function hasIndexer({ transport, store }: Config): boolean {
  return transport.kind !== 'kafka' || store.kind === 'embedded';
}

async function serve(context: CliContext, config: Config, telemetry: TallyingTelemetry): Promise<number> {
  const storage = await openStorage(config, telemetry);
  const road = await openRoad(config, telemetry);
  const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
  const { tail, worker, follow } = hasIndexer(config)
    ? withIndexer(config, { storage, road, telemetry, budget })
    : withoutIndexer(config, road, telemetry);
  const reach = createReachWatch(
    [...storeProbes(storage), ...(hasIndexer(config) ? [] : roadProbes(road))],
    telemetry,
  );
  const watch = createProgressWatch(watchRoad(road, telemetry));
  const api = createApi({
    config,
    storage,
    road,
    tail,
    follow,
    telemetry,
    version: context.version,
    problems: () => withReach(problemsOf([worker, watch, api, ...partsOf(storage, road)]), reach),
    sources: () => [],
    refreshLedger: () => Promise.resolve(),
  });
  try {
    const address = await api.start();
    printIntro(context, { config: { ...config, sources: [] }, isCollecting: false, address, telemetry });
  } catch (error) {
    await road.close();
    await storage.close();
    throw error;
  }
  return runUntilStopped({
    services: [api, worker, watch, reach],
    budget,
    telemetry,
    onStopping: () => sayStopping(context, telemetry),
    async onStopped(isDrained) {
      await road.close();
      await storage.close();
      const records = telemetry.total('logboom_indexer_records_total:stored');
      sayStopped(context, telemetry, { isDrained, records, saved: 'store closed' });
    },
  });
}

/** What a server does beside answering. */
interface Work {
  readonly worker: Service;
  readonly tail: TailHub;
  /** Resolves once a client that follows from now on misses nothing. */
  readonly follow: (() => Promise<void>) | undefined;
}

function withIndexer(
  config: Config,
  parts: { storage: Storage; road: Road; telemetry: Telemetry; budget: DrainBudget },
): Work {
  const { indexer, tail } = createIndexing(config, parts);
  return { worker: indexer, tail, follow: undefined };
}

function withoutIndexer(config: Config, { openTail }: Road, telemetry: Telemetry): Work {
  const tail = new TailHub();
  const { pipelines, batchBytesMax } = config.indexer;
  const live = new LiveTail({
    pipelines,
    batchBytesMax,
    openTail: () =>
      openTail === undefined ? Promise.reject(new BugError('a broker has an end')) : openTail(),
    scheduler: nodeScheduler,
    telemetry,
    isWatched: () => tail.clientCount > 0,
    onRecords: (batches) => tail.publish(batches),
  });
  return { worker: live, tail, follow: () => live.follow() };
}
