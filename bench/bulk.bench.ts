/**
 * What writing to an engine costs: documents of mixed lines (half JSON with parsed fields, half text) into a real
 * OpenSearch, through the store and, in turns with it, by plain `_bulk` requests of the same documents with the same
 * ids, bodies prepared beforehand, as many at once: the ceiling. The plain ones go to two kinds of indices: with the
 * mapping of the store, and with what the engine makes of the documents by itself (dynamic mapping).
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
import { eventIdOf } from '../src/record/identity.ts';
import { BulkEncoder } from '../src/store/elasticsearch/write/bulk-encoder.ts';
import { ElasticsearchStore } from '../src/store/elasticsearch/elasticsearch-store.ts';
import { IndexRouter } from '../src/store/elasticsearch/write/index-router.ts';
import { openEngineClient } from '../src/store/elasticsearch/engine/open-engine-client.ts';
import { MemoryTelemetry } from '../src/telemetry/memory-telemetry.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { startOpenSearch } from '../test/services/opensearch.ts';
import { createMixedBatches } from './mixed-documents.ts';

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
  readonly bytesPerDocument: number;
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
  await using service = await startOpenSearch({ heapMiB: 1_024, isFast: true });
  const bodies = appends.map((batches) => plainBody(batches));
  for (let round = 0; round < Number(options.rounds); round += 1) {
    const prefix = `round${round}`;
    const store = openStore(service.url, `${prefix}-store`);
    // The template is there before the clock runs.
    await store.append([], new AbortController().signal);
    const run = (way: string, send: (index: number) => Promise<void>, bytes: number): Promise<Measured> =>
      measure(way, service.pid ?? 0, send, bytes);
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
    const stored = await run('store', (index) => append(store, index), bytes);
    const same = await run(
      'plain, same mapping',
      (index) => post(service.url, `${prefix}-store-plain`, bodies[index]),
      bytes,
    );
    const dynamic = await run(
      'plain, dynamic mapping',
      (index) => post(service.url, `${prefix}-dynamic`, bodies[index]),
      bytes,
    );
    for (const measured of [stored, same, dynamic]) print({ round, ...measured });
    print({
      round,
      'share of the ceiling': share(stored, same),
      'of dynamic mapping': share(stored, dynamic),
    });
    await store.close();
    for (const index of [`${prefix}-store-*`, `${prefix}-dynamic`])
      await fetch(`${service.url}/${index}`, { method: 'DELETE' });
  }
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

/** The body of a plain request: the same documents with the same ids, nothing added. */
function plainBody(batches: readonly DocumentBatch[]): Buffer {
  const parts: Buffer[] = [];
  for (const { body, count: documents, ends, offsets, fileId } of batches) {
    for (let index = 0, start = 0; index < documents; index += 1) {
      const end = ends[index] ?? start;
      parts.push(Buffer.from(`{"create":{"_id":"${eventIdOf(fileId, offsets[index] ?? 0)}"}}\n`));
      parts.push(Buffer.from(body.subarray(start, end)));
      start = end;
    }
  }
  return Buffer.concat(parts);
}

async function post(url: string, index: string, body: Buffer | undefined): Promise<void> {
  const answer = await fetch(`${url}/${index}/_bulk?filter_path=errors`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: body ?? '',
  });
  const text = await answer.text();
  if (text !== '{"errors":false}') throw new Error(text.slice(0, 500));
}

async function measure(
  way: string,
  pid: number,
  send: (index: number) => Promise<void>,
  bytes: number,
): Promise<Measured> {
  const own = process.cpuUsage();
  const engine = cpuSeconds(pid);
  const startMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < appends.length) await send(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(own);
  const documents = appends.length * APPEND_DOCUMENTS;
  return {
    way,
    documentsPerSecond: Math.round(documents / seconds),
    perEngineCoreSecond: Math.round(documents / (cpuSeconds(pid) - engine)),
    perOwnCoreSecond: Math.round(documents / ((user + system) / 1e6)),
    bytesPerDocument: Math.round(bytes / documents),
  };
}

/** Processor time of a process so far, from /proc (proc_pid_stat(5)). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function share(one: Measured, other: Measured): string {
  const wall = Math.round((100 * one.documentsPerSecond) / other.documentsPerSecond);
  const engine = Math.round((100 * one.perEngineCoreSecond) / other.perEngineCoreSecond);
  return `${wall} % by the clock, ${engine} % by the engine's processor time`;
}

function print(line: Readonly<Record<string, unknown>>): void {
  const text = Object.entries(line)
    .map(
      ([name, value]) => `${name}: ${typeof value === 'number' ? value.toLocaleString('en') : String(value)}`,
    )
    .join(', ');
  process.stdout.write(`${options.json === true ? JSON.stringify(line) : text}\n`);
}
