/**
 * Runs the model of the tailer (`testing/tailer-model.ts`) on random seeds. `LOGBOOM_SEED=N` replays one case;
 * `LOGBOOM_CASES=N` runs more of them. With `CI=true` the cases are always the same, unless their number is given: a
 * change is not refused for what it has not touched.
 */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

const CASES = Number(env['LOGBOOM_CASES'] ?? 5000);

/** Resolves with what failed, or undefined. */
function runCases(first: number, count: number, isSlow = false): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const path = new URL('../testing/tailer-model-worker.ts', import.meta.url);
    const worker = new Worker(path, { workerData: { first, count, isSlow } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function checkCases(count: number, isSlow: boolean): Promise<void> {
  const seed = env['LOGBOOM_SEED'];
  const isFixed = env['CI'] === 'true' && env['LOGBOOM_CASES'] === undefined;
  const first = seed === undefined ? (isFixed ? 1 : Math.floor(Math.random() * 2 ** 31)) : Number(seed);
  assert.equal(await runCases(first, seed === undefined ? count : 1, isSlow), undefined);
}

test('whatever the writer does and whenever the agent is killed, every line is shown once', async () => {
  await checkCases(CASES, false);
});

test('whatever is written and read between a copy and the truncation, every line is shown once', async () => {
  await checkCases(Math.ceil(CASES / 20), true);
});

const CASES_OF_OLD = [
  // The gap of a truncation was told of a file that had vanished, and told anew with other words when it came back.
  1_766_507_135,
  // Of a record that spans two files one was written down before the other: what was read again was joined otherwise.
  2302,
];

/** A file that was read on in a shorter copy was still known by bytes behind its end, once that was compressed. */
const SLOW_CASES_OF_OLD = [584_261_953];

test('cases that failed once hold', async () => {
  for (const seed of CASES_OF_OLD) assert.equal(await runCases(seed, 1), undefined);
  for (const seed of SLOW_CASES_OF_OLD) assert.equal(await runCases(seed, 1, true), undefined);
});
