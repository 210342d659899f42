import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceConfig } from '../config/source-config.ts';
import { AgentWorld, COMMON_SOURCE, PODS_SOURCE } from './testing/agent-world.ts';

/** What is asked of a line: it is there within two seconds. */
const VISIBLE_MS = 1500;

const FILES: SourceConfig = { kind: 'files', paths: ['/links/*.log'], template: undefined, ...COMMON_SOURCE };
const REAL = '/srv/real/app.log';

/** A link that has been quiet for long; the slow look at everything is an hour away. */
async function quietWorld(): Promise<AgentWorld> {
  const world = new AgentWorld([FILES], { rescanMs: 3_600_000 });
  world.write(REAL, 'one\n');
  world.fileSystem.symlink(REAL, '/links/app.log');
  world.start();
  await world.advance(60_000);
  assert.deepEqual(world.producer.messages(), ['one']);
  return world;
}

test('a line behind a link is read at once after a long quiet', async () => {
  const world = await quietWorld();
  world.write(REAL, 'two\n');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  await world.stop();
});

test("a link's target that is renamed and made anew is followed on", async () => {
  const world = await quietWorld();
  world.write(REAL, 'two\n');
  world.fileSystem.rename(REAL, `${REAL}.1`);
  world.write(REAL, 'three\n');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['one', 'two', 'three']);
  await world.stop();
});

test('a link that is switched to another target is followed there', async () => {
  const world = await quietWorld();
  world.write('/srv/other/app.log', 'other\n');
  world.fileSystem.symlink('/srv/other/app.log', '/links/app.log.tmp');
  world.fileSystem.rename('/links/app.log.tmp', '/links/app.log');
  await world.advance(VISIBLE_MS);
  world.write('/srv/other/app.log', 'more\n');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['one', 'other', 'more']);
  await world.stop();
});

test('a link in the middle that is switched is noticed, and so is a target that comes later', async () => {
  const world = new AgentWorld([FILES], { rescanMs: 3_600_000 });
  world.fileSystem.symlink('/srv/current/app.log', '/links/app.log');
  world.fileSystem.symlink('/srv/first', '/srv/current');
  world.start();
  await world.advance(10_000);
  world.write('/srv/first/app.log', 'first\n');
  await world.advance(VISIBLE_MS);
  world.write('/srv/second/app.log', 'second\n');
  world.fileSystem.symlink('/srv/second', '/srv/current.tmp');
  world.fileSystem.rename('/srv/current.tmp', '/srv/current');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['first', 'second']);
  await world.stop();
});

test('a root that is a link to a directory is followed to another one', async () => {
  const world = new AgentWorld([FILES], { rescanMs: 3_600_000 });
  world.write('/releases/1/app.log', 'first\n');
  world.fileSystem.symlink('/releases/1', '/links');
  world.start();
  await world.advance(10_000);
  world.write('/releases/2/app.log', 'second\n');
  world.fileSystem.unlink('/links');
  world.fileSystem.symlink('/releases/2', '/links');
  await world.advance(VISIBLE_MS);
  world.write('/releases/2/app.log', 'third\n');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['first', 'second', 'third']);
  await world.stop();
});

test('a pod directory that is a link is followed to another one', async () => {
  const world = new AgentWorld([PODS_SOURCE], { rescanMs: 3_600_000 });
  const line = (text: string): string => `2026-11-23T00:00:01.000000000Z stdout F ${text}\n`;
  world.write('/mnt/a/0.log', line('a'));
  world.write('/mnt/b/0.log', line('b'));
  world.fileSystem.symlink('/mnt/a', '/var/log/pods/shop_cart-1_0f0e/cart');
  world.start();
  await world.advance(10_000);
  world.fileSystem.symlink('/mnt/b', '/var/log/pods/shop_cart-1_0f0e/new');
  world.fileSystem.rename('/var/log/pods/shop_cart-1_0f0e/new', '/var/log/pods/shop_cart-1_0f0e/cart');
  await world.advance(VISIBLE_MS);
  assert.deepEqual(world.producer.messages(), ['a', 'b']);
  await world.stop();
});

test('the ledger has the size that a file has, although nothing told of its growth', async () => {
  const world = await quietWorld();
  world.producer.isHeld = true;
  world.write(REAL, 'two\n');
  let isWritten = false;
  void world.agent?.writeLedger().then(() => {
    isWritten = true;
  });
  await world.advance(1);
  assert.equal(isWritten, true);
  const [record] = [...world.producer.ledger.values()];
  assert.deepEqual([record?.bytesWritten, record?.acknowledgedOffset], [8, 4]);
  world.producer.release();
  await world.stop();
});
