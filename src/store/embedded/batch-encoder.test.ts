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
  assert.deepEqual(documents[1]?.['tail'], block);
});

test('of a plain record a journal keeps what is its own', () => {
  const { lines, content } = encode([
    testBatch(FILE, [
      { offset: 0, message: 'a', level: 'info' },
      { offset: 16_777_215, message: ',"stream":"stdout","log":{"offset":1', fields: { status: 200 } },
      { offset: 4_294_967_299, message: '\\', level: 'warn' },
    ]),
  ]);
  assert.deepEqual(lines.slice(0, 3), [
    '{"@timestamp":"2026-11-23T04:00:00.000000000Z","message":"a","$level":"info","$offset":0,"$resource":1}',
    '{"@timestamp":"2026-11-23T04:00:16.777215000Z","message":",\\"stream\\":\\"stdout\\",\\"log\\":{\\"offset\\":1","fields":{"status":200},"$offset":16777215,"$resource":1}',
    '{"@timestamp":"2026-11-23T05:11:34.967299000Z","message":"\\\\","$level":"warn","$offset":4294967299,"$resource":1}',
  ]);
  const [commit] = content.commits;
  assert.equal(commit?.isCompact, true);
  assert.deepEqual(commit?.resources['1']?.members['stream'], 'stdout');
  assert.deepEqual(commit?.resources['1']?.members['log'], { file: { path: `/data/logs/${FILE}.log` } });
});

test('records of two streams are compact, each with a resource of its own', () => {
  const { lines, content } = encode([
    testBatch(FILE, [
      { offset: 0, message: 'a', lane: 1 },
      { offset: 2, message: 'b', lane: 2 },
      { offset: 4, message: 'c', lane: 1 },
    ]),
  ]);
  const numbers = lines.slice(0, 3).map((line) => (JSON.parse(line) as Record<string, unknown>)['$resource']);
  assert.deepEqual(numbers, [1, 2, 1]);
  assert.equal(content.commits[0]?.isCompact, true);
});

for (const [what, pattern, replacement] of [
  ['an event id of another offset', /-000000000009/, '-000000000008'],
  ['another offset', /"offset":9/, '"offset":19'],
  ['a level that is not of plain letters', /"level":"info"/, '"level":"a b"'],
  ['a member of log that is no part of the layout', /"offset":9/, '"odd":1,"offset":9'],
  ['another path', /data/, 'moved'],
] as const) {
  test(`a document with ${what} is not taken for a compact one of the resource before`, () => {
    const batch = testBatch(FILE, [
      { offset: 0, message: 'first', level: 'info' },
      { offset: 9, message: 'second', level: 'info' },
    ]);
    const [first = '', second = ''] = new TextDecoder().decode(batch.body).trim().split('\n');
    const changed = second.replace(pattern, replacement);
    assert.notEqual(changed, second);
    const body = new TextEncoder().encode(`${first}\n${changed}\n`);
    const { lines, content } = encode([
      { ...batch, body, ends: Uint32Array.of(first.length + 1, body.length) },
    ]);
    const [commit] = content.commits;
    assert.match(lines[0] ?? '', /"\$resource":1\}$/);
    assert.match(lines[1] ?? '', /"\$resource":2\}$/);
    assert.equal(commit?.isCompact, what === 'another path');
  });
}

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
