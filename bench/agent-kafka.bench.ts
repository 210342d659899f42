/**
 * What an agent costs that ships to a real Kafka broker: `logboom agent` on CRI files, at full speed and at a steady
 * 10,000 lines/s. Beside it, when there is one, Filebeat on the same files to the same broker.
 *
 *   node bench/agent-kafka.bench.ts [--json] [--bytes N] [--seconds N] [--rounds N] [--only full|steady]
 *                                   [--filebeat PATH]
 *
 * CPU time is the whole process's, user and system, from its start on; the broker's is not counted. Filebeat joins no
 * metadata here, parses no JSON, and packs with lz4, which costs it less than gzip.
 */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findFreePort } from '../test/e2e/logboom-process.ts';
import { KafkaBroker } from '../test/services/kafka.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { compileInto } from './compiled.ts';
import { criPathOf, fillFiles, makeCriLines, writeSteadily } from './cri-logs.ts';
import { MeasuredProcess, residentMebibytesOf, RoleProcess, until } from './role-process.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    bytes: { type: 'string', default: String(512 * 1024 * 1024) },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
    filebeat: { type: 'string' },
  },
});

const FILE_COUNT = 10;
const STEADY_LINES_PER_SECOND = 10_000;
/** Filebeat does not create its topic itself. */
const BROKER = { 'auto.create.topics.enable': 'true', 'num.partitions': '6' };

const WARM_SECONDS = 5;
const SHIP_MS_MAX = 600_000;

type Figures = Record<string, string | number>;

/** A shipper under way: its process, and how many lines the broker has acknowledged. */
interface Shipper extends AsyncDisposable {
  readonly process: MeasuredProcess;
  acknowledged(): Promise<number>;
}

type Start = (broker: KafkaBroker, root: string) => Promise<Shipper>;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const reason = javaSkipReason();
if (reason === undefined) await measureAll();
else process.stdout.write(`skipped: ${reason}\n`);
process.exit();

async function measureAll(): Promise<void> {
  await using broker = await KafkaBroker.start({ heapMiB: 1024, properties: BROKER });
  const program = await compileInto(path.join(directory, 'compiled'), 'src/main.ts');
  const starts: [string, Start][] = [['Logboom', (to, root) => startLogboom(program, to, root)]];
  const { filebeat } = values;
  if (filebeat === undefined)
    process.stdout.write('Filebeat is not measured: --filebeat PATH says where it is\n');
  else starts.push(['Filebeat', (to, root) => startFilebeat(filebeat, to, root)]);
  for (let turn = 0; turn < Number(values.rounds); turn++) {
    for (const [name, start] of starts) {
      if (values.only !== 'steady')
        print({ bench: `${name}, full speed`, ...(await measureFull(broker, start)) });
      if (values.only !== 'full')
        print({ bench: `${name}, 10,000 lines/s`, ...(await measureSteady(broker, start)) });
    }
  }
}

async function measureFull(broker: KafkaBroker, start: Start): Promise<Figures> {
  const root = newRoot();
  const { rawBytes, lineCount } = fillFiles(root, FILE_COUNT, Number(values.bytes));
  const started = performance.now();
  await using shipper = await start(broker, root);
  await until('every line to be acknowledged', SHIP_MS_MAX, async () => {
    shipper.process.assertAlive();
    return (await shipper.acknowledged()) >= lineCount;
  });
  const { cpuSeconds, pid } = shipper.process;
  rmSync(root, { recursive: true });
  return {
    lines: lineCount,
    lineBytes: Math.round(rawBytes / lineCount),
    cpuSeconds: round(cpuSeconds, 2),
    linesPerCoreSecond: Math.round(lineCount / cpuSeconds),
    seconds: round((performance.now() - started) / 1000, 1),
    residentMebibytesMax: residentMebibytesOf(pid, 'most'),
  };
}

async function measureSteady(broker: KafkaBroker, start: Start): Promise<Figures> {
  const root = newRoot();
  for (let file = 0; file < FILE_COUNT; file++) appendFileSync(criPathOf(root, file), makeCriLines(1));
  await using shipper = await start(broker, root);
  const write = (seconds: number): Promise<void> =>
    writeSteadily(root, { files: FILE_COUNT, linesPerSecond: STEADY_LINES_PER_SECOND, seconds });
  await write(WARM_SECONDS);
  const before = { lines: await shipper.acknowledged(), cpuSeconds: shipper.process.cpuSeconds };
  const started = performance.now();
  await write(Number(values.seconds));
  const seconds = (performance.now() - started) / 1000;
  const { cpuSeconds, pid } = shipper.process;
  return {
    linesPerSecond: Math.round(((await shipper.acknowledged()) - before.lines) / seconds),
    cores: round((cpuSeconds - before.cpuSeconds) / seconds, 4),
    residentMebibytes: residentMebibytesOf(pid, 'now'),
    residentMebibytesMax: residentMebibytesOf(pid, 'most'),
  };
}

async function startLogboom(program: string, broker: KafkaBroker, root: string): Promise<Shipper> {
  const role = await RoleProcess.start({
    program,
    role: 'agent',
    directory: newRoot(),
    listen: `127.0.0.1:${await findFreePort()}`,
    config: [
      `sources: [ { kind: pods, root: ${root} } ]`,
      `transport: { kind: kafka, brokers: ["${broker.address}"], topic: ${path.basename(root)} }`,
    ],
  });
  return {
    process: role,
    acknowledged: () => role.metric('logboom_transport_sent_records_total'),
    [Symbol.asyncDispose]: () => role[Symbol.asyncDispose](),
  };
}

async function startFilebeat(program: string, broker: KafkaBroker, root: string): Promise<Shipper> {
  const home = newRoot();
  mkdirSync(path.join(home, 'data'));
  const listen = await findFreePort();
  const file = path.join(home, 'filebeat.yml');
  const lines = [
    'filebeat.inputs:',
    '  - type: filestream',
    '    id: logs',
    `    paths: ["${root}/*/*/*.log"]`,
    '    parsers: [ { container: { format: cri } } ]',
    'output.kafka:',
    `  hosts: ["${broker.address}"]`,
    `  topic: filebeat-${path.basename(root)}`,
    '  version: 2.6.0',
    '  required_acks: -1',
    '  compression: lz4',
    `http: { enabled: true, host: 127.0.0.1, port: ${listen} }`,
    '',
  ];
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  const child = new MeasuredProcess(program, ['-c', file, '--path.home', home, '--strict.perms=false']);
  return {
    process: child,
    acknowledged: () => filebeatAcknowledged(`http://127.0.0.1:${listen}/stats`),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Returns the events that the broker has acknowledged; 0 before Filebeat listens. */
async function filebeatAcknowledged(url: string): Promise<number> {
  const answer = await fetch(url).catch(() => undefined);
  const stats = (await answer?.json()) as
    | { libbeat?: { output?: { events?: { acked?: number } } } }
    | undefined;
  return stats?.libbeat?.output?.events?.acked ?? 0;
}

function newRoot(): string {
  return mkdtempSync(path.join(directory, 'root-'));
}

function print(figures: Figures): void {
  const pairs = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  process.stdout.write(`${values.json ? JSON.stringify(figures) : pairs.join(', ')}\n`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
