import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { parseQuery } from '../query/parser.ts';
import { TAIL_CLIENTS_MAX, TailHub } from './tail-hub.ts';
import { TailStream } from './tail-stream.ts';
import { documentAt, toBatches } from './test-api.ts';

const ALL = parseQuery('*').query;

function documents(count: number, more: object = {}) {
  return toBatches(Array.from({ length: count }, (_, index) => documentAt(index, 5, more)));
}

test('without clients nothing of a batch is looked at', () => {
  const untouchable = new Proxy([], { get: () => assert.fail('was read') });
  new TailHub().publish(untouchable);
});

test('a client gets what matches its query, and is told once per call', () => {
  const tail = new TailHub();
  let calls = 0;
  const subscription = tail.subscribe(parseQuery('"line 3"').query, () => (calls += 1));
  tail.publish(documents(5));
  assert.equal(subscription?.take(1_000_000).length, 1);
  assert.equal(calls, 1);
  tail.publish(documents(2));
  assert.equal(calls, 1);
});

test('a client that reads too slowly keeps the oldest and is told how many it missed', () => {
  const tail = new TailHub();
  const slow = tail.subscribe(ALL, () => undefined);
  tail.publish(documents(2_500));
  const taken = slow?.take(Infinity) ?? [];
  assert.equal(taken.length + (slow?.takeSkipped() ?? 0), 2_500);
  assert.match(taken[0] ?? '', /"line 0"/);
  assert.equal(slow?.takeSkipped(), 0);
});

test('the queue of a client is bounded in characters too', () => {
  const tail = new TailHub();
  const slow = tail.subscribe(ALL, () => undefined);
  tail.publish(documents(40, { fields: { big: 'x'.repeat(1_000_000) } }));
  const taken = slow?.take(Infinity) ?? [];
  assert.ok(taken.length < 12, String(taken.length));
  assert.equal(slow?.takeSkipped(), 40 - taken.length);
});

test('a batch can be reused as soon as it was offered', () => {
  const tail = new TailHub();
  const subscription = tail.subscribe(ALL, () => undefined);
  const batches = documents(1);
  tail.publish(batches);
  for (const { body } of batches) body.fill(0);
  assert.match(subscription?.take(1_000)[0] ?? '', /"line 0"/);
});

test('a client that has gone costs nothing, and too many are refused', () => {
  const tail = new TailHub();
  const clients = Array.from({ length: TAIL_CLIENTS_MAX }, () => tail.subscribe(ALL, () => undefined));
  assert.equal(
    tail.subscribe(ALL, () => undefined),
    undefined,
  );
  for (const client of clients) client?.close();
  assert.equal(tail.clientCount, 0);
});

test('the stream of a tail has events, skipped counts and heartbeats, and ends its subscription', async () => {
  const tail = new TailHub();
  const scheduler = new VirtualScheduler();
  const stream = new TailStream(tail, ALL, scheduler);
  const read = (): string => String(stream.read() ?? '');
  assert.equal(read(), ': follows\n\n');
  tail.publish(documents(2_100));
  let text = '';
  for (let chunk = read(); chunk !== ''; chunk = read()) text += chunk;
  const events = text.split('\n\n').filter((event) => event.startsWith('data: '));
  const skipped = [...text.matchAll(/event: skipped\ndata: \{"skipped":(\d+)\}/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  assert.equal(events.length + skipped, 2_100);
  await scheduler.advance(16_000);
  assert.equal(read(), ':\n\n');
  stream.destroy();
  await scheduler.advance(60_000);
  assert.equal(tail.clientCount, 0);
});
