/**
 * What an agent costs: following CRI files to a transport that discards, at full speed, at a steady 10,000 lines/s,
 * and with 1,000 files that nobody writes to, of Kubernetes and of applications, which rotation looks after.
 *
 *   node bench/agent.bench.ts [--json] [--bytes N] [--seconds N] [--only metadata|plain|steady|idle|rotated]
 *
 * CPU time is the agent's process's, user and system; at full speed its start is counted in.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AgentFigures } from './agent-process.ts';
import { compileInto } from './compiled.ts';
import { criPathOf, fillFiles, makeCriLines, writeSteadily } from './cri-logs.ts';

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

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const agentProcess = await compileInto(path.join(directory, 'compiled'), 'bench/agent-process.ts');
const measures = {
  metadata: () => measureFullSpeed('with metadata'),
  plain: () => measureFullSpeed('without metadata'),
  steady: measureSteady,
  idle: measureIdle,
  rotated: measureRotated,
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
  const { rawBytes, lineCount } = fillFiles(root, FILE_COUNT, Number(values.bytes));
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
  for (let file = 0; file < FILE_COUNT; file++) appendFileSync(criPathOf(root, file), makeCriLines(1));
  const agent = startAgent(`{ kind: pods, root: ${root} }`);
  const writeFor = (seconds: number): Promise<void> =>
    writeSteadily(root, { files: FILE_COUNT, linesPerSecond: STEADY_LINES_PER_SECOND, seconds });
  await writeFor(3);
  return {
    bench: 'steady 10,000 lines/s',
    ...(await measureWhile(agent, () => writeFor(Number(values.seconds)))),
  };
}

async function measureIdle(): Promise<Record<string, string | number>> {
  const root = newRoot();
  for (let file = 0; file < IDLE_FILE_COUNT; file++) appendFileSync(criPathOf(root, file), makeCriLines(10));
  const agent = startAgent(`{ kind: pods, root: ${root} }`);
  await sleep(5000);
  return {
    bench: 'idle, 1,000 files',
    ...(await measureWhile(agent, () => sleep(Number(values.seconds) * 1000))),
  };
}

async function measureRotated(): Promise<Record<string, string | number>> {
  const root = newRoot();
  for (let file = 0; file < IDLE_FILE_COUNT; file++) {
    const log = path.join(root, `shop/cart/cart-${file}/log`);
    mkdirSync(log, { recursive: true });
    appendFileSync(path.join(log, 'app.log'), makeCriLines(10));
  }
  const agent = startAgent(`{ kind: apps, root: ${root} }`);
  await sleep(5000);
  return {
    bench: 'idle, 1,000 files with a rotation policy',
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

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
