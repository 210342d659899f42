import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerRecord } from '../record/ledger.ts';
import type { FileAudit } from '../store/store.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { DeadLetter } from '../record/dead-letter.ts';
import { AuditLetters } from './audit-letters.ts';
import { buildAuditReport } from './audit-report.ts';
import { documentAt, FILE_ID, toBatches } from './test-api.ts';

const SIGNAL = new AbortController().signal;

function ledger(changes: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    fileId: FILE_ID,
    sequence: 1,
    time: '2026-11-23T00:00:00.000000000Z',
    node: 'n1',
    path: '/x.log',
    namespace: 'shop',
    pod: 'web-1',
    container: 'web',
    state: 'active',
    bytesWritten: 40,
    bytesRead: 40,
    acknowledgedOffset: 40,
    records: 4,
    offsetSum: '60',
    dropped: {},
    gaps: [],
    ...changes,
  };
}

async function* filesOf(...files: readonly FileAudit[]): AsyncIterable<FileAudit> {
  for (const file of files) yield await Promise.resolve(file);
}

function fileAudit(changes: Partial<FileAudit> = {}): FileAudit {
  const counts = { found: 4, twice: 0, offsetSum: '60', droppedByPipeline: 0, expired: 0 };
  return { fileId: FILE_ID, ledger: ledger(), ...counts, ...changes };
}

/** A store with the records 0, 10, 20 and 30 of one file, and the ledger that says so. */
async function storeOfFour(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const batches = toBatches([0, 10, 20, 30].map((offset) => documentAt(offset, 60)));
  await store.append(
    batches.map((batch) => ({ ...batch, fieldTypes: new Map(), dropped: [] })),
    SIGNAL,
  );
  await store.appendLedger([ledger()], SIGNAL);
  return store;
}

test('what was written and is found once is accounted', async () => {
  const store = await storeOfFour();
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.equal(report.verdict, 'accounted');
  assert.deepEqual([report.records, report.missing, report.twice, report.lagBytes], [4, 0, 0, 0]);
  assert.deepEqual(
    report.rows.map(({ namespace, pod, container }) => [namespace, pod, container]),
    [['shop', 'web-1', 'web']],
  );
  assert.deepEqual(report.problems, []);
});

test('a lost record is missing', async () => {
  const store = await storeOfFour();
  store.lose(({ offset }) => offset === 20);
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.equal(report.verdict, 'discrepancy');
  assert.equal(report.missing, 1);
  assert.equal(report.rows[0]?.verdict, 'discrepancy');
  assert.match(report.problems[0]?.reason ?? '', /1 record missing/);
});

test('a record that stands there again is twice', async () => {
  const store = await storeOfFour();
  store.duplicate(({ offset }) => offset === 20);
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.deepEqual([report.verdict, report.missing, report.twice], ['discrepancy', 0, 1]);
});

test('a loss and a duplicate do not cancel out', async () => {
  const store = await storeOfFour();
  store.lose(({ offset }) => offset === 0);
  store.duplicate(({ offset }) => offset === 30);
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.deepEqual([report.verdict, report.missing, report.twice], ['discrepancy', 1, 1]);
});

test('as many records as were sent, but others, are a discrepancy', async () => {
  const report = await buildAuditReport(filesOf(fileAudit({ offsetSum: '61' })));
  assert.equal(report.verdict, 'discrepancy');
  assert.ok(report.missing > 0);
  assert.match(report.problems[0]?.reason ?? '', /not the same ones/);
});

test('records that no agent sent are a discrepancy', async () => {
  const report = await buildAuditReport(filesOf(fileAudit({ found: 6, offsetSum: '130' })));
  assert.deepEqual([report.verdict, report.missing], ['discrepancy', 0]);
  assert.match(report.problems[0]?.reason ?? '', /2 records found that no agent sent/);
});

/** The ledger of an agent that forgot in a power loss that it had delivered 10 and 20, which it finds no more. */
const forgetful = ledger({
  records: 2,
  offsetSum: '30',
  dropped: { possible_loss: 20 },
  gaps: [{ kind: 'possible_loss', startOffset: 10, endOffset: 30, reason: 'unsure' }],
});

test('records that stand where the ledger says that something may be lost were sent, and forgotten', async () => {
  const store = await storeOfFour();
  await store.appendLedger([{ ...forgetful, sequence: 2 }], SIGNAL);
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.deepEqual(report.problems, []);
  assert.deepEqual([report.verdict, report.missing, report.possibleLoss], ['accounted', 0, 1]);
});

test('records in a possible loss that are in the ledger too, because they were read later, are accounted', async () => {
  const store = await storeOfFour();
  await store.appendLedger([{ ...forgetful, records: 4, offsetSum: '60', sequence: 2 }], SIGNAL);
  assert.equal((await buildAuditReport(store.audit(SIGNAL))).verdict, 'accounted');
});

test('records in a possible loss make up for no other loss, repeat or stranger', async () => {
  const store = await storeOfFour();
  await store.appendLedger([{ ...forgetful, sequence: 2 }], SIGNAL);
  store.lose(({ offset }) => offset === 0);
  const lost = await buildAuditReport(store.audit(SIGNAL));
  assert.deepEqual([lost.verdict, lost.missing], ['discrepancy', 1]);
  assert.match(lost.problems[0]?.reason ?? '', /^1 record missing$/);
  store.duplicate(({ offset }) => offset === 10);
  const twice = await buildAuditReport(store.audit(SIGNAL));
  assert.deepEqual([twice.verdict, twice.missing, twice.twice], ['discrepancy', 1, 1]);

  const whole = await storeOfFour();
  const gaps = [{ kind: 'possible_loss', startOffset: 10, endOffset: 20, reason: 'unsure' } as const];
  await whole.appendLedger([{ ...forgetful, gaps, sequence: 2 }], SIGNAL);
  const stranger = await buildAuditReport(whole.audit(SIGNAL));
  assert.match(stranger.problems[0]?.reason ?? '', /^1 record found that no agent sent$/);
});

test('a record that stands in a gap, which nobody read, is a stranger', async () => {
  const store = await storeOfFour();
  const gaps = forgetful.gaps.map((gap) => ({ ...gap, kind: 'gap' as const }));
  await store.appendLedger([{ ...forgetful, gaps, sequence: 2 }], SIGNAL);
  const report = await buildAuditReport(store.audit(SIGNAL));
  assert.match(report.problems[0]?.reason ?? '', /^2 records found that no agent sent$/);
});

test('lag, and a ledger that may be old, leave it open; a discrepancy elsewhere outweighs them', async () => {
  const lagging = fileAudit({ ledger: ledger({ bytesWritten: 100 }) });
  const lag = await buildAuditReport(filesOf(lagging));
  assert.deepEqual([lag.verdict, lag.lagBytes], ['unknown', 60]);
  assert.equal(
    (await buildAuditReport(filesOf(lagging, fileAudit({ twice: 1, found: 5 })))).verdict,
    'discrepancy',
  );
  assert.equal(
    (await buildAuditReport(filesOf(fileAudit()), { unknownReason: 'the agent is away' })).verdict,
    'unknown',
  );
});

test('drops, expired records and gaps are shown with their bytes and are accounted for', async () => {
  const gap = { kind: 'possible_loss', startOffset: 10, endOffset: 25, reason: 'truncated' } as const;
  const dropped = { nul_run: 5, line_too_long: 7 };
  const flaws = { invalid_utf8: 3, truncated_line: 1 };
  const file = fileAudit({
    droppedByPipeline: 1,
    expired: 2,
    expiredEarly: 1,
    ledger: ledger({ dropped, flaws, gaps: [gap] }),
  });
  const unsized = { ...gap, endOffset: 10 };
  const other = fileAudit({ ...file, fileId: 'b', ledger: ledger({ dropped, gaps: [gap, unsized] }) });
  const report = await buildAuditReport(filesOf(file, other));
  assert.equal(report.verdict, 'accounted');
  assert.deepEqual(report.flaws, { invalid_utf8: 3, truncated_line: 1 });
  assert.deepEqual(report.droppedBytes, { nul_run: 10, line_too_long: 14 });
  assert.deepEqual([report.possibleLoss, report.possibleLossBytes, report.possibleLossUnsized], [3, 30, 1]);
  assert.deepEqual(
    [report.droppedByPipeline, report.expired, report.expiredEarly, report.files],
    [2, 4, 2, 2],
  );
});

test('documents that no agent accounts for are counted by themselves, and cannot be missing', async () => {
  const posted = fileAudit({ fileId: 'b', ledger: undefined, found: 7 });
  const report = await buildAuditReport(filesOf(fileAudit(), posted));
  assert.deepEqual(
    [report.verdict, report.records, report.files, report.withoutAgent, report.rows.length],
    ['accounted', 4, 1, { files: 1, records: 7, droppedByPipeline: 0, deadLettered: 0, expired: 0 }, 1],
  );
  const twice = await buildAuditReport(filesOf({ ...posted, twice: 2 }));
  assert.deepEqual([twice.verdict, twice.twice, twice.withoutAgent.records], ['discrepancy', 2, 5]);
  assert.match(twice.problems[0]?.reason ?? '', /2 records found twice/);
});

test('documents of gaps are records of no file, unless one stands there twice', async () => {
  const gap = fileAudit({ fileId: `676170${'0'.repeat(14)}`, ledger: undefined, found: 2 });
  const report = await buildAuditReport(filesOf(fileAudit(), gap));
  assert.deepEqual([report.verdict, report.records, report.withoutAgent.records], ['accounted', 4, 0]);
  const twice = await buildAuditReport(filesOf({ ...gap, twice: 1 }));
  assert.deepEqual([twice.verdict, twice.twice], ['discrepancy', 1]);
});

test('of many problems the most serious are named and all are counted', async () => {
  const unknown = Array.from({ length: 150 }, () => fileAudit({ ledger: ledger({ bytesWritten: 100 }) }));
  const report = await buildAuditReport(filesOf(...unknown, fileAudit({ twice: 1, found: 5 })));
  assert.equal(report.problemCount, 151);
  assert.equal(report.problems.length, 100);
  assert.equal(report.problems[0]?.verdict, 'discrepancy');
});

function lettersAt(offsets: readonly number[], changes: Partial<DeadLetter> = {}): AuditLetters {
  const letters = new AuditLetters();
  addLetters(letters, offsets, changes);
  return letters;
}

function addLetters(
  letters: AuditLetters,
  offsets: readonly number[],
  changes: Partial<DeadLetter> = {},
): void {
  for (const offset of offsets) {
    const letter: DeadLetter = {
      id: String(offset),
      fileId: FILE_ID,
      offset,
      lane: 1,
      time: '2026-11-23T00:00:00.000000000Z',
      document: '{}',
      error: { type: 'limits', reason: 'too much' },
      index: undefined,
      source: undefined,
      attempts: 1,
      ...changes,
    };
    assert.ok(letters.add(letter));
  }
}

test('a record that the store refused is accounted for by its dead letter, and a lost one beside it is missing', async () => {
  const refused = fileAudit({ found: 3, offsetSum: '50' });
  const letters = lettersAt([10, 40]);
  const report = await buildAuditReport(filesOf(refused), { letters });
  assert.deepEqual([report.verdict, report.missing, report.deadLettered], ['accounted', 0, 1]);
  const lost = await buildAuditReport(filesOf(fileAudit({ found: 2, offsetSum: '30' })), { letters });
  assert.deepEqual([lost.verdict, lost.missing, lost.deadLettered], ['discrepancy', 1, 1]);
  const other = await buildAuditReport(filesOf(fileAudit({ found: 3, offsetSum: '40' })), { letters });
  assert.deepEqual([other.verdict, other.missing], ['discrepancy', 1]);
});

test('letters of files that no agent follows are told by themselves, also where nothing of the file is stored', async () => {
  const stored = fileAudit({ fileId: 'b', ledger: undefined, found: 5, expired: 2 });
  const refused = lettersAt([10, 20], { fileId: 'b' });
  addLetters(refused, [30], {
    fileId: 'b',
    document: '',
    error: { type: 'discarded', reason: 'discarded: limits' },
  });
  addLetters(refused, [40], { fileId: '0'.repeat(20) });
  addLetters(refused, [10]);
  const followed = fileAudit({ found: 3, offsetSum: '50' });
  const report = await buildAuditReport(filesOf(followed, stored), { letters: refused });
  assert.deepEqual(report.withoutAgent, {
    files: 2,
    records: 5,
    droppedByPipeline: 1,
    deadLettered: 3,
    expired: 2,
  });
  assert.deepEqual([report.verdict, report.deadLettered, report.files], ['accounted', 1, 1]);
});

test('a discarded letter counts among what was dropped', async () => {
  const letters = lettersAt([10], {
    document: '',
    error: { type: 'discarded', reason: 'discarded: limits' },
  });
  const report = await buildAuditReport(filesOf(fileAudit({ found: 3, offsetSum: '50' })), { letters });
  assert.deepEqual([report.verdict, report.droppedByPipeline, report.deadLettered], ['accounted', 1, 0]);
});

test('a letter of a record that is stored already says nothing against its file', async () => {
  const report = await buildAuditReport(filesOf(fileAudit()), { letters: lettersAt([10, 30]) });
  assert.deepEqual([report.verdict, report.problems, report.deadLettered], ['accounted', [], 0]);
});

test('a letter of a stored record beside one that stands for its record is still to be settled', async () => {
  const file = fileAudit({ found: 3, offsetSum: '50' });
  const report = await buildAuditReport(filesOf(file), { letters: lettersAt([10, 30]) });
  assert.deepEqual(
    [report.verdict, report.problems[0]?.reason],
    ['unknown', 'dead letters of records that are stored: replay them again'],
  );
});

test('what indexers have not passed may be on the way, what they have passed is missing, and twice is twice', async () => {
  const files = (): AsyncIterable<FileAudit> => filesOf(fileAudit({ found: 3, offsetSum: '50' }));
  const missing: unknown[] = [];
  const onMissing = (fileId: string, sequence: number): void => void missing.push([fileId, sequence]);
  const early = await buildAuditReport(files(), { isIndexed: () => false, onMissing });
  assert.deepEqual([early.verdict, early.missing, missing], ['unknown', 0, [[FILE_ID, 1]]]);
  const late = await buildAuditReport(files(), { isIndexed: () => true });
  assert.deepEqual([late.verdict, late.missing], ['discrepancy', 1]);
  const twice = await buildAuditReport(filesOf(fileAudit({ found: 5, twice: 1 })), {
    isIndexed: () => false,
  });
  assert.deepEqual([twice.verdict, twice.twice], ['discrepancy', 1]);
});

test('the report says by when agents of other processes had said what it adds up', async () => {
  const told = (node: string, minute: number): FileAudit =>
    fileAudit({
      fileId: `${minute}`.padStart(20, '0'),
      ledger: ledger({ node, time: `2026-11-23T00:${minute}:00.000000000Z` }),
    });
  const files = (): AsyncIterable<FileAudit> =>
    filesOf(told('a', 10), told('a', 30), told('b', 20), told('c', 15));
  assert.equal((await buildAuditReport(files())).toldAt, '2026-11-23T00:15:00.000000000Z');
  assert.equal((await buildAuditReport(files(), { ownNode: 'c' })).toldAt, '2026-11-23T00:20:00.000000000Z');
  assert.equal((await buildAuditReport(filesOf(told('c', 15)), { ownNode: 'c' })).toldAt, null);
});

test('what a silent agent said is told with the same time in both places', async () => {
  const saidAt = '2026-11-23T00:10:00.000000000Z';
  const status = { cluster: 'c', version: '1', state: 'silent', saidAt, files: 1, unreadBytes: 3 } as const;
  const agent = { ...status, node: 'a', unacknowledgedBytes: 0, oldestUnread: null };
  const later = ledger({ node: 'a', time: '2026-11-23T00:10:09.000000000Z' });
  const agents = { agents: [agent], forgottenNodes: new Set<string>() };
  const report = await buildAuditReport(filesOf(fileAudit({ ledger: later })), { agents });
  assert.match(
    report.problems[0]?.reason ?? '',
    /^agent of node a silent since 2026-11-23T00:10:00Z: 3 bytes/,
  );
  assert.equal(report.toldAt, saidAt);
});
