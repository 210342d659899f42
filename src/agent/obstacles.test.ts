import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { messageOf } from '../base/errors.ts';
import { systemError } from '../base/memory-file-system.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { APPS_SOURCE, AgentWorld, COMMON_SOURCE, PODS_SOURCE } from './testing/agent-world.ts';

const LOG = '/data/logs/shop/cart/cart-1/log';
const APP_LOG = `${LOG}/app.log`;
const SECRET = `${LOG}/secret.log`;

/** Has an operation fail on paths that begin with `prefix`, until the next call. */
function fail(world: AgentWorld, on: string | undefined, prefix = '', code = 'EACCES'): void {
  world.fileSystem.onOperation = (operation, path) => {
    if (operation === on && path.startsWith(prefix)) throw systemError(code, path);
  };
}

/** Returns why the ledger cannot tell of everything; an empty text when it can. */
async function ledgerProblem(world: AgentWorld): Promise<string> {
  let problem: string | undefined;
  void world.agent?.writeLedger().then(
    () => (problem = ''),
    (error: unknown) => (problem = messageOf(error)),
  );
  await world.advance(50);
  assert.ok(problem !== undefined, 'the ledger is written');
  return problem;
}

test('a file that must not be opened is named with the reason and the remedy, until it can be or is left out', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(SECRET, 'secret\n');
  world.write(APP_LOG, 'one\n');
  fail(world, 'open', SECRET);
  world.start();
  await world.advance(5000);
  const problem = await ledgerProblem(world);
  assert.match(problem, /^cannot account for \/data\/\S+secret\.log: /);
  assert.match(problem, /give the agent read permission, or leave it out with `exclude`$/);
  assert.deepEqual(
    world.agent?.obstacles().map(({ path }) => path),
    [SECRET],
  );
  fail(world, undefined);
  // Asking is enough to have it looked at again; its first line is read after that.
  await ledgerProblem(world);
  assert.deepEqual(world.agent?.obstacles(), []);
  await world.advance(500);
  assert.equal(await ledgerProblem(world), '');
  assert.deepEqual(world.producer.messages(), ['one', 'secret']);
  await world.stop();
});

test('a file whose first line is not read yet when the ledger is asked for is in it, or said not to be', async () => {
  const world = new AgentWorld([APPS_SOURCE], { ledgerMs: 600_000 });
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(1000);
  const { producer } = world;
  const sendLedger = producer.sendLedger.bind(producer);
  producer.sendLedger = async (records) => {
    await world.scheduler.sleep(1000);
    await sendLedger(records);
  };
  world.write(APP_LOG, 'two\n');
  world.write(SECRET, 'new\n');
  let problem: unknown;
  void world.agent?.writeLedger().catch((error: unknown) => {
    problem = error;
  });
  await world.advance(3000);
  const isTold = [...producer.ledger.values()].some(({ path }) => path === SECRET);
  assert.ok(isTold || problem !== undefined, 'the ledger lacks a file, and nothing says so');
  assert.ok(producer.messages().includes('new'));
  producer.sendLedger = sendLedger;
  assert.equal(await ledgerProblem(world), '');
  await world.stop();
});

test('what was written behind a truncation that was not looked into yet is not said to be in the ledger', async () => {
  const world = new AgentWorld([APPS_SOURCE], { ledgerMs: 600_000 });
  world.write(APP_LOG, 'one\ntwo\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(APP_LOG, 0);
  world.write(APP_LOG, 'new\n');
  let told: readonly number[] | undefined;
  let problem: unknown;
  void world.agent?.writeLedger().then(
    () => (told = [...world.producer.ledger.values()].map(({ bytesWritten }) => bytesWritten)),
    (error: unknown) => (problem = error),
  );
  await world.advance(10);
  assert.ok(problem !== undefined || told?.includes(4) === true, `it told of ${told?.join(', ')} bytes`);
  await world.advance(5000);
  assert.equal(await ledgerProblem(world), '');
  assert.deepEqual(world.producer.messages(), ['one', 'two', 'new']);
  await world.stop();
});

test('a file that cannot be opened is forgotten with its name, and with its directory', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(SECRET, 'secret\n');
  world.write(`${LOG}/deep/other.log`, 'other\n');
  fail(world, 'open', LOG);
  world.start();
  await world.advance(2000);
  assert.match(await ledgerProblem(world), /; nor for 1 more$/);
  world.fileSystem.unlink(SECRET);
  world.fileSystem.removeDirectory(`${LOG}/deep`);
  await world.advance(3000);
  assert.equal(await ledgerProblem(world), '');
  await world.stop();
});

test('a file that cannot be read from its beginning, or from the middle on, is named', async () => {
  for (const isBegun of [false, true]) {
    const world = new AgentWorld([APPS_SOURCE]);
    if (isBegun) world.write(APP_LOG, 'one\n');
    world.start();
    await world.advance(1000);
    fail(world, 'read', APP_LOG, 'EIO');
    world.write(APP_LOG, 'two\n');
    await world.advance(1000);
    assert.match(await ledgerProblem(world), /^cannot account for \S+app\.log: .*tried again/);
    fail(world, undefined);
    await world.advance(10_000);
    assert.equal(await ledgerProblem(world), '');
    assert.deepEqual(world.producer.messages(), isBegun ? ['one', 'two'] : ['two']);
    await world.stop();
  }
});

test('a file of an earlier run that cannot be opened any more is named, although it was delivered as far as it was known', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(2000);
  await world.stop();
  world.write(APP_LOG, 'two\n');
  fail(world, 'open', APP_LOG);
  world.start();
  await world.advance(5000);
  assert.match(await ledgerProblem(world), /^cannot account for \S+app\.log: /);
  fail(world, undefined);
  await ledgerProblem(world);
  await world.advance(3000);
  assert.equal(await ledgerProblem(world), '');
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  await world.stop();
});

test('a file of which the size cannot be looked at is named', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(1000);
  const { fileSystem } = world;
  const fstat = fileSystem.fstat.bind(fileSystem);
  fileSystem.fstat = () => {
    throw systemError('EIO', APP_LOG);
  };
  assert.match(await ledgerProblem(world), /^cannot account for \S+app\.log: /);
  fileSystem.fstat = fstat;
  assert.equal(await ledgerProblem(world), '');
  await world.stop();
});

test('files of an earlier run whose directory is hidden, perhaps under other names, are not taken for lost', async () => {
  const cases = [
    ['readDirectory', LOG],
    ['stat', LOG],
    ['stat', '/data/logs'],
    ['stat', `${APP_LOG}.1`],
  ] as const;
  for (const [operation, path] of cases) {
    const world = new AgentWorld([APPS_SOURCE]);
    world.write(APP_LOG, 'one\n');
    world.start();
    await world.advance(2000);
    await world.stop();
    world.write(APP_LOG, 'two\n');
    world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
    fail(world, operation, path);
    world.start();
    await world.advance(20_000);
    assert.match(await ledgerProblem(world), /^cannot account for \S+: /, `${operation} ${path}`);
    fail(world, undefined);
    await world.advance(3000);
    assert.equal(await ledgerProblem(world), '', `${operation} ${path}`);
    assert.deepEqual(world.producer.messages(), ['one', 'two']);
    assert.deepEqual(world.producer.gaps, []);
    await world.stop();
  }
});

test('a directory that cannot be listed, looked at, or searched is named, and one that is missing is not', async () => {
  const cases = [
    ['readDirectory', LOG],
    ['stat', `${LOG}`],
    ['stat', SECRET],
    ['stat', '/data/logs'],
    ['readDirectory', '/data/logs'],
  ] as const;
  for (const [operation, path] of cases) {
    const world = new AgentWorld([APPS_SOURCE, PODS_SOURCE]);
    world.write(SECRET, 'secret\n');
    fail(world, operation, path);
    world.start();
    await world.advance(3000);
    const problem = await ledgerProblem(world);
    assert.ok(problem.startsWith(`cannot account for ${path}: `), `${operation} ${path}: ${problem}`);
    assert.match(problem, /give the agent read (?:and search )?permission/);
    fail(world, undefined);
    await world.advance(3000);
    assert.equal(await ledgerProblem(world), '', `${operation} ${path}`);
    assert.deepEqual(world.producer.messages(), ['secret']);
    await world.stop();
  }
});

test('files of a directory that can not be looked at any more are not taken for deleted', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(1000);
  fail(world, 'stat', LOG);
  world.write(APP_LOG, 'two\n');
  await world.advance(30_000);
  assert.match(await ledgerProblem(world), /^cannot account for /);
  assert.deepEqual(
    world.agent?.files().map(({ state }) => state),
    ['active'],
  );
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  await world.stop();
});

test('a link to what must not be looked at keeps no other file waiting, and is named', async () => {
  const source: SourceConfig = {
    ...COMMON_SOURCE,
    kind: 'files',
    paths: ['/srv/*.log'],
    template: undefined,
  };
  const world = new AgentWorld([source]);
  world.write('/elsewhere/hidden.log', 'hidden\n');
  world.write('/srv/app.log', 'one\n');
  world.fileSystem.symlink('/elsewhere/hidden.log', '/srv/link.log');
  fail(world, 'stat', '/srv/link.log');
  world.start();
  await world.advance(2000);
  assert.deepEqual(world.producer.messages(), ['one']);
  assert.match(await ledgerProblem(world), /^cannot account for \/srv\/link\.log: /);
  await world.stop();
});

test('an archive whose beginning is broken is named until it is removed', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  const archive = `${APP_LOG}.1.gz`;
  world.write(archive, gzipSync('old\n').fill(0, 3));
  world.write(APP_LOG, 'one\n');
  world.start();
  await world.advance(5000);
  for (let look = 0; look < 5; look++) {
    assert.match(await ledgerProblem(world), /^cannot account for/);
    await world.advance(333);
  }
  const [obstacle] = world.agent?.obstacles() ?? [];
  assert.equal(obstacle?.path, archive);
  assert.ok((obstacle?.sinceMs ?? Infinity) < 1000, 'it has been there from the first look on');
  world.fileSystem.unlink(archive);
  await world.advance(3000);
  assert.equal(await ledgerProblem(world), '');
  await world.stop();
});

test('a name that moves on between listing and opening is looked at again, and is no reason to warn', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.start();
  await world.advance(500);
  world.write(APP_LOG, 'one\n');
  let isMoved = false;
  world.fileSystem.onOperation = (operation, path) => {
    if (isMoved || operation !== 'open' || path !== APP_LOG) return;
    isMoved = true;
    world.fileSystem.rename(APP_LOG, `${APP_LOG}.1`);
    world.fileSystem.append(APP_LOG, 'two\n');
  };
  const problem = await ledgerProblem(world);
  assert.ok(isMoved);
  assert.match(problem, /^cannot account for every file yet|^$/);
  assert.deepEqual(world.agent?.obstacles(), []);
  await world.advance(1500);
  assert.equal(await ledgerProblem(world), '');
  assert.deepEqual(world.producer.messages(), ['one', 'two']);
  assert.deepEqual(world.telemetry.linesOf('file_unreadable'), []);
  await world.stop();
});
