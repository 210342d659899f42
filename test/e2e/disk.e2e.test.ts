/** Disks that are full or cannot be written, as small file systems in memory that only root can mount. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  appendFileSync,
  openSync,
  writeSync,
  closeSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchList } from './api-client.ts';
import { Installation } from './installation.ts';
import { statusOf, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A file system in memory; undefined where it cannot be mounted. */
class SmallDisk implements Disposable {
  readonly #directory = new TemporaryDirectory('disk');
  readonly path = this.#directory.join('mount');

  static tryMount(options: string): SmallDisk | undefined {
    const disk = new SmallDisk();
    mkdirSync(disk.path);
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk.path]);
    if (status === 0) return disk;
    disk.#directory[Symbol.dispose]();
    return undefined;
  }

  remount(options: string): void {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,${options}`, this.path], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }

  get freeBytes(): number {
    const facts = statfsSync(this.path);
    return facts.bavail * facts.bsize;
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['--lazy', this.path]);
    this.#directory[Symbol.dispose]();
  }
}

const CANNOT_MOUNT = 'mounting a tmpfs needs root';

void test('a full disk makes collection wait, and it goes on by itself when space returns', async (context) => {
  using disk = SmallDisk.tryMount('size=64m');
  if (disk === undefined) return context.skip(CANNOT_MOUNT);
  const data = path.join(disk.path, 'data');
  using installation = await Installation.create({ data, extra: 'store: { freeBytesMin: 4MiB }' });
  await using running = await installation.start();
  const file = path.join(installation.files, 'app.log');
  writeFileSync(file, 'before the disk was full\n');
  await waitFor(
    'the first line',
    20_000,
    async () => (await searchList(installation.baseUrl, 'before')).length === 1,
  );

  const filler = path.join(disk.path, 'filler');
  fillDisk(disk, filler);
  const lines = Array.from({ length: 2000 }, (_, index) => `while the disk was full ${index}\n`);
  appendFileSync(file, lines.join(''));
  await waitFor(
    '/readyz to say so',
    20_000,
    async () => (await statusOf(`${installation.baseUrl}/readyz`)) === 503,
  );
  await sleep(1000);
  assert.ok(!running.hasExited, `the program waits\n${running.output}`);

  rmSync(filler);
  await waitFor(
    '/readyz to recover',
    30_000,
    async () => (await statusOf(`${installation.baseUrl}/readyz`)) === 200,
  );
  await waitFor(
    'the lines',
    30_000,
    async () => (await searchList(installation.baseUrl, 'while')).length >= lines.length,
  );
  assert.equal((await searchList(installation.baseUrl, 'while')).length, lines.length);
  assert.equal((await running.stop()).code, 0, running.output);
});

void test('a read-only data directory ends with 111 and says what to do', async (context) => {
  using disk = SmallDisk.tryMount('size=16m');
  if (disk === undefined) return context.skip(CANNOT_MOUNT);
  const data = path.join(disk.path, 'data');
  mkdirSync(data);
  disk.remount('ro');
  using installation = await Installation.create({ data });
  await using child = installation.launch();
  const timer = setTimeout(() => child.signal('SIGKILL'), 20_000);
  const exit = await child.exited;
  clearTimeout(timer);
  assert.equal(exit.code, 111, child.output);
  assert.ok(child.output.includes(data), child.output);
  assert.match(child.output, /read-only/i);
});

function fillDisk(disk: SmallDisk, file: string): void {
  const fd = openSync(file, 'a');
  const block = Buffer.alloc(64 * 1024);
  try {
    while (disk.freeBytes > 0) writeSync(fd, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}
