/**
 * How long an appended line takes to be found by search: `logboom up` on the embedded store, other lines arriving
 * beside it, each marked line searched for until it is there.
 *
 *   node bench/latency.bench.ts [--json] [--rate LINES_PER_SECOND] [--probes N]
 *
 * The search's own time is part of the figure.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compileInto } from './compiled.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5000' },
    probes: { type: 'string', default: '200' },
  },
});

const PORT = 6491;
const TICK_MS = 50;
const PROBE_PAUSE_MS = 100;
const POLL_MS = 10;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-latency-'));
const logs = path.join(directory, 'logs');
mkdirSync(logs);
const configPath = path.join(directory, 'logboom.yaml');
writeFileSync(
  configPath,
  `data: ${directory}/data\nsources: [ { kind: files, paths: ["${logs}/*.log"] } ]\n`,
);
const program = compileInto(path.join(directory, 'compiled'), 'src/main.ts');
const args = [program, 'up', '--config', configPath, '--listen', `127.0.0.1:${PORT}`];
const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
process.on('exit', () => {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

await waitUntilReady();
const background = setInterval(writeBackground, TICK_MS);
await sleep(2000);
const latencies: number[] = [];
for (let probe = 0; probe < Number(values.probes); probe++) {
  latencies.push(await measureOne(probe));
  await sleep(PROBE_PAUSE_MS);
}
clearInterval(background);
latencies.sort((left, right) => left - right);
const result = {
  bench: 'append to found',
  linesPerSecond: Number(values.rate),
  probes: latencies.length,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
  maxMs: percentile(1),
};
const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
process.exit();

async function measureOne(probe: number): Promise<number> {
  const marker = `marker-${process.pid}-${probe}-end`;
  const started = performance.now();
  appendFileSync(path.join(logs, 'probe.log'), `${new Date().toISOString()} INFO ${marker}\n`);
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${PORT}/api/v1/search?start=now-1m&query=%22${marker}%22`);
    const body = (await response.json()) as { records?: unknown[] };
    if (body.records === undefined)
      throw new Error(`search answered ${response.status} ${JSON.stringify(body)}`);
    if (body.records.length > 0) return Math.round(performance.now() - started);
    await sleep(POLL_MS);
  }
}

function writeBackground(): void {
  const count = Math.round((Number(values.rate) * TICK_MS) / 1000);
  let text = '';
  for (let line = 0; line < count; line++) {
    text += `${new Date().toISOString()} INFO request ${Math.random().toString(36)} handled in ${line} ms by worker 7\n`;
  }
  appendFileSync(path.join(logs, `background-${Math.floor(Math.random() * 4)}.log`), text);
}

async function waitUntilReady(): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${PORT}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await sleep(100);
  }
}

function percentile(share: number): number {
  const index = Math.min(latencies.length - 1, Math.floor(share * latencies.length));
  return latencies[index] ?? 0;
}
