/** The writing side of the store against real engines, with a proxy in front where an engine has to seem to fail. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../src/base/errors.ts';
import type { LedgerRecord } from '../../src/record/ledger.ts';
import type { DocumentBatch } from '../../src/record/record-batch.ts';
import type { AppendResult } from '../../src/store/store.ts';
import type { JavaService } from '../services/java-service.ts';
import { ENGINE_KINDS } from '../services/engines.ts';
import { javaSkipReason } from '../services/maven.ts';
import { EngineBench, idsOf } from './engine-bench.ts';
import type { Json, OpenedStore } from './engine-bench.ts';
import { EngineProxy } from './engine-proxy.ts';
import { waitFor } from './logboom-process.ts';

const SIGNAL = new AbortController().signal;
const DAY_MS = 86_400_000;
const WAIT_MS_MAX = 60_000;
const MIB = 2 ** 20;

/** OpenSearch takes no larger request; Elasticsearch keeps its own limit of 100 MiB. */
const SMALL_CONTENT = '8mb';

const ENGINES = ENGINE_KINDS.map(({ name, product, hasDataStreams, start }) => ({
  name,
  hasDataStreams,
  takesLarge: product === 'elasticsearch',
  start: () =>
    product === 'opensearch'
      ? start({ settings: { 'http.max_content_length': SMALL_CONTENT } })
      : // By default a tenth of the heap, of which a document takes four times its size.
        start({ settings: { 'indexing_pressure.memory.limit': '200mb' } }),
}));

type TestedEngine = Pick<(typeof ENGINES)[number], 'takesLarge' | 'hasDataStreams'>;
type Case = (bench: EngineBench) => Promise<void>;

const skip = javaSkipReason() ?? false;

for (const engine of ENGINES) {
  void describe(`writing to ${engine.name}`, { skip }, () => {
    let service: JavaService;
    before(async () => {
      service = await engine.start();
    });
    after(() => service.stop());
    for (const [name, run] of Object.entries(casesFor(engine))) {
      void test(name, () => run(new EngineBench(service)));
    }
  });
}

/** What is tested on an engine. A function, because it is used above. */
function casesFor({ takesLarge, hasDataStreams }: TestedEngine): Record<string, Case> {
  return {
    'what is appended again is stored once, by day and namespace': storesOnce,
    'events too late or too early have indices of their own, and stand in one only': storesOverflow,
    'a document that conflicts with the mapping is rejected, the others are stored': rejectsConflicts,
    'ten thousand keys leave the mapping as it was': keepsMapping,
    'records of the ledger replace older ones only': keepsNewestLedger,
    'a template that a person changed is left alone and reported': leavesChangedTemplate,
    'refused credentials and forbidden indices are waited out, document by document': waitsForRights,
    'a read-only index holds up its own documents until it is released': waitsForReadOnly,
    'an overloaded engine gets fewer requests at once and everything in the end': survivesOverload,
    'an index that the engine may not create by itself is created': createsIndices,
    ...(hasDataStreams
      ? { 'a data stream takes each record once': writesDataStream }
      : { 'data streams that the engine lacks are told, with the option': tellsOfDataStreams }),
    ...(takesLarge
      ? { 'a document of 30 MB is stored': storesLarge }
      : { 'requests that are too large are halved, and one document alone is rejected': halvesLarge }),
    // The last one, because others would wait for the engine meanwhile.
    'what is under way when the engine is killed stands there once': survivesKill,
  };
}

async function storesOnce(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  const batch = bench.batch([
    { '@timestamp': '2026-11-22T23:59:59.999999999Z' },
    { '@timestamp': '2026-11-23T00:00:00.000000000Z' },
    { kubernetes: undefined, '@timestamp': '2026-11-23T01:00:00.000Z' },
    { logboom: { index: 'Audit Trail' }, '@timestamp': '2026-11-23T02:30:00+01:00' },
  ]);
  const others = bench.lines(3_000, 'b'.repeat(20));
  const results = await Promise.all([
    opened.store.append([batch, others], SIGNAL),
    opened.store.append([others, batch], SIGNAL),
  ]);
  assert.equal(sum(results.map(({ appended }) => appended)), 3_004);
  assert.equal(sum(results.map(({ duplicates }) => duplicates)), 3_004);
  assert.deepEqual(await bench.stored(), [...idsOf(batch), ...idsOf(others)]);
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '.');
  const days = ['shop-2026.11.22', 'shop-2026.11.23', '_host-2026.11.23', 'audit_trail-2026.11.23'];
  const names = new Set([...days, `shop-${today}`].map((name) => `${bench.prefix}-${name}`));
  assert.deepEqual(await bench.indices(), [...names].toSorted());
}

async function storesOverflow(bench: EngineBench): Promise<void> {
  const at = (ms: number): Json => ({ '@timestamp': new Date(Date.now() + ms).toISOString() });
  const batch = bench.batch([at(0), at(-3 * DAY_MS), at(3 * DAY_MS)]);
  const limits = { lateMsMax: DAY_MS, futureMsMax: DAY_MS };
  {
    await using opened = bench.open(limits);
    assert.equal((await opened.store.append([batch], SIGNAL)).appended, 3);
    const { telemetry } = opened;
    for (const kind of ['late', 'future'])
      assert.equal(telemetry.valueOf('logboom_store_bulk_overflow_documents_total', { kind }), 1);
  }
  const names = await bench.indices();
  assert.deepEqual(
    names.filter((name) => !/\d$/.test(name)),
    [`${bench.prefix}-_future`, `${bench.prefix}-_late`],
  );
  await bench.ask('POST', `/${bench.prefix}-*/_refresh`);
  // As if a week had passed: the future has become usual, and what was usual is late.
  const now = bench.batch([at(0)]);
  {
    await using opened = bench.open({ lateMsMax: 365 * DAY_MS, futureMsMax: 365 * DAY_MS });
    assert.equal((await opened.store.append([now], SIGNAL)).appended, 1);
    const again = await opened.store.append([batch], SIGNAL);
    assert.equal(again.duplicates, 2, 'the future one stands in the index of future events');
  }
  await using opened = bench.open({ lateMsMax: 0, futureMsMax: DAY_MS });
  await sleep(2);
  assert.equal((await opened.store.append([now], SIGNAL)).duplicates, 1, 'it stands in the index of its day');
}

async function rejectsConflicts(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  const batch = bench.batch([
    { message: 'fine' },
    { host: 'a text where the mapping has an object' },
    { fields: { user: 'a text' } },
    { fields: { user: { name: 'and an object: the mapping knows neither' } } },
    { source: { ip: 'no address' }, fields: { n: 'no number' } },
    { '@timestamp': 'yesterday' },
    { '@timestamp': '1812-06-24T00:00:00Z' },
  ]);
  const { appended, rejected } = await opened.store.append([batch], SIGNAL);
  assert.equal(appended, 4);
  assert.deepEqual(
    rejected.map(({ documentIndex }) => documentIndex).toSorted((left, right) => left - right),
    [1, 5, 6],
  );
  const byIndex = new Map(rejected.map((one) => [one.documentIndex, one]));
  assert.match(byIndex.get(1)?.error.type ?? '', /(?:mapper|document)_parsing_exception/);
  assert.match(byIndex.get(1)?.error.reason ?? '', /object mapping for \[host\]/);
  assert.match(byIndex.get(1)?.index ?? '', /-shop-\d/);
  assert.deepEqual(byIndex.get(5)?.error, {
    type: 'no_timestamp',
    reason: '@timestamp is no time in RFC 3339: "yesterday"',
  });
  assert.deepEqual(byIndex.get(6)?.error, {
    type: 'timestamp_out_of_range',
    reason: '@timestamp is not between 1970 and 2262: "1812-06-24T00:00:00Z"',
  });
  assert.equal(opened.store.problem(), undefined);
}

async function keepsMapping(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  const keys = Array.from({ length: 10_000 }, (_, index) => [`key_${index}`, index % 2 === 0 ? index : 'x']);
  const batch = bench.batch([
    { fields: Object.fromEntries(keys) as Json },
    { unknown: { deep: [1, 'two'] } },
  ]);
  assert.equal((await opened.store.append([batch], SIGNAL)).appended, 2);
  const mappings = JSON.stringify(await bench.ask('GET', `/${bench.prefix}-*/_mapping`));
  assert.ok(!mappings.includes('key_1') && !mappings.includes('unknown'));
  assert.equal((await bench.stored()).length, 2);
}

async function keepsNewestLedger(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  const record = (sequence: number): LedgerRecord =>
    ({ fileId: 'c'.repeat(20), sequence, path: `/${sequence}` }) as LedgerRecord;
  await opened.store.appendLedger([record(2), record(3)], SIGNAL);
  await opened.store.appendLedger([record(1), record(3)], SIGNAL);
  const found = await bench.ask('GET', `/${bench.prefix}_ledger-1/_doc/${'c'.repeat(20)}`);
  assert.deepEqual((found['_source'] as Json)['record'], record(3));
}

async function leavesChangedTemplate(bench: EngineBench): Promise<void> {
  const path = `/_component_template/${bench.prefix}-settings`;
  const read = async (): Promise<Json> => {
    const { component_templates: found } = await bench.ask('GET', path);
    return (found as { component_template: Json }[])[0]?.component_template ?? {};
  };
  const start = async (changes = {}): Promise<OpenedStore> => {
    const opened = bench.open(changes);
    await opened.store.append([bench.lines(1)], SIGNAL);
    return opened;
  };
  {
    await using opened = await start();
    assert.deepEqual(opened.store.findings, []);
    assert.equal(opened.telemetry.linesOf('store_prepared').length, 6);
  }
  {
    await using opened = await start();
    assert.deepEqual([...opened.store.findings, ...opened.telemetry.linesOf('store_prepared')], []);
  }
  {
    await using opened = await start({ shards: 2 });
    assert.equal(
      opened.telemetry.linesOf('store_prepared').length,
      1,
      'what is unchanged is brought up to date',
    );
  }
  const { template, _meta } = await read();
  const changed = {
    template: { ...(template as Json), settings: { index: { refresh_interval: '30s' } } },
    _meta,
  };
  await bench.ask('PUT', path, changed);
  await using opened = await start();
  const [finding] = opened.store.findings;
  assert.match(`${finding?.object}: ${finding?.problem}`, /component template w\d+-settings: it was changed/);
  assert.match(finding?.remedy ?? '', /PUT \/_component_template/);
  assert.match(JSON.stringify((await read())['template']), /"refresh_interval":"30s"/);
}

async function waitsForRights(bench: EngineBench): Promise<void> {
  await using proxy = await EngineProxy.start(bench.service.url);
  const bulk = { bytesMax: MIB, inFlightMax: 2, compression: 'none' } as const;
  await using opened = bench.open({ urls: [proxy.url], bulk });
  proxy.inject = () => ({
    status: 401,
    text: '{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}',
  });
  const batch = bench.batch([{ message: 'public' }, { kubernetes: { namespace: 'secret' } }]);
  const appending = opened.store.append([batch], SIGNAL);
  await waitFor('the wrong password to be told', WAIT_MS_MAX, () =>
    /store\.auth\.password/.test(opened.store.problem() ?? ''),
  );
  proxy.inject = () => undefined;
  // A user without rights for one index: the engine refuses its documents and takes the others.
  proxy.rewrite = ({ path, body }, answer) =>
    path.startsWith('/_bulk') && body.includes('secret') ? forbidden(body, answer.text) : answer;
  await waitFor('the missing right to be told', WAIT_MS_MAX, () =>
    /forbids.*privileges/.test(opened.store.problem() ?? ''),
  );
  assert.ok((await bench.stored()).includes(idsOf(batch)[0] ?? ''));
  proxy.rewrite = (_, answer) => answer;
  const { appended, duplicates, rejected } = await appending;
  assert.deepEqual([appended + duplicates, rejected], [2, []]);
  assert.equal(opened.store.problem(), undefined);
  assert.equal(opened.telemetry.lines.at(-1)?.event, 'store_resumed');
}

/** The answer to a request with `secret` in the index of its last document, as a user without rights for it gets it. */
function forbidden(body: Buffer, text: string): { status: number; text: string } {
  const lines = body.toString().trim().split('\n');
  const actions = lines.filter((_, index) => index % 2 === 0);
  const error = { type: 'security_exception', reason: 'action [indices:data/write/bulk] is unauthorized' };
  const items = actions.map((action) => ({
    create: action.includes('secret') ? { status: 403, error } : { status: 201 },
  }));
  assert.match(text, /errors/);
  return { status: 200, text: JSON.stringify({ errors: true, items }) };
}

async function waitsForReadOnly(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  await opened.store.append([bench.lines(1)], SIGNAL);
  const [name] = await bench.indices();
  await bench.ask('PUT', `/${name}/_settings`, { 'index.blocks.write': true });
  const other = { kubernetes: { namespace: 'free' } };
  const batch = bench.batch([{ message: 'held' }, other, { message: 'held too' }, other]);
  const appending = opened.store.append([batch], SIGNAL);
  await waitFor('the block to be told', WAIT_MS_MAX, () =>
    /read-only.*index\.blocks/.test(opened.store.problem() ?? ''),
  );
  assert.equal((await bench.stored()).length, 3, 'the others went through');
  await bench.ask('PUT', `/${name}/_settings`, { 'index.blocks.write': null });
  assert.deepEqual(await appending, { appended: 4, duplicates: 0, rejected: [] });
  assert.equal((await bench.stored()).length, 5);
}

async function survivesOverload(bench: EngineBench): Promise<void> {
  await using proxy = await EngineProxy.start(bench.service.url);
  const bulk = { bytesMax: 32 * 1024, inFlightMax: 8, compression: 'none' } as const;
  await using opened = bench.open({ urls: [proxy.url], bulk });
  const rejection = { type: 'es_rejected_execution_exception', reason: 'queue capacity' };
  let requests = 0;
  proxy.inject = ({ path }) => {
    if (!path.startsWith('/_bulk')) return undefined;
    requests += 1;
    return requests % 3 === 0
      ? { status: 429, text: JSON.stringify({ error: rejection, status: 429 }) }
      : undefined;
  };
  proxy.rewrite = ({ path }, answer) => {
    if (!path.startsWith('/_bulk') || requests % 3 !== 1 || !answer.text.includes('"errors":false'))
      return answer;
    const { items } = JSON.parse(answer.text) as { items: Json[] };
    const changed = items.map((item, index) =>
      index % 7 === 0 ? { create: { status: 429, error: rejection } } : item,
    );
    return { status: 200, text: JSON.stringify({ errors: true, items: changed }) };
  };
  const batches = ['d', 'e', 'f'].map((digit) => bench.lines(400, digit.repeat(20)));
  const result = await opened.store.append(batches, SIGNAL);
  // Documents whose success was turned into a refusal are found again.
  assert.equal(result.appended + result.duplicates, 1_200);
  assert.deepEqual(await bench.stored(), batches.flatMap(idsOf));
  assert.ok(opened.telemetry.valueOf('logboom_store_bulk_documents_total', { outcome: 'retried' }) > 0);
}

async function createsIndices(bench: EngineBench): Promise<void> {
  await bench.ask('PUT', '/_cluster/settings', { persistent: { 'action.auto_create_index': false } });
  try {
    await using opened = bench.open();
    assert.equal((await opened.store.append([bench.lines(10)], SIGNAL)).appended, 10);
    assert.match(JSON.stringify(await bench.ask('GET', `/${bench.prefix}-*/_mapping`)), /_logboom/);
  } finally {
    await bench.ask('PUT', '/_cluster/settings', { persistent: { 'action.auto_create_index': null } });
  }
}

async function writesDataStream(bench: EngineBench): Promise<void> {
  await using opened = bench.open({ isDataStream: true });
  const batch = bench.lines(5);
  assert.equal((await opened.store.append([batch], SIGNAL)).appended, 5);
  assert.equal((await opened.store.append([batch], SIGNAL)).duplicates, 5);
  await bench.ask('POST', `/${bench.prefix}-shop/_refresh`);
  const { hits } = await bench.ask('GET', `/${bench.prefix}-shop/_search?size=1`);
  assert.match(JSON.stringify(hits), new RegExp(`"_index":"\\.ds-${bench.prefix}-shop-`));
}

async function tellsOfDataStreams(bench: EngineBench): Promise<void> {
  await using opened = bench.open({ isDataStream: true });
  const controller = new AbortController();
  const appending = opened.store.append([bench.lines(5)], controller.signal);
  await waitFor('the lack to be told', WAIT_MS_MAX, () =>
    /cannot create data streams.*store\.isDataStream/.test(opened.store.problem() ?? ''),
  );
  controller.abort();
  await assert.rejects(appending, (error) => error instanceof AppError && error.code === 'aborted');
}

async function storesLarge(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  const message = 'large enough to fill a request by itself, '.repeat((30 * MIB) / 42);
  const batch = bench.batch([{ message: 'small' }, { message }, { message: 'small too' }]);
  assert.deepEqual(await opened.store.append([batch], SIGNAL), { appended: 3, duplicates: 0, rejected: [] });
  assert.deepEqual(await bench.stored(), idsOf(batch));
}

async function halvesLarge(bench: EngineBench): Promise<void> {
  // The proxy hides what the engine says of its limit, so the store has to find it.
  await using proxy = await EngineProxy.start(bench.service.url);
  proxy.inject = ({ path }) => (path.startsWith('/_nodes/http') ? { status: 403, text: '{}' } : undefined);
  const bulk = { bytesMax: 64 * MIB, inFlightMax: 2, compression: 'none' } as const;
  for (const urls of [[proxy.url], [bench.service.url]]) {
    await using opened = bench.open({ urls, bulk });
    const part = { message: 'word '.repeat((3 * MIB) / 5) };
    const batch = bench.batch([part, part, part, { message: 'word '.repeat((9 * MIB) / 5) }, part]);
    const { appended, rejected } = await opened.store.append([batch], SIGNAL);
    assert.equal(appended, 4);
    assert.deepEqual(
      rejected.map(({ documentIndex }) => documentIndex),
      [3],
    );
    assert.match(rejected[0]?.error.type ?? '', /request_too_large|no_answer/);
  }
}

async function survivesKill(bench: EngineBench): Promise<void> {
  const bulk = { bytesMax: 64 * 1024, inFlightMax: 4, compression: 'gzip' } as const;
  await using opened = bench.open({ bulk });
  const batches: DocumentBatch[] = [];
  const results: Promise<AppendResult>[] = [];
  let restarting: Promise<void> | undefined;
  for (let round = 0; round < 40; round += 1) {
    const batch = bench.lines(250, round.toString(16).padStart(20, '0'));
    batches.push(batch);
    results.push(opened.store.append([batch], SIGNAL));
    await Promise.race([results.at(-1), sleep(100)]);
    if (round === 15) restarting = bench.service.restart();
  }
  await restarting;
  const done = await Promise.all(results);
  assert.equal(sum(done.map(({ appended, duplicates }) => appended + duplicates)), 10_000);
  assert.deepEqual(await bench.stored(), batches.flatMap(idsOf));
  assert.match(opened.telemetry.linesOf('store_waiting')[0]?.text ?? '', /does not answer/);
  assert.equal(opened.store.problem(), undefined);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
