import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import { BulkEncoder } from './bulk-encoder.ts';
import { LAST_DAY_MS } from './engine-time.ts';
import { IndexRouter } from './index-router.ts';

const FILE = '0123456789abcdef0123';
const NOW_MS = 1_795_000_000_000;
const DAY_MS = 86_400_000;
const LIMITS = {
  index: 'logs-{namespace}-{date}',
  isDataStream: false,
  lateMsMax: DAY_MS,
  futureMsMax: DAY_MS,
};

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('x'.repeat(300), 'a "quoted" \\ end\\', '}},"fields":{"a":1},"stream":"', ''),
);

const documentArbitrary = fc.record({
  timeMs: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: NOW_MS - 3 * DAY_MS, max: NOW_MS + 3 * DAY_MS }) },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, LAST_DAY_MS - 1, LAST_DAY_MS, LAST_DAY_MS + DAY_MS) },
  ),
  message: text,
  fields: fc.option(
    fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }),
    {
      nil: undefined,
    },
  ),
  level: fc.option(fc.constantFrom('info', 'error'), { nil: undefined }),
  flags: fc.option(fc.constant(['truncated']), { nil: undefined }),
  stream: fc.constantFrom('stdout', 'stderr'),
  resource: fc.constantFrom(
    { kubernetes: { namespace: 'shop', pod: { name: 'web-1' }, labels: { 'app.io/name': 'Cart', n: 1 } } },
    { host: { name: 'Straße-1' }, service: { name: 'π' } },
    { kubernetes: { namespace: 'pay' }, logboom: { index: 'routed' } },
    { 'trace.id': 'odd' },
    {},
  ),
  isOdd: fc.boolean(),
});

type Document = typeof documentArbitrary extends fc.Arbitrary<infer T> ? T : never;

function jsonOf(
  { timeMs, message, fields, level, flags, stream, resource, isOdd }: Document,
  offset: number,
): string {
  const document = {
    '@timestamp': formatTimestamp(BigInt(timeMs) * 1_000_000n + 7n),
    message,
    ...(fields === undefined ? {} : { fields }),
    stream,
    log: {
      ...(level === undefined ? {} : { level }),
      offset,
      file: { path: '/var/log/a.log' },
      ...(flags === undefined ? {} : { flags }),
    },
    event: { id: eventIdOf(FILE, offset), ...(isOdd ? { kind: 'gap' } : {}) },
    ...resource,
  };
  return `${JSON.stringify(document)}\n`;
}

function batchOf(parts: readonly string[]): DocumentBatch {
  const bytes = parts.map((part) => Buffer.from(part));
  let end = 0;
  return {
    fileId: FILE,
    body: Buffer.concat(bytes),
    count: bytes.length,
    ends: Uint32Array.from(bytes, (part) => (end += part.length)),
    offsets: Float64Array.from(parts, (_, index) => index * 1_000_000),
    lanes: new Uint8Array(parts.length),
    fieldTypes: new Map(),
    dropped: [],
  };
}

function encodeAll(batches: readonly DocumentBatch[]): string[] {
  const encoder = new BulkEncoder({ router: new IndexRouter(LIMITS), bytesMax: 4_096 });
  return batches.flatMap((batch) =>
    encoder
      .encode([batch], NOW_MS)
      .payloads.flatMap(({ bytes, items }) =>
        items.map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString()),
      ),
  );
}

void test('the fast path writes what the slow path writes, whatever was learned before', () => {
  fc.assert(
    fc.property(fc.array(documentArbitrary, { minLength: 1, maxLength: 12 }), (documents) => {
      const lines = documents.map((document, index) => jsonOf(document, index * 1_000_000));
      // Blanks between members keep a document off the fast path, and are nothing else.
      const blank = lines.map((line) => line.replace('{"@timestamp":', '{ "@timestamp":'));
      const fast = encodeAll([batchOf(lines)]);
      const slow = encodeAll([batchOf(blank)]).map((line) =>
        line.replace('{ "@timestamp":', '{"@timestamp":'),
      );
      assert.deepEqual(fast, slow);
    }),
    { numRuns: Number(process.env['LOGBOOM_CASES'] ?? 300) },
  );
});

void test('a document of a time that engines cannot index is not sent, on the fast path neither', () => {
  const line = (time: string, index: number): string => {
    const id = eventIdOf(FILE, index * 1_000_000);
    return `{"@timestamp":"${time}","message":"m","stream":"stdout","log":{"offset":${index * 1_000_000}},"event":{"id":"${id}"}}\n`;
  };
  const usual = '2026-11-23T04:30:00.000000000Z';
  const times = [
    usual,
    '1969-12-31T23:59:59.999999999Z',
    '1970-01-01T00:00:00.000000000Z',
    '2262-04-10T23:59:59.999999999Z',
    '2262-04-11T00:00:00.000000000Z',
    '9999-12-31T23:59:59.999999999Z',
    usual,
  ];
  const encoder = new BulkEncoder({ router: new IndexRouter(LIMITS), bytesMax: 1_048_576 });
  const { payloads, unsent } = encoder.encode([batchOf(times.map(line))], NOW_MS);
  assert.deepEqual(
    payloads.flatMap(({ items }) => items.map(({ documentIndex }) => documentIndex)),
    [0, 2, 3, 6],
  );
  assert.deepEqual(
    unsent.map(({ documentIndex, error }) => [documentIndex, error.type]),
    [1, 4, 5].map((index) => [index, 'timestamp_out_of_range']),
  );
  assert.match(unsent[0]?.error.reason ?? '', /not between 1970 and 2262: "1969-/);
});
