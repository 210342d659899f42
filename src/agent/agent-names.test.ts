import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceConfig } from '../config/source-config.ts';
import { AgentWorld, COMMON_SOURCE, PODS_SOURCE } from './testing/agent-world.ts';

test('a line in a pod that is neither of CRI nor of Docker says so, also when the format is recognised', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const docker = '{"log":"from docker\\n","stream":"stderr","time":"2026-11-23T00:00:02.000000000Z"}';
  const lines = ['2026-11-23T00:00:01.000000000Z stdout F well', 'no stamp at all', docker];
  world.write('/var/log/pods/shop_cart-1_0f0e/cart/0.log', lines.map((line) => `${line}\n`).join(''));
  world.start();
  await world.advance(1000);
  const found = world.producer.records.map(({ document }) => {
    const { parse_error: reason } = document['log'] as { parse_error?: string };
    return [document['message'], document['stream'], document['@timestamp'], reason];
  });
  const expected = [
    ['well', 'stdout', '2026-11-23T00:00:01.000000000Z', undefined],
    ['no stamp at all', 'file', '2026-11-23T00:00:01.000000000Z', 'not a CRI line'],
    ['from docker', 'stderr', '2026-11-23T00:00:02.000000000Z', undefined],
  ];
  const byMessage = (left: unknown[], right: unknown[]): number =>
    String(left[0]) < String(right[0]) ? -1 : 1;
  assert.deepEqual(found.toSorted(byMessage), expected.toSorted(byMessage));
  await world.stop();
});

test('the ledger has the names that a path template gives', async () => {
  const template = '/srv/{kubernetes.namespace}/{kubernetes.pod.name}/{kubernetes.container.name}.log';
  const source: SourceConfig = { kind: 'files', paths: ['/srv/*/*/*.log'], template, ...COMMON_SOURCE };
  const world = new AgentWorld([source]);
  world.write('/srv/shop/cart-1/main.log', 'one\n');
  const agent = world.start();
  await world.advance(3000);
  assert.deepEqual(
    [...world.producer.ledger.values()].map(({ namespace, pod, container }) => [namespace, pod, container]),
    [['shop', 'cart-1', 'main']],
  );
  assert.deepEqual(
    agent.files().map(({ namespace, pod, container }) => [namespace, pod, container]),
    [['shop', 'cart-1', 'main']],
  );
  await world.stop();
});
