import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryFileSystem, systemError } from './memory-file-system.ts';

function readAll(fileSystem: MemoryFileSystem, fd: number): string {
  const target = new Uint8Array(100);
  return new TextDecoder().decode(target.subarray(0, fileSystem.read(fd, target, 0, 100, 0)));
}

test('an open file keeps its content after its last name is gone', () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.append('/logs/a.log', 'hello');
  const fd = fileSystem.open('/logs/a.log', 'r');
  fileSystem.unlink('/logs/a.log');
  assert.equal(readAll(fileSystem, fd), 'hello');
  assert.equal(fileSystem.fstat(fd).links, 0);
  assert.equal(fileSystem.stat('/logs/a.log'), undefined);
});

test('a rename keeps the inode and replaces the target', () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.append('/a', 'one');
  fileSystem.append('/b', 'two');
  const before = fileSystem.stat('/a')?.inode;
  fileSystem.rename('/a', '/b');
  assert.equal(fileSystem.stat('/b')?.inode, before);
  assert.equal(fileSystem.stat('/a'), undefined);
});

test('links are followed by stat and not by lstat', () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.append('/real/x', 'data');
  fileSystem.symlink('../real/x', '/links/y');
  assert.equal(fileSystem.stat('/links/y')?.kind, 'file');
  assert.equal(fileSystem.lstat('/links/y')?.kind, 'link');
  assert.equal(fileSystem.realPath('/links/y'), '/real/x');
});

test('a power loss keeps what was synced and a prefix of the rest', async () => {
  const fileSystem = new MemoryFileSystem();
  const fd = fileSystem.open('/a', 'a');
  fileSystem.write(fd, new TextEncoder().encode('safe'));
  await fileSystem.sync(fd);
  await fileSystem.syncDirectory('/');
  fileSystem.write(fd, new TextEncoder().encode('unsafe'));
  fileSystem.crash(() => 0.5);
  assert.match(new TextDecoder().decode(fileSystem.readFile('/a')), /^safe(u|un|uns|unsa|unsaf|unsafe)?$/);
});

test('a name that was not synced can be lost with the power', async () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.append('/a', 'x');
  fileSystem.crash(() => 0);
  assert.equal(fileSystem.stat('/a'), undefined);
});

test('a full disk tears the write and says ENOSPC', () => {
  const fileSystem = new MemoryFileSystem({ capacityBytes: 3 });
  assert.throws(() => fileSystem.append('/a', 'hello'), { code: 'ENOSPC' });
  assert.equal(new TextDecoder().decode(fileSystem.readFile('/a')), 'hel');
});

test('a watched directory tells of new names and of writes', async () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.makeDirectory('/d');
  const seen: string[] = [];
  const watcher = fileSystem.watch('/d', (event, name) => seen.push(`${event} ${name}`));
  fileSystem.append('/d/a', 'x');
  fileSystem.rename('/d/a', '/d/b');
  await Promise.resolve();
  watcher.close();
  fileSystem.append('/d/c', 'x');
  await Promise.resolve();
  assert.deepEqual(seen, ['renamed a', 'changed a', 'renamed a', 'renamed b']);
});

test('a fault is thrown where the test wants it', () => {
  const fileSystem = new MemoryFileSystem();
  fileSystem.append('/a', 'x');
  fileSystem.onOperation = (operation, path) => {
    if (operation === 'open') throw systemError('EACCES', path);
  };
  assert.throws(() => fileSystem.open('/a', 'r'), { code: 'EACCES' });
});

test('freed blocks read as zeros, give their bytes back, and are found as holes', () => {
  const files = new MemoryFileSystem({ capacityBytes: 40_000 });
  files.append('/data/app.log', 'x'.repeat(20_000));
  assert.equal(files.punch('/data/app.log', 100, 13_000), 8192);
  assert.equal(files.punch('/data/app.log', 4096, 8192), 0, 'what is freed gives nothing');
  assert.equal(files.freeBytes(), 40_000 - 20_000 + 8192);
  assert.equal(files.diskBytes('/data/app.log'), 20_480 - 8192);
  assert.equal(files.stat('/data/app.log')?.size, 20_000);
  assert.equal(files.readFile('/data/app.log').indexOf(0), 4096);
  const fd = files.open('/data/app.log', 'r');
  assert.ok(files.isSparse(fd));
  const size = 20_000;
  assert.deepEqual([files.nextHole(fd, 0, size), files.nextHole(fd, 5000, size)], [4096, 5000]);
  assert.deepEqual([files.nextData(fd, 5000, size), files.nextHole(fd, 12_288, size)], [12_288, size]);
  files.truncate('/data/app.log', 0);
  assert.ok(!files.isSparse(fd));
  assert.equal(files.freeBytes(), 40_000);
  files.close(fd);
});
