import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { computeFileId, EVENT_ID_LENGTH, eventIdOf, parseEventId } from './identity.ts';
import type { FileIdentity } from './identity.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const IDENTITY: FileIdentity = {
  cluster: 'dev',
  node: 'node-1',
  directory: 'uid/app',
  device: 1n,
  inode: 2n,
  generation: 0,
  firstLine: new TextEncoder().encode('first line'),
};

test('a file id is 20 hexadecimal digits that every part of the identity changes', () => {
  const others: Partial<FileIdentity>[] = [
    { cluster: 'x' },
    { node: 'x' },
    { directory: 'x' },
    { device: 3n },
    { inode: 3n },
    { generation: 1 },
    { firstLine: new Uint8Array(1) },
  ];
  const ids = [IDENTITY, ...others.map((other) => ({ ...IDENTITY, ...other }))].map((identity) =>
    computeFileId(identity, sha256),
  );
  for (const id of ids) assert.match(id, /^[0-9a-f]{20}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(computeFileId(IDENTITY, sha256), ids[0]);
});

test('only the first 1024 bytes of the first line count', () => {
  const long = (length: number): string =>
    computeFileId({ ...IDENTITY, firstLine: new Uint8Array(length) }, sha256);
  assert.equal(long(1024), long(5000));
  assert.notEqual(long(1023), long(1024));
});

test('event ids have a fixed width, sort by offset, and can be taken apart', () => {
  const fileId = '0123456789abcdef0123';
  const offsets = [0, 255, 256, 2 ** 32, 2 ** 47];
  const ids = offsets.map((offset) => eventIdOf(fileId, offset));
  assert.deepEqual(ids.toSorted(), ids);
  for (const [index, id] of ids.entries()) {
    assert.equal(id.length, EVENT_ID_LENGTH);
    assert.deepEqual(parseEventId(id), { fileId, offset: offsets[index] });
  }
});

test('what is no event id is not taken apart', () => {
  for (const text of ['', 'x', '0123456789abcdef0123-00000000000', '0123456789ABCDEF0123-000000000000']) {
    assert.equal(parseEventId(text), undefined);
  }
});
