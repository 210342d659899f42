/**
 * G4, G5 at a steady speed: applications of every kind write without a pause while their files are rotated, one test
 * per method, and the collector is killed with SIGKILL at random moments. Afterwards the store's Parquet files hold
 * each line once, letter by letter, and the API counts as many.
 *
 *   LOGBOOM_ROTATE_SECONDS  how long the applications write
 *   LOGBOOM_ROTATE_RATE     MB/s that they write together
 *   LOGBOOM_ROTATE_KILLS    kills per method
 *   LOGBOOM_E2E_SEED        replays the moments of the kills
 *
 * One method alone, with punching, renaming, 'logrotate at', copytruncate or 's6-log at' as the pattern:
 *
 *   node --test --test-name-pattern=punching test/e2e/rotate-steady.e2e.test.ts
 */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/prng.ts';
import { findProgram } from '../../tools/provision.ts';
import { getJson } from './api-client.ts';
import { Installation } from './installation.ts';
import { LogDisk, type LogDiskReport } from './log-disk.ts';
import { LogboomProcess, waitFor } from './logboom-process.ts';
import type { LoggerKind } from './piped-loggers.ts';
import { startSteadyLogger, type SteadyApp, type SteadyLogger, type SteadyTally } from './steady-loggers.ts';
import { readStoredLines, type StoredVerdict } from './stored-lines.ts';
import { TemporaryDirectory } from './temporary-directory.ts';
import { waitForAudit } from './wait-for-audit.ts';

const SECONDS = Number(process.env['LOGBOOM_ROTATE_SECONDS'] ?? 4);
const MB_PER_SECOND = Number(process.env['LOGBOOM_ROTATE_RATE'] ?? 12);
const KILLS = Number(process.env['LOGBOOM_ROTATE_KILLS'] ?? 1);
const SEED = Number(process.env['LOGBOOM_E2E_SEED'] ?? Date.now() % 1_000_000_000);

const MB = 1e6;
const MIB = 1024 * 1024;

/** What was written at full speed for minutes takes its time to be stored. */
const DRAIN_MS_MAX = 120_000 + 10_000 * SECONDS;

/** Rotated a few times in a short run, and every few seconds in a long one. */
const SIZE_MIB = SECONDS * MB_PER_SECOND >= 200 ? 16 : 1;

/** So that s6-log itself removes nothing for a minute and more of its whole speed. */
const S6_FILE_BYTES = SIZE_MIB * MIB;
const S6_ARCHIVES_MAX = 400;
const S6_TOTAL_BYTES = Math.max(64 * MIB, 20 * S6_FILE_BYTES);

/** copytruncate must lose less than this part of all lines: it is a loss of moments, not of files. */
const COPYTRUNCATE_LOSS_MAX = 0.2;

interface Case {
  readonly method: string;
  /** The list `rotate` of the configuration. */
  readonly policies: readonly string[];
  readonly apps: readonly SteadyApp[];
}

interface Result {
  readonly tallies: ReadonlyMap<SteadyApp, SteadyTally>;
  readonly seconds: number;
  readonly drainSeconds: number;
  readonly checkSeconds: number;
  readonly disk: LogDiskReport;
  readonly stored: StoredVerdict;
  readonly audit: { readonly possibleLoss: number; readonly missing: number; readonly twice: number };
}

/** `share` is the part of the whole speed; long lines let a logger with a price per line have a larger one. */
function app(kind: LoggerKind, share: number, { lineBytes = 256, pidFile = '' } = {}): SteadyApp {
  const target = pidFile === '' ? { kind } : { kind, pidFile };
  return { writer: kind, lineBytes, bytesPerSecond: share * MB_PER_SECOND * MB, target };
}

/** The loggers of a language cost more per line than all else on the road together. */
function runtimes(suffix: '' | '-watched', share: number): SteadyApp[] {
  const kinds = (['python', 'java'] as const).filter(
    (kind) => findProgram(kind === 'python' ? 'python3' : 'java') !== undefined,
  );
  return kinds.map((kind) => app(`${kind}${suffix}`, share, { lineBytes: 800 }));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs a case to its end, prints what came of it, and returns it. */
async function prove(rotation: Case): Promise<Result> {
  print(
    `${rotation.method}: LOGBOOM_ROTATE_SECONDS=${SECONDS} LOGBOOM_ROTATE_RATE=${MB_PER_SECOND} ` +
      `LOGBOOM_ROTATE_KILLS=${KILLS} LOGBOOM_E2E_SEED=${SEED}`,
  );
  const extra = ['rotate:', ...rotation.policies.map((policy) => `  - ${policy}`)].join('\n');
  using installation = await Installation.create({ extra });
  using disk = new LogDisk(installation.apps);
  const loggers = rotation.apps.map((each) =>
    startSteadyLogger(each, path.join(installation.apps, 'shop', each.writer, `${each.writer}-0`, 'log')),
  );
  const startedMs = performance.now();
  let tallies: Map<SteadyApp, SteadyTally>;
  let program: LogboomProcess;
  try {
    program = await killAtRandom(installation, startedMs);
  } finally {
    tallies = await stopLoggers(loggers);
  }
  const seconds = Math.max(...[...tallies.values()].map((tally) => tally.seconds));
  await using last = program;
  const drainingMs = performance.now();
  // A store that is behind with sealing is not ready, and collection waits for it.
  await last.waitUntilReady(installation.baseUrl, DRAIN_MS_MAX);
  const audit = await auditAll(installation.baseUrl);
  const drainSeconds = (performance.now() - drainingMs) / 1000;
  const counted = await countAll(installation.baseUrl);
  const report = disk.stop();
  await last.stop();
  const checkingMs = performance.now();
  await sealStore(installation);
  const stored = await readStoredLines(path.join(installation.data, 'store'), rotation.apps);
  const checkSeconds = (performance.now() - checkingMs) / 1000;
  const result = { tallies, seconds, drainSeconds, checkSeconds, disk: report, stored, audit };
  printResult(rotation.method, result);
  assert.equal(counted, storedRecords(stored), 'the API counts what the files of the store hold');
  return result;
}

/** Starts the program again after each kill; returns the one that runs when the time to write is over. */
async function killAtRandom(installation: Installation, startedMs: number): Promise<LogboomProcess> {
  const random = createRandom(SEED);
  const moments = Array.from({ length: KILLS }, () => startedMs + (0.05 + 0.9 * random()) * SECONDS * 1000);
  let program = installation.launch();
  try {
    for (const moment of moments.toSorted((left, right) => left - right)) {
      await sleep(Math.max(0, moment - performance.now()));
      assert.ok(!program.hasExited, `the program ended by itself\n${program.output}`);
      await program.kill();
      program = installation.launch();
    }
    await sleep(Math.max(0, startedMs + SECONDS * 1000 - performance.now()));
    return program;
  } catch (error) {
    await program.kill();
    throw error;
  }
}

/** Stops all of them, whatever becomes of each. */
async function stopLoggers(loggers: readonly SteadyLogger[]): Promise<Map<SteadyApp, SteadyTally>> {
  const stopped = await Promise.allSettled(loggers.map((logger) => logger.stop()));
  const tallies = new Map<SteadyApp, SteadyTally>();
  for (const [index, result] of stopped.entries()) {
    const logger = loggers[index];
    if (result.status === 'rejected') throw result.reason;
    if (logger !== undefined) tallies.set(logger.app, result.value);
  }
  return tallies;
}

/** Returns the audit once everything is acknowledged, which must take no longer than `DRAIN_MS_MAX`. */
async function auditAll(baseUrl: string): Promise<Result['audit']> {
  const startedMs = performance.now();
  await waitFor('everything to be acknowledged', DRAIN_MS_MAX, async () => {
    await sleep(200);
    const metrics = await (await fetch(new URL('/metrics', baseUrl))).text();
    return /^logboom_agent_lag_bytes(?:\{.*\})? 0$/m.test(metrics);
  });
  return waitForAudit(baseUrl, startedMs + DRAIN_MS_MAX - performance.now());
}

/** Returns how many records a search for everything would go through. */
async function countAll(baseUrl: string): Promise<number> {
  const url = new URL('/api/v1/histogram', baseUrl);
  const fields = { query: '*', start: 'now-1d', end: 'now+1d', buckets: '10' };
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  const { buckets } = await getJson<{ buckets: readonly { readonly count: number }[] }>(url);
  return buckets.reduce((sum, { count }) => sum + count, 0);
}

/** Turns what is still in journals into Parquet, without reading any log. */
async function sealStore(installation: Installation): Promise<void> {
  const journals = path.join(installation.data, 'store/journals');
  await using program = new LogboomProcess({
    args: ['server', '--config', installation.configFile],
    environment: { LOGBOOM_STORE_JOURNAL_AGE_MS_MAX: '100ms' },
  });
  await program.waitUntilReady(installation.baseUrl);
  await waitFor('the journals to become Parquet', 120_000, () =>
    readdirSync(journals).every((name) => statSync(path.join(journals, name)).size === 0),
  );
  await program.stop();
}

function storedRecords({ writers, gaps, broken }: StoredVerdict): number {
  const counts = [...[...writers.values()].map(({ found }) => found), ...gaps.values()];
  return counts.reduce((sum, count) => sum + count, broken);
}

interface Figures {
  readonly lines: number;
  readonly bytes: number;
  readonly found: number;
  readonly twice: number;
  readonly lost: number;
}

function figuresOf(writer: string, tally: SteadyTally, stored: StoredVerdict): Figures {
  const { found, distinct } = stored.writers.get(writer) ?? { found: 0, distinct: 0 };
  return { ...tally, found, twice: found - distinct, lost: tally.lines - distinct };
}

function printResult(method: string, result: Result): void {
  const { tallies, stored, seconds, disk } = result;
  const sum = { lines: 0, bytes: 0, found: 0, twice: 0, lost: 0 };
  for (const [{ writer }, tally] of tallies) {
    const figures = figuresOf(writer, tally, stored);
    for (const name of ['lines', 'bytes', 'found', 'twice', 'lost'] as const) sum[name] += figures[name];
    print(`  ${writer.padEnd(16)} ${describe(figures, tally.seconds)}`);
  }
  print(`  ${'all'.padEnd(16)} ${describe(sum, seconds)}, ${stored.broken} broken`);
  print(
    `${method}: ${(sum.bytes / MB / seconds).toFixed(1)} MB/s for ${seconds.toFixed(0)} s, ${KILLS} kills, ` +
      `${disk.rotated} files rotated, ${disk.shrunk} times punched or truncated, ${result.audit.possibleLoss} possible ` +
      `losses recorded, at most ${Math.round(disk.bytesMax / MB)} MB on disk, drained in ` +
      `${result.drainSeconds.toFixed(0)} s, checked in ${result.checkSeconds.toFixed(0)} s`,
  );
  for (const example of stored.examples) print(`  ${example}`);
}

function describe({ lines, bytes, found, twice, lost }: Figures, seconds: number): string {
  const speed = `${(bytes / MB / seconds).toFixed(2).padStart(5)} MB/s`;
  return `${speed}, ${lines} lines written, ${found} found, ${twice} twice, ${lost} lost`;
}

/** Each line once, letter by letter, and nothing else. */
function checkExact({ tallies, stored, audit }: Result): void {
  const expected = [...tallies].map(
    ([{ writer }, { lines }]) =>
      [writer, { found: lines, distinct: lines, first: 0, last: lines - 1 }] as const,
  );
  assert.deepEqual(stored.writers, new Map(expected), stored.examples.join('\n'));
  assert.equal(stored.broken, 0, stored.examples.join('\n'));
  assert.deepEqual([audit.missing, audit.twice, audit.possibleLoss], [0, 0, 0]);
}

void test('punching at a steady speed loses nothing and doubles nothing', async () => {
  const result = await prove({
    method: 'punch',
    policies: [`{ match: { app: "*" }, method: punch, size: ${SIZE_MIB}MiB }`],
    apps: [
      app('shell', 0.32),
      app('seek', 0.16),
      app('offset', 0.16),
      app('buffered', 0.2),
      ...runtimes('', 0.08),
    ],
  });
  checkExact(result);
  assert.ok(result.disk.shrunk > 0, 'files were punched');
});

/** Writers of every kind that open their files again. */
function reopeningApps(pidFile: string | undefined): SteadyApp[] {
  return [
    app('watched', 0.32),
    app('seek-watched', 0.15),
    app('offset-watched', 0.15),
    ...(pidFile === undefined ? [] : [app('buffered', 0.2, { pidFile })]),
    // Reads its input byte by byte, as a shell must.
    app('shell-watched', 0.01),
    ...runtimes('-watched', pidFile === undefined ? 0.185 : 0.085),
  ];
}

void test('renaming at a steady speed loses nothing and doubles nothing', async () => {
  using directory = new TemporaryDirectory('rotate');
  const pidFile = directory.join('buffered.pid');
  const common = `method: rename, size: ${SIZE_MIB}MiB, keep: 2, compress: zstd`;
  const result = await prove({
    method: 'rename',
    policies: [
      `{ match: { app: buffered }, ${common}, signal: HUP, pidFile: "${pidFile}" }`,
      `{ match: { app: "*" }, ${common} }`,
    ],
    apps: reopeningApps(pidFile),
  });
  checkExact(result);
  assert.ok(result.disk.rotated > 0, 'files were renamed');
});

void test('logrotate at a steady speed loses nothing and doubles nothing', async (context) => {
  if (findProgram('logrotate') === undefined) return context.skip('logrotate is not installed');
  const result = await prove({
    method: 'logrotate',
    policies: [
      `{ match: { app: "*" }, method: logrotate, schedule: "* * * * * *", size: ${SIZE_MIB}MiB, keep: 2, compress: zstd }`,
    ],
    apps: reopeningApps(undefined),
  });
  checkExact(result);
  assert.ok(result.disk.rotated > 0, 'files were renamed');
});

void test('copytruncate at a steady speed loses a little, doubles nothing, and says so', async (context) => {
  if (findProgram('logrotate') === undefined) return context.skip('logrotate is not installed');
  const { tallies, stored, audit, disk } = await prove({
    method: 'copytruncate',
    policies: [
      `{ match: { app: "*" }, method: logrotate, schedule: "* * * * * *", size: ${SIZE_MIB}MiB, keep: 1, copytruncate: true }`,
    ],
    apps: [
      app('shell', 0.38),
      app('buffered', 0.34),
      app('seek', 0.06),
      app('offset', 0.06),
      ...runtimes('', 0.08),
    ],
  });
  let lines = 0;
  let lost = 0;
  for (const [{ writer }, tally] of tallies) {
    const figures = figuresOf(writer, tally, stored);
    assert.equal(figures.twice, 0, stored.examples.join('\n'));
    assert.ok(
      figures.lost === 0 || (stored.gaps.get(writer) ?? 0) > 0,
      `${writer} lost lines, and nothing says so`,
    );
    lines += figures.lines;
    lost += figures.lost;
  }
  assert.deepEqual([audit.missing, audit.twice], [0, 0]);
  assert.ok(disk.rotated > 0, 'files were copied and truncated');
  assert.ok(audit.possibleLoss >= disk.rotated, 'every truncation is a possible loss');
  assert.ok(lost <= lines * COPYTRUNCATE_LOSS_MAX, `${lost} of ${lines} lines are lost`);
});

/** What each `s6-log` writes, and with which options, once for every kind that changes what the agent sees. */
function s6Apps(program: string): SteadyApp[] {
  const common = [`n${S6_ARCHIVES_MAX}`, `s${S6_FILE_BYTES}`];
  const scripts: Record<string, readonly string[]> = {
    's6-plain': [...common, './out'],
    's6-tai64n': [...common, 't', './out'],
    's6-iso': [...common, 'T', './out'],
    's6-block': ['-b', '-p', ...common, 'l100000', 't', './out'],
    's6-long': [...common, 't', './out'],
    's6-split': [...common, '-', '+end=[0-9]*[02468]$', 't', './even', 'f', 't', './odd'],
    's6-total': [`n${10 * S6_ARCHIVES_MAX}`, `s${S6_FILE_BYTES}`, `S${S6_TOTAL_BYTES}`, 't', './out'],
    's6-gzip': [...common, '?gzip -1c', 't', './out'],
  };
  const names = Object.keys(scripts);
  const bytesPerSecond = (MB_PER_SECOND * MB) / names.length;
  return names.map((writer) => ({
    writer,
    lineBytes: writer === 's6-long' ? 12_000 : 290,
    bytesPerSecond,
    target: { kind: 's6', program, script: scripts[writer] ?? [] },
  }));
}

void test('s6-log at a steady speed with each of its options loses nothing and doubles nothing', async (context) => {
  const s6 = findProgram('s6-log');
  if (s6 === undefined) return context.skip('s6-log is not installed');
  const result = await prove({
    method: 's6',
    policies: [
      '{ match: { app: "s6-total" }, method: none }',
      `{ match: { app: "*" }, method: punch, size: ${SIZE_MIB}MiB, keep: 2, compress: zstd }`,
    ],
    apps: s6Apps(s6),
  });
  checkExact(result);
  assert.ok(result.disk.rotated > 0, 'files were rotated');
});
