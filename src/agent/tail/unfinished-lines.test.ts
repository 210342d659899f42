import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, gzipFile, PODS_SOURCE } from '../testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const POD = '/var/log/pods/shop_cart-1_0f0e/cart';

function cri(second: number, text: string, tag = 'F', stream = 'stdout'): string {
  return `2026-11-23T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`;
}

test('a deleted file soon gives out a last line without an end, and is still read on', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'whole\nhalf');
  world.start();
  await world.advance(1000);
  const writer = world.fileSystem.open(APP_LOG, 'a');
  world.fileSystem.unlink(APP_LOG);
  await world.advance(1500);
  assert.deepEqual(world.producer.messages(), ['whole', 'half']);
  const log = world.producer.records.at(-1)?.document['log'] as { flags: string[] };
  assert.deepEqual(log.flags, ['partial']);
  world.fileSystem.write(writer, new TextEncoder().encode(' of it\nlast\n'));
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['whole', 'half', ' of it', 'last']);
  await world.stop();
});

test('a piece whose file was only compressed waits for the rest of its line, and goes with the archive', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const rotated = `${POD}/0.log.20261123-000002`;
  world.write(`${POD}/0.log`, cri(1, 'begin-', 'P') + cri(1, 'err', 'P', 'stderr'));
  world.start();
  await world.advance(1000);
  world.fileSystem.rename(`${POD}/0.log`, rotated);
  world.write(`${POD}/0.log`, cri(2, 'next', 'F', 'stderr'));
  await world.advance(1000);
  gzipFile(world.fileSystem, rotated);
  await world.advance(60_000);
  assert.deepEqual(world.producer.messages(), ['errnext']);
  world.write(`${POD}/0.log`, cri(2, 'end'));
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['errnext', 'begin-end']);
  world.write(`${POD}/0.log`, cri(3, 'alone', 'P'));
  await world.advance(1000);
  world.fileSystem.rename(`${POD}/0.log`, `${POD}/0.log.20261123-000003`);
  world.write(`${POD}/0.log`, cri(4, 'other', 'F', 'stderr'));
  await world.advance(1000);
  gzipFile(world.fileSystem, `${POD}/0.log.20261123-000003`);
  await world.advance(1000);
  world.fileSystem.unlink(`${POD}/0.log.20261123-000003.gz`);
  await world.advance(15_000);
  assert.deepEqual(world.producer.messages().toSorted(), ['alone', 'begin-end', 'errnext', 'other']);
  await world.stop();
});

test('what a restarted container left is given out alike after a kill, joined lines included', async () => {
  const world = new AgentWorld([PODS_SOURCE], { checkpointMs: 60_000 });
  world.write(`${POD}/0.log.20261123-000001`, cri(1, 'alone', 'P', 'stderr') + cri(1, 'begin-', 'P'));
  world.write(`${POD}/0.log`, cri(2, 'end'));
  world.write(`${POD}/1.log`, cri(3, 'restarted'));
  world.start();
  await world.advance(2000);
  world.kill();
  world.start();
  await world.advance(2000);
  assert.deepEqual(world.producer.messages().toSorted(), ['alone', 'begin-end', 'restarted']);
  assert.deepEqual(world.producer.changed, []);
  await world.stop();
});
