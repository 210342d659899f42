import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../query/match.ts';
import { fieldColumns } from '../search-columns.ts';
import { FieldWords } from './field-words.ts';

/** JSON as apps write it, with blanks where they may stand. */
const blank = fc.constantFrom('', '', '', ' ', '\n\t');
const key = fc.oneof(
  fc.constantFrom('a', 'status', 'user.name', 'event', 'original', '__proto__', 'x-y', 'Ünicode', '7', '07'),
  fc.string({ maxLength: 4 }),
);
const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.constantFrom('', '-'), fc.nat(), fc.array(fc.nat({ max: 9 }), { maxLength: 9 }))
    .map(([sign, whole, digits]) => `${sign}${whole}${digits.length > 0 ? '.' : ''}${digits.join('')}`),
  fc.constantFrom('0', '-0', '0.0', '1.50', '1e5', '1E400', '-1e-400', '0.000001', '0.0000012', '0.0000001'),
  fc.constantFrom('123456789012345', '1234567890123456', '9007199254740993', '0.123456789012345678', '-12.5'),
);
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  number,
  number.map((digits) => `+${digits}`),
  fc.constantFrom('10:30', '2026-11-23', '1e', '.5', '5.', '', '\u007f', 'x'.repeat(128), 'Y'.repeat(129)),
);
const scalar = fc.oneof(
  number,
  text.map((value) => JSON.stringify(value)),
  fc.constantFrom('true', 'false', 'null', '[]', '[1,"a"]'),
);
const value: fc.Arbitrary<string> = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, tie('object')),
  object: fc
    .tuple(fc.array(fc.tuple(blank, key, blank, tie('value'), blank), { maxLength: 5 }), blank)
    .map(([members, end]) => {
      const texts = members.map(
        ([before, name, between, inner, after]) =>
          `${before}${JSON.stringify(name)}${between}:${between}${inner}${after}`,
      );
      return `{${texts.join(',')}${end}}`;
    }),
})).object;

/** Returns what is read of `fields` as the slow way says it, or undefined when that is asked. */
function readWords(words: FieldWords, json: string): readonly [string[], string[]] | undefined {
  const body = Buffer.from(`,"fields":${json},"stream":"stdout"}\n`);
  const start = body.indexOf('{');
  if (!words.read(body, start, start + Buffer.byteLength(json))) return undefined;
  const listOf = ({ bytes, length }: { bytes: Buffer; length: number }): string[] =>
    JSON.parse(`[${bytes.toString('utf8', 0, Math.max(0, length - 1))}]`) as string[];
  return [listOf(words.values), listOf(words.numbers)];
}

void test('fields read from their bytes have the words that parsed ones have, or are left to be parsed', () => {
  const words = new FieldWords();
  let read = 0;
  fc.assert(
    fc.property(value, (json) => {
      const found = readWords(words, json);
      if (found === undefined) return;
      read += 1;
      const { values, numbers, texts, marks } = fieldColumns(JSON.parse(json) as JsonObject, '');
      assert.deepEqual(found, [values, numbers]);
      assert.deepEqual([texts, marks], [[], []]);
    }),
    { numRuns: Number(process.env['LOGBOOM_CASES'] ?? 1_000) },
  );
  assert.ok(read > 0);
});

void test('what is no JSON is never read', () => {
  const words = new FieldWords();
  const broken = [
    '{',
    '{"a"}',
    '{"a":}',
    '{"a":01}',
    '{"a":1,}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":tru}',
    '{"a":1 2}',
    '{"a":"',
  ];
  for (const json of broken) assert.equal(readWords(words, json), undefined, json);
});

void test('usual fields are read from their bytes, whatever order and number of keys came before', () => {
  const words = new FieldWords();
  const apps = Array.from({ length: 40 }, (_, app) => ({
    [`k${app}`]: 1,
    status: 200,
    user: { id: `u${app}` },
  }));
  for (const fields of [...apps, ...apps]) {
    const { values, numbers } = fieldColumns(fields, '');
    assert.deepEqual(readWords(words, JSON.stringify(fields)), [values, numbers]);
  }
});

void test('fields with more words than there is room for are left to be parsed, up to the last byte of it', () => {
  const words = new FieldWords();
  const long = (letter: string): string => letter.repeat(120);
  let read = 0;
  for (let length = 1; length <= 40; length += 3) {
    for (const kind of ['"x"', '-1234567890.1234']) {
      // Some 500 words of 500 bytes, which is about what there is room for.
      const members = Array.from(
        { length: 180 },
        (_, index) => `"${`k${index}-`.padEnd(85 + length, '-')}":${kind}`,
      );
      const objects = ['b', 'c', 'e'].map(
        (letter) => `"${long(letter)}":{"${long('d')}":{${members.join(',')}}}`,
      );
      const json = `{"${long('a')}":{${objects.join(',')}}}`;
      const found = readWords(words, json);
      if (found === undefined) continue;
      read += 1;
      const { values, numbers } = fieldColumns(JSON.parse(json) as JsonObject, '');
      assert.deepEqual(found, [values, numbers]);
    }
  }
  assert.ok(read > 0 && read < 28, `${read}`);
});
