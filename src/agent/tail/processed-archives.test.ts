import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemError } from '../../base/memory-file-system.ts';
import { APPS_SOURCE, AgentWorld } from '../testing/agent-world.ts';

const LOG = '/data/logs/shop/cart/cart-1/log';

/** An s6-log directory that is followed, with a processor; each call of `rotate` is one rotation. */
async function processedWorld(first: string): Promise<{
  world: AgentWorld;
  rotate: (next: string, process: (content: Uint8Array) => Uint8Array) => void;
}> {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${LOG}/lock`, '');
  world.write(`${LOG}/current`, first);
  world.start();
  await world.advance(1000);
  world.write(`${LOG}/state`, '');
  let count = 0;
  const rotate = (next: string, process: (content: Uint8Array) => Uint8Array): void => {
    const { fileSystem } = world;
    fileSystem.rename(`${LOG}/current`, `${LOG}/previous`);
    world.write(`${LOG}/current`, next);
    fileSystem.append(`${LOG}/processed`, process(fileSystem.readFile(`${LOG}/previous`)));
    fileSystem.rename(`${LOG}/processed`, `${LOG}/@4000000067${String(count++).padStart(14, '0')}.s`);
    fileSystem.unlink(`${LOG}/previous`);
  };
  return { world, rotate };
}

function filtered(content: Uint8Array): Uint8Array {
  return Buffer.from(`filtered ${Buffer.from(content).toString()}`);
}

for (const [name, process] of [
  ['compresses', gzipSync],
  ['copies', (content: Uint8Array): Uint8Array => content.slice()],
] as const) {
  test(`files that an s6 processor ${name} before anybody saw them are read from their archives`, async () => {
    const { world, rotate } = await processedWorld('c1\nc2\n');
    // Several rotations between two looks: d, e and f were never seen as `current`.
    rotate('d1\n', process);
    rotate('e1\ne2\n', process);
    rotate('f1\n', process);
    rotate('g1\n', process);
    await world.advance(20_000);
    rotate('h1\n', process);
    await world.advance(20_000);
    const expected = ['c1', 'c2', 'd1', 'e1', 'e2', 'f1', 'g1', 'h1'];
    assert.deepEqual(world.producer.messages(), expected);
    await world.stop();
    world.start();
    await world.advance(5000);
    assert.deepEqual(world.producer.messages(), expected);
    await world.stop();
  });
}

test('of archives that a processor filters, only those of files that nobody saw are read', async () => {
  const { world, rotate } = await processedWorld('c1\n');
  rotate('d1\n', filtered);
  await world.advance(1000);
  rotate('e1\n', filtered);
  rotate('f1\n', filtered);
  await world.advance(20_000);
  assert.deepEqual(world.producer.messages(), ['c1', 'd1', 'filtered e1', 'f1']);
  await world.stop();
});

test('an archive that is older than the file which is being processed was not made of that file', async () => {
  const { world, rotate } = await processedWorld('c1\n');
  rotate('d1\n', filtered);
  await world.advance(20_000);
  // While e is processed nobody can open it, and f is followed; when e's archive is there, f is being processed.
  rotate('e1\n', filtered);
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'open' && path === `${LOG}/previous`) throw systemError('ENOENT', path);
  };
  world.fileSystem.rename(`${LOG}/current`, `${LOG}/previous`);
  world.write(`${LOG}/current`, 'f1\n');
  world.write(`${LOG}/processed`, 'filtered e1\n');
  await world.advance(1000);
  world.write(`${LOG}/current`, 'f2\n');
  world.fileSystem.rename(`${LOG}/processed`, `${LOG}/@4000000067${'9'.repeat(14)}.s`);
  world.fileSystem.rename(`${LOG}/current`, `${LOG}/previous`);
  world.write(`${LOG}/current`, 'g1\n');
  world.fileSystem.onOperation = undefined;
  await world.advance(40_000);
  assert.deepEqual(world.producer.messages(), ['c1', 'd1', 'filtered e1', 'f1', 'f2', 'g1']);
  await world.stop();
});
