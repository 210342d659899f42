/** Gaps stand among the logs as documents: what was lost, or may have been, with its range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../base/assert.ts';
import { isGapFileId } from '../record/gap-document.ts';
import { APPS_SOURCE, AgentWorld } from './testing/agent-world.ts';

const LOG = '/data/logs/shop/cart/cart-1/log/app.log';

async function truncatedWorld(): Promise<AgentWorld> {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(LOG, 0);
  return world;
}

test('a truncation stands among the logs, with its range and the names of the file', async () => {
  const world = await truncatedWorld();
  await world.advance(5000);
  const [gap, ...others] = world.producer.gaps;
  assert.deepEqual(others, []);
  const [first] = world.producer.records;
  const { event, fields, kubernetes, log } = must(gap, 'gap').document as Record<
    string,
    Record<string, unknown>
  >;
  const reason = 'the file was truncated, and no copy of it was found';
  const facts = { kind: 'possible_loss', start_offset: 3, end_offset: 3, reason, file_id: first?.fileId };
  assert.deepEqual(fields, { gap: facts });
  assert.deepEqual(log, { level: 'warn', offset: 3, file: { path: LOG } });
  assert.deepEqual(kubernetes, first?.document['kubernetes']);
  assert.deepEqual(event, { id: `${gap?.fileId}-000000000003`, kind: 'gap' });
  const behind = `possible loss: what was written to ${LOG} behind byte 3, if anything, was not collected: ${reason}`;
  assert.equal(gap?.message, behind);
  assert.ok(isGapFileId(gap?.fileId ?? '') && !isGapFileId(first?.fileId ?? ''));
  await world.stop();
});

test('a gap is told once although the agent is killed before its document has arrived', async () => {
  const world = await truncatedWorld();
  world.producer.isHeld = true;
  await world.advance(5000);
  world.kill();
  assert.deepEqual(world.producer.gaps, []);
  world.producer.isHeld = false;
  for (let round = 0; round < 3; round++) {
    world.start();
    await world.advance(5000);
    world.kill();
  }
  assert.equal(world.producer.gaps.length, 1);
  assert.deepEqual(world.producer.changed, []);
});

test('of a copy that was found only what is behind it is a possible loss', async () => {
  const world = await truncatedWorld();
  world.write(`${LOG}.1`, 'a1\na2\n');
  await world.advance(60_000);
  assert.deepEqual(world.producer.messages(), ['a1', 'a2']);
  assert.deepEqual(
    world.producer.gaps.map(({ offset }) => offset),
    [6],
  );
  await world.stop();
});

test('a file that vanished while nobody looked is told of, and forgotten only when that has arrived', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(LOG, 'a1\n');
  world.start();
  await world.advance(1000);
  world.producer.isHeld = true;
  world.write(LOG, 'a2\n');
  await world.advance(1000);
  world.kill();
  world.fileSystem.unlink(LOG);
  for (const isHeld of [true, false]) {
    world.producer.isHeld = isHeld;
    world.start();
    await world.advance(5000);
    world.kill();
  }
  const [gap, ...others] = world.producer.gaps;
  assert.deepEqual(others, []);
  assert.equal(
    gap?.message,
    `possible loss: 3 bytes (from 3 to 6) of ${LOG} were not collected: the file vanished while it was not followed`,
  );
  assert.deepEqual((gap?.document['kubernetes'] as { pod: unknown } | undefined)?.pod, { name: 'cart-1' });
});
