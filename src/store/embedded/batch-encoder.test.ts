import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from '../../base/crc32.ts';
import { BatchEncoder } from './batch-encoder.ts';
import { readCommits } from './commit-line.ts';
import { testBatch, testFileId } from './testing/test-documents.ts';
import { Watermarks } from './watermarks.ts';

const FILE = testFileId(1);

function encode(batches: Parameters<BatchEncoder['add']>[0][]): {
  lines: string[];
  content: ReturnType<typeof readCommits>;
} {
  const encoder = new BatchEncoder(new Watermarks(), crc32, 1);
  encoder.beginJournal();
  encoder.beginGroup();
  for (const batch of batches) encoder.add(batch);
  const { bytes } = encoder.finish(1);
  return { lines: new TextDecoder().decode(bytes).trim().split('\n'), content: readCommits(bytes, crc32) };
}

test('what the documents of a file have in common is told once', () => {
  const { lines, content } = encode([
    testBatch(FILE, [
      { offset: 0, message: 'a' },
      { offset: 2, message: 'b' },
      { offset: 4, message: 'c', namespace: 'other' },
      { offset: 6, message: 'd' },
    ]),
  ]);
  const numbers = lines.slice(0, 4).map((line) => (JSON.parse(line) as Record<string, unknown>)['$resource']);
  assert.deepEqual(numbers, [1, 1, 2, 1]);
  const [commit] = content.commits;
  assert.deepEqual(Object.keys(commit?.resources ?? {}), ['1', '2']);
  assert.deepEqual(commit?.namespaces, { shop: 3, other: 1 });
  assert.deepEqual(commit?.watermarks, { [FILE]: [0, 7, 0] });
  assert.equal(content.isDamaged, false);
});

test('a message that contains the bytes of a resource does not pass for one', () => {
  const first = testBatch(FILE, [{ offset: 0, message: 'x' }]);
  const text = new TextDecoder().decode(first.body);
  const block = text.slice(text.indexOf(',"kubernetes"')).trim();
  const { lines } = encode([
    testBatch(FILE, [
      { offset: 0, message: 'x' },
      { offset: 9, message: block, more: { tail: block } },
    ]),
  ]);
  const documents = lines.slice(0, 2).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(documents[1]?.['message'], block);
  assert.equal(documents[1]?.['$resource'], 1);
});

test('lanes have watermarks of their own, and what a pipeline dropped moves them too', () => {
  const watermarks = new Watermarks();
  const encoder = new BatchEncoder(watermarks, crc32, 1);
  encoder.beginJournal();
  encoder.beginGroup();
  encoder.add(
    testBatch(
      FILE,
      [{ offset: 100, message: 'out', lane: 1 }],
      [{ reason: 'pipeline', lane: 1, offset: 200 }],
    ),
  );
  assert.deepEqual(encoder.add(testBatch(FILE, [{ offset: 50, message: 'err', lane: 2 }])), {
    appended: 1,
    duplicates: 0,
  });
  assert.deepEqual(encoder.add(testBatch(FILE, [{ offset: 150, message: 'again', lane: 1 }])), {
    appended: 0,
    duplicates: 1,
  });
  const { commit } = encoder.finish(1);
  assert.deepEqual(commit.dropped, { [FILE]: [200] });
  assert.deepEqual(watermarks.get(FILE), [0, 201, 51]);
});

test('a document that begins like a commit line is not taken for one', () => {
  const encoder = new BatchEncoder(new Watermarks(), crc32, 1);
  encoder.beginJournal();
  encoder.beginGroup();
  const body = new TextEncoder().encode(
    `{"commit":{"sequence":1},"log":{"offset":0},"event":{"id":"${FILE}-000000000000"}}\n`,
  );
  const batch = { ...testBatch(FILE, [{ offset: 0, message: '' }]), body, ends: Uint32Array.of(body.length) };
  encoder.add(batch);
  const content = readCommits(encoder.finish(1).bytes, crc32);
  assert.equal(content.commits.length, 1);
  assert.equal(content.commits[0]?.rows, 1);
  assert.equal(content.isDamaged, false);
});
