import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTelemetry } from './memory-telemetry.ts';
import type { NodeTelemetryOptions } from './node-telemetry.ts';
import { createNodeTelemetry } from './node-telemetry.ts';

function create(options: Partial<NodeTelemetryOptions> = {}, isTTY = false) {
  const lines: string[] = [];
  const destination = { isTTY, write: (text: string) => lines.push(text) };
  const telemetry = createNodeTelemetry({
    level: 'info',
    format: 'auto',
    version: '1.2.3',
    destination,
    ...options,
  });
  return { telemetry, lines };
}

test('log lines are JSON where nobody watches', () => {
  const { telemetry, lines } = create();
  telemetry.log('warn', 'disk_full', 'collection waits', { freeBytes: 0 });
  const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(line, { level: 'warn', event: 'disk_full', freeBytes: 0, msg: 'collection waits' });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('log lines are text on a terminal, with colours unless they are refused', () => {
  const colored = create({}, true);
  colored.telemetry.log('error', 'x', 'broken');
  assert.ok(colored.lines[0]?.includes('\u001B[31merror'));
  const plain = create({ hasColor: false }, true);
  plain.telemetry.log('info', 'x', 'reads a file', { path: '/a b', size: 3, empty: '' });
  assert.match(
    plain.lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} info {2}reads a file path="\/a b" size=3 empty=""\n$/,
  );
});

test('a message cannot forge a second log line', () => {
  const { telemetry, lines } = create({ format: 'text' });
  telemetry.log('info', 'x', 'one\n04:00 error two\u001B[2J', { path: 'a\nb' });
  assert.equal(lines.join('').split('\n').length, 2);
  assert.ok(!lines.join('').includes('\u001B'));
});

test('lines below the level are left out', () => {
  const { telemetry, lines } = create({ level: 'warn' });
  telemetry.log('info', 'x', 'quiet');
  assert.deepEqual(lines, []);
});

test('metrics have the names, labels and values that were counted', async () => {
  const { telemetry } = create();
  telemetry.count('logboom_agent_dropped_bytes_total', 5, { reason: 'nul_run' });
  telemetry.count('logboom_agent_dropped_bytes_total', 2, { reason: 'nul_run' });
  telemetry.gauge('logboom_agent_lag_bytes', 7);
  telemetry.observe('logboom_store_seal_seconds', 0.3);
  const text = await telemetry.metricsText();
  assert.match(text, /logboom_agent_dropped_bytes_total\{reason="nul_run"\} 7/);
  assert.match(text, /logboom_agent_lag_bytes 7/);
  assert.match(text, /logboom_store_seal_seconds_bucket\{le="0.5"\} 1/);
  assert.match(text, /logboom_build_info\{version="1.2.3"\} 1/);
  assert.match(text, /process_resident_memory_bytes \d+/);
});

test('the telemetry of tests remembers sums, gauges and lines', () => {
  const telemetry = new MemoryTelemetry();
  telemetry.count('logboom_indexer_records_total', 2, { outcome: 'stored' });
  telemetry.count('logboom_indexer_records_total', 3, { outcome: 'stored' });
  telemetry.log('info', 'started', 'starts');
  assert.equal(telemetry.valueOf('logboom_indexer_records_total', { outcome: 'stored' }), 5);
  assert.equal(telemetry.valueOf('logboom_agent_lag_bytes'), 0);
  assert.equal(telemetry.linesOf('started').length, 1);
});
