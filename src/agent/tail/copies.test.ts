import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_LINE_BYTES_MAX } from '../../record/identity.ts';
import { APPS_SOURCE, AgentWorld, gzipFile } from '../testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const COPIES = [`${APP_LOG}-20261123-112217`, `${APP_LOG}-20261123-112223`] as const;

function copyTo(world: AgentWorld, path: string): void {
  world.write(path, world.fileSystem.readFile(APP_LOG));
}

function gapsOf(world: AgentWorld): unknown[] {
  return [...world.producer.ledger.values()].flatMap((record) =>
    record.gaps.map(({ kind, startOffset, endOffset }) => [kind, startOffset, endOffset]),
  );
}

// logrotate that is killed between copying and truncating copies the same file again when it runs next.
test('of several copies of a truncated file the longest is read on, known before or not', async () => {
  for (const isFirstKnown of [true, false]) {
    for (const isRunning of [true, false]) {
      const world = new AgentWorld([APPS_SOURCE]);
      world.write(APP_LOG, 'a1\na2\n');
      world.start();
      await world.advance(1000);
      if (isFirstKnown) {
        copyTo(world, COPIES[0]);
        await world.advance(1000);
      }
      if (!isRunning) world.kill();
      if (!isFirstKnown) copyTo(world, COPIES[0]);
      world.write(APP_LOG, 'a3\na4\n');
      copyTo(world, COPIES[1]);
      world.fileSystem.truncate(APP_LOG, 0);
      world.write(APP_LOG, 'b1\n');
      if (!isRunning) world.start();
      await world.advance(5000);
      const text = `first known: ${isFirstKnown}, running: ${isRunning}`;
      assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'a4', 'b1'], text);
      assert.deepEqual(gapsOf(world), [['possible_loss', 12, 12]], text);
      await world.stop();
      world.start();
      await world.advance(20_000);
      assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'a4', 'b1'], text);
      await world.stop();
    }
  }
});

test('an earlier copy that ends before what was read, or is as long as the last one, is not read', async () => {
  for (const first of ['a1\n', 'a1\na2\na3\n']) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(2000);
    world.kill();
    world.write(APP_LOG, 'a3\n');
    world.write(COPIES[0], first);
    copyTo(world, COPIES[1]);
    world.fileSystem.truncate(APP_LOG, 0);
    world.write(APP_LOG, 'b1\n');
    world.start();
    await world.advance(15_000);
    assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1'], first);
    await world.stop();
  }
});

test('a file that begins like the copy of a truncated one and goes on otherwise is another file', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'banner\na1\n');
  world.start();
  await world.advance(1000);
  copyTo(world, COPIES[0]);
  world.write(COPIES[1], 'banner\nc1 that is longer\n');
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\n');
  await world.advance(15_000);
  const messages = world.producer.messages().toSorted();
  assert.deepEqual(messages, ['a1', 'b1', 'banner', 'banner', 'c1 that is longer']);
  await world.stop();
});

// Real logrotate with copytruncate and compress, and a writer that has filled the file again before anybody looks.
test('the compressed copy of a file that was truncated and has grown again is not read beside it', async () => {
  for (const [unread, again] of [
    ['', 'b1\n'],
    ['', 'b1\nb2 is longer than what was cut away\n'],
    ['a3\n', 'b1\n'],
    ['a3\n', 'b1\nb2 is longer than what was cut away\n'],
  ] as const) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(1000);
    world.write(APP_LOG, unread);
    copyTo(world, `${APP_LOG}.1`);
    world.fileSystem.truncate(APP_LOG, 0);
    gzipFile(world.fileSystem, `${APP_LOG}.1`);
    world.write(APP_LOG, again);
    await world.advance(15_000);
    const expected = ['a1', 'a2', ...unread.split('\n'), ...again.split('\n')].filter((line) => line !== '');
    assert.deepEqual(world.producer.messages().toSorted(), expected, JSON.stringify([unread, again]));
    await world.stop();
  }
});

test('a file that was truncated and then renamed while no agent ran is known as truncated: one copy is read on', async () => {
  for (const first of ['a1\n', 'a1\na2\n', 'a1\na2\na3\n']) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(2000);
    world.kill();
    world.write(`${APP_LOG}.3`, first);
    world.write(APP_LOG, 'a3\n');
    copyTo(world, `${APP_LOG}.2`);
    world.fileSystem.truncate(APP_LOG, 0);
    world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
    world.write(APP_LOG, 'b1\n');
    world.start();
    await world.advance(20_000);
    assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1'], first);
    await world.stop();
  }
});

// Applications begin each file with the same line, and then only offsets tell lines of two lives apart.
test('a rotated file whose content was replaced in place is another file, also with the same first line', async () => {
  const first = 'banner\na1\na2\n';
  for (const second of ['banner\nb1\n', 'banner\nb1\nb2\nb3\n']) {
    for (const isRunning of [true, false]) {
      const world = new AgentWorld([APPS_SOURCE]);
      world.write(APP_LOG, first);
      world.start();
      await world.advance(2000);
      if (!isRunning) world.kill();
      world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
      world.write(APP_LOG, 'c1\n');
      // Long enough to close the file that nobody writes to.
      await world.advance(60_000);
      world.fileSystem.truncate(`${APP_LOG}.1`, 0);
      world.write(`${APP_LOG}.1`, second);
      if (!isRunning) world.start();
      await world.advance(20_000);
      const expected = [...first.trimEnd().split('\n'), ...second.trimEnd().split('\n'), 'c1'].toSorted();
      const text = `${JSON.stringify(second)}, running: ${isRunning}`;
      assert.deepEqual(world.producer.messages().toSorted(), expected, text);
      await world.stop();
    }
  }
});

// As `cp app.log app.log.1; : > app.log` does: the copy has the inode of the one before.
test('copies that are made over the one before are not read', async () => {
  for (const pauseMs of [0, 1, 300]) {
    for (const settleMs of [500, 5000, 60_000]) {
      const world = new AgentWorld([APPS_SOURCE]);
      const { fileSystem } = world;
      const lines: string[] = [];
      world.start();
      for (let life = 1; life <= 4; life += 1) {
        for (let number = 1; number <= 3; number += 1) {
          lines.push(`life ${life} line ${number}`);
          world.write(APP_LOG, `${lines.at(-1)}\n`);
          await world.advance(300);
        }
        await world.advance(settleMs);
        const copied = fileSystem.readFile(APP_LOG);
        if (life > 1) fileSystem.truncate(`${APP_LOG}.1`, 0);
        await world.advance(pauseMs);
        world.write(`${APP_LOG}.1`, copied);
        await world.advance(pauseMs);
        fileSystem.truncate(APP_LOG, 0);
        await world.advance(settleMs);
      }
      await world.advance(15_000);
      assert.deepEqual(world.producer.messages(), lines, `${pauseMs} ms, ${settleMs} ms`);
      await world.stop();
    }
  }
});

// The size was seen of one life and the first line of the next: they are two files.
test('a file that is truncated before its first line is read is not taken for its next life', async () => {
  const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 1 });
  const { fileSystem } = world;
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.kill();
  // It is read first, and nothing else before it is acknowledged.
  world.write(APP_LOG, 'a3\n');
  world.producer.isHeld = true;
  copyTo(world, COPIES[0]);
  world.write(`${APP_LOG}-20261123-112219`, 'z1\n');
  fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\nb2\nb3\n');
  const read = fileSystem.read.bind(fileSystem);
  let looks = 0;
  fileSystem.read = (fd, target, start, length, position) => {
    const isActive = fileSystem.fstat(fd).inode === fileSystem.stat(APP_LOG)?.inode;
    if (isActive && position === 0 && length === FIRST_LINE_BYTES_MAX) looks++;
    if (isActive && looks === 1 && position === 0) {
      copyTo(world, COPIES[1]);
      fileSystem.truncate(APP_LOG, 0);
      world.write(APP_LOG, 'c1\nc2\n');
    }
    return read(fd, target, start, length, position);
  };
  const open = fileSystem.open.bind(fileSystem);
  fileSystem.open = (path, mode) => {
    // By the next look at its first line it has grown past the size that was seen.
    if (looks === 1 && path.endsWith('19')) world.write(APP_LOG, 'c3\nc4\n');
    return open(path, mode);
  };
  world.start();
  await world.advance(500);
  assert.ok(looks > 0);
  world.producer.release();
  await world.advance(500);
  copyTo(world, `${APP_LOG}-20261123-112230`);
  fileSystem.truncate(APP_LOG, 0);
  await world.advance(15_000);
  const expected = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3', 'c4', 'z1'];
  assert.deepEqual(world.producer.messages().toSorted(), expected);
  await world.stop();
});

test('a directory is left in peace in which a rotated file stays empty', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  world.write(`${APP_LOG}.1`, '');
  await world.advance(30_000);
  let listings = 0;
  world.fileSystem.onOperation = (operation) => {
    if (operation === 'readDirectory') listings += 1;
  };
  await world.advance(60_000);
  assert.equal(listings, 0);
  await world.stop();
});
