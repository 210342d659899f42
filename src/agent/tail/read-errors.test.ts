import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemError } from '../../base/memory-file-system.ts';
import { APPS_SOURCE, AgentWorld, gzipFile, PODS_SOURCE } from '../testing/agent-world.ts';
import { HELD_BACK_MS_MAX } from './file-group.ts';

const POD = '/var/log/pods/shop_cart-1_0f0e/cart';
const LOG = '/data/logs/shop/cart/cart-1/log';
const ROTATED = `${POD}/0.log.20261123-000002`;

function cri(second: number, text: string, tag = 'F'): string {
  return `2026-11-23T00:00:${String(second).padStart(2, '0')}.000000000Z stdout ${tag} ${text}\n`;
}

/** Makes every read of a path that ends with `suffix` fail, until the next call. */
function failReads(world: AgentWorld, suffix: string | undefined, code = 'EIO'): void {
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'read' && suffix !== undefined && path.endsWith(suffix)) throw systemError(code, path);
  };
}

async function rotateWhileAway(world: AgentWorld): Promise<void> {
  world.write(`${POD}/0.log`, cri(1, 'first'));
  world.start();
  await world.advance(1000);
  world.kill();
  world.write(`${POD}/0.log`, cri(1, 'begin-', 'P'));
  world.fileSystem.rename(`${POD}/0.log`, ROTATED);
  world.write(`${POD}/0.log`, cri(2, 'end'));
}

test('after a restart the successors of a rotated file wait until it can be read again', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  await rotateWhileAway(world);
  failReads(world, ROTATED);
  world.start();
  await world.advance(20_000);
  assert.deepEqual(world.producer.messages(), ['first']);
  failReads(world, undefined);
  // A line that comes while the file is open again, and not read yet, is no reason to go on with the next one.
  await world.scheduler.advanceUntil(
    () => world.agent?.files().some((file) => file.size > 44) === true,
    5000,
    1,
  );
  world.write(`${POD}/0.log`, cri(3, 'next'));
  await world.advance(5000);
  assert.deepEqual(world.producer.messages(), ['first', 'begin-end', 'next']);
  await world.stop();
});

test('a file that stays unreadable holds its successors back for a bounded time', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  await rotateWhileAway(world);
  failReads(world, ROTATED);
  world.start();
  await world.advance(HELD_BACK_MS_MAX - 1000);
  assert.deepEqual(world.producer.messages(), ['first']);
  await world.advance(10_000);
  assert.deepEqual(world.producer.messages(), ['first', 'end']);
  await world.stop();
});

test('an unknown rotated file that cannot be opened just now is read before its successor', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(ROTATED, cri(1, 'begin-', 'P'));
  world.write(`${POD}/0.log`, cri(2, 'end'));
  failReads(world, ROTATED);
  world.start();
  await world.advance(3000);
  assert.deepEqual(world.producer.messages(), []);
  failReads(world, undefined);
  await world.advance(3000);
  assert.deepEqual(world.producer.messages(), ['begin-end']);
  await world.stop();
});

test('a rotated file that the agent may not read holds nothing back', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(ROTATED, cri(1, 'secret'));
  world.write(`${POD}/0.log`, cri(2, 'open'));
  failReads(world, ROTATED, 'EACCES');
  world.start();
  await world.advance(3000);
  assert.deepEqual(world.producer.messages(), ['open']);
  await world.stop();
});

test('a file with the inode of one that vanished from another group while the agent was away is collected at once', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.fileSystem.isInodeReused = true;
  world.write(`${LOG}/a.log.1`, 'older\n');
  world.write(`${LOG}/a.log`, 'old\n');
  world.start();
  await world.advance(1000);
  world.kill();
  world.fileSystem.unlink(`${LOG}/a.log`);
  world.write(`${LOG}/b.log`, 'new\n');
  world.start();
  await world.advance(200);
  assert.deepEqual(world.producer.messages(), ['older', 'old', 'new']);
  await world.stop();
});

test('a file that is over is remembered while an archive that may hold it cannot be read', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(ROTATED, cri(1, 'one'));
  world.write(`${POD}/1.log`, cri(2, 'two'));
  world.start();
  await world.advance(1000);
  failReads(world, '.gz');
  gzipFile(world.fileSystem, ROTATED);
  await world.advance(30_000);
  failReads(world, undefined);
  await world.advance(10_000);
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  await world.stop();
});

test('a vanished file that an archive continues is tried again when reading the archive fails', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(`${POD}/0.log`, cri(1, 'one'));
  world.start();
  await world.advance(1000);
  world.kill();
  world.write(`${POD}/0.log`, cri(2, 'begin-', 'P'));
  world.fileSystem.rename(`${POD}/0.log`, ROTATED);
  gzipFile(world.fileSystem, ROTATED);
  let reads = 0;
  world.fileSystem.onOperation = (operation, path) => {
    // Two reads look at its beginning, the third finds what it continues, the fourth reads on.
    if (operation === 'read' && path.endsWith('.gz') && ++reads === 4) throw systemError('EIO', path);
  };
  world.start();
  await world.advance(5);
  world.write(`${POD}/0.log`, cri(3, 'end'));
  await world.advance(30_000);
  assert.deepEqual(world.producer.messages(), ['one', 'begin-end']);
  await world.stop();
});

test('a line of a container that restarted waits for its end while that cannot be read', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(ROTATED, cri(1, 'begin-', 'P'));
  world.write(`${POD}/0.log`, cri(2, 'end'));
  world.write(`${POD}/1.log`, cri(3, 'restarted'));
  failReads(world, '/0.log');
  world.start();
  await world.advance(20_000);
  assert.deepEqual(world.producer.messages(), ['restarted']);
  failReads(world, undefined);
  await world.advance(5000);
  assert.deepEqual(world.producer.messages(), ['restarted', 'begin-end']);
  await world.stop();
});
