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
    isDurable: () => true,
    persist: () => 0,
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
    isDurable: () => true,
    persist: () => 0,
    onAcknowledged: () => undefined,
  });
  shipper.emit([batchOf(1)]);
  shipper.flush();
  await new Promise(setImmediate);
  assert.deepEqual([shipper.isClosed, shipper.problem], [true, 'the transport is closed']);
  assert.deepEqual(telemetry.lines, []);
});

test('batches of a file wait in their order until its checkpoint is durable, those of other files do not', async () => {
  const sent: string[] = [];
  const durable = new Set(['b'.repeat(20)]);
  let persisted = 0;
  const shipper = new Shipper({
    producer: {
      send: ({ fileId, count }) => {
        sent.push(`${fileId.slice(0, 1)}${count}`);
        return Promise.resolve();
      },
      sendLedger: () => Promise.resolve(),
    },
    telemetry: new MemoryTelemetry(),
    buffers: new BufferPool(1024),
    bytesMax: 1024,
    prepare: () => undefined,
    isDurable: (fileId) => durable.has(fileId),
    persist: () => ++persisted,
    onAcknowledged: () => undefined,
  });
  shipper.emit([batchOf(1), { ...batchOf(2), fileId: 'b'.repeat(20) }, batchOf(3)]);
  shipper.flush();
  assert.deepEqual([sent, shipper.heldBytes, shipper.isEmpty], [['b2'], 60, false]);
  assert.ok(persisted > 0, 'the checkpoint is on its way to the disk');
  durable.add('a'.repeat(20));
  shipper.emit([batchOf(4)]);
  shipper.flush();
  assert.deepEqual(sent, ['b2', 'a1', 'a3', 'a4']);
  await new Promise(setImmediate);
  assert.equal(shipper.isEmpty, true);
});
