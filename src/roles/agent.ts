/** `logboom agent`: follows files and sends their records to a server or a broker. */
import { assert } from '../base/assert.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import { shrinkHeap } from '../base/node/small-heap.ts';
import type { CliContext, RunOptions } from '../cli/context.ts';
import type { Config } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { HttpProducer } from '../transport/http/http-producer.ts';
import type { Producer } from '../transport/transport.ts';
import { createRealAgent, leftBytesOf } from './agent-parts.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { createHealthServer } from './health-server.ts';
import { createAgentHeartbeat } from './heartbeat.ts';
import { placeOfTransport, printIntro, sayStopped, sayStopping } from './intro.ts';
import { runUntilStopped } from './lifecycle.ts';
import { createProgressWatch, watchFiles } from './progress-watch.ts';
import { openRoad } from './road.ts';
import { problemsOf } from './part-problems.ts';
import { createRoleTelemetry } from './telemetry.ts';

/** What a start leaves behind is garbage by then, and what runs all the time has run. */
const SHRINK_MS = 6_000;

/** Runs until it is told to stop, and returns the exit code. */
export async function runAgent(context: CliContext, { loaded }: RunOptions): Promise<number> {
  const { config } = loaded;
  const lock = takeDataDirectory(config.data);
  try {
    const telemetry = createRoleTelemetry(context, loaded);
    const { version } = context;
    const { producer, ...sender } = await openSender(context, config, telemetry);
    const budget = new DrainBudget(config.drainMsMax, nodeScheduler);
    const agent = createRealAgent({ config, telemetry, producer, version, drainMsMax: budget.agentMs });
    const heartbeat = createAgentHeartbeat(agent, { config, telemetry, producer, version });
    telemetry.gauge('logboom_agent_buffer_bytes_max', config.agent.bufferBytesMax);
    const watch = createProgressWatch([watchFiles(() => agent.files(), telemetry)]);
    const health = createHealthServer({
      listen: config.agent.listen,
      problems: () => problemsOf([agent, watch, { name: 'transport', problem: sender.problem }]),
      metricsText: () => telemetry.metricsText(),
    });
    const address = await health.start();
    printIntro(context, {
      config,
      isCollecting: true,
      address,
      telemetry,
      target: placeOfTransport(config.transport),
    });
    nodeScheduler.schedule(SHRINK_MS, shrinkHeap);
    return await runUntilStopped({
      services: [agent, heartbeat, watch, health],
      budget,
      telemetry,
      onStopping: () => sayStopping(context, telemetry),
      async onStopped(isDrained) {
        await sender.close();
        const records = telemetry.total('logboom_agent_acknowledged_records_total');
        const saved = 'checkpoint saved';
        sayStopped(context, telemetry, { isDrained, records, saved, leftBytes: leftBytesOf(agent) });
      },
    });
  } finally {
    lock.release();
  }
}

interface Sender {
  readonly producer: Producer;
  readonly problem: () => string | undefined;
  readonly close: () => Promise<void>;
}

async function openSender(context: CliContext, config: Config, telemetry: Telemetry): Promise<Sender> {
  const { transport } = config;
  assert(transport.kind !== 'memory', 'an agent on its own sends to others');
  if (transport.kind === 'http') {
    const { fetch } = context;
    const producer = new HttpProducer({ ...transport, fetch, scheduler: nodeScheduler, telemetry });
    return { producer, problem: () => producer.problem(), close: () => producer.close() };
  }
  const road = await openRoad(config, telemetry);
  return { producer: road.transport.producer, problem: () => road.problem(), close: () => road.close() };
}
