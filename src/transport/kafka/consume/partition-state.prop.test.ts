import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FreeBuffers } from '../../../base/free-buffers.ts';
import { eventIdOf } from '../../../record/identity.ts';
import type { Delivery } from '../../transport.ts';
import { DeliveryBuilder } from './delivery-builder.ts';
import { PartitionReadState } from './partition-state.ts';
import { RecordEncoder } from '../records/record-encoder.ts';

const IDENTITY = { producerId: -1n, producerEpoch: -1, sequence: -1 };

interface Sent {
  readonly file: number;
  readonly offset: number;
}

function fileIdOf(file: number): string {
  return String(file).padStart(20, '0');
}

/** A document in the layout of agents, one of another program, or a tombstone. */
function valueOf({ file, offset }: Sent): Buffer | undefined {
  if (file === 0) return undefined;
  if (file === 1) return Buffer.from(`{"message":"foreign ${offset}"}`);
  const id = eventIdOf(fileIdOf(file), offset);
  return Buffer.from(
    `{"@timestamp":"2026-11-23T04:30:00.123456789Z","message":"m ${offset}","stream":"stderr","log":{"offset":${offset},"file":{"path":"/x"}},"event":{"id":"${id}"},"host":{"name":"h"}}`,
  );
}

/** Returns a batch as a broker returns it: its first offset is the broker's. */
function batchOf(records: readonly Sent[], baseOffset: number): Buffer {
  const encoder = new RecordEncoder();
  for (const record of records) {
    const value = valueOf(record);
    encoder.add(Buffer.from(fileIdOf(record.file)), value, 0, value?.length ?? 0);
  }
  const batch = encoder.finish({ identity: IDENTITY, timestampMs: 1_700_000_000_000, compression: 'zstd' });
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch;
}

/** Buffers that are given back are spoilt at once, so that whoever still reads one is found out. */
class SpoiltBuffers extends FreeBuffers {
  override give(bytes: Uint8Array): void {
    bytes.fill(0);
    super.give(bytes);
  }
}

const BUFFERS = new SpoiltBuffers(1 << 20);

function createState(offset: number): PartitionReadState {
  const builder = new DeliveryBuilder({
    kind: 'log',
    partition: 7,
    source: { topic: 'logs', partition: 3 },
    foreignFileIdOf: () => 'f'.repeat(20),
    buffers: BUFFERS,
    onBrokenLedger: () => undefined,
  });
  return new PartitionReadState({ builder, buffers: BUFFERS, offset });
}

const sent: fc.Arbitrary<Sent> = fc.record({
  file: fc.integer({ min: 0, max: 5 }),
  offset: fc.integer({ min: 0, max: 40 }),
});

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      bytesMax: fc.integer({ min: 1, max: 2_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

/** Records of deliveries as they were sent, tombstones left out; foreign ones have their Kafka offset. */
function recordsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.flatMap((delivery) => {
    assert.ok(delivery.kind === 'log');
    const { batch } = delivery;
    const lines = Buffer.from(batch.body).toString().trimEnd().split('\n');
    assert.equal(lines.length, batch.count);
    assert.equal(batch.ends.at(-1), batch.body.length);
    return lines.map((line, index) => {
      const { message } = JSON.parse(line) as { message: string };
      return `${batch.fileId} ${message} ${message.startsWith('foreign') ? '' : batch.offsets[index]}`;
    });
  });
}

function expectedOf(records: readonly Sent[]): string[] {
  return records
    .filter(({ file }) => file > 0)
    .map(({ file, offset }) =>
      file === 1 ? `${'f'.repeat(20)} foreign ${offset} ` : `${fileIdOf(file)} m ${offset} ${offset}`,
    );
}

void test('whatever is fetched, taken, committed and given up, no record is lost and order holds (G2, G3)', () => {
  const batches = fc.array(fc.array(sent, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(batches, fc.array(step, { maxLength: 40 }), (all, steps) => {
      const log: { start: number; bytes: Buffer }[] = [];
      let end = 5;
      for (const records of all) {
        log.push({ start: end, bytes: batchOf(records, end) });
        end += records.length;
      }
      const flat = all.flat();
      let state = createState(5);
      let open: Delivery[] = [];
      let taken: Delivery[] = [];
      /** Records of all that was taken, as they were read then: what is durable is not lent any more. */
      let got: string[] = [];
      const fetch = (): void => {
        const from = state.fetchedOffset;
        // A broker answers with whole batches, the first of which may begin below.
        const wanted = log.filter(
          ({ start }, index) => (log[index + 1]?.start ?? end) > from || start >= from,
        );
        const bytes = Buffer.concat(wanted.slice(0, 2).map((batch) => batch.bytes));
        // An answer to an older question comes late.
        state.addFetched(bytes, from + 1, end);
        state.addFetched(bytes, from, end);
      };
      const take = (bytesMax: number): void => {
        fetch();
        const deliveries = state.take(bytesMax, true);
        const bytes = deliveries.reduce(
          (sum, each) => sum + (each.kind === 'log' ? each.batch.body.length : 0),
          0,
        );
        assert.ok(bytes <= bytesMax || deliveries.length === 1, 'a poll is bounded');
        for (const delivery of deliveries) {
          const before = taken.at(-1)?.nextPosition;
          assert.ok(before === undefined || before === delivery.position, 'positions have no holes');
          assert.ok(delivery.nextPosition > delivery.position);
          taken.push(delivery);
          open.push(delivery);
        }
        got.push(...recordsOf(deliveries));
      };
      /** What was delivered in this life covers exactly the log from its start, whatever was committed of it. */
      const startOfLife = { offset: 5 };
      const check = (): void => {
        const lent = recordsOf(open);
        assert.deepEqual(lent, got.slice(got.length - lent.length), 'what is not committed stays as it is');
        const expected = expectedOf(flat.slice(startOfLife.offset - 5));
        for (const fileId of new Set(got.map((record) => record.slice(0, 20)))) {
          const ofFile = (records: readonly string[]): string[] =>
            records.filter((each) => each.startsWith(fileId));
          const gotOfFile = ofFile(got);
          assert.deepEqual(
            gotOfFile,
            ofFile(expected).slice(0, gotOfFile.length),
            'the order of a file has no holes',
          );
        }
      };
      for (const next of steps) {
        if (next.kind === 'take') take(next.bytesMax);
        if (next.kind === 'commit') {
          const done = open.splice(0, Math.ceil(open.length * next.share));
          const position = done.at(-1)?.nextPosition;
          if (position !== undefined) state.commit(Number(position));
        }
        if (next.kind === 'rewind') state.rewind();
        if (next.kind === 'restart') {
          check();
          assert.ok(state.committable >= startOfLife.offset);
          startOfLife.offset = state.committable;
          state = createState(state.committable);
          open = [];
          taken = [];
          got = [];
        }
        check();
      }
      for (
        let round = 0;
        round < 200 && state.lag >= 0 && (state.fetchedOffset < end || state.hasRecords);
        round++
      )
        take(1_000);
      check();
      assert.deepEqual(
        got.toSorted(),
        expectedOf(flat.slice(startOfLife.offset - 5)).toSorted(),
        'none is lost',
      );
      const last = taken.at(-1)?.nextPosition;
      if (last !== undefined) state.commit(Number(last));
      assert.equal(state.committable, end);
      assert.equal(state.heldBytes, 0);
      assert.equal(state.lag, 0);
    }),
    { numRuns: 200 },
  );
});

void test('what is not wholly durable is not committed, though a later file of the same stretch is', () => {
  const state = createState(0);
  const files = [2, 3, 2, 3].map((file, index) => ({ file, offset: index }));
  state.addFetched(batchOf(files, 0), 0, 4);
  const deliveries = state.take(10_000, true);
  assert.deepEqual(
    deliveries.map(({ position, nextPosition }) => [position, nextPosition]),
    [
      [0n, 1n],
      [1n, 4n],
    ],
  );
  state.commit(1);
  assert.equal(state.committable, 0);
  state.commit(4);
  assert.equal(state.committable, 4);
});

void test('a broken checksum is refused, and nothing of the batch is taken', () => {
  const state = createState(0);
  const batch = batchOf([{ file: 2, offset: 0 }], 0);
  batch[batch.length - 1] = (batch.at(-1) ?? 0) ^ 1;
  assert.throws(() => state.addFetched(batch, 0, 1), { name: 'BrokenBatchError', message: /checksum/ });
  assert.equal(state.fetchedOffset, 0);
});
