import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRegex } from '../../../query/regex.ts';
import { regexLiterals } from './regex-literals.ts';

test('literals are what every match must contain', () => {
  const cases: [string, string[]][] = [
    ['timeout after \\d+ms', ['timeout after ', 'ms']],
    ['^GET /a\\.b\\?c=.*$', ['GET /a.b?c=']],
    ['ab*c+d?e{2}f{0,3}g', ['a', 'c', 'g']],
    ['[]a]x[^]b]y[[:alpha:]]z[\\]]', ['x', 'y', 'z']],
    ['a+?b', ['a', 'b']],
    ['x🚀y', ['x🚀y']],
    ['\\bfoo\\n_', ['foo', '_']],
    ['a|b', []],
    ['(?i)abc', []],
    ['\\Qa.b\\E', []],
  ];
  for (const [source, literals] of cases) assert.deepEqual(regexLiterals(source), literals, source);
});

test('a text that an expression matches contains all of its literals', () => {
  const piece = fc.constantFrom(
    ...'ab.^$*+?{}[]\\-,12|() '.split(''),
    '\\d',
    '[ab]',
    '{1,2}',
    '\\.',
    'a',
    'b',
  );
  const source = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const text = fc
    .array(fc.constantFrom(...'ab.12-[] {}'.split('')), { maxLength: 12 })
    .map((chars) => chars.join(''));
  fc.assert(
    fc.property(source, text, (expression, subject) => {
      const regex = compileRegex(expression);
      if ('problem' in regex || !regex.test(subject)) return;
      for (const literal of regexLiterals(expression))
        assert.ok(subject.includes(literal), JSON.stringify({ expression, subject, literal }));
    }),
    { numRuns: 20_000 },
  );
});
