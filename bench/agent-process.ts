/**
 * The agent alone in a process, shipping to a producer that acknowledges and discards: what `agent.bench.ts`
 * measures. Configuration comes as a file, figures go out over IPC whenever the parent asks.
 */
import { readFileSync } from 'node:fs';
import { keepHeapSmall } from '../src/base/node/small-heap.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { createRealAgent } from '../src/roles/agent-parts.ts';
import { MemoryTelemetry } from '../src/telemetry/memory-telemetry.ts';
import type { Producer } from '../src/transport/transport.ts';

export interface AgentFigures {
  readonly records: number;
  readonly bytes: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly residentBytes: number;
}

keepHeapSmall();
const configPath = process.argv[2] ?? '';
let records = 0;
let bytes = 0;
const producer: Producer = {
  send: (batch) => {
    records += batch.count;
    bytes += batch.body.length;
    return Promise.resolve();
  },
  sendLedger: () => Promise.resolve(),
};
const { config } = loadConfig({
  flags: [],
  environment: {},
  file: { name: configPath, text: readFileSync(configPath, 'utf8') },
  hostName: 'bench',
  workingDirectory: '/',
  hasDirectory: () => false,
});
const agent = createRealAgent({ config, telemetry: new MemoryTelemetry(), producer, version: 'bench' });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const figures: AgentFigures = {
    records,
    bytes,
    userMs: user / 1000,
    systemMs: system / 1000,
    residentBytes: process.memoryUsage.rss(),
  };
  process.send?.(figures);
});
process.on('disconnect', () => process.exit());
await agent.run();
