import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runsOf } from './text-runs.ts';

test('letters, digits and underscores stay together, Chinese characters stand alone', () => {
  const cases: [string, string[], boolean][] = [
    ['refused', ['refused'], true],
    ['done_now2', ['done_now2'], true],
    ['größe', ['größe'], true],
    ['ошибка', ['ошибка'], true],
    ['db-1.internal', ['internal', 'db', '1'], false],
    [' alpha', ['alpha'], false],
    ['接被', ['接', '被'], false],
    ['接', ['接'], true],
    ['__', [], false],
    ["don't", ['don', 't'], false],
    ['a\u0301b', ['a', 'b'], false],
    ['a×b', ['a', 'b'], false],
    ['🚀', [], false],
    ['', [], false],
  ];
  for (const [text, runs, isWhole] of cases) {
    const found = runsOf(text);
    assert.deepEqual([found.runs.map((run) => run.text), found.isWhole], [runs, isWhole], text);
  }
});

test('long texts and long runs are cut', () => {
  const { runs, isWhole } = runsOf(` ${'x'.repeat(500)} `);
  assert.deepEqual(runs, [{ text: 'x'.repeat(60), isBegin: true, isEnd: false }]);
  assert.equal(isWhole, false);
  assert.equal(runsOf(Array.from({ length: 50 }, (_, index) => `w${index}`).join(' ')).runs.length, 8);
});

test('a blank beside a run begins or ends a word', () => {
  const { runs } = runsOf('connection was\trefused: x');
  const ends = runs.map(({ text, isBegin, isEnd }) => [text, isBegin, isEnd]);
  assert.deepEqual(ends, [
    ['connection', false, true],
    ['refused', true, false],
    ['was', true, true],
    ['x', true, false],
  ]);
});
