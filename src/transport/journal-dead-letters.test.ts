import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFileSystem } from '../base/memory-file-system.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import type { DeadLetter } from '../record/dead-letter.ts';
import { openJournalDeadLetters, type JournalDeadLetters } from './journal-dead-letters.ts';

function letter(id: string, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    fileId: 'a'.repeat(20),
    offset: 7,
    lane: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    document: `{"message":"of ${id}"}`,
    error: { type: 'mapper_parsing_exception', reason: 'no' },
    index: 'logboom-shop-2026.11.23',
    source: undefined,
    attempts: 1,
    ...changes,
  };
}

async function all(queue: JournalDeadLetters): Promise<DeadLetter[]> {
  return Array.fromAsync(queue.read(new AbortController().signal));
}

function open(fileSystem: MemoryFileSystem, scheduler: VirtualScheduler, bytesMax?: number) {
  const limit = bytesMax === undefined ? {} : { bytesMax };
  return openJournalDeadLetters({ fileSystem, directory: '/data/dead-letters', scheduler, ...limit });
}

test('letters outlive the process; one of the same id replaces the earlier one; removed ones are gone', async () => {
  const [fileSystem, scheduler] = [new MemoryFileSystem(), new VirtualScheduler()];
  const queue = await open(fileSystem, scheduler);
  await queue.send([letter('one'), letter('two'), letter('three')]);
  await queue.send([letter('one', { attempts: 2 })]);
  await queue.remove(['two', 'unknown']);
  await queue.close();
  const again = await open(fileSystem, scheduler);
  assert.deepEqual(await all(again), [letter('three'), letter('one', { attempts: 2 })].map(withoutUndefined));
  await again.close();
});

test('a full queue makes senders wait, says so, and goes on when a person makes room', async () => {
  const scheduler = new VirtualScheduler();
  const queue = await open(new MemoryFileSystem(), scheduler, 1_000);
  await queue.send([letter('one'), letter('two')]);
  let isSent = false;
  const sent = queue.send([letter('three')]).then(() => (isSent = true));
  await scheduler.advance(5_000);
  assert.equal(isSent, false);
  assert.match(queue.problem() ?? '', /replay or discard/);
  await queue.remove(['one']);
  await scheduler.advance(1_000);
  await sent;
  assert.equal(queue.problem(), undefined);
  const waiting = queue.send([letter('four')]);
  await Promise.all([assert.rejects(waiting, { code: 'closed' }), queue.close()]);
});

test('a journal that is mostly history is written anew, and loses nothing', async () => {
  const [fileSystem, scheduler] = [new MemoryFileSystem(), new VirtualScheduler()];
  const queue = await open(fileSystem, scheduler);
  const big = 'x'.repeat(100_000);
  for (let round = 0; round < 40; round++) {
    await queue.send([letter('one', { document: big, attempts: round })]);
  }
  const bytes = fileSystem.stat('/data/dead-letters/dead-letters.journal')?.size ?? 0;
  assert.ok(bytes < 2_000_000, `the journal has ${bytes} bytes`);
  await queue.close();
  const again = await open(fileSystem, scheduler);
  assert.deepEqual(
    (await all(again)).map(({ id, attempts }) => [id, attempts]),
    [['one', 39]],
  );
  await again.close();
});

/** As JSON has it. */
function withoutUndefined(value: DeadLetter): unknown {
  return JSON.parse(JSON.stringify(value));
}
