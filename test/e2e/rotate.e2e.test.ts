/**
 * G4, G5 with real processes: applications of every kind write while their files are rotated and the collector is
 * killed with SIGKILL at any moment. In the end every line is found through the API, once, and the disk holds a part
 * of what was written. Only logrotate's copytruncate loses lines; how many is measured, and the audit says so.
 *
 * LOGBOOM_E2E_SEED replays the moments of a run (as far as a real machine can), LOGBOOM_ROTATE_KILLS sets their number
 * per method, LOGBOOM_ROTATE_BURST the lines that each application writes at full speed.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/prng.ts';
import { findProgram } from '../../tools/provision.ts';
import { exportAll, searchList } from './api-client.ts';
import { Installation } from './installation.ts';
import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { s6FileBytes, startS6Writer, stopAll, type LogWriter } from './log-writers.ts';
import { startPipedLogger, type LoggerKind } from './piped-loggers.ts';
import { SequenceCheck, sequenceLine } from './sequence-line.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const KILLS = Number(process.env['LOGBOOM_ROTATE_KILLS'] ?? 2);

const SEED = Number(process.env['LOGBOOM_E2E_SEED'] ?? Date.now() % 1_000_000_000);

const BURSTS = { burstLines: Number(process.env['LOGBOOM_ROTATE_BURST'] ?? 500), pauseMs: 300 };

/** What was written at full speed for minutes takes its time to be stored and counted. */
const DRAIN_MS_MAX = 120_000 + 30_000 * KILLS;

const KIB = 1024;

/** s6-log's own stamps; without one a line has the time at which it was read. */
const S6_STAMPS = ['t', 'T', undefined] as const;

interface Run {
  readonly installation: Installation;
  readonly written: Map<string, number>;
}

/**
 * Kills the program again and again while the writers write, and stops both once `hasRotated`: how much a second of
 * writing brings depends on the machine.
 */
async function runWriters(
  context: TestContext,
  installation: Installation,
  start: () => readonly LogWriter[],
  hasRotated: () => boolean | Promise<boolean>,
): Promise<Run> {
  const text = `LOGBOOM_E2E_SEED=${SEED} LOGBOOM_ROTATE_KILLS=${KILLS} LOGBOOM_ROTATE_BURST=${BURSTS.burstLines}`;
  context.diagnostic(text);
  process.stdout.write(`${text}\n`);
  const random = createRandom(SEED);
  const startedMs = performance.now();
  const writers = start();
  let written: Map<string, number>;
  try {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const victim = await installation.start();
      await sleep(Math.floor(500 + random() * 3500));
      assert.ok(!victim.hasExited, `the program ended by itself before kill ${kill}\n${victim.output}`);
      await victim.kill();
    }
    const last = await installation.start();
    await waitFor('the files to be rotated', 90_000, async () => await hasRotated());
    await last.stop();
  } finally {
    written = await stopAll(writers);
  }
  reportSpeed(context, written, (performance.now() - startedMs) / 1000);
  return { installation, written };
}

/** What the applications wrote together; how much a second depends on the machine and on what else it does. */
function reportSpeed(context: TestContext, written: ReadonlyMap<string, number>, seconds: number): void {
  let bytes = 0;
  for (const [name, count] of written) bytes += count * (sequenceLine(name, count).length + 1);
  const megabytes = bytes / 1e6;
  const text = `${Math.round(megabytes)} MB in ${Math.round(seconds)} s: ${(megabytes / seconds).toFixed(1)} MB/s`;
  context.diagnostic(text);
  process.stdout.write(`${text}\n`);
}

async function waitForAudit(
  installation: Installation,
): Promise<{ code: number | null; output: string; stdout: string }> {
  const deadlineMs = Date.now() + DRAIN_MS_MAX;
  for (;;) {
    const { code, output, stdout } = await runLogboom([
      'audit',
      '--json',
      '--wait',
      '60s',
      '--server',
      installation.baseUrl,
    ]);
    if (code === 0 || Date.now() > deadlineMs) return { code, output, stdout };
    await sleep(500);
  }
}

async function verdictOf({ installation, written }: Run) {
  const check = new SequenceCheck(written);
  for await (const { message } of exportAll(installation.baseUrl, 'seq')) check.add(message);
  return check.verdict();
}

async function checkExact(run: Run): Promise<void> {
  const audit = await waitForAudit(run.installation);
  assert.equal(audit.code, 0, audit.output);
  const found = [...run.written.values()].reduce((sum, count) => sum + count, 0);
  assert.deepEqual(await verdictOf(run), { missing: [], twice: [], foreign: [], found });
}

interface RotateStatus {
  readonly freedBytes: number;
  readonly groups: readonly { readonly path: string; readonly diskBytes: number; readonly method: string }[];
}

async function statusOf(installation: Installation): Promise<RotateStatus> {
  const { stdout } = await runLogboom(['rotate', 'status', '--json', '--config', installation.configFile]);
  return JSON.parse(stdout) as RotateStatus;
}

function logDirectory(installation: Installation, app: string): string {
  return path.join(installation.apps, 'shop', app, `${app}-0`, 'log');
}

/** Returns the rotated files of the application `app`. */
function archivesOf(installation: Installation, app: string): string[] {
  const directory = logDirectory(installation, app);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => /^app\.log-\d{8}-\d{6}[^.]*(?:\.gz|\.zst)?$/.test(name));
}

function logger(
  installation: Installation,
  kind: LoggerKind,
  { pidFile, pauseMs = BURSTS.pauseMs }: { pidFile?: string; pauseMs?: number } = {},
): LogWriter {
  const file = path.join(logDirectory(installation, kind), 'app.log');
  return startPipedLogger(kind, {
    kind,
    file,
    ...(pidFile === undefined ? {} : { pidFile }),
    ...BURSTS,
    pauseMs,
  });
}

void test('punching holes into the files of every kind of writer loses nothing and doubles nothing', async (context) => {
  const s6 = findProgram('s6-log');
  const optional = (['python', 'java'] as const).filter((kind) => {
    const isThere = findProgram(kind === 'python' ? 'python3' : 'java') !== undefined;
    if (!isThere) context.diagnostic(`${kind} is not installed: its logger is left out`);
    return isThere;
  });
  const extra = 'rotate: [ { match: { app: "*" }, method: punch, size: 256KiB, keep: 2, compress: zstd } ]';
  using installation = await Installation.create({ extra });
  const kinds = ['shell', 'seek', 'offset', 'buffered', ...optional] as const;
  const start = () => [
    ...kinds.map((kind) => logger(installation, kind)),
    ...(s6 === undefined
      ? []
      : S6_STAMPS.map((stamp) =>
          startS6Writer(`s6-${stamp ?? 'plain'}`, {
            program: s6,
            directory: logDirectory(installation, `s6-${stamp ?? 'plain'}`),
            stamp,
            ...BURSTS,
          }),
        )),
  ];
  const run = await runWriters(context, installation, start, async () => {
    const { freedBytes } = await statusOf(installation);
    return freedBytes > 1000 * KIB;
  });
  await using last = await installation.start();
  await checkExact(run);
  const written = [...run.written.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(written > 10_000, `${written} lines`);
  // The file that s6-log writes just now is its own; nobody else makes it smaller.
  const bytesMax = 512 * KIB + s6FileBytes(BURSTS.burstLines);
  await waitFor('the disk to hold a part of it', 30_000, async () => {
    const { freedBytes, groups } = await statusOf(installation);
    const isSmall = groups.every(({ diskBytes }) => diskBytes <= bytesMax);
    return isSmall && freedBytes > 1000 * KIB;
  });
  assert.ok(!last.hasExited);
});

void test('renaming files of writers that open them again loses nothing and doubles nothing', async (context) => {
  using directory = new TemporaryDirectory('rotate');
  const pidFile = directory.join('buffered.pid');
  const extra = [
    'rotate:',
    `  - { match: { app: buffered }, method: rename, size: 256KiB, keep: 2, compress: gzip, signal: HUP, pidFile: "${pidFile}" }`,
    '  - { match: { app: watched }, method: rename, size: 256KiB, keep: 2, compress: zstd }',
  ].join('\n');
  using installation = await Installation.create({ extra });
  const start = () => [logger(installation, 'buffered', { pidFile }), logger(installation, 'watched')];
  const run = await runWriters(context, installation, start, () =>
    ['buffered', 'watched'].every((app) => archivesOf(installation, app).length >= 2),
  );
  await using last = await installation.start();
  await checkExact(run);
  for (const [app, ending] of [
    ['buffered', '.gz'],
    ['watched', '.zst'],
  ] as const) {
    await waitFor(`the archives of ${app}`, 30_000, () => {
      const archives = archivesOf(installation, app);
      return Promise.resolve(archives.length === 2 && archives.every((name) => name.endsWith(ending)));
    });
  }
  assert.ok(!last.hasExited);
});

void test('logrotate with writers that open their files again loses nothing and doubles nothing', async (context) => {
  if (findProgram('logrotate') === undefined) return context.skip('logrotate is not installed');
  const extra =
    'rotate: [ { match: { app: watched }, method: logrotate, schedule: "* * * * * *", size: 256KiB, keep: 3, compress: gzip } ]';
  using installation = await Installation.create({ extra });
  const start = () => [logger(installation, 'watched')];
  const run = await runWriters(
    context,
    installation,
    start,
    () => archivesOf(installation, 'watched').length >= 3,
  );
  await using last = await installation.start();
  await checkExact(run);
  await waitFor('the archives', 30_000, () => {
    const archives = archivesOf(installation, 'watched');
    return Promise.resolve(archives.length === 3 && archives.every((name) => name.endsWith('.gz')));
  });
  assert.ok(!last.hasExited);
});

void test('copytruncate loses lines: the audit says "possible loss" at every truncation', async (context) => {
  if (findProgram('logrotate') === undefined) return context.skip('logrotate is not installed');
  const extra =
    'rotate: [ { match: { app: shell }, method: logrotate, schedule: "* * * * * *", size: 1MiB, keep: 3, copytruncate: true } ]';
  using installation = await Installation.create({ extra });
  const start = () => [logger(installation, 'shell', { pauseMs: 50 })];
  const run = await runWriters(
    context,
    installation,
    start,
    () => archivesOf(installation, 'shell').length > 0,
  );
  await using last = await installation.start();
  const audit = await waitForAudit(installation);
  assert.equal(audit.code, 0, audit.output);
  const { twice, found } = await verdictOf(run);
  const written = run.written.get('shell') ?? 0;
  const text = `copytruncate: ${written} lines written, ${written - found} lost`;
  context.diagnostic(text);
  process.stdout.write(`${text}\n`);
  assert.deepEqual(twice, []);
  const { possibleLoss } = JSON.parse(audit.stdout) as { possibleLoss: number };
  assert.ok(possibleLoss > 0, `every truncation is a possible loss: ${audit.stdout}`);
  await waitFor('the copies to be removed but three', 60_000, () => {
    return Promise.resolve(archivesOf(installation, 'shell').length <= 3);
  });
  assert.ok(!last.hasExited);
});

void test('every truncation by logrotate is a possible loss, at full speed too', async (context) => {
  if (findProgram('logrotate') === undefined) return context.skip('logrotate is not installed');
  const extra =
    'rotate: [ { match: { app: shell }, method: logrotate, schedule: "* * * * * *", size: 256KiB, keep: 2, copytruncate: true } ]';
  using installation = await Installation.create({ extra });
  await using program = await installation.start();
  const truncations = (): number => program.output.split('and truncated it').length - 1;
  const writer = logger(installation, 'shell', { pauseMs: 5 });
  try {
    await waitFor('six truncations', 90_000, () => truncations() >= 6);
  } finally {
    await writer.stop();
  }
  await waitForAudit(installation);
  // What logrotate is at when the writer ends is told by then.
  await sleep(2000);
  const audit = await waitForAudit(installation);
  assert.equal(audit.code, 0, audit.output);
  const { possibleLoss } = JSON.parse(audit.stdout) as { possibleLoss: number };
  assert.equal(possibleLoss, truncations(), program.output);
});

void test('a budget that is exceeded while the server is away gives up whole lines, and says exactly which', async (context) => {
  using directory = new TemporaryDirectory('budget');
  const [serverPort, agentPort] = [await findFreePort(), await findFreePort()];
  const server = `http://127.0.0.1:${serverPort}`;
  const log = directory.join('logs/shop/cart/cart-0/log/app.log');
  mkdirSync(path.dirname(log), { recursive: true });
  const common = [`sources: [ { kind: apps, root: ${directory.join('logs')} } ]`];
  const agentFile = directory.join('agent.yaml');
  const agentText = [
    `data: ${directory.join('agent')}`,
    ...common,
    `agent: { listen: "127.0.0.1:${agentPort}", bufferBytesMax: 1MiB, checkpointMs: 200ms }`,
    `transport: { kind: http, url: "${server}" }`,
    'rotate: [ { method: punch, size: 1MiB, overBudget: drop } ]',
    'rotateBudget: { podBytesMax: 2MiB }',
    '',
  ];
  writeFileSync(agentFile, agentText.join('\n'));
  await using first = new LogboomProcess({ args: ['agent', '--config', agentFile] });
  let count = 0;
  const writeSome = (): void => {
    let text = '';
    for (let index = 0; index < 5000; index += 1, count += 1) text += `${sequenceLine('cart', count)}\n`;
    appendFileSync(log, text);
  };
  for (let step = 0; step < 20; step += 1) {
    writeSome();
    await sleep(100);
  }
  const diskBytes = (): number => statSync(log).blocks * 512;
  await waitFor('the disk to be within the budget', 30_000, () =>
    Promise.resolve(diskBytes() <= 2 * KIB * KIB),
  );
  assert.ok(statSync(log).size > 4 * KIB * KIB, 'more was written than the budget holds');
  await first.kill();
  await using second = new LogboomProcess({ args: ['agent', '--config', agentFile] });
  const serverArgs = ['server', '--listen', `127.0.0.1:${serverPort}`, '--data', directory.join('server')];
  await using receiver = new LogboomProcess({ args: serverArgs });
  await receiver.waitUntilReady(server);
  const check = await waitForRest(server, count);
  const { missing, twice, foreign } = check.verdict();
  assert.deepEqual({ twice, foreign }, { twice: [], foreign: [] });
  const gaps = await searchList(server, 'event.kind:gap');
  const given = gaps.map((gap) => (gap as unknown as { fields: { gap: GapFields } }).fields.gap);
  assert.ok(given.length > 0, 'gaps stand among the logs');
  assert.deepEqual(missing, linesWithin(given, count), 'what is missing is what the gaps say');
  context.diagnostic(`${count} lines, given up: ${missing.join(', ')}`);
  assert.ok(!second.hasExited && !receiver.hasExited);
});

interface GapFields {
  readonly kind: string;
  readonly start_offset: number;
  readonly end_offset: number;
}

/** Returns the lines of the writer whose bytes stand in the gaps, as the verdict lists them. */
function linesWithin(gaps: readonly GapFields[], count: number): string[] {
  const numbers: number[] = [];
  let offset = 0;
  for (let number = 0; number < count; number += 1) {
    const end = offset + Buffer.byteLength(sequenceLine('cart', number)) + 1;
    if (gaps.some((gap) => gap.start_offset <= offset && end <= gap.end_offset)) numbers.push(number);
    offset = end;
  }
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([start, end]) => (start === end ? `cart ${start}` : `cart ${start} to ${end}`));
}

/** Waits until the last line is found, and returns what was found by then. */
async function waitForRest(server: string, count: number): Promise<SequenceCheck> {
  const last = `seq=${count - 1} `;
  await waitFor('the last line', 60_000, async () => (await searchList(server, `"${last}"`)).length > 0);
  const check = new SequenceCheck(new Map([['cart', count]]));
  for await (const { message } of exportAll(server, 'seq')) check.add(message);
  return check;
}
