/** Holes are never read as data, and what is given up is told exactly, whenever the agent is killed (G1, G5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../base/assert.ts';
import { systemError } from '../../base/memory-file-system.ts';
import type { FollowedFile } from '../followed-files.ts';
import { APPS_SOURCE, AgentWorld } from '../testing/agent-world.ts';
import type { HoleFinder } from './skips.ts';

const LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const BLOCK = 4096;
const LINE_BYTES = 64;
const FIRST_BYTES = 100;
const NUL = 0;

/** Lines of 64 bytes, numbered. */
function lines(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${first + index} `.padEnd(LINE_BYTES - 1, '.'))
    .map((line) => `${line}\n`)
    .join('');
}

function numbersOf(world: AgentWorld): number[] {
  return world.producer.messages().map((message) => Number(/^line (\d+) /.exec(message)?.[1] ?? NaN));
}

/** Numbers as runs of such that follow one another: `0-99, 200-299`. */
function runsOf(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => `${first}-${last}`).join(', ');
}

/** One hole of one file, as a file system with blocks of 4 KiB would have it. */
class Hole implements HoleFinder {
  readonly #world: AgentWorld;
  #start = 0;
  #end = 0;

  constructor(world: AgentWorld) {
    this.#world = world;
  }

  punch(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
    for (let at = start; at < end; at++) this.#world.fileSystem.corrupt(LOG, at, NUL);
  }

  isSparse(): boolean {
    return this.#end > this.#start;
  }

  nextData(_fd: number, offset: number, size: number): number {
    return Math.min(size, offset >= this.#start && offset < this.#end ? this.#end : offset);
  }

  nextHole(_fd: number, offset: number, size: number): number {
    if (offset >= this.#end || this.#end === 0) return size;
    return Math.max(offset, this.#start);
  }
}

function theFile(world: AgentWorld): FollowedFile {
  return must(world.agent?.followed?.groups(() => true)[0]?.files[0], 'followed file');
}

test('a file with a hole and no checkpoint is read around it, and the hole is told as a range', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const hole = new Hole(world);
  // The first line is longer and shifts the others, so that the hole ends within one.
  world.write(LOG, `line 0 ${'.'.repeat(FIRST_BYTES - 8)}\n${lines(1, 999)}`);
  hole.punch(BLOCK, 10 * BLOCK);
  world.start({ holes: hole });
  await world.advance(3000);
  const firstKept = Math.ceil((10 * BLOCK - FIRST_BYTES) / LINE_BYTES) + 1;
  const cut = numbersOf(world).filter((number) => number * LINE_BYTES > BLOCK);
  assert.equal(runsOf(cut), `${firstKept}-999`);
  const end = FIRST_BYTES + (firstKept - 1) * LINE_BYTES;
  const told = world.producer.gaps.map(({ document }) => {
    const { gap } = document['fields'] as { gap: Record<string, unknown> };
    return [gap['kind'], gap['start_offset'], gap['end_offset']];
  });
  assert.deepEqual(told, [['possible_loss', BLOCK, end]]);
  assert.equal(world.telemetry.valueOf('logboom_agent_dropped_bytes_total', { reason: 'nul_run' }), 0);
  const [ledger] = world.producer.ledger.values();
  assert.equal(ledger?.acknowledgedOffset, FIRST_BYTES + 999 * LINE_BYTES);
  assert.deepEqual(ledger.dropped, { possible_loss: end - BLOCK });
  await world.stop();
});

test('a hole behind the checkpoint is no news to the next run', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const hole = new Hole(world);
  world.write(LOG, lines(0, 1000));
  world.start({ holes: hole });
  await world.advance(3000);
  const { freeOffset } = theFile(world);
  assert.equal(freeOffset, 1000 * LINE_BYTES);
  hole.punch(BLOCK, Math.floor((freeOffset - BLOCK) / BLOCK) * BLOCK);
  world.kill();
  world.write(LOG, lines(1000, 10));
  world.start({ holes: hole });
  await world.advance(3000);
  assert.equal(runsOf(numbersOf(world)), '0-1009');
  assert.deepEqual(world.producer.gaps, []);
  assert.equal(world.producer.duplicates, 0);
  await world.stop();
});

test('the hole that a writer with its old offset leaves at the beginning is counted, and is no loss', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const hole = new Hole(world);
  world.write(LOG, lines(0, 1000));
  hole.punch(0, 10 * BLOCK);
  world.start({ holes: hole });
  await world.advance(3000);
  assert.equal(runsOf(numbersOf(world)), `${(10 * BLOCK) / LINE_BYTES}-999`);
  assert.deepEqual(world.producer.gaps, []);
  const [ledger] = world.producer.ledger.values();
  assert.deepEqual(ledger?.dropped, { nul_run: 10 * BLOCK });
  await world.stop();
});

test('nothing counts as done with before a checkpoint on disk says so', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  let isBroken = false;
  world.fileSystem.onOperation = (operation, path) => {
    if (isBroken && operation === 'sync') throw systemError('EIO', path);
  };
  world.write(LOG, lines(0, 10));
  world.start();
  await world.advance(2000);
  assert.equal(theFile(world).freeOffset, 10 * LINE_BYTES);
  isBroken = true;
  world.write(LOG, lines(10, 10));
  await world.advance(2000);
  assert.equal(theFile(world).freeOffset, 10 * LINE_BYTES);
  assert.equal(theFile(world).isDone, false);
  isBroken = false;
  await world.advance(2000);
  assert.equal(theFile(world).freeOffset, 20 * LINE_BYTES);
  assert.equal(theFile(world).isDone, true);
  await world.stop();
});

for (const killed of ['never', 'before the checkpoint', 'after the checkpoint', 'after the punch'] as const) {
  test(`what is given up is one exact gap, killed ${killed}`, async () => {
    const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 1024 * 1024 });
    const hole = new Hole(world);
    const options = { holes: hole };
    world.producer.isHeld = true;
    world.write(LOG, lines(0, 20_000));
    world.start(options);
    await world.advance(2000);
    const before = theFile(world);
    assert.ok(before.readOffset > 0 && before.freeOffset === 0);
    const target = before.readOffset + 500_000;
    const given = must(world.agent?.followed?.giveUp(before.id ?? '', target, 'for the test'), 'range');
    assert.deepEqual(given, { startOffset: before.readOffset, endOffset: Math.ceil(target / 64) * 64 });
    if (killed === 'before the checkpoint') world.kill();
    else {
      assert.deepEqual(theFile(world).given, []);
      await world.advance(2000);
      assert.deepEqual(
        theFile(world).given.map(({ startOffset, endOffset }) => ({ startOffset, endOffset })),
        [given],
      );
      if (killed === 'after the checkpoint') world.kill();
      else {
        hole.punch(Math.ceil(given.startOffset / BLOCK) * BLOCK, Math.floor(given.endOffset / BLOCK) * BLOCK);
        if (killed === 'after the punch') world.kill();
      }
    }
    world.producer.release();
    if (world.agent === undefined) world.start(options);
    for (let second = 0; second < 20; second++) await world.advance(1000);
    const isWhole = killed === 'before the checkpoint';
    const lost = `0-${given.startOffset / LINE_BYTES - 1}, ${given.endOffset / LINE_BYTES}-19999`;
    assert.equal(runsOf(numbersOf(world)), isWhole ? '0-19999' : lost);
    const gaps = [...world.producer.ledger.values()].flatMap((record) => record.gaps);
    assert.deepEqual(
      gaps.map(({ startOffset, endOffset }) => ({ startOffset, endOffset })),
      isWhole ? [] : [given],
    );
    assert.equal(world.producer.gaps.length, isWhole ? 0 : 1);
    const [ledger] = world.producer.ledger.values();
    assert.equal(ledger?.acknowledgedOffset, 20_000 * LINE_BYTES);
    assert.deepEqual(world.producer.changed, []);
    await world.stop();
  });
}

// Stores take records from before those that they have for repeats: what lies behind a gap must not outlive the gap.
test('what lies behind bytes that were given up is not delivered before a power loss cannot take the gap back', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const { fileSystem } = world;
  const directory = '/data/logboom/agent';
  world.write(LOG, lines(0, 100));
  world.start();
  await world.advance(2000);
  fileSystem.onOperation = (operation, path) => {
    if (operation === 'sync' && path.startsWith(directory)) throw systemError('EIO', path);
  };
  world.producer.isHeld = true;
  world.write(LOG, lines(100, 1));
  await world.advance(500);
  world.write(LOG, lines(101, 199));
  const { id, readOffset } = theFile(world);
  const given = must(world.agent?.followed?.giveUp(id ?? '', readOffset + 640, 'for the test'), 'range');
  world.producer.release();
  await world.advance(3000);
  world.kill();
  for (const { name } of fileSystem.readDirectory(directory)) {
    if (!name.startsWith('checkpoints.')) continue;
    fileSystem.truncate(`${directory}/${name}`, fileSystem.syncedBytes(`${directory}/${name}`).length);
  }
  fileSystem.onOperation = undefined;
  world.start();
  await world.advance(5000);
  assert.ok(given.endOffset < 300 * LINE_BYTES);
  assert.equal(runsOf(numbersOf(world)), '0-299');
  assert.deepEqual(world.producer.gaps, []);
  await world.stop();
});

test('the last line of a rotated file is given out without its end when rotation asks for it', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(LOG, 'whole\nhalf');
  world.start();
  await world.advance(1000);
  world.fileSystem.rename(LOG, `${LOG}-20261123-043000`);
  world.write(LOG, 'next\n');
  await world.advance(2000);
  const rotated = must(
    world.agent?.followed?.groups(() => true)[0]?.files.find(({ isActive }) => !isActive),
    'rotated file',
  );
  assert.equal(rotated.hasUnfinishedLine, true);
  assert.equal(rotated.isDone, false);
  world.agent?.followed?.finish(rotated.id ?? '');
  await world.advance(3000);
  assert.deepEqual(world.producer.messages().toSorted(), ['half', 'next', 'whole']);
  const files = must(world.agent?.followed?.groups(() => true)[0]?.files, 'files');
  assert.ok(files.every(({ isDone }) => isDone));
  await world.stop();
});
