import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '../transport/transport.ts';
import { CrashState, type CrashNote, type Piece } from './crash-state.ts';
import { batchOf } from './testing/batches.ts';

const HELD_BYTES_MAX = 1_000_000;
const POISON_OFFSET = 102;

function deliveries(): Delivery[] {
  const log = (fileName: string, offset: number, count: number, position: bigint): Delivery => ({
    kind: 'log',
    batch: batchOf(
      fileName,
      offset,
      Array.from({ length: count }, (_, index) => `line ${index}`),
    ),
    partition: 0,
    position,
    nextPosition: position + 1n,
    sourceOf: (index) => ({ topic: 'logs', partition: 0, offset: String(Number(position) * 100 + index) }),
  });
  return [log('a', 0, 3, 0n), log('b', 100, 5, 1n), log('c', 0, 2, 2n)];
}

function hasPoison(piece: Piece): boolean {
  return piece.deliveries.some(
    (delivery) =>
      delivery.kind === 'log' &&
      delivery.batch.fileId.startsWith('b') &&
      delivery.batch.offsets.includes(POISON_OFFSET),
  );
}

/** Lets a process work until the poison ends it; returns the note that it leaves, or what it gave up. */
function live(before: CrashNote | undefined): { note: CrashNote } | { givenUp: readonly Delivery[] } {
  const state = new CrashState(before, HELD_BYTES_MAX);
  let givenUp: readonly Delivery[] = [];
  for (const piece of state.plan(deliveries())) {
    if (piece.isGivenUp) givenUp = piece.deliveries;
    else if (hasPoison(piece)) return { note: state.noteOf(piece.suspect) };
  }
  return { givenUp };
}

test('a document that ends the process each time is given up after a bounded number of ends, it alone', () => {
  let note: CrashNote | undefined;
  for (let ends = 0; ends < 10; ends++) {
    const outcome = live(note);
    if ('note' in outcome) {
      note = outcome.note;
      continue;
    }
    assert.equal(ends, 5);
    const [delivery] = outcome.givenUp;
    assert.ok(delivery?.kind === 'log');
    assert.deepEqual([...delivery.batch.offsets], [POISON_OFFSET]);
    assert.deepEqual(delivery.sourceOf?.(0), { topic: 'logs', partition: 0, offset: '102' });
    return;
  }
  assert.fail('the document was never given up');
});

test('one end costs nothing: everything is worked on at once', () => {
  const pieces = new CrashState({ crashes: 0, suspect: undefined }, HELD_BYTES_MAX).plan(deliveries());
  assert.equal(pieces.length, 1);
  assert.equal(pieces[0]?.suspect, undefined);
});

test('pieces cover every document once, and only the last piece of a delivery moves its position', () => {
  const suspect = { fileId: 'b'.padEnd(20, '0'), offset: POISON_OFFSET, count: 1, crashes: 0 };
  const pieces = new CrashState({ crashes: 3, suspect }, HELD_BYTES_MAX).plan(deliveries());
  const parts = pieces.flatMap((piece) => piece.deliveries);
  const lines = parts.flatMap((part) =>
    part.kind === 'log' ? [new TextDecoder().decode(part.batch.body)] : [],
  );
  const whole = deliveries().flatMap((part) =>
    part.kind === 'log' ? [new TextDecoder().decode(part.batch.body)] : [],
  );
  assert.equal(lines.join(''), whole.join(''));
  assert.deepEqual(
    parts.map(({ nextPosition }) => nextPosition),
    [1n, 1n, 1n, 2n, 3n],
  );
  for (const part of parts)
    if (part.kind === 'log') assert.equal(part.batch.ends.at(-1), part.batch.body.length);
});

test('being careful lasts for a bounded number of bytes, and what was got through proves the process', () => {
  const state = new CrashState({ crashes: 5, suspect: undefined }, 100);
  assert.ok(state.isCareful);
  assert.equal(state.prove(99, 0), false);
  state.plan(deliveries());
  assert.equal(state.isCareful, false);
  assert.equal(state.prove(1, 0), true);
  assert.deepEqual(state.noteOf(undefined), { crashes: 0, suspect: undefined });
  assert.equal(state.plan(deliveries()).length, 1);
});
