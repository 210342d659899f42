import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExactNumber, parseKeepingDigits, toPlainValue } from './exact-json.ts';

test('numbers that JavaScript would change are written back as they were read', () => {
  const text =
    '{"id":9007199254740993,"list":[12345678901234567890,1e400],"deep":{"d":0.12345678901234567891},"n":-9007199254740993}';
  assert.equal(JSON.stringify(parseKeepingDigits(text)), text);
});

test('other numbers are numbers', () => {
  const value = parseKeepingDigits('[1,2.5,9007199254740992,1000000000000000,1e5,"1234567890123456789"]');
  assert.deepEqual(value, [1, 2.5, 9_007_199_254_740_992, 1e15, 1e5, '1234567890123456789']);
  assert.equal(isExactNumber(1), false);
  assert.equal(toPlainValue(parseKeepingDigits('9007199254740993')), 9_007_199_254_740_992);
});
