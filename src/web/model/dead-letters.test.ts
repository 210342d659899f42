import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listFilterOf, prettyDocument, progressText, selectionOf } from './dead-letters.ts';

test('a replay says what it has come to', () => {
  const totals = { selected: 1_200, stored: 1_200, dropped: 0, refused: 0, isDone: true };
  assert.equal(progressText(totals), '1,200 letters replayed: 1,200 stored');
  assert.equal(
    progressText({ ...totals, stored: 1_190, dropped: 8, refused: 2 }),
    '1,200 letters replayed: 1,190 stored, 8 dropped by pipelines, 2 refused again',
  );
  assert.equal(progressText({ ...totals, isDone: false }), '1,200 replayed so far');
});

test('a group is selected by its id', () => {
  assert.deepEqual(selectionOf({ id: '1f0c9a77d2', type: 'limits', index: null }), { group: '1f0c9a77d2' });
  assert.deepEqual(listFilterOf({ query: 'a b', group: undefined }), { query: 'a b' });
});

test('a document is indented when it is JSON', () => {
  assert.equal(prettyDocument('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(prettyDocument('no JSON'), 'no JSON');
});
