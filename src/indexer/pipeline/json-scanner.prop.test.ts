import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEPTH_MAX, JsonScanner, SCAN_FLAG } from './json-scanner.ts';

const scanner = new JsonScanner();

function scan(text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  return scanner.scan(bytes, 0, bytes.length);
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** JSON texts with a few characters replaced, removed or doubled: close to the border of what is valid. */
const nearlyJson = fc
  .tuple(
    fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }),
    fc.constantFrom(0, 2),
    fc.array(
      fc.tuple(
        fc.nat(200),
        fc.constantFrom(...'{}[]",:0123456789.eE+-\\ntrufalsn \t\n\u0001'.split(''), '', 'ü', '\\u12'),
      ),
      {
        maxLength: 3,
      },
    ),
  )
  .map(([value, indent, edits]) => {
    let text = JSON.stringify(value, undefined, indent);
    for (const [place, replacement] of edits) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + replacement + text.slice(at + (place % 2));
    }
    return text;
  });

test('the scanner takes exactly the objects that JSON.parse takes', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      assert.equal(scan(text), isObjectText(text), text);
    }),
    { numRuns: 5000 },
  );
});

test('members are found where they stand', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), {
        maxKeys: 6,
      }),
      (value) => {
        const text = JSON.stringify(value);
        assert.ok(scan(text));
        const bytes = Buffer.from(text);
        const found: [string, unknown][] = [];
        for (let member = 0; member < scanner.memberCount; member++) {
          if (scanner.depths[member] !== 1) continue;
          const key = bytes.toString(
            'utf8',
            (scanner.keyStarts[member] ?? 0) - 1,
            (scanner.keyEnds[member] ?? 0) + 1,
          );
          const memberText = bytes.toString('utf8', scanner.valueStarts[member], scanner.valueEnds[member]);
          found.push([JSON.parse(key) as string, JSON.parse(memberText)]);
        }
        assert.deepEqual(found, Object.entries(JSON.parse(text) as object));
      },
    ),
  );
});

test('numbers that JavaScript may print in another way are flagged', () => {
  for (const number of ['12345678901234567', '0.1234567890123456', '1e3', '1E-3', '-0', '-0.0']) {
    assert.ok(scan(`{"n":${number}}`));
    assert.ok((scanner.flags & SCAN_FLAG.suspectNumber) !== 0, number);
  }
  for (const number of ['0', '-1', '123456789012345', '0.5', '-12.75']) {
    assert.ok(scan(`{"n":${number}}`));
    assert.equal(scanner.flags, 0, number);
  }
});

test('an object that is nested too deep is no JSON line', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
  assert.equal(scan(nested(DEPTH_MAX)), true);
  assert.equal(scan(nested(DEPTH_MAX + 1)), false);
  assert.equal(scan(nested(100_000)), false);
});

test('bytes behind the end are not looked at', () => {
  const bytes = new TextEncoder().encode('{"a":12}}');
  for (let end = 0; end < 8; end++) assert.equal(scanner.scan(bytes, 0, end), false);
  assert.equal(scanner.scan(bytes, 0, 8), true);
});
