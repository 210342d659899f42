import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../base/errors.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createReachWatch, withReach } from './reach-watch.ts';

test('what cannot be reached is told with the remedy, unless the part says something itself', async () => {
  const telemetry = new MemoryTelemetry();
  const details = { reason: 'connect ECONNREFUSED' };
  const away = new AppError('unreachable', 'cannot ask how the cluster is', { details, hint: 'Start it.' });
  const probes = [
    { name: 'store', ask: () => Promise.reject(away) },
    { name: 'transport', ask: () => Promise.resolve() },
  ];
  const reach = createReachWatch(probes, telemetry);
  const running = reach.run();
  while (reach.problems().length === 0) await sleep(1);
  const problem = { part: 'store', reason: 'cannot ask how the cluster is: connect ECONNREFUSED. Start it.' };
  assert.deepEqual(withReach([], reach), [problem]);
  const own = { part: 'store', reason: 'the index is read-only' };
  assert.deepEqual(withReach([own], reach), [own]);
  assert.equal(telemetry.linesOf('away').length, 1);
  await reach.stop();
  await running;
});

test('the end does not wait for somebody who never answers', async () => {
  const reach = createReachWatch(
    [{ name: 'store', ask: () => new Promise(() => undefined) }],
    new MemoryTelemetry(),
  );
  const running = reach.run();
  await reach.stop();
  await running;
  assert.deepEqual(reach.problems(), []);
});
