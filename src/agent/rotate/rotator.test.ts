/** The loop on real directories. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { RotateMachine } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import { KnownPods } from '../testing/known-pods.ts';
import { aMoment, answer, Scene, until } from './testing/rotator-scene.ts';

const KIB = 1024;

void test('a file over its size is punched, and the status tells of it', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB } ]');
  const file = scene.write('app.log', 400 * KIB);
  const writer = fs.openSync(file, 'a');
  context.after(() => fs.closeSync(writer));
  scene.start(context);
  await until('the punch', () => fs.statSync(file).blocks * 512 < 200 * KIB);
  assert.equal(fs.statSync(file).size, 400 * KIB);
  await until('the status', () => (scene.status()?.freedBytes ?? 0) > 200 * KIB);
  const [group] = scene.status()?.groups ?? [];
  assert.equal(group?.policy, 'rotate[0]');
  assert.equal(group.last?.action, 'punch');
});

void test('what is not acknowledged is never freed, and a budget that it exceeds is an alarm', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB } ]\nrotateBudget: { podBytesMax: 1MiB }');
  const file = scene.write('app.log', 2048 * KIB);
  scene.freeOffset = 100 * KIB;
  const rotator = scene.start(context);
  await until('the alarm', () => rotator.problem() !== undefined);
  assert.match(
    rotator.problem() ?? '',
    /^pod shop\/cart-0 has \d+ bytes of logs on disk, its budget is 1048576/,
  );
  assert.ok(
    fs
      .readFileSync(file)
      .subarray(100 * KIB)
      .indexOf(0) < 0,
  );
  assert.deepEqual(scene.givenUp, []);
  scene.freeOffset = undefined;
  await until('the end of the alarm', () => rotator.problem() === undefined);
});

void test('where the policy says so, the oldest unread bytes are given up, once', async (context) => {
  const text = 'rotate: [ { size: 64MiB, overBudget: drop } ]\nrotateBudget: { podBytesMax: 1MiB }';
  const scene = new Scene(context, text);
  scene.write('app.log', 2048 * KIB);
  scene.freeOffset = 0;
  scene.start(context);
  await until('the drop', () => scene.givenUp.length > 0);
  await aMoment();
  assert.deepEqual(scene.givenUp, [1024 * KIB]);
});

void test('a file that is replaced by a link out of the tree or by a directory is left alone', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB, method: rename } ]');
  const outside = fs.mkdtempSync(path.join(tmpdir(), 'logboom-outside-'));
  context.after(() => fs.rmSync(outside, { recursive: true }));
  const secret = path.join(outside, 'secret');
  fs.writeFileSync(secret, Buffer.alloc(1024 * KIB, 's'));
  fs.symlinkSync(secret, path.join(scene.log, 'app.log'));
  fs.mkdirSync(path.join(scene.log, 'other.log'));
  scene.start(context);
  await aMoment();
  assert.deepEqual(scene.names(), ['app.log', 'other.log']);
  assert.equal(fs.readFileSync(secret).indexOf(0), -1);
});

void test('a directory that is replaced by a link out of the tree is not rotated, and said so', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB, method: rename } ]');
  const outside = fs.mkdtempSync(path.join(tmpdir(), 'logboom-outside-'));
  context.after(() => fs.rmSync(outside, { recursive: true }));
  fs.writeFileSync(path.join(outside, 'app.log'), Buffer.alloc(1024 * KIB, 's'));
  fs.rmdirSync(scene.log);
  fs.symlinkSync(outside, scene.log);
  scene.start(context);
  await until('the warning', () => scene.warnings().includes('leads out of'));
  assert.deepEqual(fs.readdirSync(outside), ['app.log']);
});

void test('a second process does not rotate a tree that another one has', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB, method: rename } ]');
  const lock = nodeRotateMachine.lockRoot(scene.root);
  assert.ok(lock !== undefined);
  context.after(() => lock.release());
  scene.write('app.log', 400 * KIB);
  const rotator = scene.start(context);
  await until('the refusal', () => rotator.problem() !== undefined);
  assert.equal(rotator.problem(), `another process rotates the files below ${scene.root}`);
  assert.deepEqual(scene.names(), ['app.log']);
});

void test('renamed files are compressed and removed by number once nobody has them open', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB, method: rename, keep: 1, compress: gzip } ]');
  const file = scene.write('app.log', 400 * KIB);
  const writer = fs.openSync(file, 'a');
  scene.start(context);
  await until('the renaming', () => scene.names().length === 2);
  await aMoment();
  assert.ok(!scene.names().some((name) => name.endsWith('.gz')), 'its writer has it open');
  fs.closeSync(writer);
  const isArchive = (name: string): boolean => name.endsWith('.gz');
  await until('the first archive', () => scene.names().some(isArchive) && scene.names().length === 2);
  const [first] = scene.names().filter(isArchive);
  scene.write('app.log', 400 * KIB);
  await until('the second archive', () => {
    const archives = scene.names().filter((name) => name !== 'app.log');
    return archives.length === 1 && archives.every(isArchive) && archives[0] !== first;
  });
});

void test('a policy that fits nothing is warned of', async (context) => {
  for (const method of ['punch', 'none']) {
    const scene = new Scene(
      context,
      `rotate: [ { match: { app: nobody }, method: ${method} }, { method: ${method} } ]`,
    );
    scene.write('app.log', 4 * KIB);
    scene.start(context);
    await until('the warning', () => scene.warnings().includes('rotate[0] fits no file that is followed'));
    assert.ok(!scene.warnings().includes('rotate[1]'));
  }
});

void test('logrotate gets a configuration per app within a second, and loses it with the app', async (context) => {
  const scene = new Scene(context, 'rotate: [ { method: logrotate, size: 256KiB, copytruncate: true } ]');
  const calls: string[][] = [];
  scene.start(context, {
    run: (_program, { args }) => {
      calls.push([...args]);
      return Promise.resolve(answer(''));
    },
  });
  const directory = path.join(scene.config.data, 'agent/logrotate');
  const configs = (): string[] =>
    fs.existsSync(directory) ? fs.readdirSync(directory).filter((name) => name.endsWith('.conf')) : [];
  scene.write('app.log', 400 * KIB);
  await until('the configuration', () => configs().length === 1);
  await until('its run', () => calls.some((args) => args[0] === '-v'));
  assert.equal(calls[0]?.[0], '-d', 'it is checked before it is used');
  const text = fs.readFileSync(path.join(directory, configs()[0] ?? ''), 'utf8');
  assert.ok(text.includes(`"${path.join(scene.log, 'app.log')}" {`));
  fs.rmSync(scene.log, { recursive: true });
  await until('its removal', () => configs().length === 0);
});

void test('a logrotate that is missing or fails, and a user who does not exist, are said with the remedy', async (context) => {
  const missing = Object.assign(new Error('spawn logrotate ENOENT'), { code: 'ENOENT' });
  const insecure =
    'error: skipping "/x" because parent directory has insecure permissions (It is world writable)';
  const cases: readonly [string, Partial<RotateMachine>, RegExp][] = [
    [
      '',
      { run: () => Promise.reject(missing) },
      /logrotate is not installed\. Install it, or use method: punch/,
    ],
    [
      '',
      { run: () => Promise.resolve(answer(insecure, 1)) },
      /ended with 1: skipping .* Give the policy `su/,
    ],
    ['', { run: () => Promise.resolve({ ...answer(''), isTimedOut: true }) }, /did not end within/],
    [', su: "no-such no-group"', {}, /su: user no-such does not exist\. Create it/],
  ];
  for (const [more, machine, expected] of cases) {
    const scene = new Scene(context, `rotate: [ { method: logrotate, size: 256KiB${more} } ]`);
    scene.write('app.log', 400 * KIB);
    scene.start(context, machine);
    await until(String(expected), () => expected.test(scene.warnings()));
    await until('the status', () => expected.test(scene.status()?.groups[0]?.waits ?? ''));
    assert.deepEqual(scene.names(), ['app.log']);
  }
});

void test('a file system without holes is said with the ways that it has, and is not tried on and on', async (context) => {
  const scene = new Scene(context, 'rotate: [ { size: 256KiB } ]');
  const file = scene.write('app.log', 400 * KIB);
  const writer = fs.openSync(file, 'a');
  context.after(() => fs.closeSync(writer));
  let tries = 0;
  const openDirectory: RotateMachine['openDirectory'] = (directory, root) => {
    const opened = nodeRotateMachine.openDirectory(directory, root);
    return {
      realPath: opened.realPath,
      blockBytes: opened.blockBytes,
      list: () => opened.list(),
      stat: (name) => opened.stat(name),
      findWriter: (one) => opened.findWriter(one),
      rename: (one, to) => opened.rename(one, to),
      unlink: (one) => opened.unlink(one),
      readLink: (name) => opened.readLink(name),
      remove: (one) => opened.remove(one),
      createLike: (name, like) => opened.createLike(name, like),
      compress: (one, to, kind) => opened.compress(one, to, kind),
      close: () => opened.close(),
      punch: () => {
        tries += 1;
        throw Object.assign(new Error('EOPNOTSUPP'), { code: 'EOPNOTSUPP' });
      },
    };
  };
  scene.start(context, { openDirectory });
  await until('the warning', () => scene.warnings().includes('use method rename'));
  await aMoment();
  assert.equal(tries, 1);
});

void test('a label that changes moves a file to another policy at once', async (context) => {
  const policies = 'rotate: [ { match: { labels: { app: web } }, size: 64KiB }, { size: 10MiB } ]';
  const scene = new Scene(context, policies);
  const pods = new KnownPods();
  const pod = { uid: 'u1', name: 'cart-0', namespace: 'shop' };
  pods.put({ ...pod, labels: { app: 'cart' } });
  const file = scene.write('app.log', 200 * KIB);
  const writer = fs.openSync(file, 'a');
  context.after(() => fs.closeSync(writer));
  scene.start(context, {}, pods);
  await until('the status', () => scene.status()?.groups[0]?.policy === 'rotate[1]');
  assert.ok(fs.statSync(file).blocks * 512 >= 200 * KIB);
  pods.put({ ...pod, labels: { app: 'web' } });
  await until('the punch', () => fs.statSync(file).blocks * 512 < 100 * KIB);
  await until('the new policy', () => scene.status()?.groups[0]?.policy === 'rotate[0]');
});

void test('policies that ask for labels wait at the start for what the API tells', async (context) => {
  const policies = 'rotate: [ { match: { labels: { app: web } }, size: 10MiB }, { size: 64KiB } ]';
  const scene = new Scene(context, policies);
  const pods = new KnownPods();
  pods.hasListed = false;
  const file = scene.write('app.log', 200 * KIB);
  const writer = fs.openSync(file, 'a');
  context.after(() => fs.closeSync(writer));
  scene.start(context, {}, pods);
  await aMoment();
  assert.ok(fs.statSync(file).blocks * 512 >= 200 * KIB, 'its policy is not known yet');
  await until('the punch after the wait', () => fs.statSync(file).blocks * 512 < 100 * KIB);
});
