import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchModule, batchTests, needsOwnProcess } from './test-batches.ts';

void test('every file is in one batch: those that stand alone first, the others with their neighbours', () => {
  const files = Array.from({ length: 40 }, (_, index) => `src/${String(index).padStart(2, '0')}.test.ts`);
  const alone = new Set([files[3], files[39]]);
  const batches = batchTests(files, (file) => alone.has(file));
  assert.deepEqual(batches.slice(0, 2), [[files[3]], [files[39]]]);
  assert.deepEqual(
    batches.slice(2).map(({ length }) => length),
    [10, 9, 10, 9],
  );
  assert.deepEqual(
    batches.slice(2).flat(),
    files.filter((file) => !alone.has(file)),
  );
  assert.deepEqual(
    batchTests([], () => true),
    [],
  );
});

void test('a test that touches what belongs to the whole process stands alone', () => {
  const touching = [
    'after(() => engine.close());\n',
    "delete process.env['HOME'];",
    "import { env } from 'node:process';",
    "import { spawn } from 'node:child_process';",
    "import { Worker } from 'node:worker_threads';",
    "import { mock, test } from 'node:test';",
    'globalThis.fetch = failing;',
  ];
  for (const source of touching) assert.ok(needsOwnProcess(source), source);
  const harmless = [
    "suite('engine', () => {\n  after(() => engine.close());\n});\n",
    "import { processLine } from './process-line.ts';",
    "test('it is processed', () => undefined);",
  ];
  for (const source of harmless) assert.ok(!needsOwnProcess(source), source);
});

void test('the module of a batch loads its files in order', () => {
  const text = batchModule(['file:///a%20b.test.ts', 'file:///c.test.ts']);
  assert.equal(text, 'await import("file:///a%20b.test.ts");\nawait import("file:///c.test.ts");\n');
});
