/** `logboom server`: takes records over HTTP, stores them, and answers searches. */
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import { checkConfig } from './check-config.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createApi, createPipeline, openStorage, problemsOf } from './server-parts.ts';
import { createRoleTelemetry } from './telemetry.ts';

/** Runs until it is told to stop, and returns the exit code. */
export async function runServer(context: CliContext, { loaded }: RunOptions): Promise<number> {
  const { config } = loaded;
  checkConfig(config);
  const lock = takeDataDirectory(config.data);
  try {
    const telemetry = createRoleTelemetry(context, loaded);
    const storage = await openStorage(config, telemetry);
    const { store } = storage;
    const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
    const pipeline = createPipeline(config, { store, telemetry, budget });
    const api = createApi({
      config,
      store,
      pipeline,
      telemetry,
      version: context.version,
      problems: () => problemsOf([pipeline.indexer, api, { name: 'store', problem: () => store.problem() }]),
      sources: () => [],
      refreshLedger: () => Promise.resolve(),
    });
    try {
      printIntro(context, {
        config: { ...config, sources: [] },
        isCollecting: false,
        address: await api.start(),
        telemetry,
      });
    } catch (error) {
      await storage.close();
      throw error;
    }
    return await runUntilStopped({
      services: [api, pipeline.indexer],
      budget,
      telemetry,
      onStopping: () => sayStopping(context, telemetry),
      async onStopped(isDrained) {
        await pipeline.transport.close();
        await storage.close();
        const records = telemetry.total('logboom_indexer_records_total:stored');
        sayStopped(context, telemetry, { isDrained, records, saved: 'store closed' });
      },
    });
  } finally {
    lock.release();
  }
}
