/** `logboom agent`: follows files and posts their records to a server. */
import { assert } from '../base/assert.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import { HttpProducer } from '../transport/http/http-producer.ts';
import { createRealAgent, leftBytesOf } from './agent-parts.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { createHealthServer } from './health-server.ts';
import { printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { problemsOf } from './server-parts.ts';
import { createRoleTelemetry } from './telemetry.ts';

/** Runs until it is told to stop, and returns the exit code. */
export async function runAgent(context: CliContext, { loaded }: RunOptions): Promise<number> {
  const { config } = loaded;
  const { transport } = config;
  assert(transport.kind === 'http', 'an agent on its own posts to a server');
  const lock = takeDataDirectory(config.data);
  try {
    const telemetry = createRoleTelemetry(context, loaded);
    const { fetch, version } = context;
    const producer = new HttpProducer({ ...transport, fetch, scheduler: nodeScheduler, telemetry });
    const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
    const agent = createRealAgent({ config, telemetry, producer, version, drainMsMax: budget.agentMs });
    const health = createHealthServer({
      listen: config.agent.listen,
      problems: () => problemsOf([agent, { name: 'transport', problem: () => producer.problem() }]),
      metricsText: () => telemetry.metricsText(),
    });
    const address = await health.start();
    printIntro(context, { config, isCollecting: true, address, telemetry, target: transport.url });
    return await runUntilStopped({
      services: [agent, health],
      budget,
      telemetry,
      onStopping: () => sayStopping(context, telemetry),
      async onStopped(isDrained) {
        await producer.close();
        const records = telemetry.total('logboom_agent_acknowledged_records_total');
        const saved = 'checkpoint saved';
        sayStopped(context, telemetry, { isDrained, records, saved, leftBytes: leftBytesOf(agent) });
      },
    });
  } finally {
    lock.release();
  }
}
