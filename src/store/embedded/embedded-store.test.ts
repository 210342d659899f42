import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFileSystem } from '../../base/memory-file-system.ts';
import { VirtualScheduler } from '../../base/virtual-scheduler.ts';
import { heartbeatRecord, type HeartbeatRecord } from '../../record/heartbeat.ts';
import type { LedgerRecord } from '../../record/ledger.ts';
import { JsonObjects, StoreWorld } from './testing/store-world.ts';
import { EVERYTHING, testBatch, testFileId } from './testing/test-documents.ts';

const FILE = testFileId(1);

test('what append acknowledged is found after a power loss, and only once after a redelivery', async () => {
  const world = new StoreWorld();
  let store = await world.open();
  const batch = testBatch(FILE, [
    { offset: 0, message: 'one' },
    { offset: 4, message: 'two' },
  ]);
  assert.deepEqual(await world.append(store, [batch]), { appended: 2, duplicates: 0, rejected: [] });
  world.losePower();
  store = await world.open();
  const more = testBatch(FILE, [
    { offset: 4, message: 'two' },
    { offset: 8, message: 'three' },
  ]);
  assert.deepEqual(await world.append(store, [batch, more]), { appended: 1, duplicates: 3, rejected: [] });
  assert.deepEqual(await world.messages(store), ['one', 'two', 'three']);
});

test('a journal that is torn at any byte opens with what was committed and takes the rest again', async () => {
  const first = testBatch(FILE, [{ offset: 0, message: 'one', fields: { a: 1 } }]);
  const second = testBatch(FILE, [
    { offset: 4, message: 'two', lane: 2 },
    { offset: 8, message: 'three' },
  ]);
  const whole = new StoreWorld();
  const written = await whole.open();
  await whole.append(written, [first]);
  const committed = whole.journalBytes().length;
  await whole.append(written, [second]);
  const bytes = whole.journalBytes();
  for (let length = committed; length <= bytes.length; length += 1) {
    const world = new StoreWorld();
    world.fileSystem.append('/store/journals/journal-000000001.ndjson', bytes.subarray(0, length));
    const store = await world.open();
    const isWhole = length === bytes.length;
    assert.deepEqual(await world.messages(store), isWhole ? ['one', 'two', 'three'] : ['one'], `${length}`);
    await world.append(store, [first, second]);
    assert.deepEqual(await world.messages(store), ['one', 'two', 'three'], `${length}`);
    await store.close();
  }
});

test('a crash between any two file operations of a seal loses and doubles nothing', async () => {
  const batches = [
    testBatch(FILE, [{ offset: 0, message: 'one' }]),
    testBatch(FILE, [{ offset: 4, message: 'two', timeNs: 3_600_000_000_000 }]),
  ];
  for (let step = 1; ; step += 1) {
    const world = new StoreWorld();
    const store = await world.open();
    await world.append(store, batches);
    let operations = 0;
    world.fileSystem.onOperation = (operation, path) => {
      operations += 1;
      if (operations >= step) throw Object.assign(new Error(`${operation} ${path}`), { code: 'EIO' });
    };
    const isSealed = await Promise.race([
      store.seal().then(
        () => operations < step,
        () => false,
      ),
      world.scheduler.advance(60_000).then(() => false),
    ]);
    world.fileSystem.onOperation = undefined;
    world.losePower();
    const reopened = await world.open();
    assert.deepEqual(
      await world.append(reopened, batches),
      { appended: 0, duplicates: 2, rejected: [] },
      `step ${step}`,
    );
    assert.deepEqual(await world.messages(reopened), ['one', 'two'], `step ${step}`);
    if (isSealed) {
      assert.ok(step > 10, 'the seal has steps');
      break;
    }
  }
});

test('an append waits while the disk is full, says why, and goes on by itself', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  await world.append(store, [testBatch(FILE, [{ offset: 0, message: 'one' }])]);
  world.fileSystem.capacityBytes = world.fileSystem.capacityBytes - world.fileSystem.freeBytes() + 40;
  let isDone = false;
  const waiting = store
    .append([testBatch(FILE, [{ offset: 4, message: 'two' }])], new AbortController().signal)
    .then((result) => {
      isDone = true;
      return result;
    });
  await world.scheduler.advance(30_000);
  assert.equal(isDone, false);
  assert.match(store.problem() ?? '', /full: free space/);
  assert.deepEqual(await world.messages(store), ['one']);
  world.fileSystem.capacityBytes = Number.MAX_SAFE_INTEGER;
  await world.scheduler.advance(30_000);
  assert.deepEqual(await waiting, { appended: 1, duplicates: 0, rejected: [] });
  assert.equal(store.problem(), undefined);
  assert.deepEqual(await world.messages(store), ['one', 'two']);
});

test('an append that waits for sealing does not keep the journal that it fills from being sealed', async () => {
  const world = new StoreWorld({ journalBytesMax: 100 });
  const store = await world.open();
  const message = 'x'.repeat(2_000);
  await world.append(store, [testBatch(FILE, [{ offset: 0, message }])]);
  const waiting = store.append([testBatch(FILE, [{ offset: 3_000, message }])], new AbortController().signal);
  await world.scheduler.advance(60_000);
  assert.deepEqual(await waiting, { appended: 1, duplicates: 0, rejected: [] });
  assert.deepEqual(await world.messages(store), [message, message]);
});

test('an append that waits for the disk is given up when its signal is aborted', async () => {
  const world = new StoreWorld({ freeBytesMin: 1_000, capacityBytes: 500 });
  const store = await world.open();
  const abort = new AbortController();
  const waiting = store.append([testBatch(FILE, [{ offset: 0, message: 'one' }])], abort.signal);
  await world.scheduler.advance(1_000);
  abort.abort();
  await assert.rejects(waiting, { code: 'aborted' });
});

test('records at the same time come in the order of file id and offset, page by page', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  const records = [0, 10, 20].map((offset) => ({ offset, message: `${offset}`, timeNs: 5 }));
  await world.append(store, [testBatch(testFileId(2), records)]);
  await store.seal();
  await world.append(store, [testBatch(testFileId(1), records)]);
  const ids: unknown[] = [];
  let after: Parameters<typeof store.search>[0]['after'];
  do {
    const page = await store.search(
      { query: { kind: 'all' }, range: EVERYTHING, order: 'desc', limit: 2, after },
      new AbortController().signal,
    );
    for (const document of page.documents) ids.push(JsonObjects.eventId(document));
    after = page.next;
  } while (after !== undefined);
  const expected = [2, 1].flatMap((file) =>
    [20, 10, 0].map((offset) => `${testFileId(file)}-${offset.toString(16).padStart(12, '0')}`),
  );
  assert.deepEqual(ids, expected);
});

test('a reader keeps the files of its snapshot while they are sealed', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  await world.append(store, [
    testBatch(
      FILE,
      Array.from({ length: 40 }, (_, index) => ({ offset: index, message: `${index}` })),
    ),
  ]);
  const blocks = store.export({ query: { kind: 'all' }, range: EVERYTHING }, new AbortController().signal);
  const iterator = blocks[Symbol.asyncIterator]();
  const first = await iterator.next();
  await store.seal();
  assert.equal(
    new TextDecoder()
      .decode(first.value as Uint8Array)
      .trim()
      .split('\n').length,
    40,
  );
  assert.equal((await iterator.next()).done, true);
  assert.deepEqual(world.fileSystem.readDirectory('/store/journals').length, 0);
  assert.equal((await world.messages(store)).length, 40);
});

test('audit counts what is found, twice, dropped and expired below what the ledger acknowledges', async () => {
  const world = new StoreWorld();
  let store = await world.open();
  const { signal } = new AbortController();
  await world.append(store, [
    testBatch(
      FILE,
      [
        { offset: 0, message: 'a' },
        { offset: 10, message: 'b' },
      ],
      [{ reason: 'pipeline', lane: 1, offset: 20 }],
    ),
  ]);
  await store.seal();
  await world.append(store, [
    testBatch(FILE, [
      { offset: 30, message: 'c' },
      { offset: 40, message: 'beyond' },
    ]),
  ]);
  await store.appendLedger([ledgerRecord(FILE, 1, 5), ledgerRecord(FILE, 2, 40)], signal);
  await store.appendLedger([ledgerRecord(FILE, 1, 7), ledgerRecord(testFileId(9), 1, 3)], signal);
  const expected = { fileId: FILE, found: 4, twice: 0, offsetSum: '60', droppedByPipeline: 1, expired: 0 };
  for (let round = 0; round < 2; round += 1) {
    const audits = await world.audits(store);
    const { ledger, ...rest } = audits[0] ?? assert.fail('no audit');
    assert.deepEqual(rest, expected);
    assert.equal(ledger?.acknowledgedOffset, 40);
    assert.equal(audits[1]?.found, 0);
    await store.close();
    store = await world.open();
  }
});

test('retention by size removes whole segments, oldest first, and audit still accounts for them', async () => {
  const world = new StoreWorld({ retentionBytesMax: 1_000 });
  const store = await world.open();
  for (let round = 0; round < 4; round += 1) {
    await world.append(store, [
      testBatch(FILE, [{ offset: round * 10, message: `${round}`, timeNs: round * 1e9 }]),
    ]);
    await store.seal();
    await world.scheduler.advance(3_000);
  }
  const messages = await world.messages(store);
  assert.ok(messages.length < 4 && messages.length > 0, `${messages.length}`);
  assert.equal(messages.at(-1), '3');
  const [audit] = await world.audits(store);
  assert.deepEqual({ found: audit?.found, sum: audit?.offsetSum }, { found: 4, sum: '60' });
  assert.equal(audit?.expired, 4 - messages.length);
});

test('a segment that cannot be read is set aside, and the rest is served', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  await world.append(store, [testBatch(FILE, [{ offset: 0, message: 'lost' }])]);
  await store.seal();
  await world.append(store, [testBatch(FILE, [{ offset: 10, message: 'kept' }])]);
  await store.seal();
  world.fileSystem.corrupt(world.segmentPaths()[0] ?? '', 0, 0);
  assert.deepEqual(await world.messages(store), ['kept']);
  const { quarantined, records } = await store.stats();
  assert.equal(quarantined.length, 1);
  assert.equal(records, 1);
  assert.notEqual(world.fileSystem.stat(quarantined[0]?.path ?? ''), undefined);
});

test('damage in the middle of a journal keeps what stands before it and moves the rest aside', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  await world.append(store, [testBatch(FILE, [{ offset: 0, message: 'one' }])]);
  const damaged = world.journalBytes().length + 20;
  await world.append(store, [testBatch(FILE, [{ offset: 4, message: 'two' }])]);
  await world.append(store, [testBatch(FILE, [{ offset: 8, message: 'three' }])]);
  world.fileSystem.corrupt('/store/journals/journal-000000001.ndjson', damaged, 0);
  world.losePower();
  const reopened = await world.open();
  assert.deepEqual(await world.messages(reopened), ['one']);
  assert.match(
    (await reopened.stats()).quarantined[0]?.reason ?? '',
    /does not match its checksum from byte/,
  );
});

test('small segments of an hour that is over become one', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  for (let round = 0; round < 3; round += 1) {
    await world.append(store, [testBatch(FILE, [{ offset: round, message: `${round}` }])]);
    await store.seal();
  }
  assert.equal(world.segmentPaths().length, 3);
  await world.passHours(2);
  assert.equal(world.segmentPaths().length, 1);
  assert.deepEqual(await world.messages(store), ['0', '1', '2']);
  await store.close();
  assert.deepEqual(await world.messages(await world.open()), ['0', '1', '2']);
});

test('a catalog of a newer version is refused', async () => {
  const world = new StoreWorld();
  await (await world.open()).close();
  const path = '/store/catalog.journal';
  const text = new TextDecoder().decode(world.fileSystem.readFile(path));
  assert.match(text, /"version":1/);
  const fileSystem = new MemoryFileSystem();
  const other = new StoreWorld({ fileSystem, scheduler: new VirtualScheduler() });
  fileSystem.append('/store/catalog.snapshot', '00000000 {}\n');
  await assert.rejects(other.open(), { code: 'corrupt' });
});

test('the newest heartbeat of each agent outlives the process, also where its ledger knows of none', async () => {
  const world = new StoreWorld();
  const store = await world.open();
  const { signal } = new AbortController();
  assert.deepEqual(await store.agents(), []);
  const heartbeat = (node: number, sequence: number, files: number): HeartbeatRecord => {
    const moment = { node: `node-${node}`, sequence, time: '2026-11-23T04:00:00.000000000Z' };
    const counts = { intervalMs: 15_000, files, unreadBytes: 0, unacknowledgedBytes: 0 };
    const agent = { cluster: 'c', version: '1.0.0', state: 'running', ...counts } as const;
    return heartbeatRecord(`6e6f6465${String(node).padStart(12, '0')}`, moment, agent);
  };
  await store.appendLedger([heartbeat(1, 1, 3), ledgerRecord(FILE, 1, 5)], signal);
  await store.appendLedger([heartbeat(2, 1, 5), heartbeat(1, 2, 4)], signal);
  await store.appendLedger([heartbeat(1, 1, 3)], signal);
  world.losePower();
  const agents = await (await world.open()).agents();
  const files = new Map(agents.map(({ node, agent }) => [node, agent.files]));
  assert.deepEqual([files.size, files.get('node-1'), files.get('node-2')], [2, 4, 5]);
});

function ledgerRecord(fileId: string, sequence: number, acknowledgedOffset: number): LedgerRecord {
  return {
    fileId,
    sequence,
    time: '2026-11-23T04:00:00.000000000Z',
    node: 'node-1',
    path: '/x',
    namespace: 'shop',
    pod: 'p',
    container: 'c',
    state: 'active',
    bytesWritten: 100,
    bytesRead: 100,
    acknowledgedOffset,
    records: 3,
    offsetSum: '0',
    dropped: {},
    gaps: [],
  };
}
