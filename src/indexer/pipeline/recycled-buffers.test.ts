/** What `recycle` takes back is written again; what a batch only lends is left alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../testing/batches.ts';
import { createBatchProcessor } from './batch-processor.ts';

const textOf = (body: Uint8Array): string => Buffer.from(body).toString();

const linesOf = (word: string): string[] =>
  Array.from({ length: 200 }, (_, index) => `{"level":"info","msg":"${word} ${index}"}`);

void test('a buffer that was taken back holds the next batch, whole', () => {
  const processor = createBatchProcessor([]);
  const [first, second] = [batchOf('a', 0, linesOf('first')), batchOf('b', 0, linesOf('second'))];
  const expected = textOf(createBatchProcessor([]).process(second).batch.body);
  const processed = processor.process(first).batch;
  const { buffer } = processed.body;
  processor.recycle(processed, first);
  const next = processor.process(second).batch;
  assert.equal(next.body.buffer, buffer);
  assert.equal(textOf(next.body), expected);
});

void test('bytes that were lent are not taken back, and two batches never share a buffer', () => {
  const processor = createBatchProcessor([]);
  const plain = batchOf(
    'a',
    0,
    Array.from({ length: 400 }, (_, index) => `nothing to see ${index}`),
  );
  const before = textOf(plain.body);
  processor.recycle(processor.process(plain).batch, plain);
  const held = ['first', 'second', 'third'].map((word) => processor.process(batchOf(word, 0, linesOf(word))));
  const buffers = new Set([plain.body.buffer, ...held.map(({ batch }) => batch.body.buffer)]);
  assert.equal(buffers.size, 4);
  assert.equal(textOf(plain.body), before);
});
