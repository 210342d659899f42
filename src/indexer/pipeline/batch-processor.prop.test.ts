import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldNode, FieldTypes } from '../../record/field-types.ts';
import { FIELD_TYPE } from '../../record/field-types.ts';
import type { RecordBatch } from '../../record/record-batch.ts';
import { batchOfDocuments, documentOf } from '../testing/batches.ts';
import { createBatchProcessor, type BatchProcessor } from './batch-processor.ts';
import { parseDocument } from './general-path.ts';

const KEYS = [
  'message',
  'msg',
  '_msg',
  'log',
  'level',
  'LVL',
  'severity',
  'log.level',
  'ecs.version',
  'ecs',
  'a',
  'b.c',
  'ü',
  '__proto__',
  'fields',
  'kubernetes',
  '@timestamp',
  'x"y',
];

const scalar = fc.oneof(
  fc.constantFrom(
    'info',
    'WARN',
    'Err',
    'strange-1',
    'ERROR out of tea',
    'level=debug x',
    '',
    '\u001b[31mERROR\u001b[0m',
    'a\nb',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(0, 1, 30, 50, 1.5, -0.25, 1e21, 0.1, 200),
  fc.boolean(),
  fc.constant(null),
);

const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.dictionary(fc.constantFrom(...KEYS), scalar, { maxKeys: 2 }), { maxLength: 2 }),
  },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), scalar, { maxKeys: 3 }) },
);

const members = fc.array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 6 });

/** JSON text as people's programs write it: keys may stand twice, blanks anywhere, numbers in odd notations. */
const jsonLine = fc
  .tuple(
    members,
    fc.constantFrom('', ' ', '\t', '\n'),
    fc.constantFrom('', '12345678901234567891', '1.50', '1e3', '-0', '1.0'),
  )
  .map(([list, blank, number]) => {
    const texts = list.map(([key, member]) => `${JSON.stringify(key)}:${blank}${JSON.stringify(member)}`);
    if (number !== '') texts.push(`"n":${number}`);
    return `${blank}{${blank}${texts.join(`,${blank}`)}}${blank}`;
  });

const line = fc.oneof(
  { weight: 4, arbitrary: jsonLine },
  { weight: 1, arbitrary: jsonLine.map((text) => text.slice(0, -1)) },
  {
    weight: 1,
    arbitrary: jsonLine.map((text) => text.replaceAll('ü', '\\u00fc').replaceAll('"a"', '"\\u0061"')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'E1123 04:00:00.000000       1 main.go:12] x',
      '[error] x',
      '2026-11-23 04:00:00 WARN  x',
      'level=debug msg="x"',
      'nothing to see',
      '\tat com.example.Main(Main.java:1)',
      'a \\" b","stream":"stdout","log":{"offset":1',
    ),
  },
);

const log = fc.constantFrom(
  {},
  { flags: ['cr'] },
  { flags: ['truncated'], original_length: 9 },
  { parse_error: 'x' },
);

/** What both paths must agree on: the documents as values with exact numbers, and the fields' types. */
function outcomeOf(processor: BatchProcessor, batch: RecordBatch): unknown {
  const { batch: result, failedCount } = processor.process(batch);
  const body = Buffer.from(result.body);
  const documents = [];
  let start = 0;
  for (let index = 0; index < result.count; index++) {
    const end = result.ends[index] ?? 0;
    assert.equal(body[end - 1], 0x0a);
    const text = body.toString('utf8', start, end - 1);
    assert.ok(!text.includes('\n'));
    const document = parseDocument(body, start, end - 1);
    documents.push({ offset: result.offsets[index], lane: result.lanes[index], document: sorted(document) });
    start = end;
  }
  assert.equal(start, body.length);
  return { documents, failedCount, types: typesOf(result.fieldTypes) };
}

/** Text in which the order of members and the notation of numbers make no difference. */
function sorted(document: unknown): string {
  return JSON.stringify(document, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member) || Object.isFrozen(member)) {
      return member;
    }
    return Object.fromEntries(Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** Whether a number without a fraction was written with one is told by its text only. */
function typesOf(types: FieldTypes): unknown {
  const plain = ([key, node]: [string, FieldNode]): unknown => {
    const isNumber = (node.types & (FIELD_TYPE.integer | FIELD_TYPE.double)) !== 0;
    const rest = node.types & ~(FIELD_TYPE.integer | FIELD_TYPE.double);
    return [
      key,
      rest,
      isNumber,
      node.children === undefined ? undefined : [...node.children].toSorted(byKey).map(plain),
    ];
  };
  return [...types].toSorted(byKey).map(plain);
}

function byKey([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}

test('the fast path and the general path make the same documents of every line', () => {
  const fast = createBatchProcessor([]);
  const general = createBatchProcessor([], { hasFastPath: false });
  fc.assert(
    fc.property(fc.array(fc.tuple(line, log, fc.nat(1_000_000)), { minLength: 1, maxLength: 8 }), (lines) => {
      const documents = lines.map(([message, extras, offset]) =>
        documentOf(message, { log: extras, offset }),
      );
      const batch = batchOfDocuments(
        'a'.repeat(20),
        documents,
        lines.map(([, , offset]) => offset),
      );
      const expected = outcomeOf(general, batch);
      assert.deepEqual(outcomeOf(fast, batch), expected);
      // Lines whose shapes are known are read in another way.
      assert.deepEqual(outcomeOf(fast, batch), expected);
    }),
    { numRuns: 1000 },
  );
});

test('documents of any layout come out whole', () => {
  const fast = createBatchProcessor([]);
  const general = createBatchProcessor([], { hasFastPath: false });
  const document = fc.dictionary(
    fc.constantFrom('@timestamp', 'message', 'stream', 'log', 'event', 'fields', 'x', 'kubernetes'),
    fc.oneof(
      scalar,
      jsonLine,
      fc.dictionary(fc.constantFrom('level', 'offset', 'id', 'file'), scalar, { maxKeys: 3 }),
    ),
  );
  fc.assert(
    fc.property(fc.array(document, { minLength: 1, maxLength: 5 }), (documents) => {
      const batch = batchOfDocuments(
        'b'.repeat(20),
        documents.map((each) => JSON.stringify(each)),
      );
      assert.deepEqual(outcomeOf(fast, batch), outcomeOf(general, batch));
    }),
    { numRuns: 300 },
  );
});
