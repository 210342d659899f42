import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitsOf, HeldRounds, REMOTE_ROUNDS, type HeldRound } from './held-rounds.ts';

function round(...fileIds: string[]): HeldRound {
  return { fileIds: new Set(fileIds), commits: [], isStored: false };
}

test('rounds are committed in the order of their polls, whichever is stored first', () => {
  const held = new HeldRounds();
  const [first, second] = [round('a'), round('b')];
  held.begin(first);
  held.begin(second);
  assert.deepEqual(held.settle(second), []);
  assert.deepEqual(held.settle(first), [first, second]);
  assert.ok(held.isEmpty);
});

test('a round waits for those with records of the same file, and for a place', () => {
  const held = new HeldRounds();
  const first = round('a', 'b');
  held.begin(first);
  assert.equal(held.canBegin(round('b', 'c')), false);
  assert.equal(held.canBegin(round('c')), true);
  held.begin(round('c'));
  assert.equal(held.canBegin(round('d')), false);
  held.settle(first);
  assert.equal(held.canBegin(round('d')), true);
});

test('a round that is stored still counts for the order of commits, not for a place', () => {
  const held = new HeldRounds();
  const [first, second] = [round('a'), round('b')];
  held.begin(first);
  held.begin(second);
  held.settle(second);
  assert.equal(held.canBegin(round('b')), true);
});

test('nothing behind a round that is given up is committed', () => {
  const held = new HeldRounds();
  const [first, second, third] = [round('a'), round('b'), round('c')];
  held.begin(first);
  held.begin(second);
  held.abandon(second);
  assert.deepEqual(held.settle(first), [first]);
  held.begin(third);
  held.abandon(third);
  assert.deepEqual(held.settle(third), []);
  assert.ok(held.isEmpty);
});

test('the last position of each partition is what is committed', () => {
  const delivery = (partition: number, position: bigint) =>
    ({ kind: 'ledger', records: [], partition, position, nextPosition: position + 1n }) as const;
  assert.deepEqual(commitsOf([delivery(0, 4n), delivery(1, 9n), delivery(0, 5n)]), [
    { partition: 0, nextPosition: 6n },
    { partition: 1, nextPosition: 10n },
  ]);
});

test('rounds with records of the same file go side by side where documents are known by their ids', () => {
  const held = new HeldRounds(REMOTE_ROUNDS);
  held.begin(round('a'));
  assert.equal(held.canBegin(round('a')), true);
});

test('positions of a partition that was taken away are not committed, those of others are', () => {
  const held = new HeldRounds();
  const commits = [0, 1].map((partition) => ({ partition, nextPosition: 5n }));
  const [first, preparing] = [
    { ...round('a'), commits },
    { ...round('b'), commits },
  ];
  held.begin(first);
  held.revoke([1], [preparing]);
  held.begin(preparing);
  const expected = [{ partition: 0, nextPosition: 5n }];
  assert.deepEqual(
    held.settle(first).map((settled) => held.takeCommits(settled)),
    [expected],
  );
  assert.deepEqual(
    held.settle(preparing).map((settled) => held.takeCommits(settled)),
    [expected],
  );
});
