import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceConfig } from '../../config/source-config.ts';
import { APPS_SOURCE, AgentWorld, gzipFile, PODS_SOURCE } from '../testing/agent-world.ts';
import { gapsOf, messagesOf } from '../testing/sent-once.ts';

const LOG = '/data/logs/shop/cart/cart-1/log';
const APP_LOG = `${LOG}/app.log`;
const POD = '/var/log/pods/shop_cart-1_0f0e/cart';

function cri(second: number, text: string, tag = 'F', stream = 'stdout'): string {
  return `2026-11-23T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`;
}

test('a file renamed between two looks is read to its end before its successor', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(100);
  world.write(APP_LOG, 'a2\n');
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  await world.advance(100);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1']);
  await world.stop();
});

test('a partial line that ends one file is joined with its end in the next', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(`${POD}/0.log`, cri(1, 'begin-', 'P') + cri(1, 'err', 'F', 'stderr'));
  world.start();
  await world.advance(100);
  world.fileSystem.rename(`${POD}/0.log`, `${POD}/0.log.20261123-000002`);
  world.write(`${POD}/0.log`, cri(2, 'end') + cri(3, 'next'));
  await world.advance(1000);
  assert.deepEqual(messagesOf(world).toSorted(), ['begin-end', 'err', 'next']);
  await world.stop();
});

test('a partial line is joined across files although the agent was killed in between', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(`${POD}/0.log`, cri(1, 'begin-', 'P'));
  world.start();
  await world.advance(2000);
  world.kill();
  world.fileSystem.rename(`${POD}/0.log`, `${POD}/0.log.20261123-000002`);
  world.write(`${POD}/0.log`, cri(2, 'end') + cri(3, 'next'));
  world.start();
  await world.advance(2000);
  world.kill();
  world.start();
  await world.advance(2000);
  assert.deepEqual(messagesOf(world), ['begin-end', 'next']);
  assert.deepEqual(gapsOf(world), []);
  await world.stop();
});

test('a container that restarts gives out the line that its predecessor left unfinished', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(`${POD}/0.log`, cri(1, 'cut off', 'P'));
  world.start();
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), []);
  world.write(`${POD}/1.log`, cri(5, 'new life'));
  await world.advance(1000);
  assert.deepEqual(messagesOf(world).toSorted(), ['cut off', 'new life']);
  await world.stop();
});

test('a container that restarts also gives out what was left unfinished before its last rotation', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  world.write(`${POD}/0.log`, cri(1, 'cut off', 'P', 'stderr'));
  world.start();
  await world.advance(1000);
  world.fileSystem.rename(`${POD}/0.log`, `${POD}/0.log.20261123-000002`);
  world.write(`${POD}/0.log`, cri(3, 'whole'));
  await world.advance(1000);
  world.write(`${POD}/1.log`, cri(5, 'new life'));
  await world.advance(1000);
  assert.deepEqual(messagesOf(world).toSorted(), ['cut off', 'new life', 'whole']);
  await world.stop();
});

test('a compressed rotated file is recognised and not read again', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  await world.advance(1000);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  await world.advance(60_000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1']);
  await world.stop();
  world.start();
  await world.advance(60_000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1']);
  assert.deepEqual(gapsOf(world), []);
  await world.stop();
});

test('a file that was half read and now exists only compressed is continued inside it', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.kill();
  world.write(APP_LOG, 'a3\na4\n');
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  world.write(APP_LOG, 'b1\n');
  world.start();
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'a3', 'a4', 'b1']);
  assert.equal(new Set(world.producer.records.map((record) => record.fileId)).size, 2);
  await world.stop();
});

test('rotation while the agent was away is followed by inode', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  await world.stop();
  world.write(APP_LOG, 'a2\n');
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.2`);
  world.write(`${APP_LOG}.1`, 'b1\nb2\n');
  world.write(APP_LOG, 'c1\n');
  world.start();
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1', 'b2', 'c1']);
  await world.stop();
});

test('an inode that is used again for the same banner line is a new file', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.fileSystem.isInodeReused = true;
  world.write(APP_LOG, 'banner\n');
  world.start();
  await world.advance(1000);
  await world.stop();
  world.fileSystem.unlink(APP_LOG);
  world.write(APP_LOG, 'banner\nsecond life\n');
  world.start();
  await world.advance(5000);
  assert.deepEqual(world.producer.messages(), ['banner', 'banner', 'second life']);
  await world.stop();
});

test('a deleted file is read to its end, its unfinished last line included', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(100);
  world.producer.isHeld = true;
  world.write(APP_LOG, 'a2\nno newline');
  world.fileSystem.removeDirectory('/data/logs/shop/cart/cart-1');
  await world.advance(5000);
  world.producer.release();
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'no newline']);
  await world.stop();
  assert.deepEqual(
    [...world.producer.ledger.values()].map(({ state, records, acknowledgedOffset }) => [
      state,
      records,
      acknowledgedOffset,
    ]),
    [['gone', 3, 16]],
  );
});

test('s6-log directories are followed through current, previous and archives', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const at = (name: string): string => `${LOG}/${name}`;
  const archive = `@4000000067${'0'.repeat(14)}.s`;
  world.write(at('lock'), '');
  world.write(at('current'), 'c1\n');
  world.start();
  await world.advance(100);
  world.write(at('current'), 'c2\n');
  world.fileSystem.rename(at('current'), at('previous'));
  world.write(at('current'), 'd1\n');
  world.fileSystem.link(at('previous'), at(archive));
  await world.advance(100);
  world.fileSystem.unlink(at('previous'));
  world.write(at('current'), 'd2\n');
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), ['c1', 'c2', 'd1', 'd2']);
  await world.stop();
});

test('what an s6 processor makes of a file that was read is not read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const at = (name: string): string => `${LOG}/${name}`;
  world.write(at('lock'), '');
  world.write(at('current'), 'c1\nc2\n');
  world.start();
  await world.advance(1000);
  // Each run of a processor leaves a new state behind.
  world.write(at('state'), '');
  world.fileSystem.rename(at('current'), at('previous'));
  world.write(at('current'), 'd1\n');
  await world.advance(1000);
  world.write(at('processed'), 'filtered c1\n');
  world.fileSystem.rename(at('processed'), at(`@4000000067${'0'.repeat(14)}.s`));
  world.fileSystem.unlink(at('previous'));
  await world.advance(20_000);
  assert.deepEqual(messagesOf(world), ['c1', 'c2', 'd1']);
  await world.stop();
  world.start();
  await world.advance(5000);
  assert.deepEqual(messagesOf(world), ['c1', 'c2', 'd1']);
  await world.stop();
});

test('an s6 directory without a processor has a state too, and its archives are read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const at = (name: string): string => `${LOG}/${name}`;
  for (const name of ['lock', 'state']) world.write(at(name), '');
  world.write(at('current'), 'c1\n');
  world.start();
  await world.advance(1000);
  // Two rotations between two looks: the first archive was never seen as `current`.
  world.fileSystem.rename(at('current'), at(`@4000000067${'0'.repeat(14)}.s`));
  world.write(at('current'), 'd1\n');
  world.fileSystem.rename(at('current'), at(`@4000000067${'1'.repeat(14)}.s`));
  world.write(at('current'), 'e1\n');
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), ['c1', 'd1', 'e1']);
  await world.stop();
});

test('history is read oldest first, and only as far as it is wanted', async () => {
  const collect = async (history: SourceConfig['history']): Promise<string[]> => {
    const world = new AgentWorld([{ ...APPS_SOURCE, history }]);
    world.write(`${APP_LOG}.2`, 'old\n');
    gzipFile(world.fileSystem, `${APP_LOG}.2`);
    world.write(`${APP_LOG}.1`, 'middle\n');
    world.write(APP_LOG, 'new\n');
    world.start();
    await world.advance(5000);
    await world.stop();
    world.start();
    await world.advance(5000);
    await world.stop();
    return messagesOf(world);
  };
  assert.deepEqual(await collect('all'), ['old', 'middle', 'new']);
  assert.deepEqual(await collect('plain'), ['middle', 'new']);
  assert.deepEqual(await collect('none'), ['new']);
});

test('deleted files that hold more than the budget are given up with the exact range', async () => {
  const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 1, deletedBytesMax: 100 });
  world.producer.isHeld = true;
  world.write(APP_LOG, 'first\n');
  world.start();
  await world.advance(100);
  world.write(APP_LOG, 'x'.repeat(200) + '\n');
  world.fileSystem.unlink(APP_LOG);
  await world.advance(1000);
  world.producer.release();
  await world.advance(20_000);
  await world.stop();
  assert.deepEqual(messagesOf(world), ['first']);
  assert.deepEqual(gapsOf(world), [['gap', 6, 207]]);
  const [ledger] = world.producer.ledger.values();
  assert.equal(ledger?.acknowledgedOffset, 207);
  assert.deepEqual(ledger?.dropped, { gap: 201 });
});

test('a file that vanished while the agent was away is accounted for', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  world.producer.isHeld = true;
  world.write(APP_LOG, 'a2\n');
  await world.advance(1000);
  world.kill();
  world.producer.isHeld = false;
  world.fileSystem.unlink(APP_LOG);
  world.start();
  await world.advance(10_000);
  await world.stop();
  assert.deepEqual(gapsOf(world), [['possible_loss', 3, 6]]);
});

test('an s6 directory that was left between two steps of a rotation is followed on after a restart', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const directory = `${LOG}/main`;
  world.write(`${directory}/lock`, '');
  world.write(`${directory}/current`, 'a1\n');
  world.start();
  await world.advance(1000);
  world.kill();
  world.write(`${directory}/current`, 'a2\n');
  world.fileSystem.rename(`${directory}/current`, `${directory}/previous`);
  world.start();
  await world.advance(3000);
  world.write(`${directory}/current`, 'b1\n');
  await world.advance(3000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'b1']);
  assert.deepEqual([gapsOf(world), world.producer.gaps, world.producer.duplicates], [[], [], 0]);
  await world.stop();
});

test('a copy that takes the place of its file is read on where the file was left', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'a1\na2\n');
  world.start();
  await world.advance(1000);
  world.write(`${APP_LOG}.1`, world.fileSystem.readFile(APP_LOG));
  await world.advance(1000);
  world.fileSystem.rename(`${APP_LOG}.1`, APP_LOG);
  await world.advance(1000);
  world.write(APP_LOG, 'a3\n');
  await world.advance(1000);
  assert.deepEqual(messagesOf(world), ['a1', 'a2', 'a3']);
  assert.deepEqual(gapsOf(world), []);
  await world.stop();
});

test('a new file that has the inode of a compressed copy that is gone is read', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.fileSystem.isInodeReused = true;
  world.write(APP_LOG, 'a1\n');
  world.start();
  await world.advance(100);
  world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
  await world.advance(100);
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  await world.advance(0);
  world.fileSystem.unlink(`${APP_LOG}.1.gz`);
  world.write(APP_LOG, 'b1\n');
  await world.advance(2000);
  assert.deepEqual(messagesOf(world), ['a1', 'b1']);
  await world.stop();
});

test('a rotated file that rests and is written again shows its lines within two seconds', async () => {
  for (const isBusy of [false, true]) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'a1\n');
    world.start();
    await world.advance(100);
    world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
    world.write(APP_LOG, 'b1\n');
    // Longer than a rotated file stays open, and just after a look at everything.
    for (let step = 0; step < 620; step += 1) {
      if (isBusy) world.write(APP_LOG, `b${step + 2}\n`);
      await world.advance(100);
    }
    for (const line of ['a2', 'a3']) {
      world.write(`${APP_LOG}.1`, `${line}\n`);
      for (let step = 0; step < 20; step += 1) {
        if (isBusy) world.write(APP_LOG, `after ${line} ${step}\n`);
        await world.advance(90);
      }
      assert.ok(
        messagesOf(world).includes(line),
        `${line} while the other file is ${isBusy ? 'busy' : 'idle'}`,
      );
    }
    await world.stop();
  }
});
