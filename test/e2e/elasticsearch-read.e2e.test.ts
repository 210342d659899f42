/** Reading a real OpenSearch and a real Elasticsearch: the scenarios, random questions, the audit, bad surroundings. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../src/base/errors.ts';
import type { Query } from '../../src/query/ast.ts';
import { heartbeatRecord } from '../../src/record/heartbeat.ts';
import type { LedgerGap, LedgerRecord } from '../../src/record/ledger.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import { parseTime } from '../../src/query/time-range.ts';
import { randomMembers, randomQuery, withPlace } from '../../src/store/elasticsearch/testing/random-logs.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { FileAudit, Store, TimeRange } from '../../src/store/store.ts';
import { SCRIPT_NAMES, runScript } from '../scenarios/run-script.ts';
import type { ScriptDocument } from '../scenarios/script.ts';
import { toDocumentBatches } from '../scenarios/script.ts';
import type { EngineStores } from './engine-stores.ts';
import { ENGINES } from './engine-stores.ts';

const SIGNAL = new AbortController().signal;

const RANGE: TimeRange = {
  startNs: parseTime('2026-11-23T04:00:00Z', 0n) ?? 0n,
  endNs: parseTime('2026-11-23T05:00:00Z', 0n) ?? 0n,
};

const EVERYTHING: Query = { kind: 'all' };
const DOCUMENTS = 200;
/** Each is some ten requests to the engine. */
const QUERIES = Math.min(400, Number(process.env['LOGBOOM_CASES'] ?? 25));

for (const engine of ENGINES) {
  void describe(engine.name, { skip: engine.skipReason ?? false }, () => {
    let stores: EngineStores;

    before(async () => {
      stores = await engine.start();
    });

    after(async () => {
      await stores[Symbol.asyncDispose]();
    });

    for (const name of SCRIPT_NAMES) {
      void test(`${name} gives its answers on ${engine.name}`, () => runScript(name, () => stores.open()));
    }

    void test('random queries of random documents are answered as in memory', async (context) => {
      const seed = Number(process.env['LOGBOOM_SEED'] ?? Math.trunc(performance.timeOrigin) % 2 ** 31);
      context.diagnostic(`LOGBOOM_SEED=${seed}`);
      await askAtRandom(await stores.open(), seed);
    });

    void test('documents come back byte for byte, with every digit and escape', () => bytesComeBack(stores));

    void test('an export of a thousand documents a page at a time is whole and in order', () =>
      exportIsWhole(stores));

    void test('a histogram splits by frequent values, and adds up the others', () => splitsByValues(stores));

    void test('the audit finds a loss and a repeat, and counts what pipelines dropped', () =>
      auditFinds(stores));

    void test('the audit names every file once, however many there are', () => auditIsWhole(stores));

    void test('without any index everything is empty', () => nothingIsEmpty(stores));
  });
}

async function askAtRandom(store: Store, seed: number): Promise<void> {
  const memory = new MemoryStore();
  const documents = fc
    .sample(randomMembers, { numRuns: DOCUMENTS, seed })
    .map((members, index): ScriptDocument => {
      const fileId = String(index % 3).padStart(20, '0');
      // Ties in time within and between files.
      const time = `2026-11-23T04:00:${String(Math.trunc(index / 7)).padStart(2, '0')}.00000000${index % 2}Z`;
      const document = withPlace(members, fileId, index, time);
      return { name: String(index), fileId, offset: index, document };
    });
  const { rejected } = await store.append(toDocumentBatches(documents), SIGNAL);
  assert.ok(rejected.length < DOCUMENTS / 10, JSON.stringify(rejected[0]));
  const batches = toDocumentBatches(documents);
  const isRefused = (one: ScriptDocument): boolean =>
    rejected.some(({ batchIndex, documentIndex }) => {
      const { fileId = '', offsets } = batches[batchIndex] ?? {};
      return one.fileId === fileId && one.offset === offsets?.[documentIndex];
    });
  await memory.append(toDocumentBatches(documents.filter((one) => !isRefused(one))), SIGNAL);
  for (const query of fc.sample(randomQuery, { numRuns: QUERIES, seed })) {
    const expected = await answersOf(memory, query);
    assert.deepEqual(await answersOf(store, query), expected, JSON.stringify({ seed, query }));
  }
  await store.close();
}

/** Everything that a store says of a query: a page from either end, the export, counts by level. */
async function answersOf(store: Store, query: Query): Promise<unknown> {
  const page = { query, range: RANGE, limit: 25, after: undefined };
  const first = await store.search({ ...page, order: 'asc' }, SIGNAL);
  const next = await store.search({ ...page, order: 'asc', after: first.next }, SIGNAL);
  const newest = await store.search({ ...page, order: 'desc', limit: 3 }, SIGNAL);
  const histogram = { query, range: { ...RANGE, endNs: RANGE.startNs + 60_000_000_000n }, bucketCount: 6 };
  return {
    pages: [first, first.next === undefined ? undefined : next, newest],
    exported: await exported(store, query),
    byLevel: await store.histogram({ ...histogram, by: ['log.level'] }, SIGNAL),
    byHost: await store.histogram({ ...histogram, by: ['host.name'] }, SIGNAL),
    // A width that is no number of milliseconds.
    counts: await store.histogram({ ...histogram, bucketCount: 7, by: undefined }, SIGNAL),
  };
}

async function exported(store: Store, query: Query): Promise<string> {
  const blocks: Uint8Array[] = [];
  for await (const block of store.export({ query, range: RANGE }, SIGNAL))
    blocks.push(Uint8Array.from(block));
  return Buffer.concat(blocks).toString();
}

/** A batch of one file with the documents as they are given. */
function batchOf(fileId: string, lines: readonly string[]): DocumentBatch {
  let end = 0;
  const encoded = lines.map((line) => Buffer.from(`${line}\n`));
  return {
    fileId,
    body: Buffer.concat(encoded),
    count: lines.length,
    ends: Uint32Array.from(encoded, (line) => (end += line.length)),
    offsets: Float64Array.from(lines.keys(), (index) => index * 1_000_000),
    lanes: new Uint8Array(lines.length),
    fieldTypes: new Map(),
    dropped: [],
  };
}

function lineAt(fileId: string, index: number, members: string): string {
  const offset = index * 1_000_000;
  const time = new Date(Number(RANGE.startNs / 1_000_000n) + index).toISOString().replace('Z', '000000Z');
  const id = `${fileId}-${offset.toString(16).padStart(12, '0')}`;
  return `{"@timestamp":"${time}","message":"m","log":{"offset":${offset}},"event":{"id":"${id}"},${members}}`;
}

const FILE = 'f'.repeat(20);

async function bytesComeBack(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const lines = [
    lineAt(FILE, 0, String.raw`"fields":{"n":12345678901234567890.10,"e":1E3,"z":-0,"f":1.0}`),
    lineAt(FILE, 1, String.raw`"fields":{"t":"a\/b \u00e9 \ud83d\ude80 ,\"_logboom\":{","_logbook":{}}`),
    lineAt(FILE, 2, `"fields":{"blank" : [ 1 , { } ] }`),
  ];
  assert.deepEqual(await store.append([batchOf(FILE, lines)], SIGNAL), {
    appended: lines.length,
    duplicates: 0,
    rejected: [],
  });
  const request = { query: EVERYTHING, range: RANGE, limit: 10, after: undefined };
  const { documents } = await store.search({ ...request, order: 'asc' }, SIGNAL);
  assert.deepEqual(documents, lines);
  assert.equal(await exported(store, EVERYTHING), lines.map((line) => `${line}\n`).join(''));
  await store.close();
}

async function exportIsWhole(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const lines = Array.from({ length: 1_500 }, (_, index) => lineAt(FILE, index, `"n":${index}`));
  await store.append([batchOf(FILE, lines)], SIGNAL);
  assert.equal(await exported(store, EVERYTHING), lines.map((line) => `${line}\n`).join(''));
  // Bounds that the engine cannot tell exactly: every document is read, and two pages hold matches.
  const query: Query = { kind: 'regex', field: 'n', source: '^1?00$' };
  const page = await store.search({ query, range: RANGE, order: 'asc', limit: 5, after: undefined }, SIGNAL);
  assert.deepEqual(page, { documents: [lines[100]], next: undefined });
  await store.close();
}

async function splitsByValues(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const hostOf = (index: number): string => `Host-${String(Math.trunc(Math.sqrt(index))).padStart(2, '0')}`;
  const lines = Array.from({ length: 900 }, (_, index) => {
    const host = `"host":{"name":"${hostOf(index)}"}`;
    return lineAt(FILE, index, `${host},"fields":{"host":"${hostOf(index)}"}`);
  });
  await store.append([batchOf(FILE, lines)], SIGNAL);
  const range = { startNs: RANGE.startNs, endNs: RANGE.startNs + 900_000_000n };
  const memory = new MemoryStore();
  await memory.append([batchOf(FILE, lines)], SIGNAL);
  for (const by of [
    ['host.name'],
    ['fields.host'],
    ['container.name', 'host.name', 'level'],
    ['log.level', 'level'],
  ]) {
    for (const bucketCount of [1, 9, 7]) {
      const request = { query: EVERYTHING, range, bucketCount, by };
      const buckets = await store.histogram(request, SIGNAL);
      assert.deepEqual(
        buckets,
        await memory.histogram(request, SIGNAL),
        `${by.join(', ')}, ${bucketCount} buckets`,
      );
    }
  }
  await store.close();
}

function ledgerOf(fileId: string, records: number, indices: readonly number[]): LedgerRecord {
  const end = (Math.max(-1, ...indices) + 1) * 1_000_000;
  return {
    fileId,
    sequence: records,
    time: '2026-11-23T04:00:00.000000000Z',
    node: 'n',
    path: '/p',
    namespace: undefined,
    pod: undefined,
    container: undefined,
    state: 'active',
    bytesWritten: end,
    bytesRead: end,
    acknowledgedOffset: end,
    records,
    offsetSum: String(indices.reduce((sum, index) => sum + BigInt(index * 1_000_000), 0n)),
    dropped: {},
    gaps: [],
  };
}

/** A possible loss of the records from one index up to another. */
function lossOf(start: number, end: number): LedgerGap {
  const offsets = { startOffset: start * 1_000_000, endOffset: end * 1_000_000 };
  return { kind: 'possible_loss', ...offsets, reason: 'unsure' };
}

function heartbeatOf(node: string, sequence: number, files: number): LedgerRecord {
  const counts = { intervalMs: 15_000, files, unreadBytes: 0, unacknowledgedBytes: 0 };
  const agent = { cluster: 'c', version: '1.0.0', state: 'running', ...counts } as const;
  const moment = { node, sequence, time: '2026-11-23T04:00:00.000000000Z' };
  return heartbeatRecord(`6e6f6465${node.repeat(12)}`, moment, agent);
}

async function auditFinds(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const file = (digit: number): string => String(digit).padStart(20, 'e');
  const linesOf = (digit: number): string[] =>
    Array.from({ length: 8 }, (_, index) => lineAt(file(digit), index, '"kubernetes":{"namespace":"shop"}'));
  const dropped = [8, 9].map(
    (index) => ({ reason: 'pipeline', lane: 0, offset: index * 1_000_000 }) as const,
  );
  for (const digit of [1, 2, 3, 4, 5, 7]) {
    const batch = batchOf(file(digit), linesOf(digit));
    await store.append([digit === 4 ? { ...batch, dropped } : batch], SIGNAL);
    if (digit === 4) await store.append([{ ...batch, dropped }], SIGNAL);
  }
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  const ledgers = [
    ledgerOf(file(1), 8, all),
    // The agent has told of five only.
    ledgerOf(file(2), 5, all.slice(0, 5)),
    ledgerOf(file(3), 8, all),
    ledgerOf(file(4), 10, [...all, 8, 9]),
    ledgerOf(file(6), 2, [0, 1]),
    // A power loss made the agent forget that it had delivered two.
    { ...ledgerOf(file(7), 6, [0, 1, 4, 5, 6, 7]), gaps: [lossOf(2, 4)] },
  ];
  await store.appendLedger(ledgers, SIGNAL);
  await store.appendLedger([{ ...ledgerOf(file(1), 1, [0]), sequence: 1 }], SIGNAL);
  await store.appendLedger([heartbeatOf('a', 1, 7), heartbeatOf('b', 1, 8), heartbeatOf('a', 2, 9)], SIGNAL);
  await plant(stores.url, file(3));
  const found = new Map<string, FileAudit>();
  for await (const audit of store.audit(SIGNAL)) found.set(audit.fileId, audit);
  const agents = await store.agents(SIGNAL);
  const told = agents.map(({ node, agent }) => `${node} ${agent.files}`);
  assert.deepEqual(told.toSorted(), ['a 9', 'b 8']);
  const figures = [1, 2, 3, 4, 5, 6, 7].map((digit) => {
    const { found: count, twice, droppedByPipeline, offsetSum, ledger } = found.get(file(digit)) as FileAudit;
    return [
      count,
      twice,
      droppedByPipeline,
      ledger === undefined ? undefined : offsetSum === ledger.offsetSum,
    ];
  });
  assert.deepEqual(figures, [
    [8, 0, 0, true],
    [5, 0, 0, true],
    // One is missing, and another one there twice.
    [8, 1, 0, false],
    [10, 0, 2, true],
    [8, 0, 0, undefined],
    [0, 0, 0, false],
    [8, 0, 0, false],
  ]);
  assert.deepEqual(found.get(file(7))?.inPossibleLoss, { count: 2, offsetSum: '5000000' });
  const { records, namespaces, oldestNs, newestNs } = await store.stats(SIGNAL);
  assert.deepEqual(
    { records, namespaces, oldestNs, newestNs },
    {
      records: 48,
      namespaces: [{ namespace: 'shop', records: 48 }],
      oldestNs: RANGE.startNs,
      newestNs: RANGE.startNs + 7_000_000n,
    },
  );
  await store.close();
}

async function auditIsWhole(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const fileIds = Array.from({ length: 1_300 }, (_, index) =>
    // In another order than they are sorted in.
    ((index * 7919) % 1_300).toString().padStart(20, '0'),
  );
  // Some have logs alone, most a ledger alone, some both, and the last ones dropped records alone.
  for (const fileId of fileIds.slice(0, 20))
    await store.append([batchOf(fileId, [lineAt(fileId, 0, '"n":0')])], SIGNAL);
  await store.appendLedger(
    fileIds.slice(10, 1_290).map((fileId) => ledgerOf(fileId, 1, [0])),
    SIGNAL,
  );
  const dropped = [{ reason: 'pipeline', lane: 0, offset: 5 } as const];
  const batches = fileIds.slice(1_290).map((fileId) => ({ ...batchOf(fileId, []), dropped }));
  await store.append(batches, SIGNAL);
  const found: [string, number][] = [];
  for await (const { fileId, found: count } of store.audit(SIGNAL)) found.push([fileId, count]);
  const expected = fileIds.map((fileId, index): [string, number] => [
    fileId,
    index < 20 || index >= 1_290 ? 1 : 0,
  ]);
  assert.deepEqual(
    found,
    expected.toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  await store.close();
}

/** Loses the third record of a file, and stores the last one a second time, in the index of another day. */
async function plant(url: string, fileId: string): Promise<void> {
  const idOf = (index: number): string => `${fileId}-${(index * 1_000_000).toString(16).padStart(12, '0')}`;
  const search = await fetch(`${url}/*-shop-2026.11.23/_search?q=event.id:%22${idOf(7)}%22`);
  const { hits } = (await search.json()) as { hits: { hits: { _index: string; _source: unknown }[] } };
  const [{ _index: index, _source: source } = { _index: '', _source: undefined }] = hits.hits;
  const deleted = await fetch(`${url}/${index}/_doc/${idOf(2)}`, { method: 'DELETE' });
  const elsewhere = index.replace('11.23', '11.24');
  const copied = await fetch(`${url}/${elsewhere}/_doc/${idOf(7)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(source),
  });
  assert.ok(deleted.ok && copied.ok, `${deleted.status} ${copied.status}`);
}

async function nothingIsEmpty(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const request = { query: EVERYTHING, range: RANGE, order: 'asc', limit: 10, after: undefined } as const;
  assert.deepEqual(await store.search(request, SIGNAL), { documents: [], next: undefined });
  assert.equal(await exported(store, EVERYTHING), '');
  const buckets = await store.histogram({ ...request, bucketCount: 2, by: ['log.level'] }, SIGNAL);
  assert.deepEqual(
    buckets.map(({ count, by }) => ({ count, by })),
    [
      { count: 0, by: {} },
      { count: 0, by: {} },
    ],
  );
  const { records, oldestNs } = await store.stats(SIGNAL);
  assert.deepEqual([records, oldestNs], [0, undefined]);
  await store.close();
  await assert.rejects(store.search(request, AbortSignal.abort()), AppError);
}
