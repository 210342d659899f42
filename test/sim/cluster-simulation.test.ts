import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './run-seeds.ts';

const SEED_COUNT = 100;

test(`agent, broker, indexers and engine keep every guarantee over ${SEED_COUNT} seeds of crashes and rebalances`, async () => {
  const { totals, violations } = await runSeeds(SEED_COUNT, '--cluster');
  assert.deepEqual(violations, [], 'replay one with: npm run sim -- --cluster --seed N');
  for (const name of ['crashes', 'rebalances', 'duplicates', 'deadLetters']) {
    assert.ok((totals[name] ?? 0) > SEED_COUNT, `the faults happened: ${totals[name]} ${name}`);
  }
});
