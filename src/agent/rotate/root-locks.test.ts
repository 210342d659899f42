import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RotateMachine } from '../../base/log-directory.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { RootLocks } from './root-locks.ts';

/** Processes of one machine: each has its locks, and a path is one process's at a time. */
function oneMachine() {
  const owners = new Map<string, RootLocks>();
  const gone = new Set<string>();
  const start = (): { locks: RootLocks; telemetry: MemoryTelemetry } => {
    const telemetry = new MemoryTelemetry();
    const lockRoot: RotateMachine['lockRoot'] = (path) => {
      if (gone.has(path)) throw Object.assign(new Error(`ENOENT ${path}`), { code: 'ENOENT' });
      if (owners.has(path)) return undefined;
      owners.set(path, locks);
      return { release: () => owners.delete(path) };
    };
    const locks = new RootLocks({ lockRoot } as RotateMachine, telemetry);
    return { locks, telemetry };
  };
  return { start, owners, gone };
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
