/** The roles apart, with everything that they depend on away: they wait, say so, and end in order. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ReadinessAnswer } from '../../src/api/api-types.ts';
import { KafkaBroker } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import { findFreePort, LogboomProcess, runLogboom, waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const NOTICED_MS_MAX = 30_000;

async function readinessOf(baseUrl: string): Promise<ReadinessAnswer | undefined> {
  try {
    return (await (await fetch(`${baseUrl}/readyz`)).json()) as ReadinessAnswer;
  } catch {
    return undefined;
  }
}

void test('no role ends because a broker and a search cluster are away: it says so, and drains', async () => {
  using directory = new TemporaryDirectory('roles');
  mkdirSync(directory.join('logs/shop/cart/cart-0/log'), { recursive: true });
  writeFileSync(directory.join('logs/shop/cart/cart-0/log/app.log'), 'a line\n');
  const config = directory.join('logboom.yaml');
  writeFileSync(config, `sources:\n  - { kind: apps, root: ${directory.join('logs')} }\ndrainMsMax: 1s\n`);
  // Nobody listens there.
  const [broker, engine] = [await findFreePort(), await findFreePort()];
  const kafka = ['--kafka', `127.0.0.1:${broker}`];
  const cluster = [...kafka, '--elasticsearch', `http://127.0.0.1:${engine}`];
  const roles: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['agent', kafka, ['transport']],
    ['indexer', cluster, ['indexer', 'store', 'transport']],
    ['server', cluster, ['store', 'transport']],
    ['up', cluster, ['indexer', 'store', 'transport']],
  ];
  const checks = roles.map(async ([role, flags, parts]) => {
    const port = await findFreePort();
    const own = ['--data', directory.join(role), '--listen', `127.0.0.1:${port}`];
    await using child = new LogboomProcess({ args: [role, '--config', config, ...flags, ...own] });
    const baseUrl = `http://127.0.0.1:${port}`;
    let reasons = new Map<string, string>();
    await waitFor(`${role} to say what is away`, NOTICED_MS_MAX, async () => {
      if (child.hasExited) throw new Error(`${role} ended by itself\n${child.output}`);
      const readiness = await readinessOf(baseUrl);
      reasons = new Map(readiness?.problems.map(({ part, reason }) => [part, reason]));
      return parts.every((part) => reasons.has(part));
    });
    assert.match(
      reasons.get('transport') ?? '',
      new RegExp(`127\\.0\\.0\\.1:${broker}.*transport\\.brokers`),
    );
    if (parts.includes('store'))
      assert.match(reasons.get('store') ?? '', new RegExp(`127\\.0\\.0\\.1:${engine}`));
    assert.equal((await child.stop()).code, 0, child.output);
  });
  await Promise.all(checks);
});

void test('forms that cannot work are refused with what can', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['agent'], /needs a server or a broker to send to\n.*--kafka/],
    [['indexer'], /reads from a broker, and the kind is memory\n.*--kafka/],
    [['indexer', '--kafka', '127.0.0.1:1'], /cannot write an embedded store.*\n.*--elasticsearch/],
    [
      ['up', '--transport-kind', 'http', '--transport-url', 'http://x'],
      /needs transport\.kind: memory or kafka/,
    ],
    [['server', '--elasticsearch', 'nowhere'], /--elasticsearch/],
  ];
  for (const [args, message] of cases) {
    const { code, output } = await runLogboom(args);
    assert.equal(code, 100, output);
    assert.match(output, message);
  }
});

void test('live records come from the end of the broker, also while the search cluster is away', async (context) => {
  const reason = javaSkipReason();
  if (reason !== undefined) return context.skip(reason);
  await using broker = await KafkaBroker.start();
  using directory = new TemporaryDirectory('live');
  mkdirSync(directory.join('logs/shop/cart/cart-0/log'), { recursive: true });
  const logFile = directory.join('logs/shop/cart/cart-0/log/app.log');
  writeFileSync(logFile, 'written before\n');
  const config = directory.join('logboom.yaml');
  writeFileSync(config, `sources:\n  - { kind: apps, root: ${directory.join('logs')} }\n`);
  const [agentPort, serverPort, engine] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const start = (role: string, port: number, ...flags: string[]): LogboomProcess =>
    new LogboomProcess({
      args: [
        role,
        '--config',
        config,
        '--kafka',
        broker.address,
        ...flags,
        '--data',
        directory.join(role),
      ].concat(['--listen', `127.0.0.1:${port}`]),
    });
  await using agent = start('agent', agentPort);
  await using server = start('server', serverPort, '--elasticsearch', `http://127.0.0.1:${engine}`);
  await agent.waitUntilReady(`http://127.0.0.1:${agentPort}`);
  await waitFor('the server to answer', NOTICED_MS_MAX, async () => {
    return (await readinessOf(`http://127.0.0.1:${serverPort}`)) !== undefined;
  });
  await waitFor('the broker to have the first line', NOTICED_MS_MAX, async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${agentPort}/metrics`)).text();
    return /^logboom_agent_acknowledged_records_total 1$/m.test(metrics);
  });
  const url = `http://127.0.0.1:${serverPort}/api/v1/tail?query=`;
  const answer = await fetch(url);
  // The first bytes come once everything that is written from now on is seen.
  appendFileSync(logFile, 'written while somebody follows\n');
  let events = '';
  for await (const bytes of answer.body ?? []) {
    events += new TextDecoder().decode(bytes);
    if (events.includes('somebody follows')) break;
  }
  assert.doesNotMatch(events, /written before/);
  assert.equal(server.hasExited, false);
});
