import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, gzipFile } from '../testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const COPY = `${APP_LOG}-20261123-112217`;

function gapsOf(world: AgentWorld): unknown[] {
  return [...world.producer.ledger.values()].flatMap((record) =>
    record.gaps.map(({ kind, startOffset, endOffset }) => [kind, startOffset, endOffset]),
  );
}

// Between copying and truncating the writer goes on, and the agent reads; some writers go on at their old offset.
test('a copy that ends before what was read of the truncated file is not read, known before or not', async () => {
  for (const isKnown of [true, false]) {
    for (const isRestarted of isKnown ? [true, false] : [false]) {
      for (const ownOffset of [undefined, 9]) {
        const world = new AgentWorld([APPS_SOURCE]);
        world.write(APP_LOG, 'a1\na2\n');
        world.start();
        await world.advance(1000);
        const copied = world.fileSystem.readFile(APP_LOG);
        if (isKnown) world.write(COPY, copied);
        await world.advance(1000);
        world.write(APP_LOG, 'a3\n');
        await world.advance(1000);
        if (isRestarted) world.kill();
        if (!isKnown) world.write(COPY, copied);
        world.fileSystem.truncate(APP_LOG, 0);
        if (ownOffset !== undefined) world.fileSystem.truncate(APP_LOG, ownOffset);
        world.write(APP_LOG, 'b1\n');
        if (isRestarted) world.start();
        await world.advance(15_000);
        const text = `known: ${isKnown}, restarted: ${isRestarted}, own offset: ${ownOffset}`;
        assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1'], text);
        assert.deepEqual(gapsOf(world), [['possible_loss', 9, 9]], text);
        await world.stop();
        world.start();
        await world.advance(15_000);
        assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1'], text);
        await world.stop();
      }
    }
  }
});

// logrotate with copytruncate and compress: what is seen of the copy is the archive, sooner or later.
test('a compressed copy that ends before what was read of the truncated file is not read', async () => {
  for (const isKnown of [true, false]) {
    for (const again of ['b1\n', 'b1\nb2 is longer than what was cut away\n']) {
      const world = new AgentWorld([APPS_SOURCE]);
      world.write(APP_LOG, 'a1\na2\n');
      world.start();
      await world.advance(1000);
      const copied = world.fileSystem.readFile(APP_LOG);
      if (isKnown) world.write(COPY, copied);
      await world.advance(1000);
      world.write(APP_LOG, 'a3\n');
      await world.advance(1000);
      if (!isKnown) world.write(COPY, copied);
      world.fileSystem.truncate(APP_LOG, 0);
      gzipFile(world.fileSystem, COPY);
      world.write(APP_LOG, again);
      await world.advance(15_000);
      const text = `known: ${isKnown}, again: ${again}`;
      const expected = ['a1', 'a2', 'a3', ...again.trimEnd().split('\n')].toSorted();
      assert.deepEqual(world.producer.messages().toSorted(), expected, text);
      assert.deepEqual(gapsOf(world), [['possible_loss', 9, 9]], text);
      await world.stop();
      world.start();
      await world.advance(15_000);
      assert.deepEqual(world.producer.messages().toSorted(), expected, text);
      await world.stop();
    }
  }
});

// A busy agent reads at once what was there before the copy and what was written after it.
test('a copy that ends within what was read in one piece is not read', async () => {
  for (const isCompressed of [false, true]) {
    for (const isRestarted of [false, true]) {
      const world = new AgentWorld([APPS_SOURCE]);
      world.start();
      const written: string[] = [];
      const write = (count: number): void => {
        const lines = Array.from(
          { length: count },
          (_, index) => `line ${written.length + index} of some length`,
        );
        written.push(...lines);
        world.write(APP_LOG, `${lines.join('\n')}\n`);
      };
      if (isRestarted) {
        write(20);
        await world.advance(2000);
        world.kill();
        world.start();
      }
      write(20);
      const copied = world.fileSystem.readFile(APP_LOG);
      write(20);
      await world.advance(1000);
      world.write(COPY, copied);
      world.fileSystem.truncate(APP_LOG, 0);
      if (isCompressed) gzipFile(world.fileSystem, COPY);
      written.push('b1');
      world.write(APP_LOG, 'b1\n');
      await world.advance(15_000);
      const text = `compressed: ${isCompressed}, restarted: ${isRestarted}`;
      assert.deepEqual(world.producer.messages().toSorted(), written.toSorted(), text);
      await world.stop();
    }
  }
});

test('a copy that ends soon in what was read in one piece is not read, however long the lines behind it are', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, `first ${'x'.repeat(70)}\n`);
  world.start();
  await world.advance(1000);
  world.write(APP_LOG, 'short\n');
  const copied = world.fileSystem.readFile(APP_LOG);
  const long = Array.from({ length: 3 }, (_, index) => `long ${index} ${'y'.repeat(70)}`);
  world.write(APP_LOG, `${long.join('\n')}\n`);
  await world.advance(1000);
  world.write(COPY, copied);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\n');
  await world.advance(15_000);
  assert.deepEqual(world.producer.messages(), [`first ${'x'.repeat(70)}`, 'short', ...long, 'b1']);
  await world.stop();
});

test('a file that begins like a truncated one, is shorter and goes on otherwise is another file', async () => {
  for (const first of ['banner\n', 'banner\na1\n']) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, first);
    world.start();
    await world.advance(1000);
    world.write(APP_LOG, 'a2 that is longer\n');
    await world.advance(1000);
    world.write(COPY, 'banner\nc1\nc2\n');
    world.fileSystem.truncate(APP_LOG, 0);
    world.write(APP_LOG, 'b1\n');
    await world.advance(15_000);
    const others = ['banner', 'c1', 'c2', 'b1'];
    const expected = [...first.trimEnd().split('\n'), 'a2 that is longer', ...others].toSorted();
    assert.deepEqual(world.producer.messages().toSorted(), expected, first);
    await world.stop();
  }
});

// The first line is the same in both lives, and so is what stands behind it for a while.
test('the copy of a later life is not taken for that of an earlier one that began alike', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'banner\nready\n');
  world.start();
  await world.advance(1000);
  world.write(APP_LOG, 'a1 that is longer\n');
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  await world.advance(300);
  world.write(APP_LOG, 'banner\nready\n');
  await world.advance(500);
  world.write(APP_LOG, 'b1\n');
  world.write(COPY, world.fileSystem.readFile(APP_LOG));
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'c1\n');
  await world.advance(15_000);
  const expected = ['a1 that is longer', 'b1', 'banner', 'banner', 'c1', 'ready', 'ready'];
  assert.deepEqual(world.producer.messages().toSorted(), expected);
  await world.stop();
});

// logrotate's `copy` leaves the file as it is, until somebody removes it.
test('a copy of a file that was removed while no agent ran is not read, also when the file had grown since', async () => {
  for (const later of ['', 'a3\n']) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(2000);
    world.write(COPY, world.fileSystem.readFile(APP_LOG));
    await world.advance(2000);
    world.write(APP_LOG, later);
    await world.advance(2000);
    world.kill();
    world.fileSystem.unlink(APP_LOG);
    world.write(APP_LOG, 'b1\n');
    world.start();
    await world.advance(20_000);
    const expected = ['a1', 'a2', ...(later === '' ? [] : ['a3']), 'b1'];
    assert.deepEqual(world.producer.messages().toSorted(), expected, later);
    assert.deepEqual(gapsOf(world), [], later);
    await world.stop();
  }
});

// The agent comes back between copying and truncating, and knows the file itself from an earlier life only.
test('a copy that stands beside a life of a known file which began while no agent ran is not read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(2000);
  world.kill();
  world.write(`${APP_LOG}.2`, world.fileSystem.readFile(APP_LOG));
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'b1\nb2\n');
  world.write(`${APP_LOG}.1`, world.fileSystem.readFile(APP_LOG));
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'c1\n');
  await world.advance(15_000);
  assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'b1', 'b2', 'c1']);
  await world.stop();
});

test('a renamed file that is all of what the active one begins with is read, though it was renamed while no agent ran', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(2000);
  world.kill();
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.2`);
  world.write(APP_LOG, 'banner\nready\n');
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  await world.advance(10);
  world.write(APP_LOG, 'banner\nready\nc1\n');
  world.start();
  await world.advance(15_000);
  const expected = ['a1', 'a2', 'banner', 'banner', 'c1', 'ready', 'ready'];
  assert.deepEqual(world.producer.messages().toSorted(), expected);
  await world.stop();
});

// logrotate with copytruncate and delaycompress: the copy is compressed when the file is rotated again.
test('a copy that ends before what was read is known also when it is compressed much later', async () => {
  for (const isRestarted of [false, true]) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\na2\n');
    world.start();
    await world.advance(1000);
    const copied = world.fileSystem.readFile(APP_LOG);
    world.write(APP_LOG, 'a3\n');
    await world.advance(1000);
    world.write(COPY, copied);
    world.fileSystem.truncate(APP_LOG, 0);
    world.write(APP_LOG, 'b1\nb2\n');
    await world.advance(20_000);
    if (isRestarted) world.kill();
    gzipFile(world.fileSystem, COPY);
    if (isRestarted) world.start();
    await world.advance(15_000);
    const text = `restarted: ${isRestarted}`;
    assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1', 'b2'], text);
    await world.stop();
  }
});

test('a copy is known whose file is truncated while the two are compared', async () => {
  for (const later of ['', 'a3 was written after the copy\n']) {
    const world = new AgentWorld([APPS_SOURCE]);
    const { fileSystem } = world;
    const lines = Array.from({ length: 6 }, (_, index) => `a${index} with some text behind it`);
    world.write(APP_LOG, `${lines.join('\n')}\n`);
    world.start();
    await world.advance(1000);
    const copied = fileSystem.readFile(APP_LOG);
    world.write(APP_LOG, later);
    await world.advance(1000);
    const read = fileSystem.read.bind(fileSystem);
    // The last bytes of the copy are read first, and then those of the file.
    fileSystem.read = (fd, target, start, length, position) => {
      const isCopy = fileSystem.fstat(fd).inode === fileSystem.stat(COPY)?.inode;
      if (isCopy && position > 0 && length <= 64) fileSystem.truncate(APP_LOG, 0);
      return read(fd, target, start, length, position);
    };
    world.write(COPY, copied);
    await world.advance(15_000);
    const expected = [...lines, ...(later === '' ? [] : [later.trimEnd()])];
    assert.deepEqual(world.producer.messages().toSorted(), expected.toSorted(), later);
    await world.stop();
  }
});

// The copy grows and its original is cut between the look at their sizes and the comparison.
test('a copy that becomes whole, and its original empty, while the two are compared is not read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const { fileSystem } = world;
  world.write(APP_LOG, 'a1 is a line of which the copy has a part at first\n');
  world.start();
  await world.advance(1000);
  const content = fileSystem.readFile(APP_LOG);
  let isPending = true;
  fileSystem.onOperation = (operation, path) => {
    if (operation !== 'read' || path !== COPY || !isPending) return;
    isPending = false;
    world.write(COPY, content.subarray(10));
    fileSystem.truncate(APP_LOG, 0);
  };
  world.write(COPY, content.subarray(0, 10));
  await world.advance(15_000);
  assert.ok(!isPending);
  assert.equal(world.producer.messages().length, 1);
  await world.stop();
});
