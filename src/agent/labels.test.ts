/** Labels of pods in documents: what is known when a record is read, and never a record less for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentWorld, APPS_SOURCE, PODS_SOURCE } from './testing/agent-world.ts';
import { KnownPods } from './testing/known-pods.ts';

const POD_LOG = '/var/log/pods/shop_web-1_u1/app/0.log';
const APP_LOG = '/data/logs/shop/web/web-1/log/app.log';
const WEB = { uid: 'u1', name: 'web-1', namespace: 'shop' };
const WAIT_MS = 2000;

function cri(second: number, text: string): string {
  return `2026-11-23T00:00:${String(second).padStart(2, '0')}.000000000Z stdout F ${text}\n`;
}

function labelsOf(world: AgentWorld): unknown[] {
  return world.producer.records.map(({ message, document }) => {
    const { labels } = document['kubernetes'] as { labels?: Record<string, string> };
    return [message, labels?.['app']];
  });
}

test('documents have the labels of their pod, its image and the id of their container', async () => {
  const world = new AgentWorld([PODS_SOURCE, APPS_SOURCE]);
  const pods = new KnownPods();
  pods.put({ ...WEB, labels: { 'app.kubernetes.io/name': 'web' } });
  world.write(POD_LOG, cri(1, 'one'));
  world.write(APP_LOG, 'two\n');
  world.start({ pods });
  await world.advance(1000);
  const documents = world.producer.records.map(({ document }) => document);
  assert.deepEqual(
    documents.map((document) => document['kubernetes']),
    [
      {
        namespace: 'shop',
        pod: { name: 'web-1', uid: 'u1' },
        container: { name: 'app' },
        node: { name: 'node-1' },
        labels: { 'app_kubernetes_io/name': 'web' },
      },
      {
        namespace: 'shop',
        pod: { name: 'web-1' },
        container: { name: 'app' },
        node: { name: 'node-1' },
        labels: { 'app_kubernetes_io/name': 'web' },
      },
    ],
  );
  const image = { name: 'registry.example/web:1.4' };
  assert.deepEqual(documents[0]?.['container'], { id: 'cccccccc0', runtime: 'containerd', image });
  await world.stop();
});

test('labels that change are in the records that are read from then on', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const pods = new KnownPods();
  pods.put({ ...WEB, labels: { app: 'old' } });
  world.write(POD_LOG, cri(1, 'one'));
  world.start({ pods });
  await world.advance(1000);
  pods.put({ ...WEB, labels: { app: 'new' } });
  world.write(POD_LOG, cri(2, 'two'));
  await world.advance(1000);
  pods.delete({ ...WEB, labels: { app: 'new' } });
  world.write(POD_LOG, cri(3, 'three'));
  await world.advance(1000);
  assert.deepEqual(labelsOf(world), [
    ['one', 'old'],
    ['two', 'new'],
    ['three', 'new'],
  ]);
  await world.stop();
});

test('first records wait for labels that may still come, a bounded time, and then go without, counted', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const pods = new KnownPods();
  pods.waitsUntil = (foundMs) => world.scheduler.monotonicMs() - foundMs < WAIT_MS;
  world.write(POD_LOG, cri(1, 'one'));
  world.write('/var/log/pods/shop_web-2_u2/app/0.log', cri(1, 'other'));
  world.start({ pods });
  await world.advance(500);
  assert.deepEqual(labelsOf(world), []);
  pods.put({ ...WEB, labels: { app: 'web' } });
  await world.advance(100);
  assert.deepEqual(labelsOf(world), [['one', 'web']]);
  assert.equal(world.telemetry.valueOf('logboom_kubernetes_unlabelled_files_total'), 0);
  await world.advance(WAIT_MS);
  assert.deepEqual(labelsOf(world), [
    ['one', 'web'],
    ['other', undefined],
  ]);
  assert.equal(world.telemetry.valueOf('logboom_kubernetes_unlabelled_files_total'), 1);
  pods.put({ ...WEB, uid: 'u2', name: 'web-2', labels: { app: 'late' } });
  world.write('/var/log/pods/shop_web-2_u2/app/0.log', cri(2, 'later'));
  await world.advance(500);
  assert.deepEqual(labelsOf(world).at(-1), ['later', 'late']);
  await world.stop();
});

test('nothing is lost or doubled by waiting, killing and changing labels', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const pods = new KnownPods();
  pods.waitsUntil = (foundMs) => world.scheduler.monotonicMs() - foundMs < WAIT_MS;
  const expected: string[] = [];
  for (let number = 0; number < 30; number += 1) {
    const text = `line ${number}`;
    expected.push(text);
    world.write(POD_LOG, cri(number, text));
    if (number % 7 === 0) {
      if (world.agent !== undefined) world.kill();
      world.start({ pods });
    }
    if (number % 5 === 0) pods.put({ ...WEB, labels: { app: `web-${number}` } });
    await world.advance(300);
  }
  await world.advance(WAIT_MS + 1000);
  assert.deepEqual(world.producer.messages(), expected);
  await world.stop();
});

test('the watch is told whose files are followed', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const pods = new KnownPods();
  world.write(POD_LOG, cri(1, 'one'));
  world.start({ pods });
  await world.advance(6000);
  assert.deepEqual(pods.followed, [{ namespace: 'shop', pod: 'web-1', podUid: 'u1' }]);
  await world.stop();
});
