import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatQuery } from './format.ts';
import { compileMatcher } from './match.ts';
import { parseQuery } from './parser.ts';

const fragment = fc.oneof(
  fc.constantFrom(
    ...[
      '"',
      '\\',
      '(',
      ')',
      ':',
      '*',
      '/',
      '-',
      '!',
      '~',
      '<',
      '<=',
      '>',
      '>=',
      ' ',
      '\n',
      ' and ',
      ' or ',
      ' not ',
    ],
    ...[
      'level',
      'node',
      'status',
      'message',
      '@timestamp',
      'trace.id',
      'fields.a.b',
      'now-1h',
      '500',
      '-5',
      'Ünï',
      '&&',
      '||',
    ],
    ...[
      'level:',
      'a:(',
      'b~"',
      '/a+/',
      '/(/',
      '"a b"*',
      '*"x"',
      'x*y',
      'http://h/p?q=1',
      'Pool.java:88',
      '{"a":"b c"}',
      '[x]',
    ],
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const queryText = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(''));

const documents = [
  {
    message: 'GET /a 500 Pool.java:88',
    log: { level: 'error' },
    fields: { status: 500, a: { b: 'x' }, 'a.b': null },
  },
  { message: '', fields: {} },
];

test('every text is a query whose tokens lie end to end and cover it', () => {
  fc.assert(
    fc.property(queryText, (text) => {
      const { tokens, hints, errors } = parseQuery(text);
      let position = 0;
      for (const { start, end } of tokens) {
        assert.equal(start, position);
        assert.ok(end > start);
        position = end;
      }
      assert.equal(position, text.length);
      for (const { start, end } of [...hints, ...errors])
        assert.ok(0 <= start && start <= end && end <= text.length);
    }),
    { numRuns: 3_000 },
  );
});

test('the canonical text of a query parses to the same query', () => {
  fc.assert(
    fc.property(queryText, (text) => {
      const { query } = parseQuery(text);
      const canonical = formatQuery(query);
      assert.deepEqual(parseQuery(canonical).query, query, canonical);
    }),
    { numRuns: 3_000 },
  );
});

test('every query can be asked of a document, and its negation answers the opposite', () => {
  fc.assert(
    fc.property(queryText, fc.constantFrom(...documents), (text, document) => {
      const { query } = parseQuery(text);
      assert.equal(
        compileMatcher({ kind: 'not', operand: query })(document),
        !compileMatcher(query)(document),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('a quoted line is found by its own text, whatever it contains', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (message) => {
      const quoted = `"${message.replace(/["\\]/g, '\\$&')}"`;
      assert.equal(compileMatcher(parseQuery(quoted).query)({ message: `before ${message} after` }), true);
    }),
  );
});
