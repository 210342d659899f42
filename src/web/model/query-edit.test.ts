import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuery } from '../../query/parser.ts';
import { toggleExclusion, toggleValue, valueState } from './query-edit.ts';

void test('a click adds a value, a second value widens, a third click takes back', () => {
  const one = toggleValue('payment', 'level', 'error');
  assert.equal(one, 'payment level:error');
  const two = toggleValue(one, 'level', 'warn');
  assert.equal(two, 'payment level:(error or warn)');
  assert.equal(toggleValue(two, 'level', 'error'), 'payment level:warn');
  assert.equal(toggleValue('payment level:warn', 'level', 'warn'), 'payment');
});

void test('excluding and including the same value replace each other', () => {
  const excluded = toggleExclusion('level:error', 'level', 'error');
  assert.equal(excluded, 'not level:error');
  assert.equal(toggleValue(excluded, 'level', 'error'), 'level:error');
  assert.equal(toggleExclusion(excluded, 'level', 'error'), '');
  assert.equal(toggleExclusion('x and not pod:a and y', 'pod', 'a'), 'x and y');
  assert.equal(toggleExclusion('-pod:a y', 'pod', 'a'), 'y');
});

void test('a query with a top-level or is narrowed as a whole', () => {
  assert.equal(toggleValue('a or b', 'level', 'error'), '(a or b) level:error');
  assert.equal(toggleValue('(a or b)', 'level', 'error'), '(a or b) level:error');
  assert.equal(toggleValue('"this or that"', 'level', 'error'), '"this or that" level:error');
});

void test('everything, written or not, is replaced by the first filter', () => {
  assert.equal(toggleValue('', 'level', 'error'), 'level:error');
  assert.equal(toggleValue(' * ', 'level', 'error'), 'level:error');
});

void test('values that are more than a word are quoted, and found again', () => {
  for (const value of ['a b', 'x:y', '"q"', 'back\\slash', '-dash', '*', 'or', 'a(b)', 'ü', '/x/']) {
    const query = toggleValue('payment', 'fields.k', value);
    assert.equal(valueState(query, 'fields.k', value), 'included', query);
    assert.equal(toggleValue(query, 'fields.k', value), 'payment', query);
    const parsed = parseQuery(query);
    assert.deepEqual([parsed.errors, parsed.hints], [[], []], query);
    const field = { kind: 'field', field: 'fields.k', pattern: { pieces: [value] } };
    assert.deepEqual(parsed.query.kind === 'and' ? parsed.query.operands[1] : parsed.query, field, query);
  }
});

void test('terms inside brackets or quotes are left alone', () => {
  assert.equal(valueState('(level:error x)', 'level', 'error'), 'neutral');
  assert.equal(valueState('"see level:error here"', 'level', 'error'), 'neutral');
  assert.equal(toggleValue('(level:error or x)', 'level', 'warn'), '(level:error or x) level:warn');
});

void test('the marks beside values say what the query asks', () => {
  const query = 'pod:(a or "b c") not namespace:kube-system';
  assert.equal(valueState(query, 'pod', 'b c'), 'included');
  assert.equal(valueState(query, 'namespace', 'kube-system'), 'excluded');
  assert.equal(valueState(query, 'namespace', 'shop'), 'neutral');
});

void test('half-typed queries are edited without harm', () => {
  for (const query of ['"open', 'level:', '((', 'not', 'a or', ')', 'level:(error or', 'x "']) {
    assert.equal(typeof toggleValue(query, 'level', 'error'), 'string');
    assert.equal(typeof toggleExclusion(query, 'level', 'error'), 'string');
  }
});
