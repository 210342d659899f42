import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EncodedBatch } from '../../capture/decoder-types.ts';
import { ShipState, type Ticket } from './ship-state.ts';

const A = 'a'.repeat(20);
const B = 'b'.repeat(20);

function batchOf(
  fileId: string,
  offsets: readonly number[],
  commits: readonly [string, number][],
): EncodedBatch {
  return {
    fileId,
    body: new Uint8Array(offsets.length * 10),
    count: offsets.length,
    ends: new Uint32Array(offsets.length),
    offsets: Float64Array.from(offsets),
    lanes: new Uint8Array(offsets.length),
    commits: commits.map(([id, safeOffset]) => ({ fileId: id, safeOffset })),
    recordBytes: 0,
    dropped: {},
    flaws: {},
  };
}

function send(state: ShipState, batch: EncodedBatch): () => void {
  const ticket: Ticket = state.open(batch);
  return () => state.acknowledge(ticket, batch);
}

test('a watermark waits for every earlier batch of its file', () => {
  const state = new ShipState();
  const first = send(state, batchOf(A, [0, 10], [[A, 20]]));
  const second = send(state, batchOf(A, [20], [[A, 30]]));
  second();
  assert.equal(state.progressOf(A).acknowledgedOffset, 0);
  first();
  const { acknowledgedOffset, records, offsetSum } = state.progressOf(A);
  assert.deepEqual([acknowledgedOffset, records, offsetSum], [30, 3, 30n]);
});

test('a batch that names two files moves both, or neither', () => {
  const state = new ShipState();
  const ofB = send(state, batchOf(B, [0], [[B, 10]]));
  const spanning = send(
    state,
    batchOf(
      A,
      [50],
      [
        [A, 90],
        [B, 25],
      ],
    ),
  );
  spanning();
  assert.deepEqual([state.progressOf(A).acknowledgedOffset, state.progressOf(B).acknowledgedOffset], [0, 0]);
  ofB();
  assert.deepEqual(
    [state.progressOf(A).acknowledgedOffset, state.progressOf(B).acknowledgedOffset],
    [90, 25],
  );
  assert.deepEqual([state.progressOf(A).records, state.progressOf(B).records], [1, 1]);
});

test('records ahead of the watermark are counted when it passes them', () => {
  const state = new ShipState();
  send(state, batchOf(A, [100, 200], [[A, 50]]))();
  assert.equal(state.progressOf(A).records, 0);
  send(state, batchOf(A, [50], [[A, 150]]))();
  assert.deepEqual([state.progressOf(A).records, state.progressOf(A).offsetSum], [2, 150n]);
  send(state, batchOf(A, [], [[A, 300]]))();
  assert.deepEqual([state.progressOf(A).records, state.progressOf(A).offsetSum], [3, 350n]);
});

test('offset sums beyond 2^53 are exact', () => {
  const state = new ShipState();
  const offset = 2 ** 47 + 1;
  send(
    state,
    batchOf(
      A,
      Array.from({ length: 1000 }, (_, index) => offset + index),
      [[A, 2 ** 48]],
    ),
  )();
  assert.equal(state.progressOf(A).offsetSum, 1000n * BigInt(offset) + 499_500n);
});

test('whatever the order of acknowledgements, what is committed is acknowledged, and all is in the end', () => {
  const order = fc.array(fc.nat(), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(order, (choices) => {
      const state = new ShipState();
      const waiting = choices.map((choice, index) => {
        const fileId = choice % 2 === 0 ? A : B;
        const commits: [string, number][] =
          choice % 3 === 0
            ? [
                [A, index + 1],
                [B, index + 1],
              ]
            : [[fileId, index + 1]];
        return { index, commits, acknowledge: send(state, batchOf(fileId, [index], commits)) };
      });
      const unacknowledged = [...waiting];
      for (const choice of choices) {
        const [next] = unacknowledged.splice(choice % unacknowledged.length, 1);
        next?.acknowledge();
        for (const { index, commits } of unacknowledged) {
          for (const [id] of commits) assert.ok(state.progressOf(id).acknowledgedOffset <= index);
        }
      }
      assert.equal(state.inFlightCount, 0);
      assert.equal(state.inFlightBytes, 0);
      const total = state.progressOf(A).records + state.progressOf(B).records;
      assert.ok(total <= choices.length);
    }),
  );
});
