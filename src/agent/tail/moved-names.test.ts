/** Names that move to other files between looking at a directory and opening what stands in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, gzipFile, slowArchives } from '../testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';

for (const unread of ['', 'a2\n', 'a2 is followed by a longer line than the one that comes next\n']) {
  test(`a known file that is rotated away just before it is opened again is read on (${unread.length} bytes unread)`, async () => {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\n');
    world.start();
    await world.advance(2000);
    world.kill();
    world.write(APP_LOG, unread);
    let isRotated = false;
    world.fileSystem.onOperation = (operation, path) => {
      if (operation !== 'open' || path !== APP_LOG || isRotated) return;
      isRotated = true;
      world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
      world.write(APP_LOG, 'b1\n');
    };
    world.start();
    await world.advance(20_000);
    assert.equal(isRotated, true);
    const expected = ['a1', ...unread.split('\n'), 'b1'].filter((line) => line !== '');
    assert.deepEqual(world.producer.messages().toSorted(), expected);
    const ledger = [...world.producer.ledger.values()];
    assert.deepEqual(
      ledger.flatMap(({ gaps }) => gaps),
      [],
    );
    await world.stop();
  });
}

test('what logrotate moved aside, because its writer was faster with the new file, is collected whole', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const aside = `${APP_LOG}-2026112310.backup`;
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(2000);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  world.fileSystem.rename(APP_LOG, aside);
  world.write(APP_LOG, '');
  await world.advance(2000);
  world.write(aside, 'b2\n');
  await world.advance(10);
  world.write(APP_LOG, 'c1\n');
  await world.advance(2000);
  assert.deepEqual(world.producer.messages(), ['a1', 'b1', 'b2', 'c1']);
  await world.stop();
});

test('an archive whose name moves on while a new run looks at its directory for the first time is known', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(2000);
  world.kill();
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  let isMoved = false;
  world.fileSystem.onOperation = (operation, path) => {
    if (operation !== 'stat' || path !== `${APP_LOG}.1.gz` || isMoved) return;
    isMoved = true;
    world.fileSystem.rename(path, `${APP_LOG}.2.gz`);
  };
  world.start();
  await world.advance(20_000);
  assert.equal(isMoved, true);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2']);
  await world.stop();
});

test('a known archive that is missing for a moment is known under its next name', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(2000);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  await world.advance(2000);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  await world.advance(20_000);
  // What is renamed while its directory is read is missing in it for a moment.
  world.fileSystem.rename(`${APP_LOG}.1.gz`, '/data/logs/unseen');
  await world.advance(300);
  world.fileSystem.rename('/data/logs/unseen', `${APP_LOG}.2.gz`);
  await world.advance(20_000);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2', 'b1']);
  await world.stop();
});

test('an archive that was being read by an earlier run, and is not found at first, is read on and no loss', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const lines = Array.from({ length: 3000 }, (_, index) => `a${index}`);
  world.write(`${APP_LOG}.1`, lines.map((line) => `${line}\n`).join(''));
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  world.start({ openArchive: slowArchives(world, 300) });
  await world.advance(2500);
  world.kill();
  assert.ok(world.producer.messages().length < lines.length);
  let isMoved = false;
  world.fileSystem.onOperation = (operation, path) => {
    if (operation !== 'stat' || path !== `${APP_LOG}.1.gz` || isMoved) return;
    isMoved = true;
    world.fileSystem.rename(path, `${APP_LOG}.2.gz`);
  };
  world.start({ openArchive: slowArchives(world, 300) });
  await world.advance(20_000);
  assert.equal(isMoved, true);
  assert.equal(world.producer.messages().length, lines.length + 1);
  assert.equal(new Set(world.producer.messages()).size, lines.length + 1);
  const gaps = [...world.producer.ledger.values()].flatMap((ledger) => ledger.gaps);
  assert.deepEqual(gaps, []);
  await world.stop();
});

test('what is gone with its directory is forgotten', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(2000);
  world.fileSystem.unlink(APP_LOG);
  world.fileSystem.removeDirectory('/data/logs/shop/cart/cart-1/log');
  await world.advance(10_000);
  assert.deepEqual(world.agent?.files(), []);
  await world.stop();
});

test('nothing waits for a file that could not be opened and is read on in a copy of it', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(2000);
  world.kill();
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  let isMoved = false;
  world.fileSystem.onOperation = (operation, path) => {
    if (operation !== 'open' || path !== `${APP_LOG}.1` || isMoved) return;
    isMoved = true;
    world.write(`${APP_LOG}.2`, world.fileSystem.readFile(path));
    world.fileSystem.unlink(path);
  };
  world.start();
  await world.advance(5000);
  assert.equal(isMoved, true);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2', 'b1']);
  await world.stop();
});
