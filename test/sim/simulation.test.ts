import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

const SEED_COUNT = 200;

test(`the whole pipeline keeps every guarantee over ${SEED_COUNT} seeds of crashes and faults`, async () => {
  const { totals, violations } = await runSeeds(SEED_COUNT);
  assert.deepEqual(violations, [], 'replay one with: npm run sim -- --seed N');
  const { crashes = 0, faults = 0 } = totals;
  assert.ok(
    crashes > SEED_COUNT && faults > SEED_COUNT,
    `the faults happened: ${crashes} crashes, ${faults} faults`,
  );
});

const ROTATION_SEED_COUNT = 60;

test(`rotation frees only what is stored, and leaves exact gaps, over ${ROTATION_SEED_COUNT} seeds`, async () => {
  const { totals, violations } = await runSeeds(ROTATION_SEED_COUNT, '--rotation');
  assert.deepEqual(violations, [], 'replay one with: npm run sim -- --rotation --seed N');
  const { freed = 0, givenUp = 0 } = totals;
  assert.ok(freed > ROTATION_SEED_COUNT && givenUp > 0, `it rotated: ${freed} lines freed, ${givenUp} gaps`);
});
