/**
 * What Kubernetes' own way of a container's lines costs, beside the S6 base image: containerd reads the pipe of the
 * container and writes CRI lines, or s6-log writes a file past it. Both under one real containerd, started through its
 * CRI as kubelet would, with the same writer.
 *
 *   node bench/cri-path.bench.ts [--json] [--megabytes N] [--only s6|cri]
 *
 * Needs root, containerd, runc and s6 (Debian packages of these names). `writerMBPerSecond` is over the life of the
 * container; `engineSeconds` is the CPU time of containerd and the shim, `containerSeconds` that of the writer and of
 * s6-log with its shells; both until the last line has arrived.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { assembleRoot, findContainerObstacle } from '../test/e2e/s6-image-root.ts';
import { findProgram } from '../tools/provision.ts';
import { callRuntime, decode, type Message } from './cri-client.ts';
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
const IMAGE = 'localhost/logboom-bench:1';

/** Numbers of the CRI's enumerations. */
const NODE_NETWORK = 2;
const CONTAINER_EXITED = 2;

const lineCount = Math.floor((Number(values.megabytes) * MB) / LINE.length);
const missing = ['containerd', 'ctr', 'runc'].find((name) => findProgram(name) === undefined);
const obstacle = findContainerObstacle() ?? (missing === undefined ? undefined : `no ${missing}`);
if (obstacle === undefined) await measureAll();
else process.stdout.write(`not measured: ${obstacle}\n`);
process.exit();

async function measureAll(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'logboom-cri-'));
  const daemon = await startDaemon(directory);
  try {
    importImage(directory);
    for (const way of ['s6', 'cri'] as const) {
      if (values.only !== undefined && values.only !== way) continue;
      const result = { way, ...(await measure(directory, way)) };
      const pairs = Object.entries(result).map(([key, value]) => `${key} ${value}`);
      process.stdout.write(`${values.json ? JSON.stringify(result) : pairs.join(', ')}\n`);
    }
  } finally {
    daemon.kill();
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string, way: 's6' | 'cri'): Promise<Record<string, string | number>> {
  const logs = path.join(directory, `logs-${way}`);
  mkdirSync(logs);
  const sandbox: Message = [
    [
      1,
      [
        [1, way],
        [2, `uid-${way}`],
        [3, 'shop'],
      ],
    ],
    [3, logs],
    [8, [[2, [[1, [[1, NODE_NETWORK]]]]]]],
  ];
  const call = (method: string, request: Message) => callRuntime(socketOf(directory), method, request);
  const watch = watchEngine(directory);
  const sandboxId = String((await call('RunPodSandbox', [[1, sandbox]])).get(1));
  const container = containerOf(way, logs);
  const created = await call('CreateContainer', [
    [1, sandboxId],
    [2, container],
    [3, sandbox],
  ]);
  const containerId = String(created.get(1));
  await call('StartContainer', [[1, containerId]]);
  const { startedNs, finishedNs } = await exitOf(() => call('ContainerStatus', [[1, containerId]]));
  const deadlineMs = performance.now() + ARRIVE_MS_MAX;
  let arrived = await countLines(logs);
  while (arrived < lineCount && performance.now() < deadlineMs) {
    await sleep(LOOK_MS);
    arrived = await countLines(logs);
  }
  const { engineSeconds, containerSeconds } = watch.stop();
  await call('StopPodSandbox', [[1, sandboxId]]);
  await call('RemovePodSandbox', [[1, sandboxId]]);
  const megabytes = (lineCount * LINE.length) / MB;
  return {
    megabytes,
    writerMBPerSecond: Number((megabytes / ((finishedNs - startedNs) / 1e9)).toFixed(1)),
    engineSeconds: Number(engineSeconds.toFixed(2)),
    containerSeconds: Number(containerSeconds.toFixed(2)),
    cpuSecondsPerGB: Number((((engineSeconds + containerSeconds) * 1000) / megabytes).toFixed(2)),
    missingLines: lineCount - arrived,
  };
}

/** With s6-log the container's own output, which has nothing, goes nowhere: no log path. */
function containerOf(way: 's6' | 'cri', logs: string): Message {
  const writer: Message = ['sh', '-c', `yes '${LINE.trim()}' | head -n ${lineCount}`].map((word) => [
    3,
    word,
  ]);
  const base: Message = [
    [1, [[1, 'web']]],
    [2, [[1, IMAGE]]],
  ];
  if (way === 'cri') return [...base, ...writer, [11, 'web.log']];
  const environment = { NAMESPACE: 'shop', APP: 'web', POD: 'web-0', FILES: '1000' };
  return [
    ...base,
    [3, 'logboom-run'],
    ...writer,
    ...Object.entries(environment).map(([key, value]): Message[number] => [
      6,
      [
        [1, `LOGBOOM_${key}`],
        [2, value],
      ],
    ]),
    [
      7,
      [
        [1, '/data/logs'],
        [2, logs],
      ],
    ],
  ];
}

async function exitOf(
  status: () => Promise<ReadonlyMap<number, Buffer | number>>,
): Promise<{ startedNs: number; finishedNs: number }> {
  for (;;) {
    const answer = (await status()).get(1);
    if (Buffer.isBuffer(answer)) {
      const fields = decode(answer);
      if (fields.get(3) === CONTAINER_EXITED) {
        return { startedNs: Number(fields.get(5)), finishedNs: Number(fields.get(6)) };
      }
    }
    await sleep(LOOK_MS);
  }
}

async function startDaemon(directory: string): Promise<ChildProcess> {
  const file = path.join(directory, 'containerd.toml');
  writeFileSync(
    file,
    `version = 2
root = "${directory}/data"
state = "${directory}/run"
[grpc]
  address = "${socketOf(directory)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`,
  );
  const daemon = spawn('containerd', ['-c', file], { stdio: 'ignore' });
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (ctr(directory, ['version']).status !== 0) {
    if (daemon.exitCode !== null || performance.now() > deadlineMs)
      throw new Error('containerd does not start');
    await sleep(LOOK_MS);
  }
  return daemon;
}

/** One layer and a configuration, as `docker save` writes it. It sleeps when it is the sandbox itself. */
function importImage(directory: string): void {
  const at = (name: string): string => path.join(directory, 'image', name);
  mkdirSync(at('parts'), { recursive: true });
  assembleRoot(at('root'), 'busybox');
  spawnSync('tar', ['-C', at('root'), '-cf', at('parts/layer.tar'), '.']);
  const digest = createHash('sha256')
    .update(readFileSync(at('parts/layer.tar')))
    .digest('hex');
  const image = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: ['sleep', '100000'], Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  writeFileSync(at('parts/config.json'), JSON.stringify(image));
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(at('parts/manifest.json'), JSON.stringify(manifest));
  spawnSync('tar', ['-C', at('parts'), '-cf', at('image.tar'), 'manifest.json', 'config.json', 'layer.tar']);
  const args = ['-n', 'k8s.io', 'images', 'import', '--snapshotter', 'native', at('image.tar')];
  const { status, stderr } = ctr(directory, args);
  if (status !== 0) throw new Error(`ctr images import: ${stderr}`);
}

function ctr(directory: string, args: readonly string[]) {
  return spawnSync('ctr', ['-a', socketOf(directory), ...args], { encoding: 'utf8' });
}

function socketOf(directory: string): string {
  return path.join(directory, 'containerd.sock');
}

/** Counts the lines of all files but s6-log's own; a directory that a link leads to is not counted twice. */
async function countLines(directory: string): Promise<number> {
  let lines = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.parentPath.endsWith('.log') || entry.parentPath.includes('.log/')) continue;
    if (!entry.isFile() || !/^(@|current$|previous$)|\.log$/.test(entry.name)) continue;
    const file = createReadStream(path.join(entry.parentPath, entry.name)) as AsyncIterable<Buffer>;
    for await (const chunk of file) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    }
  }
  return lines;
}
