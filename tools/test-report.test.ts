import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestReport } from './test-report.ts';

const FILE = '/repository/src/a.test.ts';

function reportOf(...events: { type: string; data: object }[]): string[] {
  const lines: string[] = [];
  const report = new TestReport((text) => lines.push(text), '/repository');
  for (const event of events) report.onEvent(event);
  report.printEnd();
  return lines.join('').split('\n');
}

const pass = (name: string, more: object = {}): { type: string; data: object } => ({
  type: 'test:pass',
  data: { name, file: FILE, nesting: 0, details: { duration_ms: 1 }, ...more },
});

void test('the last line has the numbers, alone', () => {
  const lines = reportOf(
    pass('one'),
    pass('two', { nesting: 1 }),
    pass('a suite', { details: { duration_ms: 1, type: 'suite' } }),
    pass('three', { skip: 'no s6-log here' }),
    { type: 'test:summary', data: { file: FILE, duration_ms: 1500 } },
  );
  assert.deepEqual(lines, [
    '﹣ src/a.test.ts  2 passed, 1 skipped  1.5 s',
    'skipped: src/a.test.ts: three (no s6-log here)',
    '2 passed, 0 failed, 1 skipped',
    '',
  ]);
});

void test('a failure is shown with its cause and what the file printed, and counted once', () => {
  const fail = (name: string, error: Error, failureType: string): { type: string; data: object } => ({
    type: 'test:fail',
    data: {
      name,
      file: FILE,
      nesting: 0,
      details: { duration_ms: 1, error: Object.assign(error, { failureType }) },
    },
  });
  const lines = reportOf(
    { type: 'test:stdout', data: { file: FILE, message: 'seed 42\n' } },
    fail('inner', new Error('outer', { cause: new Error('the cause') }), 'testCodeFailure'),
    fail('parent', new Error('1 subtest failed'), 'subtestsFailed'),
    { type: 'test:summary', data: { file: FILE, duration_ms: 10 } },
  );
  assert.equal(lines.at(-2), '0 passed, 1 failed, 0 skipped');
  const text = lines.join('\n');
  assert.match(text, /✖ src\/a\.test\.ts: inner/);
  assert.match(text, /the cause/);
  assert.match(text, /seed 42/);
});

void test('files that share a process have a line each, and one without a result has failed', () => {
  const lines: string[] = [];
  const report = new TestReport((text) => lines.push(text), '/repository');
  const entry = '/repository/batch-0.mjs';
  report.expectBatch(entry, [FILE, '/repository/src/b.test.ts']);
  report.onEvent({ type: 'test:stdout', data: { file: entry, message: 'the process ends\n' } });
  report.onEvent(pass('one', { details: { duration_ms: 1500 } }));
  report.onEvent(pass('inner', { nesting: 1 }));
  report.onEvent({ type: 'test:summary', data: { file: entry, duration_ms: 2000 } });
  report.printEnd();
  assert.deepEqual(lines.join('').split('\n'), [
    '✔ src/a.test.ts  2 passed  1.5 s',
    '✖ src/b.test.ts  0 passed, 1 failed  0.0 s',
    '    the process ends',
    'failed: src/b.test.ts: none of its tests has run',
    '2 passed, 1 failed, 0 skipped',
    '',
  ]);
});

void test('what files print that run beside each other stands under their names', () => {
  const lines: string[] = [];
  const report = new TestReport((text) => lines.push(text), '/repository');
  report.isVerbose = true;
  const print = (file: string, message: string): void =>
    report.onEvent({ type: 'test:stdout', data: { file, message } });
  print(FILE, 'one\n');
  print(FILE, 'two\n');
  print('/repository/src/b.test.ts', 'three\n');
  print(FILE, 'four\n');
  assert.deepEqual(lines.join('').split('\n'), [
    '  src/a.test.ts:',
    '    one',
    '    two',
    '  src/b.test.ts:',
    '    three',
    '  src/a.test.ts:',
    '    four',
    '',
  ]);
});
