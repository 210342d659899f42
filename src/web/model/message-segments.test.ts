import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnsi } from './ansi.ts';
import { marksOf } from './message-marks.ts';
import { findMarks, messageSegments } from './message-segments.ts';
import { describeQuery, highlighterOf } from './query-highlight.ts';

function marked(text: string, query: string): string[] {
  return marksOf(text, highlighterOf(query)).map(({ start, end }) => text.slice(start, end));
}

void test('words, phrases and wildcards mark where they match, in any case', () => {
  assert.deepEqual(marked('Payment declined for PAYMENT 7', 'payment'), ['Payment', 'PAYMENT']);
  assert.deepEqual(marked('connect timed out', '"timed out"'), ['timed out']);
  assert.deepEqual(marked('order 48219 accepted', 'message:ord*pted'), ['ord', 'pted']);
});

void test('what is left out, and fields other than the message, mark nothing', () => {
  assert.deepEqual(marked('error in pod a', 'level:error not pod'), []);
});

void test('regular expressions mark, those that may run for ever do not', () => {
  assert.deepEqual(marked('took 14ms and 9ms', '/\\d+ms/'), ['14ms', '9ms']);
  assert.deepEqual(marked('ABC', '/(?i)b/'), ['B']);
  assert.deepEqual(marked('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '/(a+)+$/'), []);
  assert.deepEqual(marked('text', '/(/'), []);
});

void test('marks that touch or overlap become one', () => {
  assert.deepEqual(marked('abcdef', 'abc bcd ef'), ['abcdef']);
});

void test('letters whose lower case is longer shift no marks', () => {
  assert.deepEqual(findMarks('İİİ error', ['error']), []);
});

void test('colours and marks cut a message into pieces that are its text', () => {
  const { text, styles } = parseAnsi('\u001b[31mpayment fa\u001b[0miled');
  const segments = messageSegments(text, styles, findMarks(text, ['failed']));
  assert.equal(segments.map((segment) => segment.text).join(''), 'payment failed');
  assert.deepEqual(
    segments.map((segment) => [segment.text, segment.color, segment.isMarked]),
    [
      ['payment ', 1, false],
      ['fa', 1, true],
      ['iled', undefined, true],
    ],
  );
});

void test('the bar is told of errors before hints, each sentence once', () => {
  const { hints, tokens } = describeQuery('level: /[/ "open');
  assert.equal(hints[0]?.isError, true);
  assert.match(hints[0]?.message ?? '', /\(at \d+\)$/);
  assert.equal(new Set(hints.map(({ message }) => message)).size, hints.length);
  assert.equal(tokens.at(-1)?.end, 'level: /[/ "open'.length);
});
