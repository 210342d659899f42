import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAge, parseRotatedName } from '../discovery/rotated-name.ts';
import { datedName } from './dated-name.ts';
import { SAMPLE_MS } from './testing/rotate-samples.ts';

void test('a rotated file has the time in its name', () => {
  assert.equal(datedName('app.log', SAMPLE_MS, ['app.log']), 'app.log-20261123-043000');
});

void test('a name is later than all that are there, also within a second and when the clock jumped back', () => {
  const first = datedName('app.log', SAMPLE_MS, []);
  const second = datedName('app.log', SAMPLE_MS, [first]);
  assert.equal(second, 'app.log-20261123-043001');
  const third = datedName('app.log', SAMPLE_MS - 3_600_000, [`${first}.zst`, second]);
  assert.equal(third, 'app.log-20261123-043002');
  const ages = [first, second, third].map((name) => ({
    rotation: parseRotatedName(name).rotation,
    modifiedNs: 0n,
  }));
  assert.deepEqual(ages, ages.toSorted(compareAge));
  assert.equal(datedName('app.log', SAMPLE_MS, ['app.log-20270101']), 'app.log-20270101-000001');
});

void test('names of other files and other ways to number do not matter', () => {
  const names = ['other.log-20271123-043000', 'app.log.1', 'app.log-x'];
  assert.equal(datedName('app.log', SAMPLE_MS, names), 'app.log-20261123-043000');
});
