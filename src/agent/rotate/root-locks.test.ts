import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { LogDirectory, RotateMachine } from '../../base/log-directory.ts';
import { nodeRotateMachine } from '../../base/node/node-rotate-machine.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { RootLocks } from './root-locks.ts';

/** Processes of one machine: each has its locks, and a path is one process's at a time. */
function oneMachine() {
  const owners = new Map<string, RootLocks>();
  const gone = new Set<string>();
  /** By path: why it cannot be opened. */
  const failing = new Map<string, string>();
  const openDirectory = (realPath: string): LogDirectory => {
    const code = gone.has(realPath) ? 'ENOENT' : failing.get(realPath);
    if (code !== undefined) throw Object.assign(new Error(`${code} ${realPath}`), { code });
    return { realPath, close: () => undefined } as LogDirectory;
  };
  const start = (): { locks: RootLocks; telemetry: MemoryTelemetry } => {
    const telemetry = new MemoryTelemetry();
    const lockRoot: RotateMachine['lockRoot'] = (root) => {
      if (owners.has(root)) return undefined;
      owners.set(root, locks);
      return { release: () => owners.delete(root) };
    };
    const locks = new RootLocks({ openDirectory, lockRoot }, telemetry);
    return { locks, telemetry };
  };
  return { start, owners, gone, failing };
}

const APPS = '/data/logs';
const CART = '/data/logs/shop/cart/cart-0/log';
const WEB = '/data/logs/shop/web/web-0/log';

void test("of trees that stand in one another each directory is one process's", () => {
  const { start } = oneMachine();
  const [first, second] = [start(), start()];
  assert.equal(first.locks.takeDirectory(CART, CART, 0), true);
  assert.equal(second.locks.takeDirectory(APPS, CART, 0), false);
  assert.equal(second.locks.takeDirectory(APPS, WEB, 0), true);
  assert.equal(second.locks.problem, `another process rotates the files below ${CART}`);
  assert.match(second.telemetry.lines[0]?.text ?? '', /this one only collects them/);
  first.locks.release();
  assert.equal(second.locks.takeDirectory(APPS, CART, 9_999), false, 'it is tried again now and then');
  assert.equal(second.locks.takeDirectory(APPS, CART, 10_000), true);
  assert.equal(second.locks.problem, undefined);
});

void test('one process may have trees that stand in one another, in any order', () => {
  const { start, owners } = oneMachine();
  const { locks, telemetry } = start();
  assert.equal(locks.takeDirectory(APPS, CART, 0), true);
  assert.equal(locks.takeDirectory(CART, CART, 0), true);
  assert.equal(locks.takeDirectory(APPS, CART, 0), true);
  locks.keepDirectories(new Set());
  assert.deepEqual([[...owners.keys()], telemetry.lines], [[APPS, CART], []]);
});

void test('directories that are not rotated any more are given back, trees are kept', () => {
  const { start, owners } = oneMachine();
  const { locks } = start();
  for (const directory of [CART, WEB]) assert.equal(locks.takeDirectory(APPS, directory, 0), true);
  locks.keepDirectories(new Set([WEB]));
  assert.deepEqual([...owners.keys()], [APPS, WEB]);
  locks.release();
  assert.deepEqual([...owners.keys()], []);
});

void test('a directory that vanishes meanwhile is nothing to warn of', () => {
  const { start, gone } = oneMachine();
  const { locks, telemetry } = start();
  gone.add(CART);
  assert.equal(locks.takeDirectory(APPS, CART, 0), false);
  assert.deepEqual([telemetry.lines, locks.problem], [[], undefined]);
});

void test('paths of one process that lead to one directory share its lock', (context) => {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'logboom-locks-'));
  context.after(() => fs.rmSync(root, { recursive: true }));
  const [real, link] = [path.join(root, 'v1'), path.join(root, 'current')];
  fs.mkdirSync(real);
  fs.symlinkSync('v1', link);
  const telemetry = new MemoryTelemetry();
  const locks = new RootLocks(nodeRotateMachine, telemetry);
  for (const one of [real, link]) assert.equal(locks.takeDirectory(one, one, 0), true, one);
  assert.deepEqual(telemetry.lines, []);
  locks.keepDirectories(new Set());
  assert.equal(nodeRotateMachine.lockRoot(real), undefined, 'the trees are kept');
  locks.release();
  const lock = nodeRotateMachine.lockRoot(real);
  assert.ok(lock !== undefined, 'it is free again');
  lock.release();
});

void test('a directory that cannot be locked is told of once, with its cause and the remedy', () => {
  const { start, failing } = oneMachine();
  const { locks, telemetry } = start();
  failing.set(CART, 'EMFILE');
  for (const nowMs of [0, 10_000, 20_000]) assert.equal(locks.takeDirectory(APPS, CART, nowMs), false);
  const text = `cannot lock ${CART} (EMFILE ${CART}): its files are not rotated. Raise the limit of open files (\`ulimit -n\`): each directory that is rotated takes one`;
  assert.equal(locks.problem, text);
  assert.deepEqual(
    telemetry.lines.map(({ event, text: said }) => [event, said]),
    [['rotate_problem', text]],
  );
  failing.clear();
  assert.equal(locks.takeDirectory(APPS, CART, 30_000), true);
  assert.equal(locks.problem, undefined);
});
