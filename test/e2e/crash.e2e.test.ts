/**
 * G1, G2, G4, G5, G8 with real processes: writers at full speed, rotation, and a collector that is killed with SIGKILL
 * again and again, at any moment of its life. In the end every line is found through the API, once.
 *
 * LOGBOOM_E2E_SEED replays the moments of a run (as far as a real machine can), LOGBOOM_E2E_KILLS sets their number.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/prng.ts';
import { findProgram } from '../../tools/provision.ts';
import { exportAll, searchAll } from './api-client.ts';
import { Installation } from './installation.ts';
import { startCriWriter, startS6Writer, type BurstOptions, type LogWriter } from './log-writers.ts';
import { runLogboom } from './logboom-process.ts';
import { SequenceCheck, sequenceLine } from './sequence-line.ts';

const KILLS = Number(process.env['LOGBOOM_E2E_KILLS'] ?? 20);

const SEED = Number(process.env['LOGBOOM_E2E_SEED'] ?? Date.now() % 1_000_000_000);

/**
 * Bursts at full speed with pauses, so that the whole run fits into the time of `npm test` and its check as well: on a
 * busy machine the kills take longer, and all the while more is written that has to be checked.
 */
const BURSTS: BurstOptions = { burstLines: 1000, pauseMs: 400 };

/** Time to read what accumulated while the program was dead, seal it and write the ledger. */
const DRAIN_MS_MAX = 120_000;

/** Each page looks through everything: the export checks every line, and the pages what a person would turn over. */
const PAGED_LINES_MAX = 20_000;

const POD_UID = '3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3d';

void test('every line is found once after many kills', async (context) => {
  const s6 = findProgram('s6-log');
  if (s6 === undefined) return context.skip('s6-log is not installed (Debian package s6)');
  context.diagnostic(`LOGBOOM_E2E_SEED=${SEED} LOGBOOM_E2E_KILLS=${KILLS}`);
  process.stdout.write(`LOGBOOM_E2E_SEED=${SEED} LOGBOOM_E2E_KILLS=${KILLS}\n`);
  using installation = await Installation.create();
  const writers = startWriters(installation, s6);
  const written = new Map<string, number>();
  try {
    await killAgainAndAgain(installation);
  } finally {
    for (const writer of writers) written.set(writer.name, await writer.stop());
  }
  await checkEverything(installation, written, context);
});

function startWriters(installation: Installation, program: string): LogWriter[] {
  const s6 = (name: string, directory: string, stamp: 't' | 'T' | undefined): LogWriter =>
    startS6Writer(name, { program, directory: path.join(installation.apps, directory), stamp, ...BURSTS });
  const cri = (name: string, container: string): LogWriter =>
    startCriWriter(name, path.join(installation.pods, `shop_${name}-0_${POD_UID}`, container), BURSTS);
  return [
    s6('cart', 'shop/cart/cart-0/log', 'T'),
    s6('billing', 'shop/billing/billing-0/log/stdout', 't'),
    s6('stock', 'shop/stock/stock-0/log', undefined),
    cri('web', 'server'),
    cri('batch', 'worker'),
  ];
}

/** A third of the kills hit the start, when checkpoints are read and files are found again. */
async function killAgainAndAgain(installation: Installation): Promise<void> {
  const random = createRandom(SEED);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const hitsStart = random() < 0.33;
    const delayMs = Math.floor(random() * (hitsStart ? 900 : 4000));
    const victim = installation.launch();
    if (!hitsStart) await victim.waitUntilReady(installation.baseUrl);
    await sleep(delayMs);
    assert.ok(!victim.hasExited, `the program ended by itself before kill ${kill}\n${victim.output}`);
    await victim.kill();
    process.stdout.write(
      `kill ${kill} of ${KILLS}: ${delayMs} ms after ${hitsStart ? 'the start' : 'it was ready'}\n`,
    );
  }
}

async function checkEverything(
  installation: Installation,
  written: ReadonlyMap<string, number>,
  context: TestContext,
): Promise<void> {
  const total = [...written.values()].reduce((sum, count) => sum + count, 0);
  context.diagnostic(`${total} lines: ${[...written].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  await using running = await installation.start();
  try {
    const audit = await waitForAudit(installation);
    process.stdout.write(`audited, exporting ${total} lines\n`);
    await checkExport(installation, written);
    process.stdout.write('exported, turning pages\n');
    await checkSearch(installation, 'cart', written.get('cart') ?? 0);
    assert.equal(audit.code, 0, `the audit ends with 0: ${audit.output}`);
  } catch (error) {
    throw new Error(`the program says:\n${running.output}`, { cause: error });
  }
  assert.equal((await running.stop()).code, 0, running.output);
}

/** Resolves with the last audit: the first that ends with 0, or the one at which patience ended. */
async function waitForAudit(installation: Installation): Promise<{ code: number | null; output: string }> {
  const deadlineMs = Date.now() + DRAIN_MS_MAX;
  for (;;) {
    const { code, output } = await runLogboom(['audit', '--json', '--server', installation.baseUrl]);
    if (code === 0 || Date.now() > deadlineMs) return { code, output };
    await sleep(500);
  }
}

/** Every line once, in the order of the sort key. */
async function checkExport(installation: Installation, written: ReadonlyMap<string, number>): Promise<void> {
  const check = new SequenceCheck(written);
  let previous = '';
  for await (const document of exportAll(installation.baseUrl, 'seq')) {
    const key = sortKeyOf(document);
    assert.ok(key > previous, `records come in order, each once: ${previous} before ${key}`);
    previous = key;
    check.add(document.message);
  }
  const found = [...written.values()].reduce((sum, count) => sum + count, 0);
  assert.deepEqual(check.verdict(), { missing: [], twice: [], foreign: [], found });
}

/** Pages with cursors through the newest lines of one writer: these, each once. */
async function checkSearch(installation: Installation, writer: string, count: number): Promise<void> {
  const numbers = new Set<number>();
  let found = 0;
  for await (const { message } of searchAll(installation.baseUrl, `"writer=${writer} "`, { order: 'desc' })) {
    const number = Number(/ seq=(\d+) /.exec(message)?.[1]);
    assert.equal(message, sequenceLine(writer, number));
    numbers.add(number);
    found += 1;
    if (found === PAGED_LINES_MAX) break;
  }
  assert.equal(found, Math.min(count, PAGED_LINES_MAX));
  assert.deepEqual(
    { size: numbers.size, least: Math.min(...numbers) },
    { size: found, least: count - found },
  );
}

/** Time and event id: both of fixed width, so that text compares as (time, file id, offset). */
function sortKeyOf(document: {
  readonly '@timestamp': string;
  readonly event: { readonly id: string };
}): string {
  return `${document['@timestamp']} ${document.event.id}`;
}
