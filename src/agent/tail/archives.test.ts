import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemError } from '../../base/memory-file-system.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import {
  APPS_SOURCE,
  AgentWorld,
  COMMON_SOURCE,
  gzipFile,
  memoryArchives,
  PODS_SOURCE,
  slowArchives,
} from '../testing/agent-world.ts';
import { ArchiveReader, type OpenArchive } from './archive-reader.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const IMPORT: SourceConfig = { ...COMMON_SOURCE, kind: 'files', paths: ['/import/*'], template: undefined };

function linesOf(name: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${name}-${index}\n`).join('');
}

test('a run that reads once reads every archive to its end, however slowly they inflate', async () => {
  const world = new AgentWorld([IMPORT]);
  let expected = 0;
  for (const name of ['a.log', 'a.log.1', 'b.log', 'b.log.1', 'b.log.2', 'c.log', 'd.log']) {
    world.write(`/import/${name}`, linesOf(name, 300));
    expected += 300;
    if (!/^[ab]\.log$/.test(name)) gzipFile(world.fileSystem, `/import/${name}`);
  }
  let isDone = false;
  world.start({ once: true, openArchive: slowArchives(world, 450) });
  void world.running?.then(() => {
    isDone = true;
  });
  await world.advance(120_000);
  assert.equal(isDone, true);
  assert.equal(new Set(world.producer.messages()).size, expected);
});

test('a run that reads once tries again what failed, and ends', async () => {
  const world = new AgentWorld([IMPORT]);
  world.write('/import/a.log', linesOf('a', 3));
  world.write('/import/b.log', linesOf('b', 3));
  gzipFile(world.fileSystem, '/import/b.log');
  let failures = 6;
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'read' && path.startsWith('/import') && failures-- > 0) throw systemError('EIO', path);
  };
  let isDone = false;
  world.start({ once: true });
  void world.running?.then(() => {
    isDone = true;
  });
  await world.advance(120_000);
  assert.equal(isDone, true);
  assert.equal(world.producer.messages().length, 6);
});

test('an archive is read before a younger one that was known before it', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const active = '/var/log/pods/shop_cart-1_0f0e/cart/0.log';
  const [oldest, younger] = [`${active}.20261123-000001`, `${active}.20261123-000002`];
  world.write(oldest, '2026-11-23T00:00:01.000000000Z stdout P begin-\n');
  gzipFile(world.fileSystem, oldest);
  world.write(younger, '2026-11-23T00:00:02.000000000Z stdout F end\n');
  world.write(active, '2026-11-23T00:00:03.000000000Z stdout F next\n');
  world.start({ openArchive: slowArchives(world, 5000) });
  await world.advance(2000);
  assert.deepEqual(world.producer.messages(), [], 'what the archive holds comes first');
  world.kill();
  gzipFile(world.fileSystem, younger);
  world.start();
  await world.advance(5000);
  assert.deepEqual(world.producer.messages(), ['begin-end', 'next']);
  await world.stop();
});

test('an archive is read as fast as it inflates', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${APP_LOG}.1`, linesOf('old', 2000));
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  world.write(APP_LOG, 'new\n');
  world.start({ openArchive: slowArchives(world, 5) });
  // About 16 kB come in chunks of 1 kB: once for looking at its beginning, and once for reading it.
  await world.advance(200);
  assert.equal(world.producer.messages().length, 2001);
  assert.equal(world.producer.messages().at(-1), 'new');
  await world.stop();
});

test('an archive that pauses for long while it inflates is waited for', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${APP_LOG}.1`, linesOf('old', 300));
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  world.start({ openArchive: slowArchives(world, 45_000) });
  await world.advance(300_000);
  assert.equal(world.producer.messages().length, 300);
  await world.stop();
});

test('an archive that was not read to its end and vanishes while no agent runs is a possible loss', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  // Chunks of 1 kB end with a line: everything that was read is acknowledged, and how much follows is not known.
  world.write(`${APP_LOG}.1`, 'a line!\n'.repeat(2000));
  gzipFile(world.fileSystem, `${APP_LOG}.1`);
  world.write(APP_LOG, 'new\n');
  world.start({ openArchive: slowArchives(world, 10_000) });
  await world.advance(48_000);
  world.kill();
  const messages = world.producer.messages().length;
  assert.ok(messages > 0 && messages < 2000);
  world.fileSystem.unlink(`${APP_LOG}.1.gz`);
  world.start();
  await world.advance(60_000);
  const gaps = [...world.producer.ledger.values()].flatMap((record) => record.gaps);
  assert.deepEqual(
    gaps.map(({ kind, reason }) => [kind, reason]),
    [['possible_loss', 'the archive vanished before it was read to its end']],
  );
  await world.stop();
});

// logrotate with compress moves the names of all archives on, also while they are about to be opened.
test('archives whose names move on before they are opened are read by themselves, each once', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const rotate = (): void => {
    for (let number = 9; number > 0; number--) {
      if (world.fileSystem.stat(`${APP_LOG}.${number}.gz`) === undefined) continue;
      world.fileSystem.rename(`${APP_LOG}.${number}.gz`, `${APP_LOG}.${number + 1}.gz`);
    }
    world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
    gzipFile(world.fileSystem, `${APP_LOG}.1`);
    world.write(APP_LOG, '');
  };
  const open = memoryArchives(world.fileSystem);
  const openLate: OpenArchive = (path, compression, inode) => ({
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      await world.scheduler.sleep(40);
      yield* open(path, compression, inode);
    },
  });
  const expected: string[] = [];
  const write = (name: string): void => {
    world.write(APP_LOG, linesOf(name, 3));
    expected.push(`${name}-0`, `${name}-1`, `${name}-2`);
  };
  for (const name of ['a', 'b', 'c']) {
    write(name);
    rotate();
  }
  world.start({ openArchive: openLate });
  for (const name of ['d', 'e', 'f', 'g']) {
    write(name);
    await world.advance(60);
    rotate();
  }
  await world.advance(20_000);
  assert.deepEqual(world.producer.messages().toSorted(), expected);
  assert.deepEqual(
    [...world.producer.ledger.values()].flatMap(({ gaps }) => gaps),
    [],
  );
  await world.stop();
});

test('a chunk that is taken the moment it came is followed by the next one', async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 5; index++) yield await Promise.resolve(Uint8Array.of(index));
  }
  const reader = new ArchiveReader(chunks(), 0, () => undefined);
  const taken: number[] = [];
  for (let turns = 0; turns < 200; turns++) {
    const bytes = reader.take(10);
    if (bytes !== undefined) taken.push(...bytes);
    await Promise.resolve();
  }
  assert.deepEqual(taken, [0, 1, 2, 3, 4]);
  assert.equal(reader.isReadThrough, true);
});
