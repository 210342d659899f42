import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RecordBatch } from '../record/record-batch.ts';
import { MemoryTransport } from './memory.ts';
import type { Consumer, Delivery } from './transport.ts';

const BUFFER_BYTES = 100;
const KEYS = ['a', 'b', 'c', 'd', 'e'];

type Step =
  | { readonly kind: 'send'; readonly key: string; readonly bytes: number }
  | { readonly kind: 'ledger'; readonly count: number }
  | { readonly kind: 'poll'; readonly bytesMax: number }
  /** Commits this share of the deliveries that are not committed, the oldest first. */
  | { readonly kind: 'commit'; readonly share: number }
  | { readonly kind: 'rebalance' }
  | { readonly kind: 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('send'),
      key: fc.constantFrom(...KEYS),
      bytes: fc.integer({ min: 0, max: 130 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ledger'), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('poll'), bytesMax: fc.integer({ min: 1, max: 150 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('commit'), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebalance') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
);

interface Sent {
  readonly key: string;
  readonly number: number;
  readonly bytes: number;
  isAcknowledged: boolean;
}

/** The transport beside what is known of it: what was sent, delivered and committed. */
class World {
  readonly transport = new MemoryTransport({
    bufferBytesMax: BUFFER_BYTES,
    partitionCount: 3,
    ledgerRecordsMax: 4,
  });
  readonly sent: Sent[] = [];
  readonly #numbers = new Map<RecordBatch | object, Sent>();
  /** Delivered since the partitions were given out last and not committed, by partition, in order. */
  readonly #open = new Map<number, { sent: Sent; delivery: Delivery }[]>();
  readonly #committed = new Set<Sent>();
  #consumer: Consumer | undefined;

  async run(next: Step): Promise<void> {
    this.#consumer ??= await this.transport.openConsumer();
    if (next.kind === 'send') this.#send(next.key, next.bytes);
    else if (next.kind === 'ledger') this.#sendLedger(next.count);
    else if (next.kind === 'poll') await this.#poll(next.bytesMax);
    else if (next.kind === 'commit') await this.#commit(next.share);
    else if (next.kind === 'rebalance') await this.#forget(() => this.transport.rebalance());
    else await this.#forget(() => this.#close());
    await settle();
    this.#check();
  }

  /** Takes and commits everything: whatever happened before, nothing may be missing then. */
  async drain(): Promise<void> {
    for (let round = 0; round < 2 * this.sent.length + 2; round++) {
      await this.run({ kind: 'poll', bytesMax: 1000 });
      await this.run({ kind: 'commit', share: 1 });
    }
    assert.ok(this.sent.every(({ isAcknowledged }) => isAcknowledged));
    assert.equal(this.transport.heldBytes, 0);
  }

  #send(key: string, bytes: number): void {
    const empty = {
      ends: new Uint32Array(0),
      offsets: new Float64Array(0),
      lanes: new Uint8Array(0),
      count: 0,
    };
    const batch: RecordBatch = { fileId: key, body: new Uint8Array(bytes), ...empty };
    this.#note(batch, key, bytes, this.transport.producer.send(batch));
  }

  #sendLedger(count: number): void {
    const records = Array.from({ length: count }, () => ({}) as never);
    this.#note(records, 'ledger', 0, this.transport.producer.sendLedger(records));
  }

  #note(object: object, key: string, bytes: number, promise: Promise<void>): void {
    const sent: Sent = { key, number: this.sent.length, bytes, isAcknowledged: false };
    this.sent.push(sent);
    this.#numbers.set(object, sent);
    promise.then(
      () => (sent.isAcknowledged = true),
      () => undefined,
    );
  }

  async #poll(bytesMax: number): Promise<void> {
    const stop = new AbortController();
    const polled = this.#consumer?.poll(bytesMax, stop.signal);
    await settle();
    stop.abort();
    const deliveries = (await polled) ?? [];
    let bytes = 0;
    for (const delivery of deliveries) {
      const sent = this.#numbers.get(delivery.kind === 'log' ? delivery.batch : delivery.records);
      assert.ok(sent !== undefined && !this.#committed.has(sent), 'what is committed does not come again');
      const open = this.#open.get(delivery.partition) ?? [];
      this.#open.set(delivery.partition, open);
      const last = open.at(-1);
      assert.ok(
        last === undefined || last.delivery.nextPosition === delivery.position,
        'positions have no holes',
      );
      open.push({ sent, delivery });
      bytes += sent.bytes;
    }
    assert.ok(bytes <= bytesMax || deliveries.filter(({ kind }) => kind === 'log').length === 1);
    this.#checkOrder();
  }

  async #commit(share: number): Promise<void> {
    for (const [partition, open] of this.#open) {
      const taken = open.splice(0, Math.ceil(open.length * share));
      const last = taken.at(-1);
      if (last === undefined) continue;
      for (const { sent } of taken) this.#committed.add(sent);
      await this.#consumer?.commit(partition, last.delivery.nextPosition);
    }
  }

  async #forget(act: () => Promise<void>): Promise<void> {
    await act();
    this.#open.clear();
  }

  async #close(): Promise<void> {
    await this.#consumer?.close();
    this.#consumer = undefined;
  }

  #checkOrder(): void {
    for (const open of this.#open.values()) {
      const last = new Map<string, number>();
      for (const { sent } of open) {
        const before = last.get(sent.key) ?? -1;
        const skipped = this.sent.slice(before + 1, sent.number).filter(({ key }) => key === sent.key);
        assert.ok(
          skipped.every((each) => this.#committed.has(each)),
          'the order of a key has no holes',
        );
        last.set(sent.key, sent.number);
      }
    }
  }

  #check(): void {
    for (const sent of this.sent) assert.equal(sent.isAcknowledged, this.#committed.has(sent));
    const held = this.transport.heldBytes;
    assert.ok(held <= BUFFER_BYTES || this.sent.some(({ bytes }) => bytes === held));
  }
}

test('nothing is lost, reordered or acknowledged early, whatever is sent, committed, revoked and closed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      for (const next of steps) await world.run(next);
      await world.drain();
    }),
    { numRuns: 300 },
  );
});

test('closing rejects what is not acknowledged and ends a poll', async () => {
  const transport = new MemoryTransport({ bufferBytesMax: BUFFER_BYTES });
  const consumer = await transport.openConsumer();
  const polled = consumer.poll(10, new AbortController().signal);
  await transport.close();
  assert.deepEqual(await polled, []);
  await assert.rejects(transport.producer.sendLedger([{} as never]), { code: 'closed' });
  await assert.rejects(transport.openConsumer(), { code: 'closed' });
});

test('a revoked receiver is waited for, and gets back what it did not commit', async () => {
  const transport = new MemoryTransport({ bufferBytesMax: BUFFER_BYTES });
  const consumer = await transport.openConsumer();
  const { signal } = new AbortController();
  const sent = transport.producer.sendLedger([{} as never]);
  const [first] = await consumer.poll(10, signal);
  let isFinished = false;
  consumer.onRevoke(async () => {
    await settle();
    isFinished = true;
  });
  await transport.rebalance();
  assert.ok(isFinished);
  const [again] = await consumer.poll(10, signal);
  assert.deepEqual(again, first);
  await consumer.commit(again?.partition ?? 0, again?.nextPosition ?? 0n);
  await sent;
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
