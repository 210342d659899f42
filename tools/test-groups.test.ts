import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planTests, stagesOf } from './test-groups.ts';

const PATHS = [
  'test/e2e/crash.e2e.test.ts',
  'test/e2e/kafka.e2e.test.ts',
  'test/e2e/log-writers.ts',
  'test/sim/sim.test.ts',
  'src/web/model/hue.test.ts',
  'src/agent/agent.test.ts',
  'src/agent/tail/tailer.prop.test.ts',
  'tools/gates.test.ts',
  'tools/tidy.test.ts',
  'bench/decode.bench.ts',
];

const plan = (suite: 'quick' | 'full', ...filters: string[]): Record<string, readonly string[]> =>
  Object.fromEntries(planTests(suite, PATHS, filters).map(({ name, files }) => [name, files]));

void test('the quick suite has the checks and unit tests only, the longest first', () => {
  assert.deepEqual(plan('quick'), {
    'checks and unit tests': [
      'tools/gates.test.ts',
      'src/agent/tail/tailer.prop.test.ts',
      'src/agent/agent.test.ts',
      'src/web/model/hue.test.ts',
      'tools/tidy.test.ts',
    ],
  });
});

void test('the full suite has every test file once', () => {
  const files = Object.values(plan('full')).flat();
  assert.deepEqual(files.toSorted(), PATHS.filter((path) => path.includes('.test.')).toSorted());
});

void test('tests that need real services run beside those that do not, behind everything else', () => {
  const stages = stagesOf(planTests('full', PATHS, [])).map((groups) => groups.map(({ files }) => files));
  assert.equal(stages.length, 3);
  assert.deepEqual(stages[1], [['test/sim/sim.test.ts']]);
  assert.deepEqual(stages[2], [['test/e2e/kafka.e2e.test.ts'], ['test/e2e/crash.e2e.test.ts']]);
});

void test('the long suite has the files of the full one, and more time for each', () => {
  const [full, long] = (['full', 'long'] as const).map((suite) => planTests(suite, PATHS, []));
  assert.deepEqual(
    long?.map(({ files }) => files),
    full?.map(({ files }) => files),
  );
  for (const [index, { timeoutMs }] of (long ?? []).entries())
    assert.ok(timeoutMs > (full?.[index]?.timeoutMs ?? Infinity));
});

void test('a filter keeps the files with that text in their path, in any suite', () => {
  assert.deepEqual(plan('full', 'tail'), { 'checks and unit tests': ['src/agent/tail/tailer.prop.test.ts'] });
  assert.deepEqual(plan('quick', 'crash'), { 'real processes': ['test/e2e/crash.e2e.test.ts'] });
  assert.deepEqual(plan('full', 'no such thing'), {});
});
