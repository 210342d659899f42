import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { nextData, nextHole } from './libc.ts';
import { openLogDirectory } from './node-log-directory.ts';
import { nodeRotateMachine } from './node-rotate-machine.ts';

const MIB = 2 ** 20;

function makeDirectory(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'logboom-rotate-'));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function open(context: TestContext, directory: string) {
  const opened = openLogDirectory(directory, directory);
  context.after(() => opened.close());
  const fileOf = (name: string) => {
    const entry = opened.stat(name);
    assert.ok(entry !== undefined, name);
    return entry;
  };
  return { opened, fileOf };
}

void test('a hole gives its bytes back, and what stands around it stays', (context) => {
  const directory = makeDirectory(context);
  const file = path.join(directory, 'app.log');
  fs.writeFileSync(file, Buffer.alloc(4 * MIB, 'x'));
  const { opened, fileOf } = open(context, directory);
  const freed = opened.punch(fileOf('app.log'), [{ startOffset: 4096, endOffset: 3 * MIB }]);
  assert.equal(freed, 3 * MIB - 4096);
  assert.equal(fileOf('app.log').size, 4 * MIB);
  assert.equal(fileOf('app.log').diskBytes, MIB + 4096);
  const bytes = fs.readFileSync(file);
  assert.equal(bytes.lastIndexOf(0), 3 * MIB - 1);
  const fd = fs.openSync(file, 'r');
  assert.equal(nextHole(fd, 0, 4 * MIB), 4096);
  assert.equal(nextData(fd, 4096, 4 * MIB), 3 * MIB);
  assert.equal(nextHole(fd, 3 * MIB, 4 * MIB), 4 * MIB);
  assert.equal(nextData(fd, 4 * MIB, 4 * MIB), 4 * MIB);
  fs.closeSync(fd);
});

void test('a file that was replaced, by another one, a link, a directory or a pipe, is not touched', (context) => {
  const directory = makeDirectory(context);
  const outside = makeDirectory(context);
  const file = path.join(directory, 'app.log');
  const secret = path.join(outside, 'secret');
  fs.writeFileSync(file, Buffer.alloc(MIB, 'x'));
  fs.writeFileSync(secret, Buffer.alloc(MIB, 's'));
  const { opened, fileOf } = open(context, directory);
  const before = fileOf('app.log');
  const ranges = [{ startOffset: 4096, endOffset: 8192 }];
  const replacements = [
    () => fs.writeFileSync(file, Buffer.alloc(MIB, 'y')),
    () => fs.symlinkSync(secret, file),
    // A link to the very file that was looked at: what it leads to stands elsewhere now.
    () => fs.symlinkSync(path.join(directory, 'kept'), file),
    () => fs.mkdirSync(file),
    () => execFileSync('mkfifo', [file]),
  ];
  // The first file is kept, so that its inode is not given away.
  fs.renameSync(file, path.join(directory, 'kept'));
  for (const replace of replacements) {
    replace();
    assert.throws(() => opened.punch(before, ranges), { code: /^(?:ESTALE|ELOOP|EISDIR|ENXIO)$/ });
    assert.throws(() => opened.unlink(before), { code: 'ESTALE' });
    assert.throws(() => opened.rename(before, 'x'), { code: 'ESTALE' });
    fs.rmSync(file, { recursive: true });
  }
  assert.equal(fs.readFileSync(secret).indexOf(0), -1);
});

void test('a directory that leads out of its root is not opened', (context) => {
  const root = makeDirectory(context);
  const outside = makeDirectory(context);
  fs.mkdirSync(path.join(root, 'inside'));
  fs.symlinkSync(outside, path.join(root, 'link'));
  fs.symlinkSync(path.join(root, 'inside'), path.join(root, 'fine'));
  assert.throws(() => openLogDirectory(path.join(root, 'link'), root), { code: 'EXDEV' });
  assert.throws(() => openLogDirectory(path.join(root, 'gone'), root), { code: 'ENOENT' });
  const fine = openLogDirectory(path.join(root, 'fine'), root);
  assert.equal(fine.realPath, fs.realpathSync(path.join(root, 'inside')));
  fine.close();
});

void test('a directory that is replaced while it is open stays the one that was opened', (context) => {
  const root = makeDirectory(context);
  const directory = path.join(root, 'log');
  fs.mkdirSync(directory);
  fs.writeFileSync(path.join(directory, 'app.log'), 'mine');
  const opened = openLogDirectory(directory, root);
  context.after(() => opened.close());
  fs.renameSync(directory, path.join(root, 'moved'));
  fs.symlinkSync('/etc', directory);
  assert.deepEqual(
    opened.list().map(({ name }) => name),
    ['app.log'],
  );
});

void test('names that lead elsewhere are refused', (context) => {
  const { opened } = open(context, makeDirectory(context));
  for (const name of ['..', 'a/b', '']) assert.throws(() => opened.stat(name), { code: 'EINVAL' });
});

void test('a process that has a file open for writing is noticed, and one that reads is not', (context) => {
  const directory = makeDirectory(context);
  const file = path.join(directory, 'app.log');
  fs.writeFileSync(file, 'x');
  const { opened, fileOf } = open(context, directory);
  const reader = fs.openSync(file, 'r');
  assert.equal(opened.findWriter(fileOf('app.log')), 'none');
  const writer = fs.openSync(file, 'a');
  assert.equal(opened.findWriter(fileOf('app.log')), 'some');
  fs.closeSync(writer);
  assert.equal(opened.findWriter(fileOf('app.log')), 'none');
  fs.closeSync(reader);
});

void test('a compressed file has the content, the permissions and the time of the plain one', async (context) => {
  const directory = makeDirectory(context);
  const file = path.join(directory, 'app.log.1');
  const content = Buffer.from('a line\n'.repeat(100_000));
  fs.writeFileSync(file, content, { mode: 0o604 });
  fs.chmodSync(file, 0o604);
  fs.utimesSync(file, 1000, 2000);
  const { opened, fileOf } = open(context, directory);
  for (const [name, kind, inflate] of [
    ['app.log.1.gz', 'gzip', gunzipSync],
    ['app.log.1.zst', 'zstd', zstdDecompressSync],
  ] as const) {
    const made = await opened.compress(fileOf('app.log.1'), name, kind);
    assert.equal(made.inode, fileOf(name).inode);
    assert.deepEqual(inflate(fs.readFileSync(path.join(directory, name))), content);
    const stat = fs.statSync(path.join(directory, name));
    assert.equal(stat.mode & 0o777, 0o604);
    assert.equal(stat.mtimeMs, 2_000_000);
  }
  assert.deepEqual(
    opened
      .list()
      .map(({ name }) => name)
      .toSorted(),
    ['app.log.1', 'app.log.1.gz', 'app.log.1.zst'],
  );
});

void test('a disk that fills up while a file is compressed leaves the file, and nothing else', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root mounts a small file system');
  const directory = makeDirectory(context);
  const mounted = path.join(directory, 'small');
  fs.mkdirSync(mounted);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mounted], { stdio: 'pipe' });
  } catch {
    return context.skip('this machine does not let a test mount a file system');
  }
  try {
    // Nothing that compresses, so that the copy is as large.
    const bytes = randomBytes(2 * MIB);
    fs.writeFileSync(path.join(mounted, 'app.log.1'), bytes);
    const opened = openLogDirectory(mounted, mounted);
    const entry = opened.stat('app.log.1');
    assert.ok(entry !== undefined);
    await assert.rejects(opened.compress(entry, 'app.log.1.gz', 'gzip'), { code: 'ENOSPC' });
    assert.deepEqual(
      opened.list().map(({ name }) => name),
      ['app.log.1'],
    );
    assert.deepEqual(fs.readFileSync(path.join(mounted, 'app.log.1')), bytes);
    opened.close();
  } finally {
    execFileSync('umount', ['-l', mounted]);
  }
});

void test('a tree is rotated by one process', (context) => {
  const root = makeDirectory(context);
  const first = nodeRotateMachine.lockRoot(root);
  assert.ok(first !== undefined);
  assert.equal(nodeRotateMachine.lockRoot(root), undefined);
  first.release();
  const second = nodeRotateMachine.lockRoot(root);
  assert.ok(second !== undefined);
  second.release();
});

void test('programs are run to their end, as another user, and not for ever', async () => {
  const run = (args: string[], timeoutMs = 10_000) =>
    nodeRotateMachine.run('/bin/sh', { args: ['-c', ...args], timeoutMs });
  assert.deepEqual(await run(['echo out; echo err >&2; exit 3']), {
    code: 3,
    output: 'out\nerr\n',
    isTimedOut: false,
  });
  assert.equal((await run(['sleep 60'], 50)).isTimedOut, true);
  assert.equal((await run(['sleep 60 & exit 0'])).code, 0, 'what stays in the background is not waited for');
  await assert.rejects(nodeRotateMachine.run('/no/such/program', { args: [], timeoutMs: 1000 }), {
    code: 'ENOENT',
  });
});

void test('users and groups that do not exist are named', () => {
  assert.equal(nodeRotateMachine.findUserProblem('root', 'root'), undefined);
  assert.equal(nodeRotateMachine.findUserProblem('0', '0'), undefined);
  assert.equal(nodeRotateMachine.findUserProblem('no-such', 'root'), 'user no-such does not exist');
  assert.equal(nodeRotateMachine.findUserProblem('root', 'no-such'), 'group no-such does not exist');
});
