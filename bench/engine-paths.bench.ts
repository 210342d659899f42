/**
 * What the ways of a container's lines cost: the S6 base image, whose s6-log writes files past the engine, beside
 * Docker's own drivers json-file and syslog, all under one real dockerd, with the same writer. The syslog driver sends
 * to a receiver in this process that writes a file.
 *
 *   node bench/engine-paths.bench.ts [--json] [--megabytes N] [--only s6|json-file|syslog|none]
 *
 * Needs root, dockerd and s6 (Debian: docker.io, s6). `writerMBPerSecond` is over the life of the container;
 * `engineSeconds` is the CPU time of dockerd, containerd and the shim, `containerSeconds` that of the writer and of
 * s6-log with its shells; both until the last line has arrived.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { assembleRoot, findContainerObstacle } from '../test/e2e/s6-image-root.ts';
import { findProgram } from '../tools/provision.ts';
import { watchEngine } from './engine-times.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    megabytes: { type: 'string', default: '300' },
    only: { type: 'string' },
  },
});

const LINE = `${'x'.repeat(99)}\n`;
const MB = 1e6;
const LOOK_MS = 100;
const READY_MS_MAX = 30_000;
const ARRIVE_MS_MAX = 120_000;
const IMAGE = 'logboom-bench';

/** A way: options of `docker run`, what stands before the writer's command, and how arrived lines are counted. */
interface Way {
  readonly options: readonly string[];
  readonly entry: readonly string[];
  readonly count: (container: string) => Promise<number>;
}

const lineCount = Math.floor((Number(values.megabytes) * MB) / LINE.length);
const obstacle = findContainerObstacle() ?? (findProgram('dockerd') === undefined ? 'no dockerd' : undefined);
if (obstacle === undefined) await measureAll();
else process.stdout.write(`not measured: ${obstacle}\n`);
process.exit();

async function measureAll(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'logboom-paths-'));
  const daemon = await startDaemon(directory);
  const receiver = await startReceiver(path.join(directory, 'syslog.log'));
  try {
    const root = path.join(directory, 'image');
    assembleRoot(root, 'busybox');
    const tar = spawnSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 2 ** 30 }).stdout;
    docker(directory, ['import', '-', IMAGE], tar);
    for (const [name, way] of Object.entries(waysOf(directory, receiver))) {
      if (values.only !== undefined && values.only !== name) continue;
      const result = { way: name, ...(await measure(directory, way)) };
      const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
      process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
    }
  } finally {
    receiver.server.close();
    daemon.kill();
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

function waysOf(directory: string, receiver: Receiver): Readonly<Record<string, Way>> {
  const volume = path.join(directory, 'logs');
  mkdirSync(volume);
  const environment = [
    'LOGBOOM_NAMESPACE=shop',
    'LOGBOOM_APP=web',
    'LOGBOOM_POD=web-0',
    'LOGBOOM_FILES=1000',
  ];
  const syslog = [`syslog-address=tcp://127.0.0.1:${receiver.port}`, 'syslog-format=rfc5424micro'];
  return {
    s6: {
      options: [
        '--log-driver',
        'none',
        '-v',
        `${volume}:/data/logs`,
        ...environment.flatMap((pair) => ['-e', pair]),
      ],
      entry: ['logboom-run'],
      count: () => countLines(path.join(volume, 'shop/web/web-0/log/web/stdout')),
    },
    'json-file': {
      options: ['--log-driver', 'json-file'],
      entry: [],
      count: (container) => countLines(path.join(directory, 'data/containers', container), '-json.log'),
    },
    syslog: {
      options: ['--log-driver', 'syslog', ...syslog.flatMap((pair) => ['--log-opt', pair])],
      entry: [],
      count: () => Promise.resolve(receiver.lines()),
    },
    none: { options: ['--log-driver', 'none'], entry: [], count: () => Promise.resolve(lineCount) },
  };
}

async function measure(directory: string, way: Way): Promise<Record<string, string | number>> {
  const writer = `yes '${LINE.trim()}' | head -n ${lineCount}`;
  const watch = watchEngine(directory);
  const command = [...way.entry, 'sh', '-c', writer];
  const container = docker(directory, ['run', '-d', '--network', 'none', ...way.options, IMAGE, ...command]);
  await new Promise((resolve) => spawnDocker(directory, ['wait', container]).once('exit', resolve));
  const deadlineMs = performance.now() + ARRIVE_MS_MAX;
  let arrived = await way.count(container);
  while (arrived < lineCount && performance.now() < deadlineMs) {
    await sleep(LOOK_MS);
    arrived = await way.count(container);
  }
  const { engineSeconds, containerSeconds } = watch.stop();
  const state = docker(directory, ['inspect', '-f', '{{.State.StartedAt}} {{.State.FinishedAt}}', container]);
  const [startedMs = 0, finishedMs = 0] = state.split(' ').map((time) => Date.parse(time));
  docker(directory, ['rm', '-f', container]);
  const megabytes = (lineCount * LINE.length) / MB;
  return {
    megabytes,
    writerMBPerSecond: Number((megabytes / ((finishedMs - startedMs) / 1000)).toFixed(1)),
    engineSeconds: Number(engineSeconds.toFixed(2)),
    containerSeconds: Number(containerSeconds.toFixed(2)),
    missingLines: lineCount - arrived,
  };
}

async function startDaemon(directory: string): Promise<ChildProcess> {
  const at = (name: string): string => path.join(directory, name);
  const args = [
    '--data-root',
    at('data'),
    '--exec-root',
    at('run'),
    '-p',
    at('docker.pid'),
    '-H',
    socketOf(directory),
  ];
  const own = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'];
  const daemon = spawn('dockerd', [...args, ...own], { stdio: 'ignore' });
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (spawnSync('docker', ['-H', socketOf(directory), 'version'], { stdio: 'ignore' }).status !== 0) {
    if (daemon.exitCode !== null || performance.now() > deadlineMs) throw new Error('dockerd does not start');
    await sleep(LOOK_MS);
  }
  return daemon;
}

interface Receiver {
  readonly server: Server;
  readonly port: number;
  readonly lines: () => number;
}

async function startReceiver(file: string): Promise<Receiver> {
  let lines = 0;
  const target = createWriteStream(file);
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      lines += countNewlines(chunk);
      if (!target.write(chunk)) socket.pause();
    });
    target.on('drain', () => socket.resume());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0, lines: () => lines };
}

async function countLines(directory: string, ending = ''): Promise<number> {
  let lines = 0;
  for (const name of readdirSync(directory).filter((one) => /^(@|current|previous)|-json\.log$/.test(one))) {
    if (!name.endsWith(ending)) continue;
    for await (const chunk of createReadStream(path.join(directory, name)) as AsyncIterable<Buffer>) {
      lines += countNewlines(chunk);
    }
  }
  return lines;
}

function countNewlines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1;
  return count;
}

function socketOf(directory: string): string {
  return `unix://${path.join(directory, 'docker.sock')}`;
}

function spawnDocker(directory: string, args: readonly string[]): ChildProcess {
  return spawn('docker', ['-H', socketOf(directory), ...args], { stdio: 'ignore' });
}

function docker(directory: string, args: readonly string[], input?: Buffer): string {
  const options = { encoding: 'utf8', ...(input === undefined ? {} : { input }) } as const;
  const { status, stdout, stderr } = spawnSync('docker', ['-H', socketOf(directory), ...args], options);
  if (status !== 0) throw new Error(`docker ${args[0]}: ${stderr}`);
  return stdout.trim();
}
