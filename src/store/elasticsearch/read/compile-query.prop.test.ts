import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileMatcher } from '../../../query/match.ts';
import { MARKED, compileQuery, compileUnmarked } from './compile-query.ts';
import { evaluateDsl, indexDocument } from '../testing/evaluate-dsl.ts';
import { randomMembers, randomQuery, withPlace } from '../testing/random-logs.ts';

const FILE = '0123456789abcdef0123';
const NUM_RUNS = Number(process.env['LOGBOOM_CASES'] ?? 4_000);

test('what matches is found at most, and what is found at least matches', () => {
  let exact = 0;
  fc.assert(
    fc.property(randomMembers, randomQuery, fc.integer({ min: 0, max: 12 }), (members, query, offset) => {
      const time = `2026-11-23T04:00:${String(offset).padStart(2, '0')}.000000000Z`;
      const document = withPlace(members, FILE, offset, time);
      // The document as it is stored: JSON knows no negative zero.
      const stored = JSON.parse(JSON.stringify(document)) as typeof document;
      const indexed = indexDocument(stored, FILE, offset);
      const isMatch = compileMatcher(query)(stored);
      const { atMost, atLeast } = compileQuery(query);
      const details = JSON.stringify({ query, stored, atMost, atLeast });
      if (isMatch) assert.ok(evaluateDsl(atMost, indexed), `not found: ${details}`);
      else assert.ok(!evaluateDsl(atLeast, indexed), `found: ${details}`);
      const unmarked = compileUnmarked(query);
      if (unmarked !== undefined && !evaluateDsl(MARKED, indexed))
        assert.equal(
          evaluateDsl(unmarked, indexed),
          isMatch,
          `not exact: ${JSON.stringify({ query, stored, unmarked })}`,
        );
      exact += evaluateDsl(atMost, indexed) === evaluateDsl(atLeast, indexed) ? 1 : 0;
    }),
    { numRuns: NUM_RUNS },
  );
  // Bounds that are far apart would be right, and slow.
  assert.ok(exact > NUM_RUNS / 2, `${exact} of ${NUM_RUNS} are exact`);
});
