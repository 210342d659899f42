import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemError } from '../base/memory-file-system.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { APPS_SOURCE, AgentWorld, COMMON_SOURCE, gzipFile, PODS_SOURCE } from './testing/agent-world.ts';

const LOG = '/data/logs/shop/cart/cart-1/log';
const APP_LOG = `${LOG}/app.log`;

function warningsOf(world: AgentWorld, event: string): string[] {
  return world.telemetry.linesOf(event).map((line) => line.text);
}

test('a missing root is said once, and collected when it appears', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.start();
  await world.advance(20_000);
  assert.deepEqual(warningsOf(world, 'root_missing'), [
    '/data/logs does not exist; it is collected when it appears',
  ]);
  assert.deepEqual(world.agent?.sources()[0]?.missing, ['/data/logs']);
  world.write(APP_LOG, 'one\n');
  await world.advance(6000);
  assert.deepEqual(world.producer.messages(), ['one']);
  await world.stop();
});

test('a file that cannot be read fails alone, with a remedy, and is collected when it can', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${LOG}/secret.log`, 'secret\n');
  world.write(APP_LOG, 'one\n');
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'open' && path.endsWith('secret.log')) throw systemError('EACCES', path);
  };
  world.start();
  await world.advance(12_000);
  assert.deepEqual(world.producer.messages(), ['one']);
  const [warning, ...others] = warningsOf(world, 'file_unreadable');
  assert.match(warning ?? '', /secret\.log .*Give the agent read permission/);
  assert.deepEqual(others, []);
  world.fileSystem.onOperation = undefined;
  await world.advance(6000);
  assert.deepEqual(world.producer.messages(), ['one', 'secret']);
  await world.stop();
});

test('a read error on one file does not keep another one waiting', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${LOG}/bad.log`, 'bad\n');
  world.write(APP_LOG, 'one\n');
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'read' && path.endsWith('bad.log')) throw systemError('EIO', path);
  };
  world.start();
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['one']);
  world.fileSystem.onOperation = undefined;
  await world.advance(11_000);
  assert.deepEqual(world.producer.messages(), ['one', 'bad']);
  await world.stop();
});

test('links of the application tree that lead out of it are not followed', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write('/etc/shadow.log', 'root:x\n');
  world.write(APP_LOG, 'one\n');
  world.fileSystem.symlink('/etc/shadow.log', `${LOG}/other.log`);
  world.start();
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['one']);
  assert.equal(warningsOf(world, 'link_outside').length, 1);
  await world.stop();
});

test('a file that is reached by its path and by a link is read once', async () => {
  const links: SourceConfig = { ...COMMON_SOURCE, kind: 'pods', root: '/var/log/containers' };
  const world = new AgentWorld([PODS_SOURCE, links]);
  const path = '/var/log/pods/shop_cart-1_0f0e/cart/0.log';
  world.write(path, '2026-11-23T00:00:01Z stdout F hello\n');
  world.fileSystem.makeDirectory('/var/log/containers');
  world.fileSystem.symlink(path, `/var/log/containers/cart-1_shop_cart-${'a'.repeat(64)}.log`);
  world.start();
  await world.advance(6000);
  assert.deepEqual(world.producer.messages(), ['hello']);
  await world.stop();
});

test('unacknowledged bytes stay within the budget, and nothing is lost for it', async () => {
  const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 100_000 });
  const lines = Array.from({ length: 4000 }, (_, index) => `line ${index} ${'x'.repeat(300)}`);
  world.write(APP_LOG, lines.join('\n') + '\n');
  world.producer.isHeld = true;
  world.start();
  await world.advance(5000);
  // One slice of 256 KiB may pass the limit, with what its documents add to it.
  assert.ok(world.producer.heldBytesPeak < 1_000_000, `${world.producer.heldBytesPeak}`);
  world.producer.release();
  await world.advance(10_000);
  assert.deepEqual(world.producer.messages(), lines);
  await world.stop();
});

test('a container that writes a lot does not keep the others waiting', async () => {
  const world = new AgentWorld([APPS_SOURCE], { bufferBytesMax: 100_000 });
  world.write(`${LOG}/a.log`, `${'x'.repeat(1000)}\n`.repeat(3000));
  world.write(`${LOG}/z.log`, 'small\n');
  world.start();
  await world.advance(30_000);
  const position = world.producer.messages().indexOf('small');
  assert.ok(position >= 0 && position < 600, `after ${position} records of the other`);
  await world.stop();
});

test('the kernel refusing watches is said once with the setting, and files are collected all the same', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\n');
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'watch') throw systemError('ENOSPC', path);
  };
  world.start();
  await world.advance(1000);
  world.write(APP_LOG, 'two\n');
  await world.advance(1500);
  world.write('/data/logs/shop/cart/cart-2/log/app.log', 'three\n');
  await world.advance(5000);
  assert.deepEqual(world.producer.messages(), ['one', 'two', 'three']);
  const warnings = warningsOf(world, 'watch_refused');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /fs\.inotify\.max_user_watches/);
  await world.stop();
});

test('while the checkpoint journal cannot be written nothing leaves, and it goes on by itself', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.start();
  await world.advance(100);
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === 'write' && path.includes('checkpoints')) throw systemError('ENOSPC', path);
  };
  world.write(APP_LOG, 'one\n');
  await world.advance(6000);
  assert.deepEqual(world.producer.messages(), []);
  assert.match(world.agent?.problem() ?? '', /cannot write the checkpoint journal/);
  world.fileSystem.onOperation = undefined;
  await world.advance(6000);
  assert.deepEqual(world.producer.messages(), ['one']);
  assert.equal(world.agent?.problem(), undefined);
  await world.stop();
});

test('a damaged checkpoint journal is kept aside with a warning, and what stands before the damage is used', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(2000);
  await world.stop();
  const path = '/data/logboom/agent/checkpoints.journal';
  const bytes = world.fileSystem.readFile(path);
  const lines = new TextDecoder().decode(bytes).split('\n');
  world.fileSystem.corrupt(path, (lines[0]?.length ?? 0) + (lines[1]?.length ?? 0) + 40, 0x23);
  world.write(APP_LOG, 'two\n');
  world.start();
  await world.advance(2000);
  assert.match(warningsOf(world, 'checkpoint_damaged')[0] ?? '', /checkpoints\.journal.*kept as .*damaged/);
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  await world.stop();
});

test('a run that reads once ends by itself, with the last line although it has no newline', async () => {
  const source: SourceConfig = {
    ...COMMON_SOURCE,
    kind: 'files',
    paths: ['/import/*.log'],
    template: undefined,
  };
  const world = new AgentWorld([source]);
  world.write('/import/a.log.1', 'a1\n');
  gzipFile(world.fileSystem, '/import/a.log.1');
  world.write('/import/a.log', 'a2\na3');
  world.write('/import/b.log', 'b1\n');
  const seen: number[] = [];
  world.start({ once: true, onProgress: ({ bytesRead }) => void seen.push(bytesRead) });
  let isDone = false;
  void world.running?.then(() => {
    isDone = true;
  });
  await world.advance(10_000);
  assert.equal(isDone, true);
  assert.deepEqual(world.producer.messages().toSorted(), ['a1', 'a2', 'a3', 'b1']);
  assert.equal(seen.at(-1), 11);
});

test('a path template names fields, and configured fields become labels', async () => {
  const source: SourceConfig = {
    ...COMMON_SOURCE,
    kind: 'files',
    paths: ['/srv/*/*.log'],
    template: '/srv/{kubernetes.namespace}/{service.name}.log',
    fields: { team: 'web' },
  };
  const world = new AgentWorld([source]);
  world.write('/srv/shop/cart.log', 'one\n');
  world.start();
  await world.advance(100);
  const document = world.producer.records[0]?.document;
  assert.deepEqual(document?.['kubernetes'], { namespace: 'shop' });
  assert.deepEqual(document?.['service'], { name: 'cart' });
  assert.deepEqual(document?.['labels'], { team: 'web' });
  await world.stop();
});

test('a stack trace that patience cut is cut at the same place after a kill', async () => {
  const world = new AgentWorld([APPS_SOURCE], { checkpointMs: 60_000 });
  world.write(APP_LOG, 'java.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\n');
  world.start();
  await world.advance(2000);
  assert.equal(world.producer.records.length, 1);
  world.kill();
  world.write(APP_LOG, '\tat a.B.d(B.java:2)\nnext\n');
  world.start();
  await world.advance(2000);
  const text = world.producer.messages().join('\n');
  assert.equal(text, 'java.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\nnext');
  assert.deepEqual(world.producer.changed, []);
  await world.stop();
});
