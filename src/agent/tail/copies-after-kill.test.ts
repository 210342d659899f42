/** Copies that end before what was read of a file, and that the agent sees only when it comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, gzipFile } from '../testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const COPY = `${APP_LOG}.1`;

function gapsOf(world: AgentWorld): unknown[] {
  return [...world.producer.ledger.values()].flatMap((record) =>
    record.gaps.map(({ kind, startOffset, endOffset }) => [kind, startOffset, endOffset]),
  );
}

async function expectOnce(world: AgentWorld, lines: readonly string[], text: string): Promise<void> {
  expectNow(world, lines, text);
  await world.stop();
  world.start();
  await world.advance(15_000);
  expectNow(world, lines, `${text}, restarted`);
  await world.stop();
}

function expectNow(world: AgentWorld, lines: readonly string[], text: string): void {
  assert.deepEqual(world.producer.messages().toSorted(), lines.toSorted(), text);
  for (const { bytesWritten, acknowledgedOffset } of world.producer.ledger.values())
    assert.equal(bytesWritten, acknowledgedOffset, `${text}: nothing is waited for`);
}

/** Has the file copied by somebody who then truncates it, and written to anew. */
function cutAway(world: AgentWorld, copied: Uint8Array, isCompressed: boolean): void {
  world.write(COPY, copied);
  world.fileSystem.truncate(APP_LOG, 0);
  if (isCompressed) gzipFile(world.fileSystem, COPY);
  world.write(APP_LOG, 'b1\n');
}

test('a copy that ends before what was acknowledged is not read by an agent that was dead when it appeared', async () => {
  for (const isCompressed of [false, true]) {
    for (const later of [1, 40]) {
      const world = new AgentWorld([APPS_SOURCE]);
      world.write(APP_LOG, 'a1\na2\n');
      world.start();
      await world.advance(1000);
      const copied = world.fileSystem.readFile(APP_LOG);
      const lines = ['a1', 'a2', 'b1'];
      for (let number = 1; number <= later; number += 1) {
        world.write(APP_LOG, `later ${number}\n`);
        lines.push(`later ${number}`);
        await world.advance(300);
      }
      world.kill();
      cutAway(world, copied, isCompressed);
      world.start();
      await world.advance(15_000);
      await expectOnce(world, lines, `compressed: ${isCompressed}, ${later} lines later`);
    }
  }
});

test('a copy that ends within what was read and not acknowledged is read on where the acknowledged ends', async () => {
  for (const isCompressed of [false, true]) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\n');
    world.start();
    await world.advance(1000);
    world.producer.isHeld = true;
    world.write(APP_LOG, 'a2\n');
    await world.advance(1000);
    const copied = world.fileSystem.readFile(APP_LOG);
    world.write(APP_LOG, 'a3\n');
    await world.advance(1000);
    world.kill();
    world.producer.isHeld = false;
    cutAway(world, copied, isCompressed);
    world.start();
    await world.advance(15_000);
    const text = `compressed: ${isCompressed}`;
    assert.deepEqual(gapsOf(world), [['possible_loss', 6, 9]], text);
    await expectOnce(world, ['a1', 'a2', 'b1'], text);
  }
});

test('a copy that ends within the first piece that was read is not read after a kill', async () => {
  for (const isCompressed of [false, true]) {
    const world = new AgentWorld([APPS_SOURCE]);
    const first = Array.from({ length: 20 }, (_, index) => `line ${index} of some length`);
    const second = Array.from({ length: 20 }, (_, index) => `line ${index + 20} of some length`);
    world.write(APP_LOG, `${first.join('\n')}\n`);
    const copied = world.fileSystem.readFile(APP_LOG);
    world.write(APP_LOG, `${second.join('\n')}\n`);
    world.start();
    await world.advance(1000);
    world.kill();
    cutAway(world, copied, isCompressed);
    world.start();
    await world.advance(15_000);
    await expectOnce(world, [...first, ...second, 'b1'], `compressed: ${isCompressed}`);
  }
});

test('earlier marks survive snapshots of the checkpoints and several restarts', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  const copied = world.fileSystem.readFile(APP_LOG);
  const lines = ['a1', 'a2', 'b1'];
  for (let restart = 1; restart <= 3; restart += 1) {
    world.write(APP_LOG, `later ${restart}\n`);
    lines.push(`later ${restart}`);
    await world.advance(1000);
    world.kill();
    world.start();
    await world.advance(1000);
  }
  world.kill();
  cutAway(world, copied, false);
  world.start();
  await world.advance(15_000);
  await expectOnce(world, lines, 'after three restarts');
});

test('a file that began like one that was read, and replaced it while no agent ran, is another file', async () => {
  for (const size of ['longer', 'shorter']) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'banner\n');
    world.start();
    await world.advance(1000);
    world.write(APP_LOG, 'a1\n');
    await world.advance(1000);
    world.producer.isHeld = true;
    world.write(APP_LOG, 'a2 is long enough\n');
    await world.advance(1000);
    world.kill();
    world.producer.isHeld = false;
    world.fileSystem.truncate(APP_LOG, 0);
    // As long as what was acknowledged, and not as long as what was read.
    const text = size === 'longer' ? 'c1 is long enough, too\n' : 'c1\nc2\n';
    world.write(APP_LOG, `banner\n${text}`);
    world.start();
    await world.advance(15_000);
    await expectOnce(world, ['banner', 'banner', 'a1', ...text.trimEnd().split('\n')], size);
  }
});

test('what is known of a truncation is written down before anything of the next life leaves', async () => {
  const world = new AgentWorld([APPS_SOURCE], { checkpointMs: 10_000 });
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  const copied = world.fileSystem.readFile(APP_LOG);
  world.write(APP_LOG, 'a3\n');
  await world.advance(20_000);
  cutAway(world, copied, false);
  await world.advance(500);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2', 'a3', 'b1']);
  world.kill();
  world.start();
  await world.advance(15_000);
  assert.deepEqual(gapsOf(world), [['possible_loss', 9, 9]]);
  await expectOnce(world, ['a1', 'a2', 'a3', 'b1'], 'killed after the truncation');
});

test('a file that is copied and truncated just before a new run opens it waits for its copy', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const { fileSystem } = world;
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(5000);
  world.kill();
  world.write(APP_LOG, 'a3\n');
  let isPending = true;
  fileSystem.onOperation = (operation, path) => {
    if (operation !== 'open' || path !== APP_LOG || !isPending) return;
    isPending = false;
    cutAway(world, fileSystem.readFile(APP_LOG), false);
  };
  world.start();
  await world.advance(1000);
  assert.ok(!isPending);
  await expectOnce(world, ['a1', 'a2', 'a3', 'b1'], 'copied meanwhile');
});

test('what a file was copied to while the agent was dead is opened once', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.kill();
  world.write(APP_LOG, 'a3\n');
  cutAway(world, world.fileSystem.readFile(APP_LOG), false);
  world.start();
  await world.advance(1000);
  // Another listing of the directory, in which the copy stands as before.
  world.fileSystem.rename(COPY, `${APP_LOG}.2`);
  await world.advance(15_000);
  await expectOnce(world, ['a1', 'a2', 'a3', 'b1'], 'copied');
  assert.equal(world.fileSystem.openCount, 0);
});

test('a copy that was only begun, over the one before, when the agent came back is not read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  cutAway(world, world.fileSystem.readFile(APP_LOG), false);
  world.write(APP_LOG, 'b2\n');
  await world.advance(1000);
  world.kill();
  world.fileSystem.truncate(COPY, 0);
  world.start();
  await world.advance(1000);
  world.write(COPY, world.fileSystem.readFile(APP_LOG));
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'c1\n');
  await world.advance(15_000);
  await expectOnce(world, ['a1', 'a2', 'b1', 'b2', 'c1'], 'over the one before');
});
