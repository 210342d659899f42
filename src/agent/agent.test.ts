import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPS_SOURCE, AgentWorld, DOCKER_SOURCE, gzipFile, PODS_SOURCE } from './testing/agent-world.ts';

const APP_LOG = '/data/logs/shop/cart/cart-1/log/app.log';
const POD_DIRECTORY = '/var/log/pods/shop_cart-1_0f0e/cart';

function cri(second: number, text: string, tag = 'F', stream = 'stdout'): string {
  return `2026-11-23T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`;
}

test('a plain file is collected from its beginning, and what is appended follows', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\ntwo\n');
  world.start();
  await world.advance(100);
  world.write(APP_LOG, 'three\n');
  await world.advance(100);
  assert.deepEqual(world.producer.messages(), ['one', 'two', 'three']);
  const [first] = world.producer.records;
  assert.deepEqual(first?.document['kubernetes'], {
    namespace: 'shop',
    pod: { name: 'cart-1' },
    container: { name: 'app' },
    node: { name: 'node-1' },
  });
  assert.deepEqual(first?.document['service'], { name: 'cart' });
  await world.stop();
});

test('a directory and its files that appear later are collected', async () => {
  const world = new AgentWorld([APPS_SOURCE, PODS_SOURCE]);
  world.start();
  await world.advance(100);
  world.write(`${POD_DIRECTORY}/0.log`, cri(1, 'hello'));
  await world.advance(world.config.agent.rescanMs + 100);
  world.write(`/var/log/pods/shop_web-1_0a/web/0.log`, cri(2, 'web'));
  await world.advance(100);
  assert.deepEqual(world.producer.messages(), ['hello', 'web']);
  await world.stop();
});

test('after a restart only what was not acknowledged is read again, and nothing is shown twice', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'one\ntwo\n');
  world.start();
  await world.advance(1000);
  world.producer.isHeld = true;
  world.write(APP_LOG, 'three\n');
  await world.advance(1000);
  world.kill();
  world.producer.isHeld = false;
  world.write(APP_LOG, 'four\n');
  world.start();
  await world.advance(1000);
  assert.deepEqual(world.producer.messages(), ['one', 'two', 'three', 'four']);
  assert.equal(world.producer.duplicates, 0);
  assert.equal(new Set(world.producer.records.map((record) => record.fileId)).size, 1);
  await world.stop();
});

test('the ledger tells of files that were finished just before a kill, though nothing happens to them any more', async () => {
  const world = new AgentWorld([PODS_SOURCE], { ledgerMs: 600_000 });
  world.write(`${POD_DIRECTORY}/0.log`, cri(1, 'one'));
  world.start();
  await world.advance(500);
  world.fileSystem.rename(`${POD_DIRECTORY}/0.log`, `${POD_DIRECTORY}/0.log.20261123-000001`);
  gzipFile(world.fileSystem, `${POD_DIRECTORY}/0.log.20261123-000001`);
  world.write(`${POD_DIRECTORY}/0.log`, cri(2, 'two'));
  await world.advance(20_000);
  world.kill();
  world.producer.ledger.clear();
  world.start();
  await world.advance(1000);
  await world.stop();
  assert.deepEqual(
    [...world.producer.ledger.values()].map(({ records, acknowledgedOffset, bytesWritten }) => ({
      records,
      isAll: acknowledgedOffset === bytesWritten,
    })),
    [
      { records: 1, isAll: true },
      { records: 1, isAll: true },
    ],
  );
});

test('the ledger is not called complete before every file has been looked into', async () => {
  const world = new AgentWorld([APPS_SOURCE]);
  world.write(APP_LOG, 'no end yet');
  const agent = world.start();
  await assert.rejects(agent.writeLedger(), /cannot account for every file yet/);
  await world.advance(500);
  await assert.rejects(agent.writeLedger(), /cannot account for every file yet/);
  world.write(APP_LOG, ', but now\n');
  await world.advance(500);
  await agent.writeLedger();
  await world.stop();
});

test('the configuration of a docker container that comes after its log, and is half written first, is read', async () => {
  const world = new AgentWorld([DOCKER_SOURCE]);
  const directory = '/var/lib/docker/containers/abc123';
  const line = (text: string): string =>
    `{"log":"${text}\\n","stream":"stderr","time":"2026-11-23T00:00:01Z"}\n`;
  world.write(`${directory}/abc123-json.log`, line('one'));
  world.start();
  await world.advance(1000);
  const config = JSON.stringify({ Name: '/web', Config: { Image: 'nginx:1', Labels: { 'a.b': 'c' } } });
  world.write(`${directory}/config.v2.json`, config.slice(0, 20));
  await world.advance(10);
  world.write(`${directory}/config.v2.json`, config.slice(20));
  await world.advance(3000);
  world.write(`${directory}/abc123-json.log`, line('two'));
  await world.advance(1000);
  assert.deepEqual(
    world.producer.records.map(({ document, message }) => [message, document['container']]),
    [
      ['one', { id: 'abc123', runtime: 'docker' }],
      [
        'two',
        {
          id: 'abc123',
          name: 'web',
          runtime: 'docker',
          image: { name: 'nginx:1' },
          labels: { 'a.b': 'c' },
        },
      ],
    ],
  );
  await world.stop();
});

test('a malformed line right behind what is acknowledged has the time of the record before it after a restart', async () => {
  const world = new AgentWorld([PODS_SOURCE]);
  const log = '/var/log/pods/shop_cart-1_0f0e/cart/0.log';
  world.write(log, '2026-11-23T00:00:01.000000000Z stdout F one\n');
  world.start();
  await world.advance(2000);
  world.kill();
  world.write(log, 'no stamp\n');
  world.start();
  await world.advance(2000);
  assert.deepEqual(
    world.producer.records.map(({ message, time }) => [message, time]),
    [
      ['one', '2026-11-23T00:00:01.000000000Z'],
      ['no stamp', '2026-11-23T00:00:01.000000000Z'],
    ],
  );
  await world.stop();
});

test('what s6-log split at another length than its usual one is joined', async () => {
  const log = '/data/logs/shop/cart/cart-1/log/main';
  for (const [s6LineBytesMax, expected] of [
    [10, ['0123456789abc', 'x']],
    [0, ['0123456789', 'abc', 'x']],
  ] as const) {
    const world = new AgentWorld([{ ...APPS_SOURCE, s6LineBytesMax }]);
    world.write(`${log}/current`, '0123456789\nabc\nx\n');
    world.start();
    await world.advance(2000);
    assert.deepEqual(world.producer.messages(), expected);
    await world.stop();
  }
});

test('docker names come from the configuration of the container', async () => {
  const world = new AgentWorld([DOCKER_SOURCE]);
  const directory = '/var/lib/docker/containers/abc123';
  world.write(
    `${directory}/config.v2.json`,
    JSON.stringify({ Name: '/web', Config: { Image: 'nginx:1', Labels: {} } }),
  );
  world.write(
    `${directory}/abc123-json.log`,
    '{"log":"hi\\n","stream":"stderr","time":"2026-11-23T00:00:01Z"}\n',
  );
  world.start();
  await world.advance(100);
  const [record] = world.producer.records;
  assert.equal(record?.message, 'hi');
  assert.deepEqual(record?.document['container'], {
    id: 'abc123',
    name: 'web',
    runtime: 'docker',
    image: { name: 'nginx:1' },
  });
  await world.stop();
});

test('what is odd about lines is counted by kind in the ledger and in metrics, once over a kill', async () => {
  const world = new AgentWorld([PODS_SOURCE], { lineBytesMax: 64 });
  const log = '/var/log/pods/shop_cart-1_0f0e/cart/0.log';
  const encode = (text: string): Uint8Array => Buffer.from(text, 'latin1');
  const stamp = '2026-11-23T00:00:01.000000000Z stdout F ';
  world.write(log, encode(`${stamp}bad \xff\xfe bytes\n${stamp}${'x'.repeat(100)}\nno stamp\n`));
  world.write(log, encode(`${stamp}\x00\x00\x00nuls\n`));
  world.start();
  await world.advance(3000);
  world.kill();
  world.write(log, encode(`${stamp}once more \xff\n`));
  world.start();
  await world.advance(3000);
  await world.stop();
  const [record] = [...world.producer.ledger.values()];
  assert.deepEqual(record?.flaws, { invalid_utf8: 3, truncated_line: 1, malformed_line: 1 });
  assert.deepEqual(record?.dropped, { line_too_long: 36, nul_run: 3 });
  assert.equal(world.telemetry.valueOf('logboom_agent_flaws_total', { kind: 'invalid_utf8' }), 3);
  assert.equal(world.telemetry.valueOf('logboom_agent_dropped_bytes_total', { reason: 'nul_run' }), 3);
});
