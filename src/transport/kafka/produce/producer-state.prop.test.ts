import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  acknowledge,
  createPartition,
  dissolveBatch,
  dueAtMs,
  enqueue,
  forgetIdentity,
  noteEncoded,
  retryLater,
  takeBatch,
  type PlannedBatch,
  type SendItem,
} from './producer-state.ts';

const LIMITS = { batchBytesMax: 40, lingerMs: 5, retryMsMin: 10, retryMsMax: 100 };

/** What becomes of an attempt: what the broker does, and whether the producer hears of it. */
const OUTCOMES = ['written', 'answer_lost', 'not_written', 'refused_as_too_large', 'forgotten'] as const;

type Step =
  | { readonly kind: 'send'; readonly sizes: readonly number[] }
  | { readonly kind: 'attempt'; readonly outcome: (typeof OUTCOMES)[number] };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('attempt' as const), outcome: fc.constantFrom(...OUTCOMES) }),
);

/** A broker's partition as KIP-98 describes it: it takes the next sequence number, and knows the last batch again. */
class ModelPartition {
  readonly log: number[] = [];
  #producerId = -1n;
  #nextSequence = 0;
  #lastSequence = -1;

  write(producerId: bigint, sequence: number, records: readonly number[]): 'written' | 'duplicate' | 'gap' {
    if (producerId !== this.#producerId) {
      if (sequence !== 0) return 'gap';
      this.#producerId = producerId;
      this.#nextSequence = 0;
      this.#lastSequence = -1;
    }
    if (sequence === this.#lastSequence) return 'duplicate';
    if (sequence !== this.#nextSequence) return 'gap';
    this.#lastSequence = sequence;
    this.#nextSequence = sequence + records.length;
    this.log.push(...records);
    return 'written';
  }
}

class World {
  readonly partition = createPartition('logs', 0);
  readonly broker = new ModelPartition();
  readonly numberOf = new Map<SendItem, number>();
  readonly done: number[] = [];
  sentCount = 0;
  nowMs = 0;
  limits = LIMITS;
  forgottenCount = 0;
  #lastProducerId = 0n;

  send(sizes: readonly number[]): void {
    let end = 0;
    const ends = Uint32Array.from(sizes, (size) => (end += size));
    const first = this.sentCount;
    this.sentCount += sizes.length;
    const item: SendItem = {
      key: Buffer.from('k'),
      body: new Uint8Array(end),
      ends,
      count: sizes.length,
      onDone: () => this.done.push(first),
    };
    this.numberOf.set(item, first);
    enqueue(this.partition, item, this.nowMs);
  }

  attempt(outcome: (typeof OUTCOMES)[number]): void {
    const dueMs = dueAtMs(this.partition, this.limits);
    if (dueMs === undefined) return;
    this.nowMs = Math.max(this.nowMs, dueMs);
    if (this.partition.identity === undefined) this.#lastProducerId += 1n;
    const planned = takeBatch(
      this.partition,
      { producerId: this.#lastProducerId, producerEpoch: 0 },
      this.limits,
    );
    const records = this.recordsOf(planned);
    noteEncoded(this.partition, records.length);
    const bytes = this.partition.batch?.byteLength ?? 0;
    assert.ok(bytes <= this.limits.batchBytesMax || records.length === 1, 'only one record may be larger');
    if (outcome === 'written' || outcome === 'answer_lost') {
      const verdict = this.broker.write(planned.identity.producerId, planned.sequence, records);
      assert.notEqual(verdict, 'gap');
    }
    if (outcome === 'written') {
      acknowledge(this.partition, this.nowMs);
      return;
    }
    retryLater(this.partition, this.nowMs, this.limits);
    assert.ok(this.partition.retryAtMs <= this.nowMs + this.limits.retryMsMax);
    if (outcome === 'refused_as_too_large' && !this.isUnsure) dissolveBatch(this.partition);
    if (outcome === 'forgotten') {
      if (this.isUnsure) this.forgottenCount += 1;
      forgetIdentity(this.partition);
    }
    this.isUnsure = outcome === 'answer_lost' || (this.isUnsure && outcome !== 'forgotten');
  }

  /** Whether the batch may stand in the log without the producer knowing. */
  isUnsure = false;

  recordsOf({ ranges }: PlannedBatch): number[] {
    return ranges.flatMap(({ item, from, to }) =>
      Array.from({ length: to - from }, (_, index) => (this.numberOf.get(item) ?? 0) + from + index),
    );
  }
}

void test('whatever is lost on the way, records are written in order and, unless the broker forgets, once (G3)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const next of steps) {
        if (next.kind === 'send') world.send(next.sizes);
        else {
          world.attempt(next.outcome);
          if (next.outcome === 'written') world.isUnsure = false;
        }
      }
      while (world.partition.items.length > 0) {
        world.attempt('written');
        world.isUnsure = false;
      }
      const expected = Array.from({ length: world.sentCount }, (_, number) => number);
      const firsts = new Set<number>();
      const firstTimes = world.broker.log.filter((number) => !firsts.has(number) && firsts.add(number));
      assert.deepEqual(firstTimes, expected, 'every record is written, in order');
      if (world.forgottenCount === 0) assert.deepEqual(world.broker.log, expected, 'and once');
      assert.equal(world.partition.byteLength, 0);
      assert.equal(world.done.length, world.numberOf.size);
      assert.deepEqual(
        world.done,
        world.done.toSorted((left, right) => left - right),
      );
    }),
    { numRuns: 500 },
  );
});

void test('records wait for others only until the batch is full or the time is over', () => {
  const partition = createPartition('logs', 0);
  const item = (size: number): SendItem => ({
    key: Buffer.from('k'),
    body: new Uint8Array(size),
    ends: Uint32Array.of(size),
    count: 1,
    onDone: () => undefined,
  });
  assert.equal(dueAtMs(partition, LIMITS), undefined);
  enqueue(partition, item(10), 100);
  assert.equal(dueAtMs(partition, LIMITS), 105);
  enqueue(partition, item(30), 101);
  assert.equal(dueAtMs(partition, LIMITS), 0);
  takeBatch(partition, { producerId: 1n, producerEpoch: 0 }, LIMITS);
  assert.equal(dueAtMs(partition, LIMITS), undefined, 'one batch at a time is on the way');
});

void test('the sequence number begins again at 0 after 2^31 - 1', () => {
  const partition = createPartition('logs', 0);
  const identity = { producerId: 1n, producerEpoch: 0 };
  const item: SendItem = {
    key: Buffer.from('k'),
    body: new Uint8Array(2),
    ends: Uint32Array.of(1, 2),
    count: 2,
    onDone: () => undefined,
  };
  partition.identity = identity;
  partition.nextSequence = 0x7fff_ffff;
  enqueue(partition, item, 0);
  takeBatch(partition, identity, LIMITS);
  noteEncoded(partition, 2);
  acknowledge(partition, 0);
  assert.equal(partition.nextSequence, 1);
});
