/**
 * What `logboom indexer` costs, and what it gets out of an engine: documents from a real Kafka broker through the
 * pipelines.
 *
 * - own: to an engine that discards what it is sent; documents per second of one core, half of them JSON lines that are
 *   parsed, and JSON only. CPU time is the indexer's process's.
 * - share: to a real OpenSearch, in turns with three plain loops over `_bulk` that send bodies made ready beforehand:
 *     same requests   the very bodies that the indexer sends: what the engine can take of this work
 *     flat fields     the documents alone; a mapping of the same field table, with `fields` as one `flat_object`, as a
 *                     plain setup needs it to find parsed fields
 *     closed mapping  the documents alone; the same field table, so that no parsed field is found
 *   The first turns warm the engine up and do not count, each load has indices of its own, which are deleted behind it,
 *   and the order changes from turn to turn. OpenSearch runs on the first processor and everything else on the others, so
 *   that they do not take from it. Shares are medians, by the clock and by what the engine itself spent.
 *
 *   node bench/indexer.bench.ts [--json] [--only own|share] [--records N] [--documents N] [--rounds N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createBatchProcessor } from '../src/indexer/pipeline/batch-processor.ts';
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
import { bodiesOf, createPlainIndex, deleteIndices, sendBodies } from './plain-bulk.ts';
import { cpuSecondsOf, residentMebibytesOf, RoleProcess, until } from './role-process.ts';
import { createShippedBatches, fillTopic } from './shipped-documents.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    records: { type: 'string', default: '600000' },
    documents: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '3' },
  },
});

const PARTITIONS = 6;

/** An engine compiles what it runs often: its first turns are half as fast. */
const WARM_TURNS = 2;

const INDEX_MS_MAX = 600_000;

/** The share of a run after which code is compiled and connections stand. */
const WARM_SHARE = 0.2;

/** What the loops over `_bulk` send: as large as the indexer's. */
const PLAIN_BYTES = 5 * 2 ** 20;

/** Of the share: the plain loads' indices have names that its template fits too. */
const INDEX = 'bench-{namespace}-{date}';

type Figures = Readonly<Record<string, string | number>>;

/** A way to get all documents into the engine: calls `begin` with how many it has confirmed, returns when it has all. */
type Load = (turn: number, begin: (confirmed: number) => void) => Promise<void>;

type NamedLoad = readonly [name: string, load: Load];

interface Rates {
  readonly documentsPerSecond: number;
  readonly documentsPerEngineCoreSecond: number;
  readonly engineCores: number;
}

const directory = mkdtempSync(path.join(tmpdir(), 'logboom-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const reason = javaSkipReason();
if (reason === undefined) await measureAll();
else process.stdout.write(`skipped: ${reason}\n`);
process.exit();

async function measureAll(): Promise<void> {
  await using broker = await KafkaBroker.start({ heapMiB: 1024 });
  const program = await compileInto(path.join(directory, 'compiled'), 'src/main.ts');
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
  await using engine = await startOpenSearch({
    heapMiB: 2_048,
    isFast: true,
    // The serial collector leaves garbage until the heap is full, which the breaker would take for use.
    settings: { 'indices.breaker.total.use_real_memory': 'false' },
  });
  pin(engine, broker);
  const records = Number(values.documents);
  const batches = createShippedBatches({ records, startNs: hourAgoNs(), isJsonOnly: false });
  await fillTopic(broker.address, 'share', { batches, partitions: PARTITIONS });
  const processor = createBatchProcessor([]);
  const documents = batches.map((batch) => processor.process(batch).batch);
  const loads: readonly NamedLoad[] = [
    ['indexer', (turn, begin) => runIndexer(program, { broker, engine, turn, records, begin })],
    ['same requests', await sameRequests(engine, documents)],
    ['flat fields', documentsAlone(engine, documents, true)],
    ['closed mapping', documentsAlone(engine, documents, false)],
  ];
  const taken = new Map<string, Rates[]>(loads.map(([name]) => [name, []]));
  const turns = WARM_TURNS + Number(values.rounds);
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, load] of turned(loads, turn)) {
      const rates = await measureLoad(engine, records, (begin) => load(turn, begin));
      print({ bench: `OpenSearch, ${name}`, isCounted: String(turn >= WARM_TURNS), ...rates });
      if (turn >= WARM_TURNS) taken.get(name)?.push(rates);
    }
  }
  const [own, ...rivals] = [...taken];
  for (const [name, rates] of rivals)
    print({ bench: `indexer of ${name}`, ...shares(own?.[1] ?? [], rates) });
}

/** The same in another order, so that no load always stands behind the same other one. */
function turned(loads: readonly NamedLoad[], turn: number): NamedLoad[] {
  const order = [...loads.slice(turn % loads.length), ...loads.slice(0, turn % loads.length)];
  return turn % 2 === 0 ? order : order.toReversed();
}

function shares(own: readonly Rates[], others: readonly Rates[]): Figures {
  const share = (key: 'documentsPerSecond' | 'documentsPerEngineCoreSecond'): string => {
    const [one, other] = [own, others].map((rates) => median(rates.map(({ [key]: rate }) => rate)));
    return `${Math.round((100 * (one ?? 0)) / (other ?? 0))} %`;
  };
  return { byClock: share('documentsPerSecond'), byEngineCpu: share('documentsPerEngineCoreSecond') };
}

async function measureLoad(
  engine: JavaService,
  records: number,
  load: (begin: (confirmed: number) => void) => Promise<void>,
): Promise<Rates> {
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
  await deleteIndices(engine.url, 'bench-*');
  return {
    documentsPerSecond: Math.round(perSecond),
    documentsPerEngineCoreSecond: Math.round(perSecond / engineCores),
    engineCores: Number(engineCores.toFixed(2)),
  };
}

/** Encodes what the store would send; its templates, which fit the indices of the other loads too, are in the engine then. */
async function sameRequests(engine: JavaService, documents: readonly DocumentBatch[]): Promise<Load> {
  const config = { ...engineConfig(engine.url, 'bench'), index: INDEX };
  await using opened = new EngineBench(engine).open(config);
  await opened.store.append([], new AbortController().signal);
  return async (_turn, begin) => {
    const router = new IndexRouter(config);
    const { payloads } = new BulkEncoder({ router, bytesMax: PLAIN_BYTES }).encode(documents, Date.now());
    begin(0);
    await sendBodies(
      engine.url,
      payloads.map(({ bytes }) => bytes),
    );
  };
}

function documentsAlone(engine: JavaService, documents: readonly DocumentBatch[], hasFields: boolean): Load {
  return async (turn, begin) => {
    const index = `bench-${hasFields ? 'flat' : 'closed'}${turn}`;
    await createPlainIndex(engine.url, index, hasFields);
    const bodies = bodiesOf(documents, index, PLAIN_BYTES);
    begin(0);
    await sendBodies(engine.url, bodies);
  };
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
    index: INDEX,
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
