import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignPartitions, type GroupCandidate } from './classic-assignment.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './classic-protocol.ts';

const TOPICS = ['logs', 'logs.ledger'];

/** Lets the group agree until nobody has to let anything go, and returns what each owns after each round. */
function settle(members: readonly GroupCandidate[], counts: ReadonlyMap<string, number>): GroupCandidate[] {
  let current = [...members];
  for (let round = 0; round < 3; round++) {
    const given = assignPartitions(current, counts);
    const all = [...given.values()].flat();
    assert.equal(new Set(all).size, all.length, 'no partition is given twice');
    for (const { memberId } of current) {
      const others = current.filter((other) => other.memberId !== memberId).flatMap(({ owned }) => owned);
      const claims = current.flatMap(({ owned }) => owned);
      const isSole = (partition: string): boolean => claims.filter((each) => each === partition).length === 1;
      for (const partition of given.get(memberId) ?? [])
        assert.ok(!(others.includes(partition) && isSole(partition)), 'what another one owns is not given');
    }
    current = current.map((member) => ({ ...member, owned: given.get(member.memberId) ?? [] }));
  }
  return current;
}

void test('a group agrees within three rounds: everything is read once, in fair shares, and little moves', () => {
  const owned = fc.array(fc.tuple(fc.constantFrom(...TOPICS), fc.integer({ min: 0, max: 14 })), {
    maxLength: 10,
  });
  const group = fc.array(owned, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(group, fc.integer({ min: 1, max: 12 }), (claims, partitionCount) => {
      const counts = new Map([
        ['logs', partitionCount],
        ['logs.ledger', 1],
      ]);
      const members = claims.map((each, index) => ({
        memberId: `m${index}`,
        topics: TOPICS,
        owned: each.map(([topic, number]) => `${topic}:${number}`),
      }));
      const settled = settle(members, counts);
      const sizes = settled.map((member) => member.owned.length);
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        partitionCount + 1,
      );
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, String(sizes));
      assert.deepEqual(settle(settled, counts), settled, 'and then nothing moves any more');
    }),
    { numRuns: 500 },
  );
});

void test('a member that does not read a topic gets none of it', () => {
  const members = [
    { memberId: 'a', topics: ['logs'], owned: [] },
    { memberId: 'b', topics: ['other'], owned: ['logs:0'] },
  ];
  const given = assignPartitions(members, new Map([['logs', 2]]));
  assert.deepEqual(given.get('b'), []);
});

void test('subscriptions and assignments read as they were written', () => {
  const subscription = { topics: TOPICS, owned: ['logs:3', 'logs:4', 'logs.ledger:0'] };
  assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription);
  assert.deepEqual(decodeAssignment(encodeAssignment(subscription.owned)), subscription.owned);
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), []);
});
