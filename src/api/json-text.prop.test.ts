import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memberTexts, plainText } from './json-text.ts';

const space = fc.constantFrom('', ' ', '\n', '\t ');

test('members have the text that they stand with, and together say what the object says', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.integer({ min: 0, max: 3 }),
      (object, indent) => {
        const members = memberTexts(JSON.stringify(object, undefined, indent)) ?? new Map();
        const read = [...members].map(([key, text]) => [key, JSON.parse(text) as unknown]);
        assert.deepEqual(read, Object.entries(JSON.parse(JSON.stringify(object)) as object));
      },
    ),
  );
});

test('numbers keep their digits, strings lose their quotes, and other values are as they stand', () => {
  fc.assert(
    fc.property(space, space, (before, after) => {
      const json = `${before}{${before}"n"${after}:${before}12345678901234567890${after},"s":"a\\"b\\\\","l":[1.0,{"}":2}]${after}}`;
      const members = memberTexts(json);
      assert.deepEqual(
        [...(members ?? [])].map(([key, text]) => [key, plainText(text)]),
        [
          ['n', '12345678901234567890'],
          ['s', 'a"b\\'],
          ['l', '[1.0,{"}":2}]'],
        ],
      );
    }),
  );
  assert.equal(memberTexts('[1]'), undefined);
  assert.equal(memberTexts('{}')?.size, 0);
});
