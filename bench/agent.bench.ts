/**
 * What an agent costs: following CRI files to a transport that discards, at full speed, at a steady 10,000 lines/s,
 * and with 1,000 files that nobody writes to.
 *
 *   node bench/agent.bench.ts [--json] [--bytes N] [--seconds N] [--only metadata|plain|steady|idle]
 *
 * CPU time is the agent's process's, user and system; at full speed its start is counted in.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AgentFigures } from './agent-process.ts';
import { compileInto } from './compiled.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    bytes: { type: 'string', default: String(512 * 1024 * 1024) },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
});

const FILE_COUNT = 10;
const STEADY_LINES_PER_SECOND = 10_000;
const IDLE_FILE_COUNT = 1000;
const TICKS_PER_SECOND = 20;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const agentProcess = compileInto(path.join(directory, 'compiled'), 'bench/agent-process.ts');
const measures = {
  metadata: () => measureFullSpeed('with metadata'),
  plain: () => measureFullSpeed('without metadata'),
  steady: measureSteady,
  idle: measureIdle,
};
for (const [name, measure] of Object.entries(measures)) {
  if (values.only !== undefined && values.only !== name) continue;
  const result = await measure();
  const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
  process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
}
process.exit();

async function measureFullSpeed(
  kind: 'with metadata' | 'without metadata',
): Promise<Record<string, string | number>> {
  const root = newRoot();
  const block = makeLines(4096);
  const wanted = Number(values.bytes);
  let rawBytes = 0;
  for (let file = 0; file < FILE_COUNT; file++) {
    const target = logPath(root, file);
    while ((statSync(target, { throwIfNoEntry: false })?.size ?? 0) < wanted / FILE_COUNT)
      appendFileSync(target, block);
    rawBytes += statSync(target).size;
  }
  const lineCount = Math.round(rawBytes / block.length) * 4096;
  const source =
    kind === 'with metadata'
      ? `{ kind: pods, root: ${root} }`
      : `{ kind: files, paths: ["${root}/**/*.log"] }`;
  const agent = startAgent(source);
  let figures = await ask(agent);
  while (figures.records < lineCount) {
    await sleep(50);
    figures = await ask(agent);
  }
  agent.kill();
  const cpuSeconds = (figures.userMs + figures.systemMs) / 1000;
  return {
    bench: `full speed, ${kind}`,
    lineBytes: Math.round(rawBytes / lineCount),
    lines: lineCount,
    cpuSeconds: round(cpuSeconds, 2),
    linesPerCoreSecond: Math.round(lineCount / cpuSeconds),
    megabytesPerCoreSecond: round(rawBytes / 1e6 / cpuSeconds, 1),
    residentMebibytes: Math.round(figures.residentBytes / 1048576),
  };
}

async function measureSteady(): Promise<Record<string, string | number>> {
  const root = newRoot();
  for (let file = 0; file < FILE_COUNT; file++) appendFileSync(logPath(root, file), makeLines(1));
  const agent = startAgent(`{ kind: pods, root: ${root} }`);
  const block = makeLines(STEADY_LINES_PER_SECOND / TICKS_PER_SECOND / FILE_COUNT);
  const writeFor = async (seconds: number): Promise<void> => {
    const started = performance.now();
    for (let tick = 0; tick < seconds * TICKS_PER_SECOND; tick++) {
      for (let file = 0; file < FILE_COUNT; file++) appendFileSync(logPath(root, file), block);
      await sleep(Math.max(0, started + ((tick + 1) * 1000) / TICKS_PER_SECOND - performance.now()));
    }
  };
  await writeFor(3);
  return {
    bench: 'steady 10,000 lines/s',
    ...(await measureWhile(agent, () => writeFor(Number(values.seconds)))),
  };
}

async function measureIdle(): Promise<Record<string, string | number>> {
  const root = newRoot();
  for (let file = 0; file < IDLE_FILE_COUNT; file++) appendFileSync(logPath(root, file), makeLines(10));
  const agent = startAgent(`{ kind: pods, root: ${root} }`);
  await sleep(5000);
  return {
    bench: 'idle, 1,000 files',
    ...(await measureWhile(agent, () => sleep(Number(values.seconds) * 1000))),
  };
}

async function measureWhile(agent: ChildProcess, work: () => Promise<void>): Promise<Record<string, number>> {
  const before = await ask(agent);
  const started = performance.now();
  await work();
  const after = await ask(agent);
  const seconds = (performance.now() - started) / 1000;
  agent.kill();
  const cpuMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
  return {
    linesPerSecond: Math.round((after.records - before.records) / seconds),
    cores: round(cpuMs / 1000 / seconds, 4),
    residentMebibytes: Math.round(after.residentBytes / 1048576),
  };
}

function startAgent(source: string): ChildProcess {
  const root = newRoot();
  const configPath = path.join(root, 'logboom.yaml');
  writeFileSync(configPath, `data: ${root}/data\nsources: [ ${source} ]\n`);
  return fork(agentProcess, [configPath]);
}

async function ask(agent: ChildProcess): Promise<AgentFigures> {
  const answer = once(agent, 'message');
  agent.send('figures');
  return (await answer)[0] as AgentFigures;
}

function newRoot(): string {
  return mkdtempSync(path.join(directory, 'root-'));
}

function logPath(root: string, file: number): string {
  const pod = `shop_checkout-7d9c4b-${file}_3f0c5b1e-2f6d-4f0e-9b0e-${String(file).padStart(12, '0')}`;
  const container = path.join(root, pod, 'app');
  mkdirSync(container, { recursive: true });
  return path.join(container, '0.log');
}

/** CRI lines of about 216 bytes with ids that differ. */
function makeLines(count: number): string {
  let text = '';
  for (let index = 0; index < count; index++) {
    const id = Math.floor(Math.random() * 1e15).toString(36);
    text +=
      `2026-11-23T04:30:${String(index % 60).padStart(2, '0')}.${String(100000000 + index)}Z stdout F ` +
      `level=info msg="request finished" method=GET path=/api/v2/orders/${id} status=200 ` +
      `duration=${(Math.random() * 100).toFixed(3)}ms user=${id} trace=${id}${id} peer=10.42.0.17\n`;
  }
  return text;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
