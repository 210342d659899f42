import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventIdOf } from '../../../record/identity.ts';
import type { DocumentBatch } from '../../../record/record-batch.ts';
import { formatTimestamp } from '../../../record/timestamp.ts';
import { BulkEncoder } from './bulk-encoder.ts';
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
  timeMs: fc.integer({ min: NOW_MS - 3 * DAY_MS, max: NOW_MS + 3 * DAY_MS }),
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
