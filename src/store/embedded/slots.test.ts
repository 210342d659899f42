import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlots } from './slots.ts';

test('whoever takes all slots waits for the others, and the next ones wait for it', async () => {
  const slots = createSlots(2);
  const order: string[] = [];
  const first = await slots.take();
  const all = slots.takeAll().then((release) => {
    order.push('all');
    return release;
  });
  const second = slots.take().then((release) => {
    order.push('second');
    return release;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  first();
  const releaseAll = await all;
  assert.deepEqual(order, ['all']);
  releaseAll();
  (await second)();
  assert.deepEqual(order, ['all', 'second']);
});

test('when somebody who waits for all slots gives up, those behind go on', async () => {
  const slots = createSlots(2);
  const first = await slots.take();
  const abort = new AbortController();
  const all = slots.takeAll(abort.signal);
  const second = slots.take();
  abort.abort();
  await assert.rejects(all, { code: 'aborted' });
  (await second)();
  first();
  (await slots.takeAll())();
});

test('a slot that is given back twice counts once', async () => {
  const slots = createSlots(1);
  const release = await slots.take();
  release();
  release();
  const again = await slots.take();
  const late = slots.take(AbortSignal.timeout(1));
  await assert.rejects(late, { code: 'aborted' });
  again();
});
