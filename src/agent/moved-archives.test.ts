import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenArchive } from './tail/archive-reader.ts';
import { AgentWorld, APPS_SOURCE, gzipFile, memoryArchives } from './testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';

/** Opens archives after `move` has been called once: names move on between listing a directory and opening a file. */
function openAfter(world: AgentWorld, move: () => void): OpenArchive {
  const open = memoryArchives(world.fileSystem);
  let hasMoved = false;
  return (path, compression, inode) => ({
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      if (!hasMoved) move();
      hasMoved = true;
      yield* open(path, compression, inode);
    },
  });
}

test('an archive whose name another one takes before it is looked into is not taken for that one', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'known 1\nknown 2\n');
  world.start();
  await world.advance(2000);
  await world.stop();

  // While no agent runs, the known file is rotated, and another one is filled and rotated.
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.2`);
  world.write(`${APP_LOG}.1`, 'unknown 1\nunknown 2\n');
  for (const number of [1, 2]) gzipFile(world.fileSystem, `${APP_LOG}.${number}`);
  const swap = (): void => {
    world.fileSystem.rename(`${APP_LOG}.1.gz`, `${APP_LOG}.0.gz`);
    world.fileSystem.rename(`${APP_LOG}.2.gz`, `${APP_LOG}.1.gz`);
    world.fileSystem.rename(`${APP_LOG}.0.gz`, `${APP_LOG}.2.gz`);
  };
  world.start({ openArchive: openAfter(world, swap) });
  await world.advance(20_000);
  const expected = ['known 1', 'known 2', 'unknown 1', 'unknown 2'];
  assert.deepEqual(world.producer.messages().toSorted(), expected);
  await world.stop();
});
