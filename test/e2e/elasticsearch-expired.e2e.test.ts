/** What an audit makes of indices that a real engine deletes, by its lifecycle or by hand, and of a loss before that. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import type { LedgerRecord } from '../../src/record/ledger.ts';
import type { DocumentBatch, DroppedRecord } from '../../src/record/record-batch.ts';
import { CountKeeper } from '../../src/store/elasticsearch/counts/count-keeper.ts';
import { openEngineClient } from '../../src/store/elasticsearch/engine/open-engine-client.ts';
import type { FileAudit, Store } from '../../src/store/store.ts';
import type { EngineStores } from './engine-stores.ts';
import { ENGINES, engineConfig } from './engine-stores.ts';

const SIGNAL = new AbortController().signal;
const UNIT = 1_000_000;
const YEAR_MS = 365 * 86_400_000;

const fileIdOf = (digit: number): string => String(digit).padStart(20, 'd');

for (const engine of ENGINES) {
  void describe(engine.name, { skip: engine.skipReason ?? false }, () => {
    let stores: EngineStores;

    before(async () => {
      stores = await engine.start();
    });

    after(async () => {
      await stores[Symbol.asyncDispose]();
    });

    void test('records of a deleted index are expired, and lost ones are missing before and after', () =>
      remembers(stores));
  });
}

async function remembers(stores: EngineStores): Promise<void> {
  const store = await stores.open();
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  // The first file goes on the next day, and a pipeline drops two records of it.
  const dropped = [12, 13].map((index): DroppedRecord => ({
    reason: 'pipeline',
    lane: 0,
    offset: index * UNIT,
    timestamp: '2026-11-24T04:00:00.000000000Z',
  }));
  await append(store, 1, '2026-11-23', all);
  await append(store, 1, '2026-11-24', [8, 9, 10, 11], dropped);
  for (const digit of [2, 3, 4, 5]) await append(store, digit, '2026-11-23', all);
  const ledgers = [
    ledgerOf(1, [...all, 8, 9, 10, 11, 12, 13]),
    ...[2, 3, 4].map((digit) => ledgerOf(digit, all)),
    // The agent has not told of the last three yet.
    ledgerOf(5, all.slice(0, 5)),
  ];
  await store.appendLedger(ledgers, SIGNAL);
  const [first = ''] = await indicesOf(stores.url, '*-expiry-2026.11.23');
  const { keeper, warnings } = keeperOf(stores.url, first.replace('-expiry-2026.11.23', ''));

  await lose(stores.url, first, 3, 2);
  // What has changed is counted once it rests.
  await keeper.look(SIGNAL);
  await keeper.look(SIGNAL);
  await lose(stores.url, first, 4, 7);
  assert.deepEqual(await figuresOf(store), [
    [14, 0, 2, true],
    [8, 0, 0, true],
    [7, 0, 0, false],
    [7, 0, 0, false],
    [5, 0, 0, true],
  ]);
  await keeper.look(SIGNAL);
  await keeper.look(SIGNAL);

  await remove(stores.url, first);
  const afterwards = [
    [14, 8, 2, true],
    [8, 8, 0, true],
    [7, 7, 0, false],
    [7, 7, 0, false],
    // Three of the eight are of later than the ledger.
    [5, 5, 0, true],
  ];
  assert.deepEqual(await figuresOf(store), afterwards);
  await keeper.look(SIGNAL);
  assert.deepEqual(await figuresOf(store), afterwards);
  assert.match(warnings.join(), new RegExp(`${first} was deleted before the lifecycle policy`));
  const early = (await auditsOf(store)).map(({ expiredEarly }) => expiredEarly);
  assert.deepEqual(early, [8, 8, 7, 7, 5]);

  // The places of dropped records go with their month.
  const [places = ''] = await indicesOf(stores.url, first.replace('-expiry-2026.11.23', '_dropped-2026.11'));
  await remove(stores.url, places);
  assert.deepEqual((await figuresOf(store))[0], [14, 10, 0, true]);

  // A record that is delivered again after its index is gone is stored again: it is there, and not expired.
  await append(store, 2, '2026-11-23', all);
  assert.deepEqual((await figuresOf(store))[1], [8, 0, 0, true]);
  // An index of the same name is another one.
  await keeper.look(SIGNAL);
  await keeper.look(SIGNAL);
  assert.deepEqual((await figuresOf(store))[2], [7, 7, 0, false]);
  await store.close();
}

/** Of each file: records found, of these expired and dropped, and whether their offsets are those of the ledger. */
async function figuresOf(store: Store): Promise<unknown[]> {
  const audits = await auditsOf(store);
  return audits.map(({ found, expired, droppedByPipeline, offsetSum, ledger }) => [
    found,
    expired,
    droppedByPipeline,
    offsetSum === ledger?.offsetSum,
  ]);
}

async function auditsOf(store: Store): Promise<FileAudit[]> {
  const audits: FileAudit[] = [];
  for await (const audit of store.audit(SIGNAL)) audits.push(audit);
  return audits;
}

/** An indexer's keeper of counts, whose policy would keep indices for a year, and what it warns of. */
function keeperOf(
  url: string,
  prefix: string,
): { readonly keeper: CountKeeper; readonly warnings: string[] } {
  const plain = engineConfig(url, prefix);
  const lifecycle = { ...plain.lifecycle, isManaged: true, deleteAgeMs: YEAR_MS };
  const config = { ...plain, lifecycle };
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const log = (level: string, _event: string, text: string): void => {
    if (level === 'warn') warnings.push(text);
  };
  const telemetry = { count: ignore, gauge: ignore, observe: ignore, log };
  return { keeper: new CountKeeper({ client, config, scheduler: nodeScheduler, telemetry }), warnings };
}

async function append(
  store: Store,
  digit: number,
  day: string,
  indices: readonly number[],
  dropped: readonly DroppedRecord[] = [],
): Promise<void> {
  const fileId = fileIdOf(digit);
  const lines = indices.map((index) => {
    const offset = index * UNIT;
    const id = `${fileId}-${offset.toString(16).padStart(12, '0')}`;
    const head = `{"@timestamp":"${day}T04:00:00.${String(index).padStart(9, '0')}Z","message":"m"`;
    return Buffer.from(
      `${head},"log":{"offset":${offset}},"event":{"id":"${id}"},"kubernetes":{"namespace":"expiry"}}\n`,
    );
  });
  let end = 0;
  const batch: DocumentBatch = {
    fileId,
    body: Buffer.concat(lines),
    count: lines.length,
    ends: Uint32Array.from(lines, (line) => (end += line.length)),
    offsets: Float64Array.from(indices, (index) => index * UNIT),
    lanes: new Uint8Array(lines.length),
    fieldTypes: new Map(),
    dropped,
  };
  await store.append([batch], SIGNAL);
}

function ledgerOf(digit: number, indices: readonly number[]): LedgerRecord {
  const end = indices.length * UNIT;
  return {
    fileId: fileIdOf(digit),
    sequence: 1,
    time: '2026-11-24T04:00:00.000000000Z',
    node: 'n',
    path: '/p',
    namespace: 'expiry',
    pod: undefined,
    container: undefined,
    state: 'active',
    bytesWritten: end,
    bytesRead: end,
    acknowledgedOffset: end,
    records: indices.length,
    offsetSum: String(indices.reduce((sum, index) => sum + index * UNIT, 0)),
    dropped: {},
    gaps: [],
  };
}

async function indicesOf(url: string, pattern: string): Promise<string[]> {
  const answer = await fetch(`${url}/_cat/indices/${pattern}?h=index`);
  return (await answer.text()).split('\n').filter((name) => name !== '');
}

/** Takes a record away behind the store's back. */
async function lose(url: string, index: string, digit: number, record: number): Promise<void> {
  const id = `${fileIdOf(digit)}-${(record * UNIT).toString(16).padStart(12, '0')}`;
  const { status } = await fetch(`${url}/${index}/_doc/${id}?refresh=true`, { method: 'DELETE' });
  assert.equal(status, 200);
}

async function remove(url: string, index: string): Promise<void> {
  const { status } = await fetch(`${url}/${index}`, { method: 'DELETE' });
  assert.equal(status, 200, index);
}
