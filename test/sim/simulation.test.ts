import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation.ts';

const SEED_COUNT = 200;

test(`the whole pipeline keeps every guarantee over ${SEED_COUNT} seeds of crashes and faults`, async () => {
  const broken: string[] = [];
  let crashes = 0;
  let faults = 0;
  for (let seed = 1; seed <= SEED_COUNT; seed++) {
    const report = await simulate(seed);
    crashes += report.crashes;
    faults += report.faults;
    for (const violation of report.violations) broken.push(`seed ${seed}: ${violation}`);
  }
  assert.deepEqual(broken.slice(0, 20), [], 'replay one with: npm run sim -- --seed N');
  assert.ok(
    crashes > SEED_COUNT && faults > SEED_COUNT,
    `the faults happened: ${crashes} crashes, ${faults} faults`,
  );
});

const ROTATION_SEED_COUNT = 60;

test(`rotation frees only what is stored, and leaves exact gaps, over ${ROTATION_SEED_COUNT} seeds`, async () => {
  const broken: string[] = [];
  let freed = 0;
  let givenUp = 0;
  for (let seed = 1; seed <= ROTATION_SEED_COUNT; seed++) {
    const report = await simulate(seed, { isRotating: true });
    freed += report.freed;
    givenUp += report.givenUp;
    for (const violation of report.violations) broken.push(`seed ${seed}: ${violation}`);
  }
  assert.deepEqual(broken.slice(0, 20), [], 'replay one with: npm run sim -- --rotation --seed N');
  assert.ok(freed > ROTATION_SEED_COUNT && givenUp > 0, `it rotated: ${freed} lines freed, ${givenUp} gaps`);
});
