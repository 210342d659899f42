/** `logboom import`: an agent that reads the given files once, and sends to the running server or into the store. */
import fs from 'node:fs';
import path from 'node:path';
import type { Agent } from '../agent/agent-types.ts';
import { reasonOf } from '../agent/obstacles.ts';
import { AppError, messageOf, systemCodeOf } from '../base/errors.ts';
import { nodeFileSystem } from '../base/node/node-file-system.ts';
import { nodeScheduler } from '../base/node/node-scheduler.ts';
import type { CliContext, ImportOptions, ImportResult } from '../cli/context.ts';
import { treeSource } from '../config/build-config.ts';
import type { Config } from '../config/config.ts';
import type { Producer } from '../transport/transport.ts';
import { HttpProducer } from '../transport/http/http-producer.ts';
import { openArchive } from '../base/node/node-archive.ts';
import { createRealAgent } from './agent-parts.ts';
import { takeDataDirectory } from './data-directory.ts';
import { DrainBudget } from './drain-budget.ts';
import { findBrokenHead, WatchedArchives } from './import-archives.ts';
import type { ImportProblem } from './import-archives.ts';
import { withFields } from './import-fields.ts';
import { withLineTimes } from './import-times.ts';
import { openRoad } from './road.ts';
import { createIndexing } from './indexing.ts';
import { openStorage } from './storage.ts';
import { createRoleTelemetry } from './telemetry.ts';
import type { TallyingTelemetry } from './telemetry.ts';

const DUPLICATES = /^logboom_indexer_records_total\{outcome="duplicate"\} (\d+)/m;

const NOTHING = {
  records: 0,
  alreadyThere: 0,
  bytes: 0,
  times: { fromLine: 0, fromImport: 0 },
  target: 'nothing',
  incomplete: [],
} as const;

/** Patience with a server before it is taken for absent. */
const PROBE_MS_MAX = 3_000;

interface Target {
  readonly name: string;
  readonly producer: Producer;
  /** Directory of this import's checkpoints. */
  readonly data: string;
  /** Resolves with how many of the records that were sent the store had already; called when all are sent. */
  duplicates(records: number): Promise<number>;
  close(): Promise<void>;
}

/** Loads the files, and returns what was loaded and what could not be. */
export async function importFiles(context: CliContext, options: ImportOptions): Promise<ImportResult> {
  const { failed, readable } = await sortOut(options.files);
  if (readable.length === 0) return { ...NOTHING, failed };
  const telemetry = createRoleTelemetry(context, options.loaded);
  const target = await openTarget(context, options, telemetry);
  try {
    const result = await runAgent(context, { options, target, telemetry, files: readable });
    const duplicates = await target.duplicates(result.records);
    return { ...result, alreadyThere: Math.min(result.records, Math.max(0, duplicates)), failed };
  } finally {
    await target.close();
  }
}

interface ImportRun {
  readonly options: ImportOptions;
  readonly target: Target;
  readonly telemetry: TallyingTelemetry;
  readonly files: readonly string[];
}

async function runAgent(
  context: CliContext,
  { options, target, telemetry, files }: ImportRun,
): Promise<Omit<ImportResult, 'failed' | 'alreadyThere'>> {
  const archives = new WatchedArchives(openArchive);
  const source = treeSource('files', {
    paths: files.map(escapeGlob),
    exclude: rotatedSiblings(files).map(escapeGlob),
    format: options.format,
  });
  const config: Config = { ...options.loaded.config, data: target.data, sources: [source] };
  let last = { records: 0, bytes: 0 };
  const named = withFields(target.producer, options.fields);
  const timed = withLineTimes(named, nodeScheduler.nowNs());
  const agent = createRealAgent({
    config,
    telemetry,
    producer: options.takesLineTimes ? timed.producer : named,
    version: context.version,
    once: true,
    openArchive: archives.open,
    onProgress({ bytesAcknowledged, bytesTotal, records }) {
      last = { records, bytes: bytesAcknowledged };
      options.onProgress({ bytesDone: bytesAcknowledged, bytesTotal, records });
    },
  });
  await agent.run();
  const incomplete = [...archives.problems, ...unreadOf(agent, archives.problems)];
  return { ...last, times: { ...timed.counts }, target: target.name, incomplete };
}

/** Files that could be looked at before the import, and not be read to their ends in it. */
function unreadOf(agent: Pick<Agent, 'obstacles'>, told: readonly ImportProblem[]): ImportProblem[] {
  return agent
    .obstacles()
    .filter((obstacle) => !told.some(({ path: known }) => known === obstacle.path))
    .map((obstacle) => ({ path: obstacle.path, reason: reasonOf(obstacle) }));
}

async function openTarget(
  context: CliContext,
  options: ImportOptions,
  telemetry: TallyingTelemetry,
): Promise<Target> {
  const { serverUrl, token, loaded } = options;
  if (await isServerThere(context, serverUrl)) return await openServer(context, options, telemetry);
  if (options.isServerRequired) {
    throw new AppError('unreachable', `cannot reach a Logboom server at ${serverUrl}`, {
      hint: 'Start one with `logboom up`, or leave --server out to load straight into the data directory.',
    });
  }
  if (token !== undefined && !fs.existsSync(loaded.config.data)) {
    options.onNotice(`no server answers at ${serverUrl}: loading into ${loaded.config.data}`);
  }
  try {
    return await openStoreTarget(loaded.config, telemetry);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'locked') throw error;
    throw new AppError('locked', error.message, {
      details: error.details,
      hint: `A Logboom is running on it, but not at ${serverUrl}: name its address with --server URL.`,
    });
  }
}

async function openServer(
  context: CliContext,
  options: ImportOptions,
  telemetry: TallyingTelemetry,
): Promise<Target> {
  const { serverUrl: url, token } = options;
  const before = await countDuplicates(context, options);
  const producer = new HttpProducer({
    url,
    token,
    fetch: context.fetch,
    scheduler: nodeScheduler,
    telemetry,
  });
  // Checkpoints of an import into a server are of no use later: the server knows what it has.
  const data = fs.mkdtempSync(path.join(process.env['TMPDIR'] ?? '/tmp', 'logboom-import-'));
  return {
    name: url,
    producer,
    data,
    duplicates: async () => (await countDuplicates(context, options)) - before,
    async close() {
      await producer.close();
      fs.rmSync(data, { recursive: true, force: true });
    },
  };
}

async function openStoreTarget(config: Config, telemetry: TallyingTelemetry): Promise<Target> {
  const lock = takeDataDirectory(config.data);
  try {
    const storage = await openStorage(config, telemetry);
    // What is imported into the store of this directory needs no broker.
    const bufferBytesMax = config.transport.bufferBytesMax;
    const road = await openRoad({ ...config, transport: { kind: 'memory', bufferBytesMax } }, telemetry);
    const { indexer } = createIndexing(config, {
      storage,
      road,
      telemetry,
      budget: new DrainBudget(config.drainMsMax, nodeScheduler),
    });
    const running = indexer.run();
    running.catch(() => undefined);
    const data = path.join(config.data, 'import');
    nodeFileSystem.makeDirectory(data);
    return {
      name: config.data,
      producer: road.transport.producer,
      data,
      // What its checkpoints know of is not even sent again.
      duplicates: (records) =>
        Promise.resolve(
          records -
            telemetry.total('logboom_indexer_records_total:stored') -
            telemetry.total('logboom_indexer_records_total:dropped'),
        ),
      async close() {
        await indexer.stop();
        await running;
        await road.close();
        await storage.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function isServerThere({ fetch }: CliContext, url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** How many records the server has met that it had already; 0 when it does not say. */
async function countDuplicates({ fetch }: CliContext, { serverUrl, token }: ImportOptions): Promise<number> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await fetch(`${serverUrl}/metrics`, {
      headers,
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    const found = DUPLICATES.exec(await response.text());
    return Number(found?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function sortOut(
  files: readonly string[],
): Promise<{ failed: readonly ImportProblem[]; readable: readonly string[] }> {
  const failed: ImportProblem[] = [];
  const readable: string[] = [];
  for (const file of files) {
    const reason = findObstacle(file) ?? (await findBrokenHead(file, openArchive));
    if (reason === undefined) readable.push(file);
    else failed.push({ path: file, reason });
  }
  return { failed, readable };
}

function findObstacle(file: string): string | undefined {
  try {
    if (!fs.statSync(file).isFile()) return 'it is no file';
    fs.accessSync(file, fs.constants.R_OK);
    return undefined;
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
  }
}

/** Lists what was rotated from the files and is not among them: an import loads what is named, and nothing else. */
function rotatedSiblings(files: readonly string[]): string[] {
  const directories = new Set(files.map((file) => path.dirname(file)));
  return [...directories].flatMap((directory) =>
    fs
      .readdirSync(directory)
      .map((name) => path.join(directory, name))
      .filter((sibling) => !files.includes(sibling) && files.some((file) => sibling.startsWith(file))),
  );
}

/** Paths of people stand for themselves, whatever characters they have. */
function escapeGlob(file: string): string {
  return file.replace(/[*?[{]/g, '[$&]');
}
