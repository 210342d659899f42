import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentStatus } from '../../api/api-types.ts';
import { facetOf, sumByValue } from './facets.ts';
import { hueOf } from './hue.ts';
import { keyCommand } from './key-command.ts';
import { levelClass } from './level.ts';
import { bytesText, plural, shortCountText } from './number-text.ts';
import { proofOf } from './proof.ts';
import { parseHistory, QUERY_HISTORY_MAX, rememberQuery, stepHistory } from './query-history.ts';

void test('the header states the proof, or what is wrong', () => {
  const agents = { running: 1, silent: [], stopped: [] };
  const figures = { records: 99_212_345, missing: 0, twice: 0, lagBytes: 0, agents };
  assert.equal(
    proofOf({ ...figures, verdict: 'accounted' }).text,
    '99.2 M lines accounted · 0 missing · 0 twice',
  );
  const problem = proofOf({ ...figures, missing: 3, verdict: 'discrepancy' });
  assert.deepEqual([problem.isProblem, problem.text], [true, '99.2 M lines accounted · 3 missing · 0 twice']);
  assert.match(proofOf({ ...figures, verdict: 'unknown' }).text, /accounted · the rest not yet$/);
  const silent = [{ node: 'node-7' } as AgentStatus];
  const quiet = proofOf({ ...figures, agents: { ...figures.agents, silent }, verdict: 'unknown' });
  assert.deepEqual(
    [quiet.isProblem, quiet.text.endsWith('1 agent silent'), quiet.title.endsWith('node-7')],
    [true, true, true],
  );
  const lagging = proofOf({ ...figures, lagBytes: 1536, verdict: 'unknown' });
  assert.match(lagging.text, /0 missing · 0 twice · 1\.5 KiB on the way$/);
  const busy = proofOf({ ...figures, lagBytes: 1536, verdict: 'accounted' });
  assert.match(busy.text, /accounted · 0 missing · 0 twice$/);
  assert.match(busy.title, /1\.5 KiB written since are on their way$/);
});

void test('numbers never claim more than there is', () => {
  assert.equal(shortCountText(999_999), '999 k');
  assert.equal(shortCountText(1_999_999), '1.9 M');
  assert.equal(shortCountText(99_999), '99,999');
  assert.equal(bytesText(0), '0 B');
  assert.equal(bytesText(1536), '1.5 KiB');
  assert.equal(plural(1, 'line'), '1 line');
});

void test('facets list the most frequent values and add up the rest', () => {
  const counts = { a: 5, b: 9, '': 100, other: 7, c: 1, d: 0 };
  assert.deepEqual(facetOf(counts, 2), {
    values: [
      { value: 'b', count: 9, part: 1 },
      { value: 'a', count: 5, part: 5 / 9 },
    ],
    hiddenCount: 1,
    otherCount: 107,
  });
  assert.deepEqual(facetOf({}, 5), { values: [], hiddenCount: 0, otherCount: 0 });
});

void test('counts by value add up over the buckets', () => {
  const bucket = { timeMs: 0, count: 3 };
  const sums = sumByValue([
    { ...bucket, by: { a: 1, b: 2 } },
    { ...bucket, by: undefined },
    { ...bucket, by: { a: 4 } },
  ]);
  assert.deepEqual(sums, { a: 5, b: 2 });
});

void test('spellings of a level share its colour', () => {
  assert.deepEqual(['WARNING', 'warn', 'crit', 'notice', '', 'verbose'].map(levelClass), [
    'warn',
    'warn',
    'fatal',
    'info',
    'none',
    'debug',
  ]);
});

void test('a source has the same colour wherever it appears', () => {
  assert.equal(hueOf('shop/cart'), hueOf('shop/cart'));
  assert.ok(new Set(Array.from({ length: 200 }, (_, index) => hueOf(`pod-${index}`))).size === 12);
});

void test('keys with Ctrl, Alt or Meta belong to the browser', () => {
  assert.equal(keyCommand({ key: 'j', hasModifier: false }), 'next');
  assert.equal(keyCommand({ key: 'j', hasModifier: true }), undefined);
  assert.equal(keyCommand({ key: 'x', hasModifier: false }), undefined);
});

void test('earlier queries are walked through and the draft is found again', () => {
  const history = rememberQuery(rememberQuery(rememberQuery([], 'a'), 'b'), 'a');
  assert.deepEqual(history, ['a', 'b']);
  const first = stepHistory(history, { index: -1, draft: 'typing' }, 1);
  assert.equal(first?.text, 'a');
  const back = stepHistory(history, first?.walk ?? { index: -1, draft: '' }, -1);
  assert.equal(back?.text, 'typing');
  assert.equal(stepHistory(history, { index: 1, draft: '' }, 1), undefined);
  assert.equal(stepHistory(history, { index: -1, draft: '' }, -1), undefined);
});

void test('the history is bounded, and spoilt storage is an empty one', () => {
  let history: string[] = [];
  for (let index = 0; index < 80; index += 1) history = rememberQuery(history, `q${index}`);
  assert.equal(history.length, QUERY_HISTORY_MAX);
  assert.deepEqual(rememberQuery(history, '   '), history);
  for (const stored of [null, '', '{', '{"a":1}', '[1,null]']) assert.deepEqual(parseHistory(stored), []);
});
