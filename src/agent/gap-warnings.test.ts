import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { GapWarnings } from './gap-warnings.ts';
import { APPS_SOURCE, AgentWorld } from './testing/agent-world.ts';

const FOLDER = '/data/logs/shop/cart/cart-1/log';
const MINUTE_MS = 60_000;

test('a file that is truncated again and again is warned of at once and then once a minute; the ledger has each', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${FOLDER}/other.log`, 'o1\n');
  world.write(`${FOLDER}/app.log`, 'a0\n');
  world.start();
  await world.advance(1000);
  world.fileSystem.truncate(`${FOLDER}/other.log`, 0);
  for (let round = 1; round <= 8; round++) {
    world.fileSystem.truncate(`${FOLDER}/app.log`, 0);
    world.write(`${FOLDER}/app.log`, `a${round}\n`);
    await world.advance(5000);
  }
  const told = world.telemetry.linesOf('gap').map(({ fields }) => String(fields['path']));
  assert.deepEqual(told.toSorted(), [`${FOLDER}/app.log`, `${FOLDER}/other.log`]);
  assert.equal(world.producer.gaps.length, 9, 'each stands among the logs');
  await world.advance(2 * MINUTE_MS);
  const [, , sum, ...others] = world.telemetry.linesOf('gap');
  assert.deepEqual([sum?.level, sum?.fields['times'], others.length], ['warn', 7, 0]);
  assert.match(
    sum?.text ?? '',
    /app\.log: .* could not be collected: .*; 7 times since the last warning of this file$/,
  );
  await world.stop();
});

test('what was not told yet is told when the agent stops', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(`${FOLDER}/app.log`, 'a0\n');
  world.start();
  await world.advance(1000);
  for (const text of ['a1\n', 'a2\n']) {
    world.fileSystem.truncate(`${FOLDER}/app.log`, 0);
    world.write(`${FOLDER}/app.log`, text);
    await world.advance(5000);
  }
  assert.equal(world.telemetry.linesOf('gap').length, 1);
  await world.stop();
  assert.equal(world.telemetry.linesOf('gap').length, 2);
});

test('other lines pass as they are, and so do gaps of more files than are remembered', () => {
  const telemetry = new MemoryTelemetry();
  const warnings = new GapWarnings(telemetry, () => 0, { filesMax: 1 });
  warnings.log('info', 'started', 'it runs');
  for (const path of ['/a', '/b', '/b', '/a']) warnings.log('warn', 'gap', `${path}: lost`, { path });
  warnings.count('logboom_agent_dropped_bytes_total', 3, { reason: 'gap' });
  const told = telemetry.lines.map(({ event, fields }) => [event, fields['path']]);
  assert.deepEqual(told, [
    ['started', undefined],
    ['gap', '/a'],
    ['gap', '/b'],
    ['gap', '/b'],
  ]);
  assert.equal(telemetry.valueOf('logboom_agent_dropped_bytes_total', { reason: 'gap' }), 3);
});
