import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readRepository } from './repository-files.ts';
import { maskSource } from './source-mask.ts';
import { checkImports, checkReachability } from './tidy-imports.ts';
import { checkDocuments } from './tidy-documents.ts';
import { checkSource, listLongFiles } from './tidy-source.ts';
import { checkTidiness, formatComplaint, type Complaint, type TidyFile } from './tidy.ts';

const root = path.dirname(import.meta.dirname);

void test('the repository is tidy', (context) => {
  const files = readRepository(root);
  assert.ok(files.length > 20, 'the repository has files to check');
  for (const { path: file, lines } of listLongFiles(files)) context.diagnostic(`${file} has ${lines} lines`);
  assert.deepEqual(checkTidiness(files).map(formatComplaint), []);
});

/** Names the rules that one file breaks. */
function rulesOf(
  check: (files: TidyFile[]) => Complaint[],
  ...files: [path: string, text: string][]
): string[] {
  return check(files.map(([file, text]) => ({ path: file, text }))).map(({ rule }) => rule);
}

const inSource = (file: string, text: string): string[] =>
  rulesOf((files) => files.flatMap(checkSource), [file, text]);

const inImports = (file: string, text: string): string[] => rulesOf(checkImports, [file, text]);

const inDocument = (file: string, text: string): string[] => rulesOf(checkDocuments, [file, text]);

void test('an import that the table does not have is rejected', () => {
  const reject = (file: string, specifier: string): void => {
    assert.deepEqual(
      inImports(file, `import { x } from '${specifier}';`),
      ['import-table'],
      `${file} ← ${specifier}`,
    );
  };
  reject('src/agent/tail/tailer.ts', '../../indexer/indexer.ts');
  reject('src/agent/agent.ts', '../store/store.ts');
  reject('src/agent/agent.ts', '../transport/memory.ts');
  reject('src/indexer/indexer.ts', '../store/embedded/embedded-store.ts');
  reject('src/indexer/indexer.ts', '../agent/agent.ts');
  reject('src/base/queue.ts', '../record/lane.ts');
  reject('src/base/queue.ts', './node/node-scheduler.ts');
  reject('src/base/queue.ts', 'node:fs');
  reject('src/record/lane.ts', '../config/config.ts');
  reject('src/query/parser.ts', 'node:path');
  reject('src/query/parser.ts', '../base/node/node-scheduler.ts');
  reject('src/capture/cri.ts', 'lodash');
  reject('src/cli/search.ts', '../api/server.ts');
  reject('src/web/views/app.tsx', '../../api/server.ts');
  reject('src/web/views/app.tsx', '../../base/node/node-scheduler.ts');
  reject('src/store/embedded/embedded-store.ts', '../elasticsearch/client.ts');
  reject('src/store/embedded/embedded-store.ts', '../../config/load-config.ts');
  reject('src/agent/agent.ts', '../base/node/node-file-system.ts');
  reject('src/agent/agent.ts', 'fastify');
  reject('src/api/server.ts', '@duckdb/node-api');
  reject('src/shiny/new.ts', '../base/assert.ts');
  reject('src/agent/agent.ts', '../../tools/tidy.ts');
});

void test('an import that the table has passes', () => {
  const accept = (file: string, text: string): void => assert.deepEqual(inImports(file, text), [], text);
  accept('src/agent/tail/tailer.ts', "import { a } from '../../transport/transport.ts';");
  accept('src/agent/agent.ts', "import type { A } from '../base/node/node-file-system.ts';");
  accept('src/agent/agent.ts', "import { a } from './tail/tailer.ts';");
  accept('src/base/node/clock.ts', "import fs from 'node:fs'; import { b } from '../assert.ts';");
  accept('src/store/embedded/engine.ts', "import { DuckDBInstance } from '@duckdb/node-api';");
  accept('src/api/server.ts', "import fastify from 'fastify/types/x.js';\nimport s from '@fastify/static';");
  accept('src/web/views/app.tsx', "import { parse } from '../../query/parser.ts';");
  accept('src/main.ts', "import { x } from './store/embedded/embedded-store.ts';\nimport os from 'node:os';");
  accept('src/agent/testing/agent-world.ts', "import { gzipSync } from 'node:zlib';");
  accept('src/query/parser.test.ts', "import fc from 'fast-check';\nimport fs from 'node:fs';");
  accept(
    'src/agent/a.ts',
    "// import { x } from '../indexer/indexer.ts';\nconst s = \"from '../indexer/x.ts'\";",
  );
});

void test('imports hidden in calls, types and re-exports are found', () => {
  assert.deepEqual(inImports('src/agent/a.ts', "const x = await import('../indexer/indexer.ts');"), [
    'import-table',
  ]);
  assert.deepEqual(inImports('src/agent/a.ts', "type X = import('../indexer/indexer.ts').X;"), [
    'import-table',
  ]);
  assert.deepEqual(inImports('src/agent/a.ts', "export { x } from '../indexer/indexer.ts';"), [
    'import-table',
  ]);
  assert.deepEqual(inImports('src/agent/a.ts', "import {\n  x,\n  y,\n} from '../indexer/indexer.ts';"), [
    'import-table',
  ]);
  assert.deepEqual(inImports('src/agent/a.ts', "import '../indexer/indexer.ts';"), ['import-table']);
});

void test('nothing imports a test', () => {
  assert.deepEqual(inImports('src/agent/a.test.ts', "import { x } from './b.test.ts';"), ['test-import']);
  assert.deepEqual(inImports('tools/a.ts', "import { x } from './b.test.ts';"), ['test-import']);
});

void test('clocks, timers, randomness and the environment are banned where they are not injected', () => {
  const texts = [
    'const now = Date.now();',
    'const now = new Date();',
    'setTimeout(go, 10);',
    'const timer = setInterval(go, 10);',
    'setImmediate(go);',
    'const r = Math.random();',
    "const home = process.env['HOME'];",
    'const start = performance.now();',
    'const text = `${Date.now()}`;',
  ];
  for (const text of texts) {
    assert.deepEqual(inSource('src/agent/a.ts', text), ['impure'], text);
    assert.deepEqual(inSource('src/web/model/a.ts', text), ['impure'], text);
    for (const file of [
      'src/base/node/a.ts',
      'src/main.ts',
      'src/roles/up.ts',
      'tools/a.ts',
      'src/agent/a.test.ts',
    ]) {
      assert.deepEqual(inSource(file, text), [], `${file}: ${text}`);
    }
  }
});

void test('words that only look like banned globals pass', () => {
  const text = `
    // Date.now() is banned; setTimeout too.
    const a = 'Math.random()';
    const b = scheduler.setTimeout(1);
    const c = new Date(ms).toISOString();
    const d = /console.log(x)/.test(a) ? 1 / 2 : \`Date.now() \${a}\`;
    const isNot = a !== b && !c;
  `;
  assert.deepEqual(inSource('src/agent/a.ts', text), []);
});

void test('escapes from the checks are rejected', () => {
  assert.deepEqual(inSource('src/agent/a.ts', 'const x = y as any;'), ['any']);
  assert.deepEqual(inSource('src/agent/a.ts', 'const x = y!.z;'), ['non-null']);
  assert.deepEqual(inSource('src/agent/a.ts', 'const x = list[0]!;'), ['non-null']);
  assert.deepEqual(inSource('src/agent/a.ts', "console.log('x');"), ['console']);
  assert.deepEqual(inSource('src/agent/a.ts', `// ${'TO' + 'DO'}: later`), ['leftover']);
  assert.deepEqual(inSource('src/agent/a.ts', `/* ${'FIX' + 'ME'} */`), ['leftover']);
  assert.deepEqual(inSource('src/agent/a.ts', `// ${'@ts-'}ignore`), ['leftover']);
  assert.deepEqual(inSource('src/agent/a.test.ts', "test.skip('x', () => {});"), ['skipped-test']);
  assert.deepEqual(inSource('src/agent/a.test.ts', "test.only('x', () => {});"), ['skipped-test']);
  assert.deepEqual(inSource('src/agent/index.ts', "export * from './a.ts';"), ['barrel']);
});

void test('a function longer than 70 lines is rejected, however it is written', () => {
  const body = (lines: number): string => '    go();\n'.repeat(lines);
  const heads = [
    ['function f() {', '}'],
    ['export async function f(\n  a: string,\n): Promise<void> {', '}'],
    ['export const f = (a: string): void => {', '};'],
    ['const f = async (\n  a: string,\n): Promise<void> => {', '};'],
    ['class A {\n  async #run(): Promise<void> {', '  }\n}'],
    ['class A {\n  constructor(a: string) {', '  }\n}'],
  ] as const;
  for (const [head, end] of heads) {
    assert.deepEqual(inSource('src/agent/a.ts', `${head}\n${body(71)}${end}\n`), ['function-length'], head);
    assert.deepEqual(inSource('src/agent/a.ts', `${head}\n${body(60)}${end}\n`), [], head);
  }
  const table = `export const TABLE = [\n${'  { a: 1 },\n'.repeat(200)}];\n`;
  const call = `register(\n${"  'a',\n".repeat(200)});\n`;
  assert.deepEqual(inSource('src/agent/a.ts', table + call), []);
});

void test('a file that nothing uses is rejected, one that only a worker or a test uses is not', () => {
  const files: [string, string][] = [
    ['src/main.ts', "import { a } from './agent/a.ts';"],
    ['src/agent/a.ts', "const url = new URL('./worker.ts', import.meta.url);"],
    ['src/agent/worker.ts', 'const url = `./other.${extension}`;'],
    ['src/agent/other.ts', ''],
    ['src/agent/b.test.ts', "import { b } from './b.ts';"],
    ['src/agent/b.ts', ''],
  ];
  assert.deepEqual(rulesOf(checkReachability, ...files), []);
  assert.deepEqual(rulesOf(checkReachability, ...files, ['src/agent/lost.ts', '']), ['unreachable']);
});

void test('documents have one title and links that lead somewhere', () => {
  assert.deepEqual(
    inDocument('a.md', '# A\n\n```sh\n# no title\n```\n[b](a.md#x) [c](https://x.org) `[d](e.md)`\n'),
    [],
  );
  assert.deepEqual(inDocument('a.md', '# A\n# B\n'), ['one-title']);
  assert.deepEqual(inDocument('a.md', 'no title\n'), ['one-title']);
  assert.deepEqual(inDocument('docs/a.md', '# A\n[b](../b.md)\n'), ['dead-link']);
  assert.deepEqual(
    rulesOf(
      checkDocuments,
      ['docs/a.md', '# A\n[b](adr/) [c](../c.ts)'],
      ['docs/adr/1.md', '# 1'],
      ['c.ts', ''],
    ),
    [],
  );
});

void test('traces of one machine are rejected', () => {
  const folder = `/${'work'}/`;
  assert.deepEqual(inDocument('a.ts', `const x = '${folder}main';`), ['machine-trace']);
  assert.deepEqual(inDocument('a.ts', `const x = 'https://registry.${'npmjs'}.org/x';`), ['machine-trace']);
  const resolved = `"resolved": "${'https'}://x.org/a.tgz"`;
  assert.deepEqual(inDocument('package-lock.json', `{\n${resolved}\n}`), ['lockfile']);
  assert.deepEqual(inDocument('package-lock.json', '{ "integrity": "sha512-x" }'), []);
});

void test('the mask keeps code in place and hides everything else', () => {
  const { code, comments, strings } = maskSource("a('x{', /[/{]/); // {\nb(`y${c({ d: `z` })}{`) /* { */");
  assert.equal(code, 'a("  ",       ); ' + '    ' + '\nb("  "c({ d: " " })" ") ' + '       ');
  assert.equal(code.length, "a('x{', /[/{]/); // {\nb(`y${c({ d: `z` })}{`) /* { */".length);
  assert.deepEqual(
    strings.map(({ text }) => text),
    ['x{', 'y$', 'z', '{'],
  );
  assert.deepEqual(
    comments.map(({ text }) => text),
    ['// {', '/* { */'],
  );
});
