import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexNameOf } from './index-name.ts';

test('an index is named after the namespace and the day of the event', () => {
  const time = '2026-11-23T23:59:59.999999999Z';
  assert.equal(indexNameOf(time, 'shop'), 'logboom-shop-2026.11.23');
  assert.equal(indexNameOf(time, undefined), 'logboom-_host-2026.11.23');
  assert.equal(indexNameOf(time, 'Team A/*'), 'logboom-team_a__-2026.11.23');
});
