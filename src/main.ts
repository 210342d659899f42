/** The program: takes the command line, the environment and the real machine, and picks implementations. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { nodeFileSystem } from './base/node/node-file-system.ts';
import { nodeScheduler } from './base/node/node-scheduler.ts';
import { letHeapGrow } from './base/node/roomy-heap.ts';
import { keepHeapSmall } from './base/node/small-heap.ts';
import type { CliActions, CliContext, Output } from './cli/context.ts';
import { reportError } from './cli/report-error.ts';
import { runCli } from './cli/run-cli.ts';

/** Width of help and tables where there is no terminal. */
const COLUMNS_DEFAULT = 80;

const KEEP_ALIVE_MS = 3_600_000;

// Parts are loaded when a command needs them: `logboom search` should not wait for a database.
const actions: CliActions = {
  up: async (options) => (await import('./roles/up.ts')).runUp(context, options),
  agent: async (options) => {
    // Before the modules are loaded: that makes the heap grow.
    keepHeapSmall();
    return (await import('./roles/agent.ts')).runAgent(context, options);
  },
  indexer: async (options) => {
    letHeapGrow();
    return (await import('./roles/indexer.ts')).runIndexer(context, options);
  },
  server: async (options) => (await import('./roles/server.ts')).runServer(context, options),
  importFiles: async (options) => (await import('./roles/import-files.ts')).importFiles(context, options),
  checkConfig: async (config) => (await import('./roles/check-config.ts')).checkConfig(config),
  testPipelines: async (pipelines) =>
    (await import('./indexer/pipeline-tests.ts')).runPipelineTests(pipelines),
  explain: async (options) => (await import('./roles/explain.ts')).explain(options),
  planRotation: async ({ config }) => (await import('./roles/rotate-plan-view.ts')).planRotation(config),
  reportRotation: async ({ config }) => (await import('./roles/rotate-plan-view.ts')).reportRotation(config),
  doctor: async (loaded) => [
    ...(await import('./roles/doctor.ts')).examine(loaded),
    ...(await (await import('./roles/doctor-cluster.ts')).examineCluster(loaded.config)),
    ...(await (await import('./roles/doctor-kubernetes.ts')).examineKubernetes(loaded.config)),
  ],
};

const context: CliContext = {
  version: readVersion(),
  stdout: toOutput(process.stdout),
  stderr: toOutput(process.stderr),
  environment: process.env,
  workingDirectory: process.cwd(),
  hostName: hostname(),
  fileSystem: nodeFileSystem,
  scheduler: nodeScheduler,
  fetch: globalThis.fetch,
  confirm: process.stdin.isTTY && process.stderr.isTTY ? confirm : undefined,
  interrupted,
  actions,
};

for (const stream of [process.stdout, process.stderr]) {
  // A reader that has seen enough (`logboom search | head`) is no failure.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 111);
  });
}
process.on('uncaughtException', (error) => process.exit(reportError(error, context.stderr)));
process.on('unhandledRejection', (error) => process.exit(reportError(error, context.stderr)));

// Pending timers of the parts do not keep the process, and its end is decided here.
const keepAlive = setInterval(() => undefined, KEEP_ALIVE_MS);
process.exitCode = await runCli(process.argv.slice(2), context);
clearInterval(keepAlive);
// What a failed start leaves behind (a worker, a socket) does not keep the process.
await flush(process.stdout);
process.exit();

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function toOutput(stream: NodeJS.WriteStream): Output {
  const isTerminal = stream.isTTY;
  const isColorless = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return {
    isTerminal,
    columns: isTerminal ? stream.columns : COLUMNS_DEFAULT,
    hasColor: isTerminal && !isColorless,
    write: (text) => void stream.write(text),
    writeAll: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  };
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
