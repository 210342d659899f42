import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineConfig, PipelineTest } from '../config/pipeline-config.ts';
import { explainLine, explainSelection, formatExplanation } from './explain.ts';
import { runPipelineTests } from './pipeline-tests.ts';

const TIME = '2026-11-23T04:00:00.000000000Z';

function shop(tests: readonly PipelineTest[] = []): PipelineConfig {
  return {
    name: 'shop',
    match: {
      source: undefined,
      namespace: 'shop',
      pod: undefined,
      container: undefined,
      app: undefined,
      path: undefined,
      labels: { team: 'blue' },
    },
    steps: [
      { kind: 'drop', reason: 'health', if: 'healthz' },
      { kind: 'json', field: 'message', keepOriginal: false, if: undefined },
      { kind: 'route', index: 'audit', if: 'kind:audit' },
    ],
    tests,
  };
}

test('a test passes when every member that it names is so, and null means absent', () => {
  const results = runPipelineTests([
    shop([
      {
        name: 'all kinds of names',
        input: ['{"msg":"x","level":"warn","a":{"b":[1,2],"c":3}}', 'GET /healthz'],
        expect: [
          {
            message: 'x',
            level: 'warn',
            'fields.a.b': [1, 2],
            fields: { a: { c: 3 } },
            namespace: 'shop',
            'labels.team': 'blue',
            tags: null,
          },
          'dropped',
        ],
      },
    ]),
  ]);
  assert.deepEqual(results, [{ pipeline: 'shop', test: 'all kinds of names', isPassed: true, diff: '' }]);
});

test('a test that fails says what is different', () => {
  const [result] = runPipelineTests([
    shop([
      {
        name: 'wrong',
        input: ['{"msg":"x","a":1}', 'GET /healthz', 'fine', 'extra'],
        expect: [{ message: 'y', 'fields.a': 1, 'fields.b': 2 }, { message: 'z' }, 'dropped'],
      },
    ]),
  ]);
  assert.equal(result?.isPassed, false);
  assert.equal(
    result?.diff.replace(/\{"@timestamp.*/, '{…}'),
    [
      '4 input lines, but 3 expected documents',
      'line 1: "{\\"msg\\":\\"x\\",\\"a\\":1}"',
      '  - message: "y"',
      '  + message: "x"',
      '  - fields.b: 2',
      '  + fields.b: (absent)',
      'line 2: "GET /healthz"',
      '  - {"message":"z"}',
      '  + dropped',
      'line 3: "fine"',
      '  - dropped',
      '  + {…}',
    ].join('\n'),
  );
});

test('an explanation names the pipelines that were looked at, what steps changed, and the index', () => {
  const members = { 'kubernetes.namespace': 'shop', 'labels.team': 'blue' };
  const explained = explainLine({
    pipelines: [shop()],
    line: '{"kind":"audit","level":"info"}',
    members,
    time: TIME,
  });
  assert.equal(explained.pipeline, 'shop');
  assert.equal(explained.index, 'logboom-audit-2026.11.23');
  assert.deepEqual(
    explained.steps.map(({ outcome, changes }) => [outcome, changes]),
    [
      ['unchanged', []],
      ['changed', ['+ log.level: "info"', '+ fields.kind: "audit"', '+ fields.level: "info"']],
      ['changed', ['+ logboom.index: "audit"']],
    ],
  );
  const text = formatExplanation(explained).join('\n');
  assert.match(text, /shop: namespace is shop, fits shop/);
  assert.match(text, /index: logboom-audit-2026\.11\.23/);
});

test('a line that no configured pipeline takes goes through the built-in one', () => {
  const explained = explainLine({ pipelines: [shop()], line: 'ERROR x', members: {}, time: TIME });
  assert.equal(explained.pipeline, 'default');
  assert.equal(explained.index, 'logboom-_host-2026.11.23');
  assert.deepEqual(explained.considered[0], {
    name: 'shop',
    isTaken: false,
    conditions: [
      { name: 'namespace', pattern: 'shop', value: undefined, fits: false },
      { name: 'labels.team', pattern: 'blue', value: undefined, fits: false },
    ],
  });
});

test('a line that is dropped has no index', () => {
  const members = { 'kubernetes.namespace': 'shop', 'labels.team': 'blue' };
  const explained = explainLine({ pipelines: [shop()], line: 'GET /healthz', members, time: TIME });
  assert.deepEqual(
    [explained.document, explained.index, explained.steps.at(-1)?.outcome],
    [undefined, undefined, 'dropped'],
  );
  assert.equal(formatExplanation(explained).at(-1), 'the line is dropped');
});

test('a selection is explained without a line', () => {
  const origin = {
    source: 'pods',
    namespace: 'shop',
    pod: undefined,
    container: undefined,
    app: undefined,
    path: undefined,
    labels: { team: 'red' },
  };
  assert.equal(explainSelection([shop()], origin).pipeline, 'default');
});
