import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../base/errors.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { LedgerRecord } from '../record/ledger.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createAgentWatch } from './agent-watch.ts';
import type { ApiOptions } from './api-options.ts';
import type { AuditAnswer } from './api-types.ts';
import { Auditor } from './audit-run.ts';
import { TailHub } from './tail-hub.ts';
import { documentAt, FILE_ID, testOptions, toBatches } from './test-api.ts';

const SIGNAL = new AbortController().signal;

/** A store, and a file of which ten bytes more are written, stored and acknowledged with each record. */
class World {
  readonly store = new MemoryStore();
  readonly scheduler = new VirtualScheduler();
  #sequence = 0;
  #records = 0;

  auditor(changes: Partial<ApiOptions> = {}): Auditor {
    const options = testOptions(this.store, new TailHub(), new MemoryTelemetry(), this.scheduler);
    const all = { ...options, ...changes };
    return new Auditor(all, createAgentWatch(all));
  }

  async store10(): Promise<void> {
    const batches = toBatches([documentAt(this.#records * 10, 60)]);
    await this.store.append(
      batches.map((batch) => ({ ...batch, fieldTypes: new Map(), dropped: [] })),
      SIGNAL,
    );
    this.#records += 1;
  }

  async tell(bytesWritten: number, changes: Partial<LedgerRecord> = {}): Promise<void> {
    const acknowledgedOffset = this.#records * 10;
    const offsetSum = String(
      Array.from({ length: this.#records }, (_, i) => i * 10).reduce((a, b) => a + b, 0),
    );
    const names = { namespace: 'shop', pod: 'web-1', container: 'web' };
    const facts = { node: 'n1', path: '/x.log', state: 'active', dropped: {}, gaps: [] } as const;
    const time = '2026-11-22T23:00:00.000000000Z';
    const sequence = ++this.#sequence;
    const figures = { bytesWritten, bytesRead: bytesWritten, acknowledgedOffset, records: this.#records };
    const record = { fileId: FILE_ID, sequence, time, offsetSum, ...names, ...facts, ...figures, ...changes };
    await this.store.appendLedger([record], SIGNAL);
  }
}

/** Resolves with the answer and the virtual milliseconds until it was there. */
async function timed(
  world: World,
  asked: Promise<AuditAnswer>,
): Promise<{ answer: AuditAnswer; ms: number }> {
  const startMs = world.scheduler.monotonicMs();
  let answer: AuditAnswer | undefined;
  void asked.then((value) => (answer = value));
  assert.ok(await world.scheduler.advanceUntil(() => answer !== undefined, 60_000));
  assert.ok(answer !== undefined);
  return { answer, ms: world.scheduler.monotonicMs() - startMs };
}

test('a ledger that cannot be stored delays an audit by two seconds at most, and is the reason that it cannot tell', async () => {
  const world = new World();
  world.store.problemText = 'the disk has less than 5 GiB free';
  const auditor = world.auditor({ refreshLedger: () => new Promise(() => undefined) });
  for (let round = 0; round < 2; round += 1) {
    const { answer, ms } = await timed(world, auditor.run(0, SIGNAL));
    assert.equal(answer.verdict, 'unknown');
    assert.match(answer.problems[0]?.reason ?? '', /ledger may be old: the disk has less than 5 GiB free/);
    assert.ok(ms >= 2_000 && ms < 2_100, `${ms} ms`);
  }
});

test('audits that wait for a refresh start one more between them, when it is over', async () => {
  const world = new World();
  const releases: (() => void)[] = [];
  const auditor = world.auditor({ refreshLedger: () => new Promise((resolve) => releases.push(resolve)) });
  for (let round = 0; round < 3; round += 1) await timed(world, auditor.run(0, SIGNAL));
  assert.equal(releases.length, 1);
  releases[0]?.();
  await world.scheduler.advance(100);
  assert.equal(releases.length, 1, 'nobody waits any more');
  const asked = auditor.run(0, SIGNAL);
  await world.scheduler.advance(100);
  assert.equal(releases.length, 2);
  releases[1]?.();
  assert.equal((await timed(world, asked)).answer.verdict, 'accounted');
});

test('a file that is written all the time is accounted for once what it had at the beginning is stored', async () => {
  const world = new World();
  let written = 50;
  const refreshLedger = async (): Promise<void> => {
    written += 10;
    await world.store10();
    await world.tell(written);
  };
  const { answer, ms } = await timed(world, world.auditor({ refreshLedger }).run(10_000, SIGNAL));
  assert.equal(answer.verdict, 'accounted');
  assert.deepEqual([answer.records, answer.lagBytes, answer.problemCount], [6, 50, 0]);
  assert.ok(ms < 10_000);
});

test('what is not stored when the wait is over leaves it open', async () => {
  const world = new World();
  await world.store10();
  await world.tell(30);
  const { answer, ms } = await timed(world, world.auditor().run(3_000, SIGNAL));
  assert.equal(answer.verdict, 'unknown');
  assert.match(answer.problems[0]?.reason ?? '', /20 bytes not yet acknowledged/);
  assert.ok(ms >= 3_000 && ms < 3_100, `${ms} ms`);
});

test('the mark comes from the first ledger that is up to date', async () => {
  const world = new World();
  await world.store10();
  await world.tell(10);
  let count = 0;
  const refreshLedger = async (): Promise<void> => {
    count += 1;
    if (count === 1) throw new Error('the disk is full');
    if (count === 2) await world.tell(30);
    if (count === 4) await world.store10();
    if (count === 5) await world.store10();
    if (count > 3) await world.tell(100);
  };
  const { answer } = await timed(world, world.auditor({ refreshLedger }).run(30_000, SIGNAL));
  assert.deepEqual([answer.verdict, answer.records, count], ['accounted', 3, 5]);
});

test('a file that nobody can look into is named as it is, and waited for as long as the caller waits', async () => {
  const world = new World();
  await world.store10();
  await world.tell(10);
  const text = 'cannot account for /x.log: permission denied; give the agent read permission';
  let isMended = false;
  const refreshLedger = (): Promise<void> =>
    isMended ? Promise.resolve() : Promise.reject(new AppError('io_failed', text));
  const auditor = world.auditor({ refreshLedger });
  const { answer, ms } = await timed(world, auditor.run(5_000, SIGNAL));
  assert.deepEqual([answer.verdict, answer.problems.map(({ reason }) => reason)], ['unknown', [text]]);
  assert.ok(ms >= 5_000, `${ms} ms`);
  world.scheduler.schedule(1_000, () => (isMended = true));
  assert.equal((await timed(world, auditor.run(5_000, SIGNAL))).answer.verdict, 'accounted');
});

test('a file that was cut below its mark is not waited for', async () => {
  const world = new World();
  await world.store10();
  let size = 40;
  const refreshLedger = async (): Promise<void> => {
    await world.tell(size);
    size = 10;
  };
  const { answer } = await timed(world, world.auditor({ refreshLedger }).run(10_000, SIGNAL));
  assert.deepEqual([answer.verdict, answer.lagBytes], ['accounted', 0]);
});

test('a last line that has rested for five seconds without its end is remarked, and leaves nothing open', async () => {
  const world = new World();
  await world.store10();
  const time = '2026-11-23T00:00:00.000000000Z';
  await world.tell(14, { time });
  const auditor = world.auditor({ agentNode: 'n1' });
  assert.equal((await timed(world, auditor.run(0, SIGNAL))).answer.verdict, 'unknown');
  const { answer, ms } = await timed(world, auditor.run(30_000, SIGNAL));
  assert.deepEqual([answer.verdict, answer.lagBytes, answer.unfinishedBytes], ['accounted', 4, 4]);
  assert.ok(ms >= 4_000 && ms < 10_000, `${ms} ms`);
});

test('bytes on the way are not taken for an unfinished line because the clock jumps ahead', async () => {
  const world = new World();
  await world.store10();
  await world.tell(14, { time: '2026-11-23T00:00:00.000000000Z' });
  const auditor = world.auditor({ agentNode: 'n1' });
  world.scheduler.wallSkewMs += 3_600_000;
  assert.equal((await timed(world, auditor.run(0, SIGNAL))).answer.verdict, 'unknown');
  const { answer, ms } = await timed(world, auditor.run(30_000, SIGNAL));
  assert.deepEqual([answer.verdict, answer.unfinishedBytes], ['accounted', 4]);
  assert.ok(ms >= 4_000 && ms < 10_000, `${ms} ms`);
});

test('bytes are not taken for an unfinished line where something else can hold them up', async () => {
  const others: readonly (readonly [Partial<LedgerRecord>, Partial<ApiOptions>])[] = [
    [{}, { agentNode: 'n2' }],
    [{}, { agentNode: undefined }],
    [
      {},
      { readiness: () => ({ ready: false, problems: [{ part: 'store', reason: 'full' }], warnings: [] }) },
    ],
    [{}, { refreshLedger: () => Promise.reject(new Error('closed')) }],
    [{ bytesRead: 10 }, {}],
    [{ state: 'gone' }, {}],
    [{ bytesRead: 2_000_000, bytesWritten: 2_000_000 }, {}],
    [{ time: '2026-11-23T00:00:00.000000000Z' }, {}],
  ];
  for (const [changes, options] of others) {
    const world = new World();
    await world.store10();
    await world.tell(14, changes);
    const { answer } = await timed(world, world.auditor({ agentNode: 'n1', ...options }).run(0, SIGNAL));
    assert.deepEqual([answer.verdict, answer.unfinishedBytes], ['unknown', 0], JSON.stringify(changes));
  }
});

test('a record that is acknowledged and not stored is missing only once the indexers have passed it', async () => {
  const world = new World();
  await world.store10();
  await world.tell(10);
  world.store.lose(() => true);
  let isPassed = false;
  const auditor = world.auditor({
    markIndexing: () => Promise.resolve({ isPassed: () => Promise.resolve(isPassed) }),
  });
  const early = await timed(world, auditor.run(1_000, SIGNAL));
  assert.equal(early.answer.verdict, 'unknown');
  isPassed = true;
  const late = await timed(world, auditor.run(0, SIGNAL));
  assert.deepEqual([late.answer.verdict, late.answer.missing], ['discrepancy', 1]);
});

test('an audit waits for what the indexers still have before them', async () => {
  const world = new World();
  await world.store10();
  await world.tell(20, { acknowledgedOffset: 20, records: 2, offsetSum: '10' });
  let isPassed = false;
  const auditor = world.auditor({
    markIndexing: () => Promise.resolve({ isPassed: () => Promise.resolve(isPassed) }),
  });
  world.scheduler.schedule(3_000, () => void world.store10().then(() => (isPassed = true)));
  const { answer, ms } = await timed(world, auditor.run(30_000, SIGNAL));
  assert.equal(answer.verdict, 'accounted');
  assert.ok(ms >= 3_000 && ms < 10_000);
});

test('an audit of a store that the first ledger has not reached yet cannot tell', async () => {
  const world = new World();
  const isPassed = (): Promise<boolean> => Promise.resolve(false);
  const auditor = world.auditor({ markIndexing: () => Promise.resolve({ isPassed }) });
  const { answer } = await timed(world, auditor.run(1_000, SIGNAL));
  assert.deepEqual(
    [answer.verdict, answer.problems[0]?.reason],
    ['unknown', 'what was sent before this audit began is not stored yet'],
  );
});

test('bytes whose ledger is older than the mark are not taken for an unfinished line', async () => {
  const world = new World();
  await world.tell(10);
  const facts = { agentNode: 'n1', readiness: () => ({ ready: true, problems: [], warnings: [] }) };
  const isPassed = async (): Promise<boolean> => {
    // The indexers take six seconds, and the ledger of the beginning was three seconds old by then.
    await world.scheduler.sleep(6_000);
    return true;
  };
  const auditor = world.auditor({ ...facts, markIndexing: () => Promise.resolve({ isPassed }) });
  world.scheduler.wallSkewMs = Date.parse('2026-11-22T23:00:03Z') - world.scheduler.nowMs();
  const { answer } = await timed(world, auditor.run(0, SIGNAL));
  assert.equal(answer.verdict, 'unknown');
});

test('an audit that cannot read the dead letters cannot tell', async () => {
  const world = new World();
  const auditor = world.auditor({
    deadLetters: {
      async *read(signal) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        yield* [];
      },
      send: () => Promise.resolve(),
      check: () => [],
      replay: () => Promise.resolve([]),
    },
  });
  const { answer } = await timed(world, auditor.run(0, SIGNAL));
  assert.deepEqual(
    [answer.verdict, answer.problems[0]?.reason],
    ['unknown', 'the dead letters cannot be read'],
  );
});
