import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob } from './glob.ts';

test('a star stands for any characters and a question mark for one', () => {
  const cases: [pattern: string, text: string, isMatch: boolean][] = [
    ['shop', 'shop', true],
    ['shop', 'shops', false],
    ['shop-*', 'shop-', true],
    ['shop-*', 'shop', false],
    ['*', '', true],
    ['?', '', false],
    ['?', 'a', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['/var/*/x.log', '/var/a/b/x.log', true],
    ['a*b', 'aXbXb', true],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
  ];
  for (const [pattern, text, isMatch] of cases)
    assert.equal(compileGlob(pattern)(text), isMatch, `${pattern} on ${text}`);
});

test('many stars take no exponential time', () => {
  assert.equal(compileGlob(`${'*a'.repeat(30)}b`)('a'.repeat(5000)), false);
});
