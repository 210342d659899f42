import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileCheckpoint } from '../ship/checkpoint-store.ts';
import { restoreFile } from './tailed-file.ts';

const LOST = {
  kind: 'possible_loss',
  startOffset: 10,
  endOffset: 50,
  reason: 'the file was truncated, and no copy of it was found',
  time: '2026-11-23T00:00:00.000000000Z',
  path: '/data/logs/shop/cart/cart-1/log/app.log',
} as const;

function checkpoint(changes: Partial<FileCheckpoint> = {}): FileCheckpoint {
  return {
    id: '0123456789abcdef0123',
    group: LOST.path,
    owner: { source: 'apps' },
    path: LOST.path,
    inode: '',
    birthNs: '0',
    generation: 0,
    order: 1,
    head: { offset: 0, length: 4, hash: '00' },
    mark: undefined,
    also: [],
    isArchive: false,
    isComplete: true,
    size: 50,
    readOffset: 10,
    acknowledgedOffset: 10,
    records: 1,
    offsetSum: '0',
    dropped: {},
    gaps: [LOST],
    ledgerSequence: 1,
    times: [],
    cuts: [],
    ...changes,
  };
}

test('a gap that was noted and not accounted for when the agent was killed is accounted for by the next one', () => {
  for (const isComplete of [true, false]) {
    const file = restoreFile(checkpoint({ isComplete }), true);
    assert.deepEqual(file.pendingGap, LOST);
    assert.equal(file.phase, 'done');
  }
});

test('a gap that is accounted for, or may still shrink, or has bytes before it, stays as it is', () => {
  for (const changes of [
    { acknowledgedOffset: 50 },
    { isTruncated: true },
    { acknowledgedOffset: 5 },
    { size: 60 },
    { gaps: [] },
  ]) {
    assert.equal(restoreFile(checkpoint(changes), true).pendingGap, undefined, JSON.stringify(changes));
  }
});
