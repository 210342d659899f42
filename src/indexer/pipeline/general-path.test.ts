import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTypes } from '../../record/field-types.ts';
import { documentOf } from '../testing/batches.ts';
import type { CompiledPipeline } from './compile-pipelines.ts';
import { processDocument } from './general-path.ts';

test('a document on which a pipeline throws is kept as it was, with what went wrong', () => {
  const poison: CompiledPipeline = {
    name: 'poison',
    isDefault: false,
    conditions: [],
    steps: [
      {
        config: undefined,
        title: 'changes, then throws',
        run(document) {
          document['message'] = 'half done';
          throw new RangeError('too deep');
        },
      },
    ],
  };
  const types: FieldTypes = new Map();
  const source = documentOf('x');
  const { outcome, text, failure } = processDocument(Buffer.from(source), [poison], types);
  assert.equal(outcome, 'failed');
  assert.deepEqual(failure, { pipeline: 'poison', reason: 'too deep' });
  const error = { message: 'the pipeline poison failed: too deep' };
  assert.deepEqual(JSON.parse(text), { ...(JSON.parse(source) as object), error });
  assert.ok(types.get('error')?.children?.has('message'));
});

test('members come out in the order of the layout, where the record comes from last', () => {
  const pipeline: CompiledPipeline = {
    name: 'adds',
    isDefault: false,
    conditions: [],
    steps: [
      {
        config: undefined,
        title: 'adds',
        run(document) {
          document['trace'] = { id: 'a' };
          document['fields'] = { a: 1 };
          return 'keep';
        },
      },
    ],
  };
  const { text } = processDocument(Buffer.from(documentOf('x')), [pipeline], new Map());
  assert.deepEqual(Object.keys(JSON.parse(text) as object), [
    '@timestamp',
    'message',
    'fields',
    'stream',
    'log',
    'event',
    'trace',
    'kubernetes',
    'container',
    'service',
    'host',
    'agent',
    'input',
    'ecs',
  ]);
});

test('numbers of other shippers keep their digits', () => {
  const { text } = processDocument(Buffer.from('{"message":"x","big":12345678901234567890}'), [], new Map());
  assert.equal(text, '{"message":"x","big":12345678901234567890}');
});
