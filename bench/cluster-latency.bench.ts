/**
 * How long an appended line takes to be found by search on a cluster's path: `logboom agent`, a real Kafka broker,
 * `logboom indexer`, a real OpenSearch and `logboom server`, all on this machine, while other lines arrive. Beside it in
 * the same run: `logboom up` with the store on this machine, which is the path without broker and engine.
 *
 *   node bench/cluster-latency.bench.ts [--json] [--rate LINES_PER_SECOND] [--probes N]
 *
 * The search's own time is part of the figure, and so is up to a second that the engine waits between two refreshes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findFreePort } from '../test/e2e/logboom-process.ts';
import { KafkaBroker } from '../test/services/kafka.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { startOpenSearch } from '../test/services/opensearch.ts';
import { measureAppendToFound } from './append-to-found.ts';
import { compileInto } from './compiled.ts';
import { RoleProcess, until } from './role-process.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5000' },
    probes: { type: 'string', default: '100' },
  },
});

/** The serial collector leaves garbage until the heap is full, which the breaker would take for use. */
const ENGINE_SETTINGS = { 'indices.breaker.total.use_real_memory': 'false' };

const READY_MS_MAX = 60_000;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const reason = javaSkipReason();
if (reason === undefined) await measureAll();
else process.stdout.write(`skipped: ${reason}\n`);
process.exit();

async function measureAll(): Promise<void> {
  const program = await compileInto(path.join(directory, 'compiled'), 'src/main.ts');
  await measureCluster(program);
  await measureOneMachine(program);
}

async function measureCluster(program: string): Promise<void> {
  await using broker = await KafkaBroker.start({ heapMiB: 512 });
  await using engine = await startOpenSearch({ heapMiB: 2_048, isFast: true, settings: ENGINE_SETTINGS });
  const { own, logs } = newPlace('cluster');
  const config = [
    `sources: [ { kind: files, paths: ["${logs}/*.log"] } ]`,
    `transport: { kind: kafka, brokers: ["${broker.address}"], topic: logs }`,
    `store: { kind: elasticsearch, urls: ["${engine.url}"], replicas: 0 }`,
  ];
  const start = async (role: 'agent' | 'indexer' | 'server'): Promise<RoleProcess> =>
    RoleProcess.start({ program, role, directory: own, listen: `127.0.0.1:${await findFreePort()}`, config });
  await using indexer = await start('indexer');
  await using agent = await start('agent');
  await using server = await start('server');
  await untilReady(server);
  const started = performance.now();
  const before = { agent: agent.cpuSeconds, indexer: indexer.cpuSeconds };
  const figures = await measure(logs, server.url);
  const seconds = (performance.now() - started) / 1000;
  print({
    bench: 'append to found, agent, Kafka, indexer, OpenSearch',
    ...figures,
    agentCores: Number(((agent.cpuSeconds - before.agent) / seconds).toFixed(3)),
    indexerCores: Number(((indexer.cpuSeconds - before.indexer) / seconds).toFixed(3)),
  });
}

async function measureOneMachine(program: string): Promise<void> {
  const { own, logs } = newPlace('one');
  await using up = await RoleProcess.start({
    program,
    role: 'up',
    directory: own,
    listen: `127.0.0.1:${await findFreePort()}`,
    config: [`sources: [ { kind: files, paths: ["${logs}/*.log"] } ]`],
  });
  await untilReady(up);
  print({ bench: 'append to found, one process, store on this machine', ...(await measure(logs, up.url)) });
}

function newPlace(name: string): { readonly own: string; readonly logs: string } {
  const own = path.join(directory, name);
  const logs = path.join(own, 'logs');
  mkdirSync(logs, { recursive: true });
  return { own, logs };
}

async function untilReady(role: RoleProcess): Promise<void> {
  await until('the server to be ready', READY_MS_MAX, async () => {
    role.assertAlive();
    return (await fetch(`${role.url}/readyz`).catch(() => undefined))?.status === 200;
  });
}

function measure(logs: string, baseUrl: string): ReturnType<typeof measureAppendToFound> {
  const linesPerSecond = Number(values.rate);
  return measureAppendToFound({ logs, baseUrl, linesPerSecond, probes: Number(values.probes) });
}

function print(figures: Readonly<Record<string, string | number>>): void {
  const pairs = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  process.stdout.write(`${values.json ? JSON.stringify(figures) : pairs.join(', ')}\n`);
}
