import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forEachElement, forEachMember } from './json-slices.ts';

test('members and elements are found where they stand, whatever their strings hold', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      fc.array(fc.jsonValue()),
      fc.constantFrom(undefined, 1),
      (object, array, indent) => {
        const members: [string, unknown][] = [];
        const text = JSON.stringify(object, undefined, indent);
        forEachMember(text, 0, (key, start, end) => {
          members.push([JSON.parse(`"${key}"`) as string, JSON.parse(text.slice(start, end))]);
        });
        assert.deepEqual(members, Object.entries(JSON.parse(text) as object));
        const elements: unknown[] = [];
        const list = JSON.stringify(array, undefined, indent);
        forEachElement(list, 0, (start, end) => elements.push(JSON.parse(list.slice(start, end))));
        assert.deepEqual(elements, JSON.parse(list));
      },
    ),
  );
});

test('values are slices of the text, with every digit and escape', () => {
  const text = String.raw`{"a":12345678901234567890.10,"b":"\u00e9\"}{","c":[1E3,{}],"d":{}}`;
  const slices: string[] = [];
  forEachMember(text, 0, (_, start, end) => slices.push(text.slice(start, end)));
  assert.deepEqual(slices, ['12345678901234567890.10', String.raw`"\u00e9\"}{"`, '[1E3,{}]', '{}']);
});
