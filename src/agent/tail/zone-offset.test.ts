import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createZoneOffset } from './zone-offset.ts';

/** 2026-07-01T12:00:00 and 2026-12-01T12:00:00, as if they were UTC. */
const SUMMER = 1_782_907_200;
const WINTER = 1_796_126_400;

test('a local time has the offset that its zone had then', () => {
  const berlin = createZoneOffset('Europe/Berlin');
  assert.deepEqual([berlin(SUMMER), berlin(WINTER)], [7200, 3600]);
  assert.equal(createZoneOffset('Asia/Kolkata')(SUMMER), 19_800);
  assert.equal(createZoneOffset('UTC')(SUMMER), 0);
});

test('a zone that does not exist is an error', () => {
  assert.throws(() => createZoneOffset('Mars/Olympus')(SUMMER), RangeError);
});
