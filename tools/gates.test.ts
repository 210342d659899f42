/** The checks that other programs make for us, each as one test: format, lint, types, unused code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { suite, test } from 'node:test';

const root = path.dirname(import.meta.dirname);

async function runTool(name: string, args: readonly string[]): Promise<void> {
  const child = spawn(path.join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  assert.ok(code === 0, `${name} ${args.join(' ')} exits with ${code}\n${output}`);
}

/** With one checker: several check what they have in common several times, and the cores are busy as it is. */
function checkTypes(project: string): Promise<void> {
  return runTool('tsc', ['--noEmit', '--checkers', '1', '-p', project]);
}

suite('gates', { concurrency: 2 }, () => {
  void test('the linter has nothing to say', () => runTool('oxlint', ['--type-aware', '--deny-warnings']));
  void test('the types of the program hold', () => checkTypes('tsconfig.json'));
  void test('the pure folders need nothing of Node', () => checkTypes('tsconfig.pure.json'));
  void test('the types of the page hold', () => checkTypes('tsconfig.web.json'));
  void test('every file is formatted', () => runTool('oxfmt', ['--check']));
  void test('no file, export or dependency is unused', () => runTool('knip', ['--no-progress']));
});
