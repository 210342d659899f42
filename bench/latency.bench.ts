/**
 * How long an appended line takes to be found by search: `logboom up` on the embedded store, other lines arriving
 * beside it, each marked line searched for until it is there.
 *
 *   node bench/latency.bench.ts [--json] [--rate LINES_PER_SECOND] [--probes N]
 *
 * The search's own time is part of the figure.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { measureAppendToFound } from './append-to-found.ts';
import { compileInto } from './compiled.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5000' },
    probes: { type: 'string', default: '200' },
  },
});

const PORT = 6491;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-latency-'));
const logs = path.join(directory, 'logs');
mkdirSync(logs);
const configPath = path.join(directory, 'logboom.yaml');
writeFileSync(
  configPath,
  `data: ${directory}/data\nsources: [ { kind: files, paths: ["${logs}/*.log"] } ]\n`,
);
const program = await compileInto(path.join(directory, 'compiled'), 'src/main.ts');
const args = [program, 'up', '--config', configPath, '--listen', `127.0.0.1:${PORT}`];
const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
process.on('exit', () => {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const baseUrl = `http://127.0.0.1:${PORT}`;
await waitUntilReady();
const result = {
  bench: 'append to found',
  ...(await measureAppendToFound({
    logs,
    baseUrl,
    linesPerSecond: Number(values.rate),
    probes: Number(values.probes),
  })),
};
const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
process.exit();

async function waitUntilReady(): Promise<void> {
  for (;;) {
    const response = await fetch(`${baseUrl}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await sleep(100);
  }
}
