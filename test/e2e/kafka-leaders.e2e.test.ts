/**
 * G3, G4, G9 with three real brokers that replicate to each other: leaders and the coordinator of the group are killed
 * with SIGKILL and come back while logs are written at full speed. Every line stands in the topic once and in order,
 * and in the store once; readiness says why it waits, and is good again afterwards.
 *
 * LOGBOOM_E2E_LEADERS sets the number of faults. The third kind, when two of three are away, is among more than two.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadinessAnswer } from '../../src/api/api-types.ts';
import { KafkaCluster } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import { exportAll, getJson } from './api-client.ts';
import { Installation } from './installation.ts';
import { groupCoordinator, topicLeaders, TestTransport } from './kafka-client.ts';
import { startCriWriter, stopAll, type BurstOptions, type LogWriter } from './log-writers.ts';
import { runLogboom, waitFor, type LogboomProcess } from './logboom-process.ts';
import { SequenceCheck } from './sequence-line.ts';

const TOPIC = 'replicated';
const GROUP = 'indexers-of-replicated';
const PARTITIONS = 6;
const NODES = 3;

const FAULTS = Number(process.env['LOGBOOM_E2E_LEADERS'] ?? 2);

/** Full speed with pauses, so that what is written can also be checked within seconds. */
const BURSTS: BurstOptions = { burstLines: 400, pauseMs: 400 };

/** A broker is given up after three seconds; a busy machine takes longer for what follows. */
const MOVED_MS_MAX = 60_000;

/** How long others lead, or nobody. */
const AWAY_MS = 1_000;

const DRAIN_MS_MAX = 120_000;

const SAMPLE_MS = 100;

const POD_UID = '3f2a6a1e-0d5c-4a6e-9c1b-6f1f0a7b2c3d';

void test('leaders and the coordinator are killed and come back: every line stands once, in order', async (context) => {
  const reason = javaSkipReason();
  if (reason !== undefined) return context.skip(reason);
  await using brokers = await KafkaCluster.start(NODES, { heapMiB: 256 });
  using installation = await Installation.create({ extra: configText(brokers) });
  await using program = await installation.start();
  const { baseUrl } = installation;
  const writers = ['web', 'batch', 'mail', 'shop'].map((name) => startWriter(installation, name));
  const sampling = new AbortController();
  const reasons = sampleReadiness(baseUrl, sampling.signal);
  let written = new Map<string, number>();
  try {
    await waitFor('logs to flow', MOVED_MS_MAX, async () => (await recordsStored(baseUrl)) > 0);
    await changeLeaders(brokers, context);
  } catch (error) {
    throw new Error(`the program says:\n${program.output}`, { cause: error });
  } finally {
    written = await stopAll(writers);
  }
  await program.waitUntilReady(baseUrl);
  sampling.abort();
  checkReasons(await reasons, context);
  await checkStore({ baseUrl, program, written });
  await checkTopic(brokers, written);
});

function configText({ addresses }: KafkaCluster): string {
  const create = `create: { partitions: ${PARTITIONS} }`;
  const names = `topic: ${TOPIC}, groupId: ${GROUP}, brokers: [${addresses.join(', ')}]`;
  return `transport: { kind: kafka, ${names}, ${create} }\nagent: { ledgerMs: 1s }\n`;
}

function startWriter({ pods }: Installation, name: string): LogWriter {
  return startCriWriter(name, path.join(pods, `shop_${name}-0_${POD_UID}`, 'server'), BURSTS);
}

/** Kills leaders while everything is under way, at first the one that coordinates the group, and lets them come back. */
async function changeLeaders(brokers: KafkaCluster, context: TestContext): Promise<void> {
  const coordinator = await groupCoordinator(brokers.addresses, GROUP);
  const other = (coordinator % NODES) + 1;
  const kinds = [[coordinator], [other], [coordinator, other]];
  for (let fault = 0; fault < FAULTS; fault += 1) {
    const victims = kinds[fault % kinds.length] ?? [];
    const startedMs = performance.now();
    await killForAWhile(brokers, victims);
    const tookMs = Math.round(performance.now() - startedMs);
    context.diagnostic(`killed ${victims.join(' and ')}: leaders were as before after ${tookMs} ms`);
  }
}

/**
 * Kills brokers until another one leads all that they led, and lets them come back until they lead again what they
 * prefer to. When two of three are away, nobody can lead what they led, nor take what is written.
 */
async function killForAWhile(brokers: KafkaCluster, nodes: readonly number[]): Promise<void> {
  const before = await leadersOf(brokers);
  assert.ok(
    nodes.every((node) => before.includes(node)),
    `each of ${nodes.join(', ')} leads something: ${before.join(' ')}`,
  );
  const victims = nodes.map((node) => brokers.node(node));
  await Promise.all(victims.map((victim) => victim.kill()));
  if (victims.length === 1)
    await waitFor('another broker to lead', MOVED_MS_MAX, async () => {
      const leaders = await leadersOf(brokers);
      return (
        leaders.length === PARTITIONS && leaders.every((leader) => leader > 0 && !nodes.includes(leader))
      );
    });
  await sleep(AWAY_MS);
  await Promise.all(victims.map((victim) => victim.restart()));
  await waitFor('the brokers to lead again', MOVED_MS_MAX, async () => {
    const leaders = await leadersOf(brokers);
    return nodes.every((node) => leaders.includes(node));
  });
}

function leadersOf({ addresses }: KafkaCluster): Promise<readonly number[]> {
  return topicLeaders(addresses, TOPIC);
}

/** Collects what the transport says while it is not ready. */
async function sampleReadiness(baseUrl: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const reasons = new Set<string>();
  while (!signal.aborted) {
    const answer = (await (await fetch(`${baseUrl}/readyz`)).json()) as ReadinessAnswer;
    for (const { part, reason } of answer.problems) reasons.add(`${part}: ${reason}`);
    await sleep(SAMPLE_MS);
  }
  return reasons;
}

function checkReasons(reasons: ReadonlySet<string>, context: TestContext): void {
  for (const reason of reasons) context.diagnostic(reason);
  const said = [...reasons].filter((reason) => reason.startsWith('transport: cannot '));
  assert.ok(said.length > 0, `readiness says why it waits: ${[...reasons].join('; ')}`);
}

async function recordsStored(baseUrl: string): Promise<number> {
  const { records } = await getJson<{ records: readonly unknown[] }>(`${baseUrl}/api/v1/search?limit=1`);
  return records.length;
}

interface Stored {
  readonly baseUrl: string;
  readonly program: LogboomProcess;
  readonly written: ReadonlyMap<string, number>;
}

async function checkStore({ baseUrl, program, written }: Stored): Promise<void> {
  let audit = { code: null as number | null, output: '' };
  await waitFor('an audit that ends with 0', DRAIN_MS_MAX, async () => {
    audit = await runLogboom(['audit', '--json', '--server', baseUrl]);
    return audit.code === 0;
  }).catch((error: unknown) => {
    throw new Error(`${audit.output}\nthe program says:\n${program.output}`, { cause: error });
  });
  const check = new SequenceCheck(written);
  for await (const { message } of exportAll(baseUrl, 'seq')) check.add(message);
  assert.deepEqual(check.verdict(), { missing: [], twice: [], foreign: [], found: totalOf(written) });
}

/** What the brokers hold: each record once, and those of a lane in their order. */
async function checkTopic({ addresses }: KafkaCluster, written: ReadonlyMap<string, number>): Promise<void> {
  await using own = new TestTransport({ brokers: addresses, topic: TOPIC, groupId: 'checking' });
  const consumer = await own.transport.openConsumer();
  const lastOffsets = new Map<string, number>();
  const total = totalOf(written);
  const signal = AbortSignal.timeout(DRAIN_MS_MAX);
  let count = 0;
  while (count < total && !signal.aborted) {
    for (const delivery of await consumer.poll(2 ** 20, signal)) {
      await consumer.commit(delivery.partition, delivery.nextPosition);
      if (delivery.kind !== 'log') continue;
      const { fileId, offsets, lanes } = delivery.batch;
      count += offsets.length;
      for (const [index, offset] of offsets.entries()) {
        const lane = `${fileId} ${lanes[index]}`;
        const last = lastOffsets.get(lane) ?? -1;
        assert.ok(offset > last, `${lane}: ${offset} stands behind ${last}`);
        lastOffsets.set(lane, offset);
      }
    }
  }
  assert.equal(count, total, 'the topic holds every record once');
}

function totalOf(written: ReadonlyMap<string, number>): number {
  return [...written.values()].reduce((sum, count) => sum + count, 0);
}
