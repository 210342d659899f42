import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, gzipFile } from '../testing/agent-world.ts';
import { gapsOf, messagesOf } from '../testing/sent-once.ts';

const LOG = '/data/logs/shop/cart/cart-1/log';
const APP_LOG = `${LOG}/app.log`;

test('copytruncate: what stands only in the copy is collected, and the copy is not read again', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.write(APP_LOG, 'a3\n');
  world.write(`${APP_LOG}.1`, world.fileSystem.readFile(APP_LOG));
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\n');
  await world.advance(5000);
  assert.deepEqual(messagesOf(world).toSorted(), ['a1', 'a2', 'a3', 'b1']);
  // What was written between the copy and the truncation, if anything, is known to nobody.
  assert.deepEqual(gapsOf(world), [['possible_loss', 9, 9]]);
  await world.stop();
  world.start();
  await world.advance(5000);
  assert.deepEqual(messagesOf(world).toSorted(), ['a1', 'a2', 'a3', 'b1']);
  assert.deepEqual(gapsOf(world), [['possible_loss', 9, 9]]);
  await world.stop();
});

test('copytruncate: a line between the copy and the truncation is a possible loss, with what is known of it', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  world.write(`${APP_LOG}.1`, world.fileSystem.readFile(APP_LOG));
  world.write(APP_LOG, 'hidden\n');
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'after\n');
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['a1', 'after']);
  assert.deepEqual(gapsOf(world), [['possible_loss', 3, 3]]);
  await world.stop();
});

test('a truncation while nobody looked is a possible loss, whether the agent is killed again or not', async () => {
  for (const killAfterMs of [Number.POSITIVE_INFINITY, 1000]) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\n');
    world.start();
    await world.advance(2000);
    world.kill();
    world.write(APP_LOG, 'hidden\n');
    world.fileSystem.truncate(APP_LOG, 0);
    world.write(APP_LOG, 'b1\n');
    world.start();
    if (killAfterMs < 60_000) {
      await world.advance(killAfterMs);
      world.kill();
      world.start();
    }
    await world.advance(60_000);
    assert.deepEqual(messagesOf(world), ['a1', 'b1']);
    assert.deepEqual(gapsOf(world), [['possible_loss', 3, 3]]);
    await world.stop();
  }
});

test('a first line that is truncated before it is whole is recorded as possible loss of the file', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'begun');
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  await world.advance(1000);
  world.write(APP_LOG, 'b1\n');
  await world.advance(3000);
  assert.deepEqual(messagesOf(world), ['b1']);
  assert.deepEqual(gapsOf(world), [['possible_loss', 0, 5]]);
  const [ledger] = [...world.producer.ledger.values()];
  assert.equal(ledger?.gaps[0]?.reason, 'the file was truncated before anything of it was read');
  await world.stop();
});

test('copytruncate that is seen late, when the file has grown past the read offset again, begins a new life', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\nb2\nb3\nb4\n');
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1', 'b2', 'b3', 'b4']);
  await world.stop();
  assert.deepEqual(gapsOf(world), [['possible_loss', 6, 6]]);
});

test('a file that begins with the same banner after every rotation is no copy', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'banner\nx1\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'banner\ny1\n');
  await world.advance(1000);
  world.fileSystem.rename(`${APP_LOG}.1`, `${APP_LOG}.2`);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'banner\nz1\n');
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['banner', 'x1', 'banner', 'y1', 'banner', 'z1']);
  await world.stop();
});

test('a file that was cut and filled to its old size within one tick of the clock is read again', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.write(APP_LOG, 'a3\n');
  await world.advance(0);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\nb2\nb3\n');
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
  await world.stop();
});

test('a file that was cut, filled and compressed while it could not be read is shown once', async () => {
  const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 1 });
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  world.producer.isHeld = true;
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\nb2\nb3\n');
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  await world.advance(1000);
  world.producer.release();
  await world.advance(60_000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1', 'b2', 'b3']);
  await world.stop();
});

test('a file that was copied, cut, filled and rotated between two looks is shown once', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(100);
  world.write(`${APP_LOG}.1`, 'a1\na2\n');
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'longer than what stood there before\n');
  world.fileSystem.rename(`${APP_LOG}.1`, `${APP_LOG}.2`);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'c1\n');
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'longer than what stood there before', 'c1']);
  assert.deepEqual(gapsOf(world), [['possible_loss', 6, 6]]);
  await world.stop();
});

test('a truncation that somebody tells of is recorded once, however like its old self the file has grown since', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'same beginning\na1\n');
  world.start();
  await world.advance(2000);
  const followed = world.agent?.followed;
  const life = followed?.lifeOf(APP_LOG);
  assert.ok(followed !== undefined && life !== undefined);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'same beginning\na2\na3\n');
  followed.noteTruncation(APP_LOG, life);
  // Told late, of what was noticed meanwhile.
  followed.noteTruncation(APP_LOG, life);
  await world.advance(10_000);
  const messages = world.producer.messages();
  assert.deepEqual(messages, ['same beginning', 'a1', 'same beginning', 'a2', 'a3']);
  assert.deepEqual(gapsOf(world), [['possible_loss', 18, 18]]);
  await world.stop();
});

test('history that is not wanted stays unwanted when the active file is truncated after a restart', async () => {
  for (const isRunning of [true, false]) {
    const world = new AgentWorld([{ ...APPS_SOURCE, history: 'none' }]);
    world.write(`${APP_LOG}.1`, 'old1\nold2\n');
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(2000);
    await world.stop();
    if (isRunning) world.start();
    await world.advance(2000);
    world.fileSystem.truncate(APP_LOG, 0);
    world.write(APP_LOG, 'b1\n');
    if (!isRunning) world.start();
    await world.advance(20_000);
    assert.deepEqual(messagesOf(world).toSorted(), ['a1', 'a2', 'b1'], `running: ${isRunning}`);
    await world.stop();
  }
});
