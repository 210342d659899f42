import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineConfig, PipelineMatch, PipelineStep } from '../../config/pipeline-config.ts';
import { gapDocument, gapFileIdOf } from '../../record/gap-document.ts';
import type { DocumentBatch } from '../../record/record-batch.ts';
import { batchOf, batchOfDocuments, documentOf, RESOURCE } from '../testing/batches.ts';
import { createBatchProcessor } from './batch-processor.ts';

const ANY: PipelineMatch = {
  source: undefined,
  namespace: undefined,
  pod: undefined,
  container: undefined,
  app: undefined,
  path: undefined,
  labels: {},
};

function pipeline(name: string, match: Partial<PipelineMatch>): PipelineConfig {
  const step: PipelineStep = { kind: 'set', field: 'labels.by', value: name, if: undefined };
  return { name, match: { ...ANY, ...match }, steps: [step], tests: [] };
}

function documentsOf(batch: DocumentBatch): Record<string, unknown>[] {
  const text = Buffer.from(batch.body).toString();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a batch in which nothing changes keeps its bytes', () => {
  const batch = batchOf('a', 0, ['nothing to see', 'here']);
  const processed = createBatchProcessor([]).process(batch);
  assert.equal(processed.batch.body.buffer, batch.body.buffer);
  assert.deepEqual(Buffer.from(processed.batch.body), Buffer.from(batch.body));
});

test('a spliced document has the level first in log, and fields behind the message', () => {
  const batch = batchOf('a', 5, ['{"level":"warn","msg":"slow \\"x\\"","n":1.5}', 'ERROR x']);
  const { body, fieldTypes } = createBatchProcessor([]).process(batch).batch;
  const [first = '', second = ''] = Buffer.from(body).toString().split('\n');
  assert.match(
    first,
    /"message":"slow \\"x\\"","fields":\{"level":"warn","n":1.5\},"stream":"stdout","log":\{"level":"warn","offset":5,/,
  );
  assert.match(second, /"message":"ERROR x","stream":"stdout","log":\{"level":"error","offset":6,/);
  assert.ok(first.endsWith(JSON.stringify(RESOURCE).slice(1)));
  assert.deepEqual([...(fieldTypes.get('fields')?.children?.keys() ?? [])], ['level', 'n']);
});

test('the first pipeline that fits takes the documents of a file', () => {
  const processor = createBatchProcessor([
    pipeline('other', { namespace: 'bank' }),
    pipeline('both', { namespace: 'sho*', app: 'check???' }),
    pipeline('late', {}),
  ]);
  const [document] = documentsOf(processor.process(batchOf('a', 0, ['x'])).batch);
  assert.deepEqual(document?.['labels'], { by: 'both' });
  const bare = documentOf('x', { resource: {} });
  const [other] = documentsOf(processor.process(batchOfDocuments('b'.repeat(20), [bare])).batch);
  assert.deepEqual(other?.['labels'], { by: 'late' });
});

test('the pipeline is chosen by source, path and labels as well', () => {
  const processor = createBatchProcessor([
    pipeline('labelled', { source: 'pods', path: '/var/log/pods/*', labels: { tier: 'w?b' } }),
  ]);
  const [document] = documentsOf(processor.process(batchOf('a', 0, ['x'])).batch);
  assert.deepEqual(document?.['labels'], { by: 'labelled' });
});

test("a pod's label is named in a match as Kubernetes names it", () => {
  const name = 'app.kubernetes.io/name';
  const processor = createBatchProcessor([pipeline('web', { labels: { [name]: 'web' } })]);
  const labels = { 'app_kubernetes_io/name': 'web' };
  const resource = { ...RESOURCE, kubernetes: { ...RESOURCE.kubernetes, labels } };
  const documents = [documentOf('x', { resource }), documentOf('x')];
  const result = documentsOf(processor.process(batchOfDocuments('a'.repeat(20), documents)).batch);
  assert.deepEqual(
    result.map((document) => document['labels']),
    [{ by: 'web' }, undefined],
  );
});

test('a file whose resource changes is matched anew', () => {
  const processor = createBatchProcessor([pipeline('bank', { namespace: 'bank' })]);
  const moved = { ...RESOURCE, kubernetes: { ...RESOURCE.kubernetes, namespace: 'bank' } };
  const documents = [
    documentOf('ERROR x'),
    documentOf('ERROR x', { resource: moved }),
    documentOf('ERROR x'),
  ];
  const result = documentsOf(processor.process(batchOfDocuments('a'.repeat(20), documents)).batch);
  assert.deepEqual(
    result.map((document) => (document['labels'] as object | undefined) !== undefined),
    [false, true, false],
  );
});

test('the document of a gap is left as it is by every pipeline, and its fields are known', () => {
  const drop: PipelineStep = { kind: 'drop', reason: 'all of it', if: undefined };
  const processor = createBatchProcessor([{ name: 'x', match: ANY, steps: [drop], tests: [] }]);
  const place = { fileId: 'ab'.repeat(10), path: '/x.log', resource: RESOURCE };
  const gap = {
    kind: 'gap',
    startOffset: 1,
    endOffset: 3,
    reason: 'r',
    time: '2026-11-23T00:00:00.000000000Z',
  } as const;
  const text = gapDocument(place, gap, 1);
  const batch = batchOfDocuments(gapFileIdOf(place.fileId), [text.trimEnd()]);
  const { body, fieldTypes, count } = processor.process(batch).batch;
  assert.deepEqual([count, Buffer.from(body).toString()], [1, text]);
  const fields = fieldTypes.get('fields')?.children?.get('gap')?.children;
  assert.deepEqual([...(fields?.keys() ?? [])], ['kind', 'start_offset', 'end_offset', 'reason', 'file_id']);
  assert.ok(fieldTypes.get('event')?.children?.has('kind'));
});

test('what is no document, or too deep for one, is kept as it was and counted', () => {
  const deep = `{"message":"x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  const batch = batchOfDocuments('a'.repeat(20), ['not a document', deep, documentOf('ERROR x')]);
  const { batch: result, failedCount, failures } = createBatchProcessor([]).process(batch);
  const lines = Buffer.from(result.body).toString().split('\n');
  assert.equal(lines[0], 'not a document');
  assert.equal(lines[1], deep);
  assert.match(lines[2] ?? '', /"level":"error"/);
  assert.equal(result.count, 3);
  assert.equal(failedCount, 2);
  assert.deepEqual(
    failures.map((failure) => [failure.pipeline, failure.count, failure.offset]),
    [[undefined, 2, batch.offsets[0]]],
  );
});

test('a batch may be longer than what it was first given room for', () => {
  const lines = Array.from({ length: 50 }, (_, index) => `{"a":${index}}`);
  const config = pipeline('grow', {});
  const grow: PipelineStep = { kind: 'set', field: 'filler', value: 'ü'.repeat(5000), if: undefined };
  const processor = createBatchProcessor([{ ...config, steps: [grow] }]);
  const documents = documentsOf(processor.process(batchOf('a', 0, lines)).batch);
  assert.equal(documents.length, 50);
  assert.ok(documents.every((document) => JSON.stringify(document['fields']).length > 5000));
});

test('batches share no memory once they are processed', () => {
  const processor = createBatchProcessor([]);
  const first = processor.process(batchOf('a', 0, ['ERROR one'])).batch;
  const before = Buffer.from(first.body).toString();
  processor.process(batchOf('a', 10, ['ERROR two']));
  assert.equal(Buffer.from(first.body).toString(), before);
});

test('keys that lines make up do not grow without bound', () => {
  const processor = createBatchProcessor([]);
  for (let round = 0; round < 10; round++) {
    const lines = Array.from(
      { length: 1000 },
      (_, index) => `{"k${round * 1000 + index}":1,"x":{"y${index}":2}}`,
    );
    const { batch } = processor.process(batchOf('a', round * 1000, lines));
    assert.equal(documentsOf(batch)[7]?.['message'], lines[7]);
    assert.equal(batch.fieldTypes.get('fields')?.children?.size, 1001);
  }
});
