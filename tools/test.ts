/**
 * `npm test` and its relatives: `tools/test.ts quick|full|long [PART OF A PATH…]`.
 *
 * With CI=true a skipped test is a failure: a check that silently does nothing is worse than none. The last line of
 * the output is `N passed, N failed, N skipped`, the exit code 0 when all is well.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';
import { provision } from './provision.ts';
import { batchModule, batchTests, needsOwnProcess, type TestBatch } from './test-batches.ts';
import {
  LONG_ENVIRONMENT,
  planTests,
  stagesOf,
  SUITES,
  type PlannedGroup,
  type Suite,
} from './test-groups.ts';
import { TestReport, type TestEvent } from './test-report.ts';

const root = path.dirname(import.meta.dirname);
const cache = path.join(root, 'node_modules/.cache/logboom');

async function main(): Promise<number> {
  const [suiteName = 'full', ...filters] = process.argv.slice(2);
  const suite = SUITES.find((name) => name === suiteName);
  if (suite === undefined) {
    process.stderr.write(`test.ts: unknown suite ${suiteName}; there are ${SUITES.join(', ')}\n`);
    return 100;
  }
  process.chdir(root);
  prepareEnvironment(suite);
  const plan = planTests(suite, listTests(), filters);
  if (plan.length === 0) {
    process.stderr.write(`test.ts: no test file has ${filters.join(' or ')} in its path\n`);
    return 100;
  }
  const startedMs = Date.now();
  const report = new TestReport((text) => void process.stdout.write(text), root);
  // Whoever names a part wants to know whether it holds by itself: then nothing is shared.
  const hasFilters = filters.length > 0;
  for (const groups of stagesOf(plan)) {
    report.isVerbose = groups.some(({ isVerbose }) => isVerbose);
    const running = groups.map((group) =>
      runGroup(hasFilters ? { ...group, isShared: false } : group, report),
    );
    await Promise.all(running);
  }
  process.stdout.write(`\n${secondsSince(startedMs)} s\n`);
  report.printEnd();
  const { failed, skipped } = report.totals();
  return failed > 0 || (process.env['CI'] === 'true' && skipped > 0) ? 1 : 0;
}

function prepareEnvironment(suite: Suite): void {
  // The processes of one run load the same modules: all but the first take them from here, without their types.
  process.env['NODE_COMPILE_CACHE'] ??= path.join(cache, 'compile');
  if (suite !== 'quick') provision(suite, (line) => void process.stdout.write(`${line}\n`));
  if (suite !== 'long') return;
  for (const [name, value] of Object.entries(LONG_ENVIRONMENT)) process.env[name] ??= value;
}

function listTests(): string[] {
  return ['src', 'tools', 'test', 'bench'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.posix.join(folder, name.replaceAll(path.sep, '/')),
    ),
  );
}

async function runGroup(group: PlannedGroup, report: TestReport): Promise<void> {
  const startedMs = Date.now();
  process.stdout.write(`\n${group.name}: ${group.files.length} files\n`);
  const isAlone = (file: string): boolean => !group.isShared || needsOwnProcess(readFileSync(file, 'utf8'));
  const batches = batchTests(group.files, isAlone);
  const events = run({
    files: batches.map((batch, index) => entryOf(batch, index, report)),
    concurrency: group.concurrency,
    timeout: group.timeoutMs,
    isolation: 'process',
    cwd: root,
  });
  for await (const event of events as AsyncIterable<TestEvent>) report.onEvent(event);
  process.stdout.write(`${group.name}: ${secondsSince(startedMs)} s\n`);
}

function secondsSince(startedMs: number): string {
  return ((Date.now() - startedMs) / 1000).toFixed(1);
}

/** Returns the file with which a batch's process begins: its only test file, or a module that loads all of them. */
function entryOf(batch: TestBatch, index: number, report: TestReport): string {
  const files = batch.map((file) => path.join(root, file));
  const [only] = files;
  if (only !== undefined && files.length === 1) return only;
  const folder = path.join(cache, 'test-batches');
  mkdirSync(folder, { recursive: true });
  const entry = path.join(folder, `batch-${index}.mjs`);
  writeFileSync(entry, batchModule(files.map((file) => pathToFileURL(file).href)));
  report.expectBatch(entry, files);
  return entry;
}

process.exitCode = await main();
