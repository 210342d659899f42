/**
 * Plays cases of `testing/interleaved-rotation.ts`. `LOGBOOM_SEED=N` replays one case of each kind; with
 * `LOGBOOM_CASES=N` a share of N is played of each, as each takes much longer than one of the tailer's model. With
 * `CI=true` the cases are always the same, unless their number is given.
 */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import { playRotation, type RotationOptions } from '../testing/interleaved-rotation.ts';

const CASES = Math.ceil(Number(env['LOGBOOM_CASES'] ?? 5000) / 500);
const SEED = env['LOGBOOM_SEED'];
const IS_FIXED = env['CI'] === 'true' && env['LOGBOOM_CASES'] === undefined;
const FIRST = Number(SEED ?? (IS_FIXED ? 1 : Math.floor(Math.random() * 2 ** 31)));

/** Plays cases in turn, and fails with the seed of the first in which a line is there twice, or missing without a gap. */
async function checkCases(options: RotationOptions): Promise<void> {
  let rotations = 0;
  for (let seed = FIRST; seed < FIRST + (SEED === undefined ? CASES : 1); seed += 1) {
    const outcome = await playRotation(seed, options);
    const { written, gaps } = outcome;
    rotations += outcome.rotations;
    const shown = outcome.shown.toSorted();
    const text = `LOGBOOM_SEED=${seed}`;
    const twice = shown.filter((line, index) => line === shown[index - 1]);
    assert.deepEqual(twice, [], text);
    if (options.method === 'rename')
      assert.deepEqual({ shown, gaps }, { shown: written.toSorted(), gaps: [] }, text);
    else if (gaps.length === 0) assert.equal(shown.length, written.length, text);
  }
  assert.ok(SEED !== undefined || rotations > 0, `${rotations} rotations`);
}

for (const isCompressed of [false, true]) {
  const what = isCompressed ? 'rotated and compressed' : 'rotated';
  test(`what is ${what} by renaming is shown once, whatever happens between two looks`, async () => {
    await checkCases({ method: 'rename', isCompressed });
  });

  test(`what is ${what} by copying and truncating is not shown twice, whatever happens between two looks`, async () => {
    await checkCases({ method: 'copytruncate', isCompressed });
  });
}
