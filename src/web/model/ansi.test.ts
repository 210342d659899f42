import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnsi, stripAnsi } from './ansi.ts';

void test('colours and bold become ranges, other escapes vanish', () => {
  assert.deepEqual(parseAnsi('\u001b[32mready\u001b[0m in \u001b[1;91m5\u001b[22m s\u001b[K'), {
    text: 'ready in 5 s',
    styles: [
      { start: 0, end: 5, color: 2, isBold: false },
      { start: 9, end: 10, color: 1, isBold: true },
      { start: 10, end: 12, color: 1, isBold: false },
    ],
  });
});

void test('palette and true colours are skipped with their numbers', () => {
  assert.deepEqual(parseAnsi('\u001b[38;5;1ma\u001b[38;2;1;31;3mb'), { text: 'ab', styles: [] });
});

void test('titles of terminals and links leave their text', () => {
  assert.equal(stripAnsi('\u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link\u001b]8;;\u001b\\'), 'xlink');
});

void test('an escape that is cut off stays harmless text', () => {
  assert.equal(stripAnsi('a\u001b[3'), 'a\u001b[3');
  assert.equal(stripAnsi('no escapes'), 'no escapes');
});
