/**
 * What writing to an engine costs: documents of mixed lines (half JSON with parsed fields, half text) into a real
 * OpenSearch, through the store and, in turns with it, by plain `_bulk` requests of the same documents with the same
 * ids, bodies made ready beforehand, as many at once:
 *
 *   same requests   the very bodies that the store sends
 *   flat fields     the documents alone; the store's mapping and `fields` as one `flat_object`, to find parsed fields
 *   closed mapping  the documents alone; the store's mapping, in which no parsed field is found
 *   dynamic mapping the documents alone, in what the engine makes of them by itself
 *
 * The first round warms the engine up and does not count; what was written is deleted behind each way, and the order of
 * ways changes from round to round. Shares are medians.
 *
 * Both processes share the machine, so documents per second depend on everything else that runs; documents per second of
 * the engine's and of this process's processor time do not.
 *
 *   node bench/bulk.bench.ts [--json] [--documents N] [--rounds N] [--encode]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nodeFileSystem } from '../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../src/base/node/node-scheduler.ts';
import type { ElasticsearchConfig } from '../src/config/config.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';
import { BulkEncoder } from '../src/store/elasticsearch/write/bulk-encoder.ts';
import { ElasticsearchStore } from '../src/store/elasticsearch/elasticsearch-store.ts';
import { IndexRouter } from '../src/store/elasticsearch/write/index-router.ts';
import { openEngineClient } from '../src/store/elasticsearch/engine/open-engine-client.ts';
import { MemoryTelemetry } from '../src/telemetry/memory-telemetry.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { startOpenSearch } from '../test/services/opensearch.ts';
import { createMixedBatches } from './mixed-documents.ts';
import { bodiesOf, createPlainIndex, deleteIndices, sendBodies } from './plain-bulk.ts';

/** 2026-11-23T04:00:00Z; a document every 0.2 ms. */
const START_NS = 1_795_406_400_000_000_000n;
const STEP_NS = 200_000n;
const YEAR_MS = 365 * 86_400_000;
/** Documents of one append: what the indexer takes at once. */
const APPEND_DOCUMENTS = 8_000;
const IN_FLIGHT = 4;
const TICKS_PER_SECOND = 100;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    documents: { type: 'string', default: '96000' },
    rounds: { type: 'string', default: '3' },
    encode: { type: 'boolean' },
  },
});

interface Measured {
  readonly way: string;
  readonly documentsPerSecond: number;
  readonly perEngineCoreSecond: number;
  readonly perOwnCoreSecond: number;
  readonly engineCores: number;
}

const count = Number(options.documents);
const appends = makeAppends(count);
const skipReason = javaSkipReason();
await measureEncoding();
if (options.encode !== true && skipReason === undefined) await measureEngine();
else if (skipReason !== undefined) process.stdout.write(`${skipReason}: the engine is not measured\n`);

function makeAppends(documents: number): DocumentBatch[][] {
  const next = createMixedBatches(START_NS, STEP_NS);
  return Array.from({ length: Math.ceil(documents / APPEND_DOCUMENTS) }, () => next(APPEND_DOCUMENTS));
}

function configFor(url: string, prefix: string): ElasticsearchConfig {
  return {
    kind: 'elasticsearch',
    urls: [url],
    auth: { kind: 'none' },
    tls: undefined,
    index: `${prefix}-{namespace}-{date}`,
    isDataStream: false,
    shards: 1,
    replicas: 0,
    lifecycle: {
      isManaged: false,
      rolloverBytes: 1,
      rolloverAgeMs: YEAR_MS,
      warmAgeMs: undefined,
      deleteAgeMs: undefined,
    },
    lateMsMax: YEAR_MS,
    futureMsMax: YEAR_MS,
    bulk: { bytesMax: 8 << 20, inFlightMax: 16, compression: 'none' },
  };
}

/** The store's own share: documents to bodies of requests. */
async function measureEncoding(): Promise<void> {
  const config = configFor('http://127.0.0.1', 'encode');
  const encoder = new BulkEncoder({ router: new IndexRouter(config), bytesMax: config.bulk.bytesMax });
  let bytes = 0;
  let seconds = Infinity;
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const before = process.cpuUsage();
    bytes = 0;
    for (const batches of appends) {
      for (const payload of encoder.encode(batches, Number(START_NS / 1_000_000n)).payloads)
        bytes += payload.bytes.length;
    }
    const { user, system } = process.cpuUsage(before);
    seconds = Math.min(seconds, (user + system) / 1e6);
    await nodeScheduler.yield();
  }
  const documents = appends.length * APPEND_DOCUMENTS;
  const perCoreSecond = Math.round(documents / seconds);
  print({ way: 'encoding', perCoreSecond, bytesPerDocument: Math.round(bytes / documents) });
}

async function measureEngine(): Promise<void> {
  await using service = await startOpenSearch({
    heapMiB: 2_048,
    isFast: true,
    // The serial collector leaves garbage until the heap is full, which the breaker would take for use.
    settings: { 'indices.breaker.total.use_real_memory': 'false' },
  });
  const store = openStore(service.url, 'bench');
  // The template is there before the clock runs, and fits the plain indices too.
  await store.append([], new AbortController().signal);
  const ways = waysOf(service.url, store);
  const taken = new Map<string, Measured[]>(ways.map(({ way }) => [way, []]));
  for (let round = 0; round <= Number(options.rounds); round += 1) {
    const turned = [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)];
    for (const way of turned) {
      const measured = await measure(way, service.pid ?? 0);
      print({ round: round === 0 ? 'warm-up' : round, ...measured });
      if (round > 0) taken.get(way.way)?.push(measured);
      await deleteIndices(service.url, 'bench-*,dynamic*');
    }
  }
  await store.close();
  const [stored, ...rivals] = [...taken];
  for (const [way, measured] of rivals) print({ 'store of': way, share: share(stored?.[1] ?? [], measured) });
}

/** A way to get all documents into the engine; `prepare` is not measured. */
interface Way {
  readonly way: string;
  readonly prepare?: () => Promise<void>;
  readonly run: () => Promise<void>;
}

function waysOf(url: string, store: ElasticsearchStore): readonly Way[] {
  const documents = appends.flat();
  const config = configFor(url, 'bench');
  const encoder = new BulkEncoder({ router: new IndexRouter(config), bytesMax: config.bulk.bytesMax });
  const nowMs = Number(START_NS / 1_000_000n);
  const same = appends.flatMap((batches) =>
    encoder.encode(batches, nowMs).payloads.map(({ bytes }) => bytes),
  );
  const plain = (way: string, index: string, hasFields: boolean | undefined): Way => {
    const bodies = bodiesOf(documents, index, config.bulk.bytesMax);
    const create = (): Promise<void> => createPlainIndex(url, index, hasFields === true);
    return {
      way,
      ...(hasFields === undefined ? {} : { prepare: create }),
      run: () => sendBodies(url, bodies),
    };
  };
  return [
    { way: 'store', run: () => appendAll(store) },
    { way: 'same requests', run: () => sendBodies(url, same) },
    plain('flat fields', 'bench-flat', true),
    plain('closed mapping', 'bench-closed', false),
    plain('dynamic mapping', 'dynamic', undefined),
  ];
}

function openStore(url: string, prefix: string): ElasticsearchStore {
  const config = configFor(url, prefix);
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  return new ElasticsearchStore({
    config,
    client,
    scheduler: nodeScheduler,
    telemetry: new MemoryTelemetry(),
  });
}

async function append(store: ElasticsearchStore, index: number): Promise<void> {
  const { appended } = await store.append(appends[index] ?? [], new AbortController().signal);
  if (appended !== APPEND_DOCUMENTS) throw new Error(`only ${appended} documents were new`);
}

async function appendAll(store: ElasticsearchStore): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < appends.length) await append(store, next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function measure({ way, prepare, run }: Way, pid: number): Promise<Measured> {
  await prepare?.();
  const own = process.cpuUsage();
  const engine = cpuSeconds(pid);
  const startMs = performance.now();
  await run();
  const seconds = (performance.now() - startMs) / 1000;
  const engineSeconds = cpuSeconds(pid) - engine;
  const { user, system } = process.cpuUsage(own);
  const documents = appends.length * APPEND_DOCUMENTS;
  return {
    way,
    documentsPerSecond: Math.round(documents / seconds),
    perEngineCoreSecond: Math.round(documents / engineSeconds),
    perOwnCoreSecond: Math.round(documents / ((user + system) / 1e6)),
    engineCores: Number((engineSeconds / seconds).toFixed(2)),
  };
}

/** Processor time of a process so far, from /proc (proc_pid_stat(5)). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function share(own: readonly Measured[], others: readonly Measured[]): string {
  const of = (key: 'documentsPerSecond' | 'perEngineCoreSecond'): number => {
    const [one = 0, other = 1] = [own, others].map((all) => median(all.map(({ [key]: rate }) => rate)));
    return Math.round((100 * one) / other);
  };
  const [wall, engine] = [of('documentsPerSecond'), of('perEngineCoreSecond')];
  return `${wall} % by the clock, ${engine} % by the engine's processor time`;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function print(line: Readonly<Record<string, unknown>>): void {
  const text = Object.entries(line)
    .map(
      ([name, value]) => `${name}: ${typeof value === 'number' ? value.toLocaleString('en') : String(value)}`,
    )
    .join(', ');
  process.stdout.write(`${options.json === true ? JSON.stringify(line) : text}\n`);
}
