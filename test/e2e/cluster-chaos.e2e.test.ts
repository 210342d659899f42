/**
 * G1, G2, G4, G5, G7 across machines, with real processes: writers at full speed with rotation, an agent, a real
 * Kafka, two indexers and a real OpenSearch, each killed with SIGKILL and started again at random; wires cut;
 * OpenSearch made read-only, and so short of memory that it answers 429. In the end every line stands in OpenSearch
 * once, every document that it refuses is a dead letter, and the audit agrees.
 *
 * LOGBOOM_E2E_SEED replays the order of the faults, LOGBOOM_E2E_FAULTS sets their number.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/base/prng.ts';
import { findProgram } from '../../tools/provision.ts';
import { javaSkipReason } from '../services/maven.ts';
import { exportAll, getJson } from './api-client.ts';
import { Cluster } from './cluster.ts';
import { startCriWriter, startS6Writer, type BurstOptions, type LogWriter } from './log-writers.ts';
import { runLogboom, waitFor } from './logboom-process.ts';
import { SequenceCheck } from './sequence-line.ts';

/** A fault takes about six seconds: a developer's run has fewer of them. */
const FAULTS = Number(process.env['LOGBOOM_E2E_FAULTS'] ?? (process.env['CI'] === 'true' ? 30 : 10));
const SEED = Number(process.env['LOGBOOM_E2E_SEED'] ?? Date.now() % 1_000_000_000);

const BURSTS: BurstOptions = { burstLines: 200, pauseMs: 900 };

/** Time to deliver what gathered in the files and in Kafka. */
const DRAIN_MS_MAX = 240_000;

const POD_UID = '3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3d';

void test('every line is found once in OpenSearch after many faults of every part', async (context) => {
  const s6 = findProgram('s6-log');
  if (s6 === undefined) return context.skip('s6-log is not installed (Debian package s6)');
  const reason = javaSkipReason();
  if (reason !== undefined) return context.skip(reason);
  process.stdout.write(`LOGBOOM_E2E_SEED=${SEED} LOGBOOM_E2E_FAULTS=${FAULTS}\n`);
  await using cluster = await Cluster.start();
  const writers = startWriters(cluster, s6);
  const poison = new PoisonWriter(path.join(cluster.installation.apps, 'shop/poison/poison-0/log'));
  const written = new Map<string, number>();
  try {
    await injectFaults(cluster, poison);
  } finally {
    for (const writer of writers) written.set(writer.name, await writer.stop());
  }
  await cluster.mend();
  await checkEverything(cluster, { written, poison: poison.count, context });
});

function startWriters({ installation: { apps, pods } }: Cluster, program: string): LogWriter[] {
  const cri = (name: string, container: string): LogWriter =>
    startCriWriter(name, path.join(pods, `shop_${name}-0_${POD_UID}`, container), BURSTS);
  return [
    startS6Writer('cart', {
      program,
      directory: path.join(apps, 'shop/cart/cart-0/log'),
      stamp: 'T',
      ...BURSTS,
    }),
    startS6Writer('stock', {
      program,
      directory: path.join(apps, 'shop/stock/stock-0/log'),
      stamp: undefined,
      ...BURSTS,
    }),
    cri('web', 'server'),
    cri('batch', 'worker'),
  ];
}

/** An application that writes lines which OpenSearch refuses: text where an object is mapped. */
class PoisonWriter {
  count = 0;
  readonly #file: string;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#file = path.join(directory, 'out.log');
  }

  write(): void {
    this.count += 1;
    const line = {
      ecs: { version: '8.11.0' },
      message: `poison ${this.count}`,
      http: { request: 'text' },
    };
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** Every kind comes up about equally often; between two faults the parts work for a moment. */
async function injectFaults(cluster: Cluster, poison: PoisonWriter): Promise<void> {
  const random = createRandom(SEED);
  const faults = cluster.faults();
  for (let count = 1; count <= FAULTS; count += 1) {
    const fault = faults[Math.floor(random() * faults.length)];
    assert.ok(fault !== undefined);
    const lastsMs = Math.floor(200 + random() * 2500);
    process.stdout.write(`fault ${count} of ${FAULTS}: ${fault.name} for ${lastsMs} ms\n`);
    poison.write();
    await fault.begin();
    await sleep(lastsMs);
    await fault.end();
    await sleep(Math.floor(random() * 1500));
    await cluster.noteRefusals();
    cluster.assertAlive();
  }
}

interface Expected {
  readonly written: ReadonlyMap<string, number>;
  readonly poison: number;
  readonly context: TestContext;
}

async function checkEverything(cluster: Cluster, { written, poison, context }: Expected): Promise<void> {
  const total = [...written.values()].reduce((sum, count) => sum + count, 0);
  context.diagnostic(`${total} lines, ${poison} poison documents`);
  const { baseUrl } = cluster.installation;
  try {
    await cluster.waitForAgent(DRAIN_MS_MAX);
    const audit = await waitForAudit(baseUrl);
    const check = new SequenceCheck(written);
    for await (const { message } of exportAll(baseUrl, 'seq')) check.add(message);
    assert.deepEqual(check.verdict(), { missing: [], twice: [], foreign: [], found: total });
    const letters = await getJson<{ groups: readonly { readonly count: number }[] }>(
      `${baseUrl}/api/v1/dead-letters`,
    );
    assert.equal(
      letters.groups.reduce((sum, { count }) => sum + count, 0),
      poison,
      JSON.stringify(letters),
    );
    assert.equal(audit.code, 0, `the audit ends with 0: ${audit.output}`);
    await cluster.noteRefusals();
    context.diagnostic(`${cluster.refusals} requests refused with 429`);
    assert.ok(cluster.refusals > 0, 'OpenSearch was short of memory');
  } catch (error) {
    throw new Error(`the programs say:\n${cluster.output}`, { cause: error });
  }
}

/** Resolves with the last audit: the first that ends with 0, or the one at which patience ended. */
async function waitForAudit(baseUrl: string): Promise<{ code: number | null; output: string }> {
  let last: { code: number | null; output: string } = { code: null, output: '' };
  await waitFor('an audit that ends with 0', DRAIN_MS_MAX, async () => {
    last = await runLogboom(['audit', '--json', '--server', baseUrl]);
    return last.code === 0;
  }).catch(() => undefined);
  return last;
}
