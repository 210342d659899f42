/** `logboom up`: agent, indexer, store and API in one process, joined by memory or by a broker. */
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { createRealAgent, leftBytesOf, refreshLedger, sourceStatuses } from './agent-parts.ts';
import { checkConfig } from './check-config.ts';
import { takeDataDirectory } from './data-directory.ts';
import { startDemo } from './demo/demo.ts';
import { DrainBudget } from './drain-budget.ts';
import { createAgentHeartbeat } from './heartbeat.ts';
import { printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createProgressWatch, watchFiles, watchRoad } from './progress-watch.ts';
import { createReachWatch, storeProbes, withReach } from './reach-watch.ts';
import { openRoad } from './road.ts';
import type { Road } from './road.ts';
import { createIndexing } from './indexing.ts';
import { partsOf, problemsOf } from './part-problems.ts';
import { createApi, untilIndexed } from './server-parts.ts';
import { openStorage } from './storage.ts';
import type { Storage } from './storage.ts';
import { createRoleTelemetry } from './telemetry.ts';
import type { TallyingTelemetry } from './telemetry.ts';

/** Runs until it is told to stop, and returns the exit code. */
export async function runUp(context: CliContext, options: RunOptions): Promise<number> {
  checkConfig(options.loaded.config);
  const lock = takeDataDirectory(options.loaded.config.data);
  const telemetry = createRoleTelemetry(context, options.loaded);
  const demo = options.isDemo ? await startDemo(options.loaded.config, telemetry) : undefined;
  try {
    const storage = await openStorage(options.loaded.config, telemetry);
    const config = demo?.config ?? options.loaded.config;
    const road = await openRoad(config, telemetry);
    return await runAll(context, { ...options.loaded, config }, { storage, road, telemetry, demo });
  } finally {
    await demo?.stop();
    lock.release();
  }
}

interface Opened {
  readonly storage: Storage;
  readonly road: Road;
  readonly telemetry: TallyingTelemetry;
  readonly demo: Awaited<ReturnType<typeof startDemo>> | undefined;
}

async function runAll(context: CliContext, { config }: LoadedConfig, opened: Opened): Promise<number> {
  const { storage, road, telemetry, demo } = opened;
  const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
  const { indexer, tail } = createIndexing(config, { storage, road, telemetry, budget });
  const { version } = context;
  const { producer } = road.transport;
  const agent = createRealAgent({ config, telemetry, producer, version, drainMsMax: budget.agentMs });
  const heartbeat = createAgentHeartbeat(agent, { config, telemetry, producer, version });
  telemetry.gauge('logboom_agent_buffer_bytes_max', config.agent.bufferBytesMax);
  const reach = createReachWatch(storeProbes(storage), telemetry);
  const watch = createProgressWatch([
    watchFiles(() => agent.files(), telemetry),
    ...watchRoad(road, telemetry),
  ]);
  const api = createApi({
    config,
    storage,
    road,
    tail,
    telemetry,
    version,
    problems: () => withReach(problemsOf([agent, indexer, watch, api, ...partsOf(storage, road)]), reach),
    sources: () => sourceStatuses(agent, config.sources),
    refreshLedger: async () => {
      await refreshLedger(agent);
      await untilIndexed(road);
    },
    agentNode: config.node.name,
  });
  try {
    const address = await api.start();
    printIntro(context, { config, isCollecting: true, address, telemetry, demo: demo?.description });
  } catch (error) {
    await road.close();
    await storage.close();
    throw error;
  }
  return runUntilStopped({
    services: [agent, heartbeat, indexer, watch, reach, api],
    budget,
    telemetry,
    onStopping: () => sayStopping(context, telemetry),
    async onStopped(isDrained) {
      await road.close();
      await storage.close();
      const records = telemetry.total('logboom_agent_acknowledged_records_total');
      const saved = 'checkpoint saved';
      sayStopped(context, telemetry, { isDrained, records, saved, leftBytes: leftBytesOf(agent) });
    },
  });
}
