import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { PipelineConfig } from '../config/pipeline-config.ts';
import { eventIdOf } from '../record/identity.ts';
import { isDiscarded, type DeadLetter } from '../record/dead-letter.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { MemoryDeadLetters } from '../transport/memory-dead-letters.ts';
import { Replayer } from './replay.ts';
import { batchOf, documentOf } from './testing/batches.ts';

const FILE_ID = 'a'.padEnd(20, '0');
const NEVER = new AbortController().signal;
const REFUSAL = { type: 'limits', reason: 'too much' };

function letterAt(offset: number, message: string): DeadLetter {
  return {
    id: eventIdOf(FILE_ID, offset),
    fileId: FILE_ID,
    offset,
    lane: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    document: documentOf(message, { offset, fileId: FILE_ID }),
    error: REFUSAL,
    index: undefined,
    source: undefined,
    attempts: 1,
  };
}

function start(pipelines: readonly PipelineConfig[] = []) {
  const store = new MemoryStore();
  const queue = new MemoryDeadLetters();
  const replayer = new Replayer({
    pipelines,
    store,
    ownFileId: (id) => `f${id.slice(-19)}`,
    queue,
    scheduler: new VirtualScheduler(),
    telemetry: new MemoryTelemetry(),
  });
  const letters = (): Promise<DeadLetter[]> => Array.fromAsync(queue.read());
  return { store, queue, replayer, letters };
}

async function messagesOf(store: MemoryStore): Promise<unknown[]> {
  const range = { startNs: 0n, endNs: 2n ** 62n };
  const query = { kind: 'all' } as const;
  const page = await store.search({ query, range, order: 'asc', limit: 100, after: undefined }, NEVER);
  return page.documents.map((text) => (JSON.parse(text) as { message: unknown }).message);
}

test('a replay fills the hole below the watermark of its file, exactly once however often it is repeated', async () => {
  const { store, queue, replayer, letters } = start();
  const others = { ...batchOf('a', 10, ['ten', 'eleven']), fieldTypes: new Map(), dropped: [] };
  await store.append([others], NEVER);
  const letter = letterAt(5, 'five');
  await queue.send([letter]);
  const [outcome] = await replayer.replay([letter], NEVER);
  assert.equal(outcome?.result, 'stored');
  assert.deepEqual(await letters(), []);
  // As after a crash between storing and removing.
  await queue.send([letter]);
  await replayer.replay([letter], NEVER);
  assert.deepEqual(await messagesOf(store), ['five', 'ten', 'eleven']);
  const [audit] = await Array.fromAsync(store.audit(NEVER));
  assert.deepEqual([audit?.fileId, audit?.found, audit?.twice], [FILE_ID, 3, 0]);
});

test('what is refused again stays with the new error and the count of attempts, and stops no other', async () => {
  const { store, queue, replayer, letters } = start();
  const again = { type: 'mapper_parsing_exception', reason: 'still no' };
  store.rejects = (document) => (document['message'] === 'bad' ? again : undefined);
  const batch = [letterAt(1, 'good'), letterAt(2, 'bad'), letterAt(3, 'fine')];
  await queue.send(batch);
  const outcomes = await replayer.replay(batch, NEVER);
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    ['stored', 'refused', 'stored'],
  );
  const [left, ...none] = await letters();
  assert.equal(none.length, 0);
  assert.deepEqual(
    [left?.offset, left?.error, left?.attempts, left?.document],
    [2, again, 2, batch[1]?.document],
  );
});

test('what the current pipelines drop leaves a mark for the audit, and a dry run says so before', async () => {
  const match = {
    source: undefined,
    namespace: undefined,
    pod: undefined,
    container: undefined,
    app: undefined,
    path: undefined,
    labels: {},
  };
  const steps = [{ kind: 'drop', reason: 'health', if: 'healthz' }] as const;
  const { queue, replayer, letters } = start([{ name: 'quiet', match, steps, tests: [] }]);
  const letter = letterAt(1, 'GET /healthz');
  await queue.send([letter]);
  assert.equal(replayer.check([letter])[0]?.result, 'dropped');
  assert.equal((await replayer.replay([letter], NEVER))[0]?.result, 'dropped');
  const [mark] = await letters();
  assert.ok(mark !== undefined && isDiscarded(mark));
});
