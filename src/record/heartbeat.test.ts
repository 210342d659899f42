import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { heartbeatIdOf, heartbeatRecord, isHeartbeat, type Heartbeat } from './heartbeat.ts';
import { computeFileId } from './identity.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const AGENT: Heartbeat = {
  cluster: 'c',
  version: '1.0.0',
  state: 'running',
  intervalMs: 15_000,
  files: 3,
  unreadBytes: 7,
  unacknowledgedBytes: 0,
};

test('each node of each cluster has an id of its own, which no file gets', () => {
  const id = heartbeatIdOf('c', 'n', sha256);
  assert.match(id, /^6e6f6465[0-9a-f]{12}$/);
  assert.equal(heartbeatIdOf('c', 'n', sha256), id);
  assert.notEqual(heartbeatIdOf('cn', '', sha256), heartbeatIdOf('c', 'n', sha256));
  const identity = { cluster: 'c', node: 'n', directory: '/', device: 1n, inode: 2n, generation: 0 };
  const firstLine = new Uint8Array();
  const taken = computeFileId({ ...identity, firstLine }, () =>
    Buffer.from('6e6f64650000000000000000', 'hex'),
  );
  assert.equal(taken, 'fe6f6465000000000000');
});

test('a heartbeat is a ledger record of no bytes, and is told from those of files', () => {
  const moment = { node: 'n', sequence: 1, time: '2026-11-23T04:30:00.000000000Z' };
  const record = heartbeatRecord(heartbeatIdOf('c', 'n', sha256), moment, AGENT);
  assert.ok(isHeartbeat(record));
  assert.deepEqual([record.bytesWritten, record.records, record.node, record.agent], [0, 0, 'n', AGENT]);
  assert.equal(isHeartbeat({ ...record, fileId: 'a'.repeat(20) }), false);
  const { agent: _agent, ...file } = record;
  assert.equal(isHeartbeat(file), false);
});
