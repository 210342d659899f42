import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../base/errors.ts';
import { readSearchAnswer, sortKeyOf, withoutPrivateMember } from './search-answer.ts';

const SHARDS = '"_shards":{"total":2,"successful":2,"failed":0}';

test('documents come back byte for byte, with what they are sorted by', () => {
  const document = String.raw`{"message":"a\/b \u00e9","fields":{"n":12345678901234567890.10,"_logboom":{}}}`;
  const source = `${document.slice(0, -1)},"_logboom":{"file":"f","values":["x\u007f=,\\"_logboom\\":{"]}}`;
  const hit = `{"_index":"i","_source":${source},"sort":[1795410000000000001,"f",2,3]}`;
  const answer = `{"took":1,"timed_out":false,${SHARDS},"hits":{"total":{"value":7,"relation":"eq"},"hits":[${hit}]}}`;
  assert.deepEqual(readSearchAnswer(answer, 'search'), {
    hits: [
      {
        sort: ['1795410000000000001', '"f"', '2', '3'],
        document,
      },
    ],
    total: 7,
    aggregations: {},
    pointInTime: undefined,
    shards: 2,
  });
});

test('keys have every nanosecond and the whole offset', () => {
  const key = { timeNs: 1795410000000000001n, fileId: 'f', offset: 2 * 2 ** 20 + 3 };
  assert.deepEqual(sortKeyOf(['1795410000000000001', '"f"', '2', '3']), key);
});

test('a document without the private member is left as it is', () => {
  assert.equal(withoutPrivateMember('{"a":1}'), '{"a":1}');
});

test('an answer that is not whole is an error', () => {
  const failed =
    '{"_shards":{"total":2,"failed":1,"failures":[{"reason":{"type":"t","reason":"broken"}}]},"hits":{"hits":[]}}';
  const cases: [string, RegExp][] = [
    [failed, /1 of 2 shards failed: t broken/],
    [`{"timed_out":true,${SHARDS},"hits":{"hits":[]}}`, /gave up before/],
    ['{"hello":"world"}', /does not come from the engine/],
  ];
  for (const [text, reason] of cases) {
    assert.throws(
      () => readSearchAnswer(text, 'search logs'),
      (error: unknown) =>
        error instanceof AppError &&
        error.retryable &&
        error.message === 'cannot search logs' &&
        reason.test(String(error.details['reason'])),
    );
  }
});
