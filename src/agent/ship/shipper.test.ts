import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../base/errors.ts';
import { BufferPool } from '../../capture/buffer-pool.ts';
import { MemoryTelemetry } from '../../telemetry/memory-telemetry.ts';
import { Shipper } from './shipper.ts';

function batchOf(count: number) {
  const fileId = 'a'.repeat(20);
  const body = new Uint8Array(count * 10);
  const offsets = Float64Array.from({ length: count }, (_, index) => index * 10);
  const arrays = { ends: new Uint32Array(count), offsets, lanes: new Uint8Array(count) };
  return { fileId, body, count, ...arrays, commits: [], recordBytes: body.length, dropped: {}, flaws: {} };
}

test('records are counted when they leave, and again when they are acknowledged', async () => {
  const telemetry = new MemoryTelemetry();
  const sending = Promise.withResolvers<void>();
  const shipper = new Shipper({
    producer: { send: () => sending.promise, sendLedger: () => Promise.resolve() },
    telemetry,
    buffers: new BufferPool(1024),
    bytesMax: 1024,
    prepare: () => undefined,
    onAcknowledged: () => undefined,
  });
  shipper.emit([batchOf(3), batchOf(2)]);
  assert.equal(telemetry.valueOf('logboom_agent_records_total'), 0);
  shipper.flush();
  assert.equal(telemetry.valueOf('logboom_agent_records_total'), 5);
  assert.equal(telemetry.valueOf('logboom_agent_acknowledged_records_total'), 0);
  sending.resolve();
  await new Promise(setImmediate);
  assert.equal(telemetry.valueOf('logboom_agent_acknowledged_records_total'), 5);
});

test('a transport that is closed ends shipping without a line in the log', async () => {
  const telemetry = new MemoryTelemetry();
  const shipper = new Shipper({
    producer: {
      send: () => Promise.reject(new AppError('closed', 'cannot send records')),
      sendLedger: () => Promise.resolve(),
    },
    telemetry,
    buffers: new BufferPool(1024),
    bytesMax: 1024,
    prepare: () => undefined,
    onAcknowledged: () => undefined,
  });
  shipper.emit([batchOf(1)]);
  shipper.flush();
  await new Promise(setImmediate);
  assert.deepEqual([shipper.isClosed, shipper.problem], [true, 'the transport is closed']);
  assert.deepEqual(telemetry.lines, []);
});
