/** Files that several sources reach: the first source of the configuration takes them, and none is read twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceConfig } from '../config/source-config.ts';
import { AgentWorld, COMMON_SOURCE, PODS_SOURCE } from './testing/agent-world.ts';

const LINKS: SourceConfig = {
  kind: 'files',
  paths: ['/var/log/containers/*.log'],
  template: undefined,
  ...COMMON_SOURCE,
};
const DIRECTORY = '/var/log/pods/shop_cart-1_0f0e/cart';
const LINK = `/var/log/containers/cart-1_shop_cart-${'ab'.repeat(32)}.log`;

function line(text: string): string {
  return `2026-11-23T00:00:01.000000000Z stdout F ${text}\n`;
}

/** Each message with the kind of source and the pod that its document names. */
function takenBy(world: AgentWorld): unknown[] {
  return world.producer.records.map(({ document, message }) => {
    const { input, kubernetes } = document as {
      input: { type: string };
      kubernetes?: { pod: { name: string } };
    };
    return [message, input.type, kubernetes?.pod.name];
  });
}

test('the first of two sources takes a file that stands there when the agent starts', async () => {
  for (const [sources, kind] of [
    [[PODS_SOURCE, LINKS], 'pods'],
    [[LINKS, PODS_SOURCE], 'files'],
  ] as const) {
    const world = new AgentWorld(sources);
    world.write(`${DIRECTORY}/0.log`, line('one'));
    world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
    world.start();
    await world.advance(3000);
    const pod = kind === 'pods' ? 'cart-1' : undefined;
    assert.deepEqual(takenBy(world), [['one', kind, pod]]);
    await world.stop();
  }
});

test('the first source takes a file that comes later, although the second one hears of it first', async () => {
  const world = new AgentWorld([PODS_SOURCE, LINKS]);
  world.write('/var/log/containers/.keep', '');
  world.fileSystem.makeDirectory('/var/log/pods');
  const watch = world.fileSystem.watch.bind(world.fileSystem);
  // Nothing tells of the pods: only of the link.
  world.fileSystem.watch = (directory, listener) =>
    watch(directory, directory.startsWith('/var/log/pods') ? () => undefined : listener);
  world.start();
  await world.advance(1000);
  world.write(`${DIRECTORY}/0.log`, line('one'));
  world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
  await world.advance(1000);
  assert.deepEqual(takenBy(world), [['one', 'pods', 'cart-1']]);
  await world.stop();
});

test('a file stays with the source that follows it when another order of sources begins after a restart', async () => {
  const sources = [PODS_SOURCE, LINKS];
  const world = new AgentWorld(sources);
  world.write(`${DIRECTORY}/0.log`, line('one'));
  world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
  world.start();
  await world.advance(1000);
  world.kill();
  sources.reverse();
  world.write(`${DIRECTORY}/0.log`, line('two'));
  world.start();
  await world.advance(3000);
  assert.deepEqual(takenBy(world), [
    ['one', 'pods', 'cart-1'],
    ['two', 'pods', 'cart-1'],
  ]);
  await world.stop();
});

test('two sources of one directory do not take files from each other', async () => {
  const files = (path: string): SourceConfig => ({ ...LINKS, paths: [path] }) as SourceConfig;
  const world = new AgentWorld([files('/srv/a*.log'), files('/srv/*.log')]);
  world.write('/srv/app.log', 'a1\n');
  world.write('/srv/ball.log', 'b1\n');
  world.start();
  await world.advance(1000);
  for (let round = 2; round < 6; round++) {
    world.write(`/srv/new-${round}.log`, `new ${round}\n`);
    await world.advance(400_000);
    world.write('/srv/app.log', `a${round}\n`);
    world.write('/srv/ball.log', `b${round}\n`);
    await world.advance(2000);
  }
  const expected = [1, 2, 3, 4, 5].flatMap((round) => [`a${round}`, `b${round}`]);
  const more = [2, 3, 4, 5].map((round) => `new ${round}`);
  assert.deepEqual(world.producer.messages().toSorted(), [...expected, ...more].toSorted());
  const states = new Set(world.agent?.files().map(({ path, state }) => `${path} ${state}`));
  assert.ok(states.has('/srv/app.log active') && states.has('/srv/ball.log active'), [...states].join());
  await world.stop();
});

test('a file whose link is removed goes on under the source that sees it as well', async () => {
  for (const isKilled of [false, true]) {
    const world = new AgentWorld([LINKS, PODS_SOURCE]);
    world.write(`${DIRECTORY}/0.log`, line('one'));
    world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
    world.start();
    await world.advance(2000);
    if (isKilled) world.kill();
    world.fileSystem.unlink(LINK);
    world.write(`${DIRECTORY}/0.log`, line('two'));
    if (isKilled) world.start();
    await world.advance(400_000);
    world.write(`${DIRECTORY}/0.log`, line('three'));
    await world.advance(3000);
    assert.deepEqual(takenBy(world), [
      ['one', 'files', undefined],
      ['two', isKilled ? 'pods' : 'files', isKilled ? 'cart-1' : undefined],
      ['three', 'pods', 'cart-1'],
    ]);
    assert.equal(new Set(world.producer.records.map(({ fileId }) => fileId)).size, 1);
    assert.deepEqual(world.producer.gaps, []);
    const [record, ...others] = [...world.producer.ledger.values()];
    assert.deepEqual([record?.records, record?.state, others.length], [3, 'active', 0]);
    await world.stop();
  }
});

test('a source that was removed from the configuration leaves its files to another one, where they were left', async () => {
  const sources: SourceConfig[] = [LINKS, PODS_SOURCE];
  const world = new AgentWorld(sources);
  world.write(`${DIRECTORY}/0.log`, line('one'));
  world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
  world.start();
  await world.advance(2000);
  await world.stop();
  sources.shift();
  world.write(`${DIRECTORY}/0.log`, line('two'));
  world.start();
  await world.advance(5000);
  assert.deepEqual(takenBy(world), [
    ['one', 'files', undefined],
    ['two', 'pods', 'cart-1'],
  ]);
  await world.stop();
});

test('a file that got the inode of one that is gone stays with the source that lists it', async () => {
  const world = new AgentWorld([PODS_SOURCE, LINKS]);
  world.fileSystem.isInodeReused = true;
  // Made first, it is read first.
  world.fileSystem.makeDirectory(DIRECTORY);
  const other = '/var/log/pods/shop_apple-1_0f0e/apple';
  world.write(`${other}/0.log`, line('gone'));
  world.start();
  await world.advance(2000);
  world.kill();
  const { inode } = world.fileSystem.stat(`${other}/0.log`) ?? {};
  world.fileSystem.unlink(`${other}/0.log`);
  world.write(`${DIRECTORY}/0.log`, line('one'));
  assert.equal(world.fileSystem.stat(`${DIRECTORY}/0.log`)?.inode, inode);
  world.write(`${other}/0.log`, line('two'));
  world.fileSystem.symlink(`${DIRECTORY}/0.log`, LINK);
  world.start();
  await world.advance(3000);
  assert.deepEqual(takenBy(world).map(String).toSorted(), [
    'gone,pods,apple-1',
    'one,pods,cart-1',
    'two,pods,apple-1',
  ]);
  await world.stop();
});
