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

test('what other shippers have where a parsed line writes is kept beside it', () => {
  const parsed = (document: Readonly<Record<string, unknown>>): unknown =>
    JSON.parse(processDocument(Buffer.from(JSON.stringify(document)), [], new Map()).text);
  const message = '{"level":"warn","env":"prod"}';
  const fields = { level: 'warn', env: 'prod' };
  const log = { level: 'warn' };
  assert.deepEqual(parsed({ message, fields: 'text' }), {
    message,
    fields: { fields: 'text', ...fields },
    log,
  });
  assert.deepEqual(parsed({ message, fields: null }), { message, fields, log });
  assert.deepEqual(parsed({ message, fields: { env: 'test', a: 1 } }), {
    message,
    fields: { a: 1, original_env: 'test', ...fields },
    log,
  });
  assert.deepEqual(parsed({ message, fields: { env: 'prod' } }), { message, fields, log });
  assert.deepEqual(parsed({ message, log: ['a'] }), { message, fields: { log: ['a'], ...fields }, log });
  assert.deepEqual(parsed({ message: 'ERROR x', log: 'text', fields: { log: 1 } }), {
    message: 'ERROR x',
    fields: { log: 1, original_log: 'text' },
    log: { level: 'error' },
  });
  const lossy = '{"a":1,"a":2}';
  assert.deepEqual(parsed({ message: lossy, event: 'created' }), {
    message: lossy,
    fields: { a: 2, event: 'created' },
    event: { original: lossy },
  });
});
