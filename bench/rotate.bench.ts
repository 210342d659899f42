/**
 * What rotation costs and holds: one writer appends at a steady rate or as fast as it can while the agent follows and
 * rotates, once per method; and a writer with its own offset beside copytruncate.
 *
 *   node bench/rotate.bench.ts [--json] [--seconds N] [--rate MB_PER_SECOND] [--size MIB] [--only METHOD]
 *
 * `highWater` is the most that the directory had on disk, looked at every 50 ms; `lost` the lines that the agent did
 * not send. CPU time is the agent's process's, with its rotation. The data directory is on the same disk.
 */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AgentFigures } from './agent-process.ts';
import { compileInto } from './compiled.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '15' },
    rate: { type: 'string', default: '30' },
    size: { type: 'string', default: '64' },
    only: { type: 'string' },
  },
});

const MB = 1e6;
const LINE_BYTES = 100;
const CHUNK_LINES = 2000;
const LOOK_MS = 50;
const DRAIN_MS_MAX = 60_000;
const STAT_BLOCK_BYTES = 512;

/** Policies by the name of the measure; the writer opens its file again where the method needs it. */
const METHODS: Readonly<Record<string, { readonly policy: string; readonly isWatched: boolean }>> = {
  none: { policy: 'method: none', isWatched: false },
  punch: { policy: 'method: punch', isWatched: false },
  rename: { policy: 'method: rename, keep: 1', isWatched: true },
  logrotate: { policy: 'method: logrotate, schedule: "* * * * * *", keep: 1', isWatched: true },
  copytruncate: {
    policy: 'method: logrotate, schedule: "* * * * * *", keep: 1, copytruncate: true',
    isWatched: false,
  },
};

/** Appends numbered lines for some seconds, and prints how many; opens its file again when it was replaced. */
const WRITER = `
const fs = require('node:fs');
const [file, seconds, bytesPerSecond, isWatched] = process.argv.slice(1);
let fd = fs.openSync(file, 'a');
const startedMs = performance.now();
let number = 0, bytes = 0;
const next = () => {
  const elapsedMs = performance.now() - startedMs;
  if (elapsedMs >= seconds * 1000) {
    process.stdout.write(JSON.stringify({ lines: number, bytes, ms: elapsedMs }));
    return;
  }
  if (isWatched === 'true' && fs.statSync(file, { throwIfNoEntry: false })?.ino !== fs.fstatSync(fd).ino) {
    fs.closeSync(fd);
    fd = fs.openSync(file, 'a');
  }
  if (bytesPerSecond === '0' || bytes < (elapsedMs / 1000) * bytesPerSecond) {
    let chunk = '';
    for (let index = 0; index < ${CHUNK_LINES}; index += 1) chunk += String(number++).padStart(${LINE_BYTES - 1}, '.') + '\\n';
    bytes += fs.writeSync(fd, chunk);
    setImmediate(next);
  } else setTimeout(next, 2);
};
next();
`;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const agentProcess = await compileInto(path.join(directory, 'compiled'), 'bench/agent-process.ts');
for (const [name, method] of Object.entries(METHODS)) {
  if (values.only !== undefined && values.only !== name) continue;
  const result = { method: name, ...(await measure(name, method)) };
  const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
  process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
}
process.exit();

async function measure(
  name: string,
  { policy, isWatched }: { policy: string; isWatched: boolean },
): Promise<Record<string, string | number>> {
  const root = path.join(directory, name);
  const log = path.join(root, 'logs/shop/cart/cart-0/log');
  mkdirSync(log, { recursive: true });
  const config = path.join(root, 'logboom.yaml');
  writeFileSync(
    config,
    `data: ${root}/data
sources: [ { kind: apps, root: ${root}/logs } ]
transport: { kind: http, url: "http://127.0.0.1:9" }
rotate: [ { match: { app: "*" }, ${policy}, size: ${values.size}MiB } ]
`,
  );
  const agent = fork(agentProcess, [config], { execArgv: ['--expose-gc'] });
  await ask(agent);
  const rate = String(Number(values.rate) * MB);
  const args = ['-e', WRITER, path.join(log, 'app.log'), values.seconds, rate, String(isWatched)];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  writer.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(writer, 'close');
  const water = watchDisk(log);
  await closed;
  const highWater = water.stop();
  const written = JSON.parse(output) as { lines: number; bytes: number; ms: number };
  const figures = await drain(agent, written.lines);
  agent.kill();
  const cpuSeconds = (figures.userMs + figures.systemMs) / 1000;
  rmSync(root, { recursive: true, force: true });
  return {
    writtenMB: Math.round(written.bytes / MB),
    writerMBPerSecond: Math.round(written.bytes / MB / (written.ms / 1000)),
    highWaterMB: Math.round(highWater / MB),
    agentCores: Number((cpuSeconds / (written.ms / 1000)).toFixed(3)),
    agentMB: Math.round(figures.residentBytes / MB),
    lost: written.lines - figures.records,
  };
}

/** Waits until everything arrived, or nothing more does. */
async function drain(agent: ChildProcess, lines: number): Promise<AgentFigures> {
  const deadlineMs = performance.now() + DRAIN_MS_MAX;
  let figures = await ask(agent);
  for (let still = 0; figures.records < lines && still < 20 && performance.now() < deadlineMs; still += 1) {
    await sleep(250);
    const before = figures.records;
    figures = await ask(agent);
    if (figures.records > before) still = 0;
  }
  return figures;
}

function watchDisk(log: string): { stop: () => number } {
  let highWater = 0;
  const look = (): void => {
    let bytes = 0;
    for (const name of readdirSync(log)) {
      bytes += (statSync(path.join(log, name), { throwIfNoEntry: false })?.blocks ?? 0) * STAT_BLOCK_BYTES;
    }
    highWater = Math.max(highWater, bytes);
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return highWater;
    },
  };
}

async function ask(agent: ChildProcess): Promise<AgentFigures> {
  agent.send('figures');
  const [figures] = (await once(agent, 'message')) as [AgentFigures];
  return figures;
}
