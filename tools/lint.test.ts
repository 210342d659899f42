import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const root = path.dirname(import.meta.dirname);

/** One mistake each; the linter must reject it with the rule's name. A configuration that stops matching shows here. */
const MISTAKES: Readonly<Record<string, string>> = {
  'no-floating-promises': 'async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n',
  'no-misused-promises':
    'async function f(): Promise<boolean> {\n  return true;\n}\nexport const g = f() ? 1 : 2;\n',
  'await-thenable': 'export async function f(): Promise<void> {\n  await 1;\n}\n',
  'switch-exhaustiveness-check':
    "export function f(a: 'a' | 'b'): void {\n  switch (a) {\n    case 'a':\n      break;\n  }\n}\n",
  'consistent-type-imports': "import { Stats } from 'node:fs';\nexport type S = Stats;\n",
  'no-explicit-any': 'export const a: any = 1;\n',
  'no-non-null-assertion': 'export const f = (a: string | undefined): string => a!;\n',
  'no-console': "console.log('x');\n",
  'no-empty': 'export function f(): void {\n  try {\n    f();\n  } catch {}\n}\n',
  'no-shadow':
    'export function f(a: number): void {\n  {\n    const a = 1;\n    void a;\n  }\n  void a;\n}\n',
  'max-lines-per-function': `export function f(): void {\n${'  f();\n'.repeat(80)}}\n`,
  'max-params':
    'export function f(a: 1, b: 1, c: 1, d: 1, e: 1, g: 1): number {\n  return a + b + c + d + e + g;\n}\n',
  'max-depth': `export function f(a: boolean): void {\n${'if (a) {\n'.repeat(5)}f(a);${'}\n'.repeat(5)}}\n`,
  'oxlint-disable': '// oxlint-disable-next-line no-console\nexport const z = 1;\n',
};

void test('the linter rejects one mistake of each kind', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'logboom-lint-'));
  try {
    mkdirSync(path.join(folder, 'src'));
    const options = { strict: true, module: 'nodenext', target: 'esnext', types: [] };
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['src'] }),
    );
    for (const [rule, text] of Object.entries(MISTAKES))
      writeFileSync(path.join(folder, 'src', `${rule}.ts`), text);
    const { stdout } = spawnSync(
      path.join(root, 'node_modules/.bin/oxlint'),
      ['-c', path.join(root, '.oxlintrc.json'), '--type-aware', '--format', 'unix', 'src'],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, OXLINT_TSGOLINT_PATH: path.join(root, 'node_modules/.bin/tsgolint') },
      },
    );
    const missed = Object.keys(MISTAKES).filter(
      (rule) =>
        !stdout
          .split('\n')
          .some((line) => line.includes(`/${rule}.ts:`) && line.includes(rule, line.indexOf('.ts:'))),
    );
    assert.deepEqual(missed, [], stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
