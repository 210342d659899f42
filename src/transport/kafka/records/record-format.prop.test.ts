import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordsBatch, readRecordsBatch, Reader } from '@platformatic/kafka';
import fc from 'fast-check';
import type { Compression } from './record-compression.ts';
import { headerOf, readFrames, RecordReader } from './record-decoder.ts';
import { RecordEncoder, SCHEMA_HEADER } from './record-encoder.ts';

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const record = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
});

const options = fc.record({
  compression: fc.constantFrom(...COMPRESSIONS),
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  identity: fc.record({
    producerId: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    producerEpoch: fc.integer({ min: 0, max: 1000 }),
    sequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  }),
});

interface PlainRecord {
  readonly key: string;
  readonly value: string | undefined;
}

function plain(key: Uint8Array | null, value: Uint8Array | null | undefined): PlainRecord {
  return {
    key: Buffer.from(key ?? []).toString('hex'),
    value: value === undefined || value === null ? undefined : Buffer.from(value).toString('hex'),
  };
}

function readAll(
  bytes: Buffer,
): (PlainRecord & { offset: number; timestampMs: number; schema: string | undefined })[] {
  return readFrames(bytes).flatMap((frame) => {
    const reader = new RecordReader(frame);
    const records = [];
    while (reader.next()) {
      const { cursor } = reader;
      const { data, keyStart, keyEnd, valueStart, valueEnd, offset, timestampMs } = cursor;
      const value = valueStart < 0 ? undefined : data.subarray(valueStart, valueEnd);
      const schema = headerOf(cursor, SCHEMA_HEADER);
      records.push({ ...plain(data.subarray(keyStart, keyEnd), value), offset, timestampMs, schema });
    }
    return records;
  });
}

void test("a batch reads as it was written, by our reader and by the library's", () => {
  const encoder = new RecordEncoder();
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 30 }),
      options,
      (records, { compression, timestampMs, identity }) => {
        for (const { key, value } of records) {
          const source = value === undefined ? undefined : Buffer.from(value);
          encoder.add(Buffer.from(key), source, 0, value?.length ?? 0);
        }
        const bytes = encoder.finish({ identity, timestampMs, compression });
        const expected = records.map(({ key, value }) => plain(key, value));
        const ours = readAll(bytes);
        assert.deepEqual(
          ours,
          expected.map((each, offset) => ({ ...each, offset, timestampMs, schema: '1' })),
        );
        const theirs = readRecordsBatch(Reader.from(bytes));
        assert.deepEqual(
          theirs.records.map(({ key, value }) => plain(key, value)),
          expected,
        );
        assert.deepEqual(
          [theirs.producerId, theirs.producerEpoch, theirs.firstSequence],
          [identity.producerId, identity.producerEpoch, identity.sequence],
        );
      },
    ),
    { numRuns: 300 },
  );
});

void test('batches that the library wrote read as they were written, headers and timestamps included', () => {
  const message = fc.record({
    key: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
    value: fc.uint8Array({ maxLength: 200 }),
    // The library cannot write times further apart than this.
    timestamp: fc.bigInt({ min: 2n ** 40n, max: 2n ** 40n + 2n ** 30n }),
    header: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...COMPRESSIONS),
      (messages, compression) => {
        const given = messages.map(({ key, value, timestamp, header }) => ({
          topic: 't',
          partition: 0,
          ...(key === undefined ? {} : { key: Buffer.from(key) }),
          value: Buffer.from(value),
          timestamp,
          headers: new Map(
            header === undefined
              ? []
              : [
                  [Buffer.from('other'), Buffer.from('x')],
                  [Buffer.from(SCHEMA_HEADER), Buffer.from(header)],
                ],
          ),
        }));
        const bytes = Buffer.from(createRecordsBatch(given, { compression }).buffer);
        const read = readAll(bytes);
        assert.deepEqual(
          read.map(({ value, timestampMs, schema }) => ({ value, timestampMs, schema })),
          messages.map(({ value, timestamp, header }) => ({
            value: Buffer.from(value).toString('hex'),
            timestampMs: Number(timestamp),
            schema: header,
          })),
        );
      },
    ),
    { numRuns: 200 },
  );
});

void test('whatever bytes a broker returns, they are read or refused, never misread into a loop', () => {
  const encoder = new RecordEncoder();
  encoder.add(Buffer.from('key'), Buffer.from('value'), 0, 5);
  const identity = { producerId: 1n, producerEpoch: 0, sequence: 0 };
  const good = encoder.finish({ identity, timestampMs: 1, compression: 'none' });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: good.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, flip) => {
        const broken = Buffer.from(good);
        broken[at] = (broken[at] ?? 0) ^ flip;
        try {
          // What stands before the checksum is the broker's; a cut batch is left out.
          assert.ok(readAll(broken).length <= 1);
          assert.ok(at < 17);
        } catch (error) {
          assert.ok(error instanceof Error && error.name === 'BrokenBatchError', String(error));
        }
      },
    ),
  );
});
