import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SideWork } from './side-work.ts';

/** Work that ends when the test says so. */
function scene(parallelMax: number) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  let endCount = 0;
  const work = new SideWork({ parallelMax, onEnd: () => (endCount += 1) });
  const start = (key: string, name = key): void => {
    work.start(key, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { work, begun, start, end, ended: () => endCount };
}

void test('so many are under way at once, and the others wait in line', async () => {
  const { work, begun, start, end, ended } = scene(2);
  for (const key of ['a', 'b', 'c']) start(key);
  assert.deepEqual(begun, ['a', 'b']);
  assert.equal(work.isInLine('c'), true);
  await end('b');
  assert.deepEqual([begun, ended()], [['a', 'b', 'c'], 1]);
  assert.deepEqual([work.has('a'), work.has('b'), work.isInLine('c')], [true, false, false]);
});

void test('of one key one is under way and one in line; others pass it', async () => {
  const { begun, start, end } = scene(2);
  start('a', 'a1');
  start('a', 'a2');
  start('a', 'a3');
  start('b');
  assert.deepEqual(begun, ['a1', 'b']);
  await end('a1');
  await end('a2');
  assert.deepEqual(begun, ['a1', 'b', 'a2']);
});

void test('at the end what is in line is forgotten, and what is under way is waited for', async () => {
  const { work, begun, start, end } = scene(1);
  start('a');
  start('b');
  let isClosed = false;
  const closed = work.close().then(() => (isClosed = true));
  start('c');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  await end('a');
  await closed;
  assert.deepEqual([begun, work.isBusy], [['a'], false]);
});

void test('a bug in the work comes out of the next check, and the others go on', async () => {
  const { work, begun, start } = scene(1);
  work.start('a', () => Promise.reject(new Error('a bug')));
  start('b');
  await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => work.check(), /a bug/);
  assert.deepEqual(begun, ['b']);
});
