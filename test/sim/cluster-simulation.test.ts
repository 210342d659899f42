import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateCluster } from './cluster-simulation.ts';

const SEED_COUNT = 100;

test(`agent, broker, indexers and engine keep every guarantee over ${SEED_COUNT} seeds of crashes and rebalances`, async () => {
  const broken: string[] = [];
  const totals = { crashes: 0, rebalances: 0, duplicates: 0, deadLetters: 0 };
  for (let seed = 1; seed <= SEED_COUNT; seed++) {
    const report = await simulateCluster(seed);
    totals.crashes += report.crashes;
    totals.rebalances += report.rebalances;
    totals.duplicates += report.duplicates;
    totals.deadLetters += report.deadLetters;
    for (const violation of report.violations) broken.push(`seed ${seed}: ${violation}`);
  }
  assert.deepEqual(broken.slice(0, 20), [], 'replay one with: npm run sim -- --cluster --seed N');
  for (const [name, count] of Object.entries(totals)) {
    assert.ok(count > SEED_COUNT, `the faults happened: ${count} ${name}`);
  }
});
