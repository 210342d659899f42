/**
 * What `logboom indexer` costs, and what it gets out of an engine: documents from a real Kafka broker through the
 * pipelines.
 *
 * - own: to an engine that discards what it is sent; documents per second of one core, half of them JSON lines that are
 *   parsed, and JSON only. CPU time is the indexer's process's.
 * - share: to a real OpenSearch, beside two plain loops over `_bulk` in turns with it: the same requests (documents with
 *   the store's search columns, its templates), and the documents alone in indices that the engine maps as it likes.
 *   Each round has indices of its own. OpenSearch runs on the first processor and everything else on the others, so that
 *   they do not take from it; beside seconds there is what the engine itself spent.
 *
 *   node bench/indexer.bench.ts [--json] [--only own|share] [--records N] [--documents N] [--rounds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { createBatchProcessor } from '../src/indexer/pipeline/batch-processor.ts';
import { eventIdOf } from '../src/record/identity.ts';
import type { DocumentBatch } from '../src/record/record-batch.ts';
import { BulkEncoder } from '../src/store/elasticsearch/write/bulk-encoder.ts';
import { IndexRouter } from '../src/store/elasticsearch/write/index-router.ts';
import { EngineBench } from '../test/e2e/engine-bench.ts';
import { engineConfig } from '../test/e2e/engine-stores.ts';
import { findFreePort } from '../test/e2e/logboom-process.ts';
import type { JavaService } from '../test/services/java-service.ts';
import { KafkaBroker } from '../test/services/kafka.ts';
import { javaSkipReason } from '../test/services/maven.ts';
import { startOpenSearch } from '../test/services/opensearch.ts';
import { compileInto } from './compiled.ts';
import { DiscardingEngine } from './discarding-engine.ts';
import { cpuSecondsOf, residentMebibytesOf, RoleProcess, until } from './role-process.ts';
import { createShippedBatches, fillTopic } from './shipped-documents.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    records: { type: 'string', default: '600000' },
    documents: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
  },
});

const PARTITIONS = 6;
const INDEX_MS_MAX = 600_000;

/** The share of a run after which code is compiled and connections stand. */
const WARM_SHARE = 0.2;

/** What the loops over `_bulk` send: as large as the indexer's, and as many at once as an engine on one core takes. */
const PLAIN_BYTES = 5 * 2 ** 20;
const PLAIN_IN_FLIGHT = 4;

type Figures = Record<string, string | number>;

/** A way to get all documents into the engine: calls `begin` with how many it has confirmed, returns when it has all. */
type Load = (turn: number, begin: (confirmed: number) => void) => Promise<void>;

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const reason = javaSkipReason();
if (reason === undefined) await measureAll();
else process.stdout.write(`skipped: ${reason}\n`);
process.exit();

async function measureAll(): Promise<void> {
  await using broker = await KafkaBroker.start({ heapMiB: 1024 });
  const program = compileInto(path.join(directory, 'compiled'), 'src/main.ts');
  if (values.only !== 'share') {
    for (const isJsonOnly of [false, true]) print(await measureOwn(program, broker, isJsonOnly));
  }
  if (values.only !== 'own') await measureShare(program, broker);
}

async function measureOwn(program: string, broker: KafkaBroker, isJsonOnly: boolean): Promise<Figures> {
  await using engine = await DiscardingEngine.start();
  const records = Number(values.records);
  const topic = isJsonOnly ? 'own-json' : 'own-mixed';
  const batches = createShippedBatches({ records, startNs: hourAgoNs(), isJsonOnly });
  await fillTopic(broker.address, topic, { batches, partitions: PARTITIONS });
  await using indexer = await startIndexer(program, { broker, topic, engine: engine.url });
  const warm = await untilStored(indexer, records * WARM_SHARE);
  const warmCpuSeconds = indexer.cpuSeconds;
  await untilStored(indexer, records);
  const { cpuSeconds, pid } = indexer;
  return {
    bench: `indexer alone, ${isJsonOnly ? 'JSON' : 'half JSON'}`,
    documents: records,
    documentsPerCoreSecond: Math.round((records - warm) / (cpuSeconds - warmCpuSeconds)),
    withStart: Math.round(records / cpuSeconds),
    residentMebibytesMax: residentMebibytesOf(pid, 'most'),
  };
}

async function measureShare(program: string, broker: KafkaBroker): Promise<void> {
  await using engine = await startOpenSearch({ heapMiB: 1_024, isFast: true });
  pin(engine, broker);
  const records = Number(values.documents);
  const batches = createShippedBatches({ records, startNs: hourAgoNs(), isJsonOnly: false });
  await fillTopic(broker.address, 'share', { batches, partitions: PARTITIONS });
  const processor = createBatchProcessor([]);
  const documents = batches.map((batch) => processor.process(batch).batch);
  const loads: readonly (readonly [string, Load])[] = [
    ['same requests', await sameRequests(engine, documents)],
    ['documents alone', documentsAlone(engine, documents)],
    ['indexer', (turn, begin) => runIndexer(program, { broker, engine, turn, records, begin })],
  ];
  for (const [, load] of loads) await load(0, () => undefined);
  const rates = new Map<string, number[]>(loads.map(([name]) => [name, []]));
  for (let turn = 1; turn <= Number(values.rounds); turn++) {
    for (const [name, load] of loads) {
      const { figures, perSecond } = await measureLoad(engine, records, (begin) => load(turn, begin));
      rates.get(name)?.push(perSecond);
      print({ bench: `OpenSearch, ${name}`, turn, ...figures });
    }
  }
  const [same = 0, alone = 0, own = 0] = loads.map(([name]) => median(rates.get(name) ?? []));
  const share = (of: number): string => `${Math.round((100 * own) / of)} %`;
  print({ bench: 'indexer, medians', ofSameRequests: share(same), ofDocumentsAlone: share(alone) });
}

async function measureLoad(
  engine: JavaService,
  records: number,
  load: (begin: (confirmed: number) => void) => Promise<void>,
): Promise<{ readonly figures: Figures; readonly perSecond: number }> {
  const pid = engine.pid ?? 0;
  let cpuSeconds = 0;
  let startedMs = 0;
  let before = 0;
  await load((confirmed) => {
    before = confirmed;
    cpuSeconds = cpuSecondsOf(pid);
    startedMs = performance.now();
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const engineCores = (cpuSecondsOf(pid) - cpuSeconds) / seconds;
  const perSecond = (records - before) / seconds;
  const figures = {
    documentsPerSecond: Math.round(perSecond),
    documentsPerEngineCoreSecond: Math.round(perSecond / engineCores),
    engineCores: Number(engineCores.toFixed(2)),
  };
  return { figures, perSecond };
}

/** Encodes what the store would send; its templates are in the engine then. */
async function sameRequests(engine: JavaService, documents: readonly DocumentBatch[]): Promise<Load> {
  const bench = new EngineBench(engine);
  await using opened = bench.open();
  await opened.store.append([], new AbortController().signal);
  return async (turn, begin) => {
    const config = { ...engineConfig(engine.url, bench.prefix), index: `${bench.prefix}-${turn}-{date}` };
    const encoder = new BulkEncoder({ router: new IndexRouter(config), bytesMax: PLAIN_BYTES });
    const { payloads } = encoder.encode(documents, Date.now());
    begin(0);
    await sendAll(
      engine,
      payloads.map(({ bytes }) => bytes),
    );
  };
}

function documentsAlone(engine: JavaService, documents: readonly DocumentBatch[]): Load {
  return async (turn, begin) => {
    const bodies: Buffer[] = [];
    let parts: Buffer[] = [];
    let length = 0;
    for (const { fileId, body, ends, offsets, count } of documents) {
      for (let index = 0; index < count; index++) {
        const id = eventIdOf(fileId, offsets[index] ?? 0);
        const action = Buffer.from(`{"create":{"_index":"plain-${turn}","_id":"${id}"}}\n`);
        const document = Buffer.from(body.subarray(ends[index - 1] ?? 0, ends[index]));
        parts.push(action, document);
        length += action.length + document.length;
        if (length < PLAIN_BYTES) continue;
        bodies.push(Buffer.concat(parts));
        parts = [];
        length = 0;
      }
    }
    if (length > 0) bodies.push(Buffer.concat(parts));
    begin(0);
    await sendAll(engine, bodies);
  };
}

async function sendAll(engine: JavaService, bodies: readonly Uint8Array[]): Promise<void> {
  const pool = new Pool(engine.url, { connections: PLAIN_IN_FLIGHT });
  const waiting = [...bodies];
  const work = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
      const answer = await pool.request({
        method: 'POST',
        path: '/_bulk?filter_path=errors,items.*.error',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
      const text = await answer.body.text();
      if (!text.startsWith('{"errors":false')) throw new Error(`OpenSearch refuses: ${text.slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: PLAIN_IN_FLIGHT }, work));
  await pool.close();
}

async function runIndexer(
  program: string,
  options: {
    readonly broker: KafkaBroker;
    readonly engine: JavaService;
    readonly turn: number;
    readonly records: number;
    readonly begin: (confirmed: number) => void;
  },
): Promise<void> {
  const { broker, engine, turn, records, begin } = options;
  await using indexer = await startIndexer(program, {
    broker,
    topic: 'share',
    engine: engine.url,
    group: `share-${turn}`,
    index: `own${turn}-{namespace}-{date}`,
  });
  // Its start does not count, nor what was under way meanwhile.
  begin(await untilStored(indexer, 1));
  await untilStored(indexer, records);
}

async function startIndexer(
  program: string,
  options: {
    readonly broker: KafkaBroker;
    readonly topic: string;
    readonly engine: string;
    readonly group?: string;
    readonly index?: string;
  },
): Promise<RoleProcess> {
  const { broker, topic, engine, group = topic, index = 'logboom-{namespace}-{date}' } = options;
  return RoleProcess.start({
    program,
    role: 'indexer',
    directory: mkdtempSync(path.join(directory, 'indexer-')),
    listen: `127.0.0.1:${await findFreePort()}`,
    config: [
      `transport: { kind: kafka, brokers: ["${broker.address}"], topic: ${topic}, groupId: ${group} }`,
      `store: { kind: elasticsearch, urls: ["${engine}"], index: "${index}", replicas: 0 }`,
    ],
  });
}

/** Resolves with how many are stored once they are at least `wanted`. */
async function untilStored(indexer: RoleProcess, wanted: number): Promise<number> {
  let stored = 0;
  await until(`${wanted} documents to be stored`, INDEX_MS_MAX, async () => {
    stored = await indexer.metric('logboom_indexer_records_total', 'outcome="stored"');
    return stored >= wanted;
  });
  return stored;
}

/** Gives OpenSearch the first processor, and the broker and this process, with what it starts, the others. */
function pin({ pid: engine }: JavaService, { pid: broker }: KafkaBroker): void {
  const last = navigator.hardwareConcurrency - 1;
  if (last === 0) return;
  const place = (cpus: string, pid: number | undefined): unknown =>
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cpus, String(pid)]);
  place('0', engine);
  place(`1-${last}`, broker);
  place(`1-${last}`, process.pid);
}

function hourAgoNs(): bigint {
  return BigInt(Date.now() - 3_600_000) * 1_000_000n;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function print(figures: Figures): void {
  const pairs = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  process.stdout.write(`${values.json ? JSON.stringify(figures) : pairs.join(', ')}\n`);
}
