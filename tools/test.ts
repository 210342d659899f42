/**
 * `npm test` and its relatives: `tools/test.ts quick|full|long [PART OF A PATH…]`.
 *
 * With CI=true a skipped test is a failure: a check that silently does nothing is worse than none. The last line of
 * the output is `N passed, N failed, N skipped`, the exit code 0 when all is well.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { provision } from './provision.ts';
import { LONG_ENVIRONMENT, planTests, SUITES, type PlannedGroup, type Suite } from './test-groups.ts';
import { TestReport, type TestEvent } from './test-report.ts';

const root = path.dirname(import.meta.dirname);

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
  for (const group of plan) await runGroup(group, report);
  process.stdout.write(`\n${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`);
  report.printEnd();
  const { failed, skipped } = report.totals();
  return failed > 0 || (process.env['CI'] === 'true' && skipped > 0) ? 1 : 0;
}

function prepareEnvironment(suite: Suite): void {
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
  process.stdout.write(`\n${group.name}: ${group.files.length} files\n`);
  report.isVerbose = group.isVerbose;
  const events = run({
    files: group.files.map((file) => path.join(root, file)),
    concurrency: group.concurrency,
    timeout: group.timeoutMs,
    isolation: 'process',
    cwd: root,
  });
  for await (const event of events as AsyncIterable<TestEvent>) report.onEvent(event);
}

process.exitCode = await main();
