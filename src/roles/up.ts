/** `logboom up`: agent, indexer, store and API in one process, joined by memory. */
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { createRealAgent, leftBytesOf, refreshLedger, sourceStatuses } from './agent-parts.ts';
import { checkConfig } from './check-config.ts';
import { takeDataDirectory } from './data-directory.ts';
import { startDemo } from './demo/demo.ts';
import { DrainBudget } from './drain-budget.ts';
import { printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createApi, createPipeline, openStorage, problemsOf } from './server-parts.ts';
import type { Storage } from './server-parts.ts';
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
    return await runAll(context, { ...options.loaded, config }, { storage, telemetry, demo });
  } finally {
    await demo?.stop();
    lock.release();
  }
}

interface Opened {
  readonly storage: Storage;
  readonly telemetry: TallyingTelemetry;
  readonly demo: Awaited<ReturnType<typeof startDemo>> | undefined;
}

async function runAll(context: CliContext, { config }: LoadedConfig, opened: Opened): Promise<number> {
  const { storage, telemetry, demo } = opened;
  const { store } = storage;
  const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
  const pipeline = createPipeline(config, { store, telemetry, budget });
  const { version } = context;
  const { producer } = pipeline.transport;
  const agent = createRealAgent({ config, telemetry, producer, version, drainMsMax: budget.agentMs });
  const api = createApi({
    config,
    store,
    pipeline,
    telemetry,
    version,
    problems: () =>
      problemsOf([agent, pipeline.indexer, api, { name: 'store', problem: () => store.problem() }]),
    sources: () => sourceStatuses(agent, config.sources),
    refreshLedger: () => refreshLedger(agent),
    agentNode: config.node.name,
  });
  try {
    const address = await api.start();
    printIntro(context, { config, isCollecting: true, address, telemetry, demo: demo?.description });
  } catch (error) {
    await storage.close();
    throw error;
  }
  return runUntilStopped({
    services: [agent, pipeline.indexer, api],
    budget,
    telemetry,
    onStopping: () => sayStopping(context, telemetry),
    async onStopped(isDrained) {
      await pipeline.transport.close();
      await storage.close();
      const records = telemetry.total('logboom_agent_acknowledged_records_total');
      const saved = 'checkpoint saved';
      sayStopped(context, telemetry, { isDrained, records, saved, leftBytes: leftBytesOf(agent) });
    },
  });
}
