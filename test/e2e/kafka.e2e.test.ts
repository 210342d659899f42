/** The transport over Kafka against a real broker: order, duplicates, rebalances, other programs, and bad surroundings. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import { findProgram } from '../../tools/provision.ts';
import { KAFKA_USER, KafkaBroker } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import {
  fileIdOf,
  kcat,
  numberedBatch,
  receive,
  Received,
  TestTransport,
  withAdmin,
} from './kafka-client.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const skip = javaSkipReason() ?? false;
const program = findProgram('openssl');
const tlsSkip = program === undefined ? 'openssl is not installed' : false;
const kcatSkip = findProgram('kcat') === undefined ? 'kcat is not installed (Debian package kcat)' : false;

void describe('Kafka', { skip }, () => {
  const directory = new TemporaryDirectory('kafka-test');
  const caFile = directory.join('ca.pem');
  let broker: KafkaBroker;

  before(async () => {
    const keyAndCertificateFile = makeCertificates(directory, caFile);
    const tls = keyAndCertificateFile === undefined ? {} : { tls: { keyAndCertificateFile, caFile } };
    broker = await KafkaBroker.start(tls);
  });

  after(async () => {
    await broker.stop();
    directory[Symbol.dispose]();
  });

  void test('100,000 records survive a broker that is killed in between, in order and once (G3, G4)', async () => {
    await using sending = new TestTransport({ brokers: [broker.address], topic: 'killed' });
    const files = 20;
    const perFile = 5_000;
    let acknowledgedCount = 0;
    const sends: Promise<void>[] = [];
    let restarting: Promise<void> | undefined;
    for (let from = 0; from < perFile; from += 250) {
      for (let file = 0; file < files; file++) {
        const sent = sending.transport.producer.send(numberedBatch({ file, from, count: 250 }));
        sends.push(sent.then(() => void (acknowledgedCount += 250)));
      }
      await sleep(20);
      if (from === 1_000) restarting = broker.restart();
    }
    await restarting;
    await Promise.all(sends);
    assert.equal(acknowledgedCount, files * perFile);
    assert.equal(sending.transport.problem(), undefined);
    const received = new Received();
    const consumer = await sending.transport.openConsumer();
    await receive(consumer, received, () => received.count >= files * perFile);
    const expected = Array.from({ length: perFile }, (_, record) => record);
    for (let file = 0; file < files; file++) assert.deepEqual(received.records.get(fileIdOf(file)), expected);
    await receive(consumer, received, () => false, 1_000);
    assert.equal(received.count, files * perFile, 'nothing stands in the log twice');
  });

  void test('a second consumer takes over a part, nothing is lost or read twice, and all is committed (G2)', async () => {
    await checkRebalance(broker);
  });

  void test('the same holds where the broker leaves the assignment to the members', async () => {
    const properties = {
      'group.coordinator.rebalance.protocols': 'classic',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    };
    await using older = await KafkaBroker.start({ properties });
    await checkRebalance(older);
    await checkRights(older);
  });

  /** `KAFKA_USER` may do nothing there. */
  async function checkRights({ saslAddress }: KafkaBroker): Promise<void> {
    const sasl = { mechanism: 'PLAIN', ...KAFKA_USER } as const;
    await using own = new TestTransport({ brokers: [saslAddress], topic: 'shared', sasl });
    own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 })).catch(() => undefined);
    assert.match(
      await own.problem(/./),
      /^may not use the topic shared\. Give the user .* the rights Describe, Write/,
    );
  }

  async function checkRebalance({ address }: KafkaBroker): Promise<void> {
    const config = { brokers: [address], topic: 'shared' };
    await using sending = new TestTransport(config);
    await using first = new TestTransport(config);
    await using second = new TestTransport(config);
    const send = async (from: number): Promise<void> => {
      const batches = Array.from({ length: 40 }, (_, file) => numberedBatch({ file, from, count: 50 }));
      await Promise.all(batches.map((batch) => sending.transport.producer.send(batch)));
    };
    await send(0);
    const received = new Received();
    const firstConsumer = await first.transport.openConsumer();
    const revoked: number[] = [];
    firstConsumer.onRevoke(async (partitions) => void revoked.push(...partitions));
    await receive(firstConsumer, received, () => received.count >= 2_000);
    assert.equal(received.count, 2_000);
    const ending = new AbortController();
    const readAll = async (consumer: typeof firstConsumer, into: Received): Promise<void> => {
      while (!ending.signal.aborted) await receive(consumer, into, () => ending.signal.aborted, 300);
    };
    const bySecond = new Received();
    const readingFirst = readAll(firstConsumer, received);
    const secondConsumer = await second.transport.openConsumer();
    const readingSecond = readAll(secondConsumer, bySecond);
    for (let from = 50; bySecond.count === 0 && from < 15_000; from += 50) {
      await send(from);
      await sleep(200);
    }
    const total = sending.telemetry.valueOf('logboom_transport_sent_records_total');
    for (let waits = 0; waits < 100 && received.count + bySecond.count < total; waits++) await sleep(100);
    ending.abort();
    await Promise.all([readingFirst, readingSecond]);
    assert.ok(revoked.length > 0, 'the first one was asked to let partitions go');
    assert.ok(revoked.length < 5, 'and kept some of them all the time: the rebalance is cooperative');
    assert.ok(bySecond.count > 0);
    assert.equal(received.count + bySecond.count, total);
    await secondConsumer.close();
    await firstConsumer.close();
    const again = new Received();
    await using third = new TestTransport(config);
    await receive(await third.transport.openConsumer(), again, () => again.count > 0, 3_000);
    assert.equal(again.count, 0, 'everything was committed');
  }

  void test(
    'kcat reads plain JSON, and what kcat writes comes out as documents',
    { skip: kcatSkip },
    async () => {
      await using own = new TestTransport({ brokers: [broker.address], topic: 'plain' });
      await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 3 }));
      const printed = await kcat(['-b', broker.address, '-C', '-t', 'plain', '-e', '-q', '-f', '%k %h %s\n']);
      const lines = printed.trimEnd().split('\n');
      assert.equal(lines.length, 3);
      for (const line of lines) {
        const [key, headers, ...value] = line.split(' ');
        assert.equal(key, fileIdOf(1));
        assert.equal(headers, 'logboom-schema=1');
        const document = JSON.parse(value.join(' ')) as { message: string };
        assert.match(document.message, /^record \d of file 1$/);
      }
      const otlp = {
        resourceLogs: [
          {
            resource: { attributes: [{ key: 'k8s.namespace.name', value: { stringValue: 'shop' } }] },
            scopeLogs: [{ logRecords: [{ body: { stringValue: 'from otlp' }, severityText: 'WARN' }] }],
          },
        ],
      };
      const filebeat = {
        '@timestamp': '2026-11-23T05:00:00.000Z',
        message: 'from filebeat',
        agent: { type: 'filebeat' },
      };
      const given = [
        JSON.stringify(filebeat),
        'no json',
        JSON.stringify(otlp),
        '[1]',
        '{"message":"no time"}',
      ];
      await kcat(
        ['-b', broker.address, '-P', '-t', 'plain', '-p', '0', '-z', 'gzip'],
        `${given.join('\n')}\n`,
      );
      const received = new Received();
      await receive(await own.transport.openConsumer(), received, () => received.count >= 8);
      const foreign = received.documents.filter(({ event }) => event === undefined);
      assert.deepEqual(foreign.map(({ message }) => String(message)).toSorted(byText), [
        '[1]',
        'from filebeat',
        'from otlp',
        'no json',
        'no time',
      ]);
      for (const document of foreign) assert.match(String(document['@timestamp']), /^2\d{3}-/);
      const named = foreign.find(({ message }) => message === 'from otlp');
      assert.deepEqual(named?.['kubernetes'], { namespace: 'shop' });
      assert.deepEqual(named?.['log'], { level: 'warn' });
      assert.deepEqual(foreign.find(({ message }) => message === 'no json')?.['log'], {
        parse_error: 'not_json',
      });
    },
  );

  void test('a record that is too large is cut or goes to the dead letters, and the file goes on', async () => {
    for (const oversized of ['truncate', 'dead_letter'] as const) {
      const topic = `oversized-${oversized}`;
      await createTopic(topic, { 'max.message.bytes': '20000' });
      await using own = new TestTransport({ brokers: [broker.address], topic, oversized });
      const message = (record: number): string => (record === 1 ? 'x'.repeat(100_000) : `record ${record}`);
      await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 4, message }));
      const received = new Received();
      const expected = oversized === 'truncate' ? [0, 1, 2, 3] : [0, 2, 3];
      await receive(await own.transport.openConsumer(), received, () => received.count >= expected.length);
      assert.deepEqual(received.records.get(fileIdOf(1)), expected);
      if (oversized === 'truncate') {
        const cut = received.documents[1];
        assert.match(String(cut?.['message']), /^x{10000,19000}$/);
        const log = cut?.['log'] as Record<string, unknown> | undefined;
        assert.deepEqual([log?.['original_length'], log?.['flags']], [100_000, ['truncated']]);
      } else {
        const letters = await readLetters(own);
        assert.deepEqual(
          letters.map(({ error, offset, fileId }) => [error.type, offset, fileId]),
          [['record_too_large', 100, fileIdOf(1)]],
        );
        assert.ok((letters[0]?.document.length ?? 0) > 100_000, 'it is kept whole');
      }
    }
  });

  void test('a topic whose limit is lowered while records are on the way gets smaller batches', async () => {
    await createTopic('lowered', { 'max.message.bytes': '30000' });
    const random = (record: number): string => `${record} ${pseudoRandomText(200, record)}`;
    await using own = new TestTransport({ brokers: [broker.address], topic: 'lowered', compression: 'none' });
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 10, message: random }));
    await setTopicLimit('lowered', 5_000);
    await own.transport.producer.send(numberedBatch({ file: 1, from: 10, count: 500, message: random }));
    const received = new Received();
    await receive(await own.transport.openConsumer(), received, () => received.count >= 510);
    assert.deepEqual(
      received.records.get(fileIdOf(1)),
      Array.from({ length: 510 }, (_, record) => record),
    );
  });

  void test('dead letters are kept, replaced by their id, and removed', async () => {
    await using own = new TestTransport({ brokers: [broker.address], topic: 'letters' });
    const { deadLetters } = own.transport;
    await deadLetters.send([letterOf('a', 'first'), letterOf('b', 'first'), letterOf('c', 'first')]);
    await deadLetters.send([letterOf('b', 'second')]);
    await deadLetters.remove(['c', 'unknown']);
    const letters = await readLetters(own);
    assert.deepEqual(
      letters.map(({ id, error }) => [id, error.reason]),
      [
        ['a', 'first'],
        ['b', 'second'],
      ],
    );
  });

  void test('ledger records travel on a compacted topic of their own', async () => {
    await using own = new TestTransport({ brokers: [broker.address], topic: 'audited' });
    await own.transport.producer.sendLedger(
      [1, 2].map((sequence) => ({ fileId: fileIdOf(1), sequence }) as never),
    );
    const consumer = await own.transport.openConsumer();
    const deliveries = await consumer.poll(2 ** 20, AbortSignal.timeout(20_000));
    const records = deliveries.flatMap((delivery) => (delivery.kind === 'ledger' ? delivery.records : []));
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      [1, 2],
    );
    assert.equal(deliveries[0]?.source?.topic, 'audited.ledger');
  });

  void test('SASL: the right password works with every mechanism, a wrong one is named', async () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      const sasl = { mechanism, ...KAFKA_USER };
      await using right = new TestTransport({ brokers: [broker.saslAddress], topic: 'secured', sasl });
      await right.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
      const wrongly = { ...sasl, password: 'wrong' };
      await using wrong = new TestTransport({
        brokers: [broker.saslAddress],
        topic: 'secured',
        sasl: wrongly,
      });
      const sent = wrong.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
      sent.catch(() => undefined);
      assert.match(
        await wrong.problem(/./),
        /^Kafka refuses the name or the password\. Check transport\.sasl/,
      );
      assert.equal(wrong.telemetry.linesOf('kafka_waits').length, 1, 'it is said once');
    }
  });

  void test('TLS: a known CA works, an unknown one and plain text are named', { skip: tlsSkip }, async () => {
    const files = { certificateFile: undefined, keyFile: undefined, isVerified: true };
    const brokers = [broker.tlsAddress];
    await using right = new TestTransport({ brokers, topic: 'tls', tls: { ...files, caFile } });
    await right.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    await using wrong = new TestTransport({ brokers, topic: 'tls', tls: { ...files, caFile: undefined } });
    wrong.transport.deadLetters.send([letterOf('a', 'x')]).catch(() => undefined);
    assert.match(
      await wrong.problem(/./),
      /the certificate of the broker is not trusted .* transport\.tls\.caFile/,
    );
    await using plain = new TestTransport({ brokers, topic: 'tls' });
    plain.transport.deadLetters.send([letterOf('a', 'x')]).catch(() => undefined);
    assert.match(await plain.problem(/./), /transport\.tls/);
  });

  void test('mutual TLS: a certificate works, none is named', { skip: tlsSkip }, async () => {
    const brokers = [broker.mutualTlsAddress];
    const files = {
      caFile,
      certificateFile: directory.join('certificate.pem'),
      keyFile: directory.join('key.pem'),
    };
    await using right = new TestTransport({ brokers, topic: 'mutual', tls: { ...files, isVerified: true } });
    await right.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    const tls = { caFile, certificateFile: undefined, keyFile: undefined, isVerified: true };
    await using wrong = new TestTransport({ brokers, topic: 'mutual', tls });
    wrong.transport.deadLetters.send([letterOf('a', 'x')]).catch(() => undefined);
    assert.match(await wrong.problem(/./), /refuses the TLS connection .*transport\.tls\.certificateFile/);
  });

  void test('OAUTHBEARER: a token from a file works', async () => {
    const tokenFile = directory.join('token');
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = { sub: 'agent', iat: nowSeconds, exp: nowSeconds + 3_600 };
    writeFileSync(tokenFile, `${part({ alg: 'none' })}.${part(claims)}.\n`);
    const sasl = { mechanism: 'OAUTHBEARER', token: undefined, tokenFile } as const;
    await using own = new TestTransport({ brokers: [broker.saslAddress], topic: 'token', sasl });
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    assert.equal(own.transport.problem(), undefined);
  });

  void test('a topic that may not be created is waited for', async () => {
    const create = { isAllowed: false, partitions: 1, replicas: 1 };
    await using own = new TestTransport({ brokers: [broker.address], topic: 'forbidden', create });
    const sent = own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    assert.match(await own.problem(/forbidden/), /the topic does not exist\. .*transport\.create\.isAllowed/);
    await createTopic('forbidden', {});
    await sent;
    assert.equal(own.transport.problem(), undefined);
  });

  void test('a broker that cannot be reached is named', async () => {
    await using own = new TestTransport({ brokers: ['127.0.0.1:1'], topic: 'away' });
    const sent = own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    assert.match(await own.problem(/./), /127\.0\.0\.1:1.*Check transport\.brokers/);
    await assert.rejects(own.transport.topics(), { code: 'unreachable' });
    await own.transport.close();
    await assert.rejects(sent, { code: 'closed' });
  });

  void test('a topic that is deleted is created again, and what was not acknowledged arrives', async () => {
    await using own = new TestTransport({ brokers: [broker.address], topic: 'deleted' });
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 5 }));
    const consumer = await own.transport.openConsumer();
    const received = new Received();
    await receive(consumer, received, () => received.count >= 5);
    await withAdmin(broker.address, (admin) => admin.deleteTopics({ topics: ['deleted'] }));
    await own.transport.producer.send(numberedBatch({ file: 1, from: 5, count: 5 }));
    await receive(consumer, received, () => received.count >= 10);
    assert.deepEqual(received.records.get(fileIdOf(1)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  void test('records that the broker deletes before they are read are counted, and the others are read', async () => {
    const create = { isAllowed: true, partitions: 1, replicas: 1 };
    await using own = new TestTransport({ brokers: [broker.address], topic: 'expired', create });
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 2 }));
    const received = new Received();
    const first = await own.transport.openConsumer();
    await receive(first, received, () => received.count >= 2);
    await first.close();
    await own.transport.producer.send(numberedBatch({ file: 1, from: 2, count: 8 }));
    const topics = [{ name: 'expired', partitions: [{ partition: 0, offset: 6n }] }];
    await withAdmin(broker.address, (admin) => admin.deleteRecords({ topics }));
    const behind = await own.transport.openConsumer();
    await receive(behind, received, () => received.count >= 6);
    assert.deepEqual(received.records.get(fileIdOf(1)), [0, 1, 6, 7, 8, 9]);
    assert.equal(own.telemetry.valueOf('logboom_transport_lost_offsets_total', { topic: 'expired' }), 4);
  });

  void test('a quota that is used up is named while it lasts, and everything arrives', async () => {
    const clientId = 'throttled';
    const setQuota = (remove: boolean): Promise<unknown> =>
      setByteRate(clientId, 'producer_byte_rate', remove);
    await setQuota(false);
    await using own = new TestTransport({
      brokers: [broker.address],
      topic: clientId,
      clientId,
      compression: 'none',
    });
    const sent = [0, 1, 2].map(async (batch) => {
      await sleep(500 * batch);
      await own.transport.producer.send(numberedBatch({ file: 1, from: 1_000 * batch, count: 1_000 }));
    });
    assert.match(await own.problem(/quota/), /cannot write faster: the quota is used up\. Raise the quota/);
    await setQuota(true);
    await Promise.all(sent);
    const received = new Received();
    await receive(await own.transport.openConsumer(), received, () => received.count >= 3_000);
    assert.deepEqual(
      received.records.get(fileIdOf(1)),
      Array.from({ length: 3_000 }, (_, record) => record),
    );
    while (own.transport.problem() !== undefined) await sleep(100);
  });

  void test('a template has a topic per namespace, and its consumer finds new ones', async () => {
    await using own = new TestTransport({
      brokers: [broker.address],
      topic: 'by-{kubernetes.namespace}',
      groupId: 'by',
    });
    const received = new Received();
    const consumer = await own.transport.openConsumer();
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 2, namespace: 'shop' }));
    await receive(consumer, received, () => received.count >= 2);
    await own.transport.producer.send(numberedBatch({ file: 2, from: 0, count: 2, namespace: 'bank' }));
    await receive(consumer, received, () => received.count >= 4);
    assert.equal(received.count, 4);
    const names = (await own.transport.topics()).map(({ name }) => name).toSorted(byText);
    assert.deepEqual(names, ['by-bank', 'by-shop', 'by.ledger']);
  });

  void test('a live tail begins at the end and belongs to no group', async () => {
    await using own = new TestTransport({ brokers: [broker.address], topic: 'tailed' });
    await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 5 }));
    const tail = await own.transport.openTail();
    const received = new Received();
    const reading = receive(tail, received, () => received.count >= 3);
    for (let from = 5; received.count < 3 && from < 500; from++) {
      await own.transport.producer.send(numberedBatch({ file: 1, from, count: 1 }));
      await sleep(50);
    }
    await reading;
    const [first = 0] = received.records.get(fileIdOf(1)) ?? [];
    assert.ok(first >= 5, 'what stood there before is not shown');
    await tail.close();
  });

  void test(
    'records of a newer schema are refused, and the others are read',
    { skip: kcatSkip },
    async () => {
      await using own = new TestTransport({ brokers: [broker.address], topic: 'newer' });
      await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
      const target = ['-b', broker.address, '-P', '-t', 'newer'];
      for (const partition of ['0', '1', '2', '3'])
        await kcat([...target, '-p', partition, '-H', 'logboom-schema=2'], '{"message":"newer"}\n');
      const received = new Received();
      const consumer = await own.transport.openConsumer();
      await receive(
        consumer,
        received,
        () => own.transport.problem()?.includes('schema') === true && received.count > 0,
      );
      assert.match(
        String(own.transport.problem()),
        /schema version 2, and this program knows 1\. Install the newer/,
      );
      assert.equal(received.count, 1);
    },
  );

  void test('a quota of reading that is used up is named while it lasts, and everything is read', async () => {
    const clientId = 'throttled-reader';
    await using sending = new TestTransport({
      brokers: [broker.address],
      topic: clientId,
      compression: 'none',
    });
    await sending.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1_000 }));
    await setByteRate(clientId, 'consumer_byte_rate', false);
    await using own = new TestTransport({ brokers: [broker.address], topic: clientId, clientId });
    const received = new Received();
    const consumer = await own.transport.openConsumer();
    const reading = receive(consumer, received, () => received.count >= 2_000);
    await sending.transport.producer.send(numberedBatch({ file: 1, from: 1_000, count: 1_000 }));
    assert.match(await own.problem(/quota/), /cannot read faster: the quota is used up\. Raise the quota/);
    await setByteRate(clientId, 'consumer_byte_rate', true);
    await reading;
    assert.deepEqual(
      received.records.get(fileIdOf(1)),
      Array.from({ length: 2_000 }, (_, record) => record),
    );
    while (own.transport.problem() !== undefined) await sleep(100);
    const seconds = own.telemetry.valueOf('logboom_transport_throttled_seconds_total', { action: 'read' });
    assert.ok(seconds >= 1, `${seconds} s`);
  });

  /** Lets a client move so few bytes a second that it is throttled, or takes that back. */
  async function setByteRate(
    clientId: string,
    key: 'producer_byte_rate' | 'consumer_byte_rate',
    remove: boolean,
  ): Promise<void> {
    await withAdmin(broker.address, (admin) => {
      const entities = [{ entityType: 'client-id' as const, entityName: clientId }];
      return admin.alterClientQuotas({ entries: [{ entities, ops: [{ key, value: 20_000, remove }] }] });
    });
  }

  async function createTopic(topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
    await withAdmin(broker.address, (admin) =>
      admin.createTopics({
        topics: [topic],
        partitions: 2,
        replicas: 1,
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      }),
    );
  }

  async function setTopicLimit(topic: string, bytes: number): Promise<void> {
    await withAdmin(broker.address, (admin) =>
      admin.incrementalAlterConfigs({
        resources: [
          {
            resourceType: 2,
            resourceName: topic,
            configs: [{ name: 'max.message.bytes', configOperation: 0, value: String(bytes) }],
          },
        ],
        validateOnly: false,
      }),
    );
  }
});

function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

async function readLetters({ transport }: TestTransport): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of transport.deadLetters.read(new AbortController().signal)) letters.push(letter);
  return letters.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

function letterOf(id: string, reason: string): DeadLetter {
  return {
    id,
    fileId: fileIdOf(1),
    offset: 0,
    lane: 1,
    time: '2026-11-23T04:30:00.000000000Z',
    document: '{"message":"broken"}',
    error: { type: 'mapper_parsing_exception', reason },
    index: 'logboom-shop-2026.11.23',
    source: undefined,
    attempts: 1,
  };
}

/** Text that does not compress, the same for the same seed. */
function pseudoRandomText(length: number, seed: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return String.fromCharCode(97 + ((state >> 16) % 26));
  }).join('');
}

/** Makes a CA and a certificate of localhost that it signs; returns the PEM file with key and certificate. */
function makeCertificates(directory: TemporaryDirectory, caFile: string): string | undefined {
  if (program === undefined) return undefined;
  const openssl = (...args: string[]): void => void execFileSync(program, args, { stdio: 'ignore' });
  const caKey = directory.join('ca.key');
  const key = directory.join('key.pem');
  const request = directory.join('request.pem');
  const certificate = directory.join('certificate.pem');
  const extensions = directory.join('extensions');
  writeFileSync(extensions, 'subjectAltName=DNS:localhost\n');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    caKey,
    '-out',
    caFile,
    '-days',
    '2',
    '-subj',
    '/CN=test-ca',
  );
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request, '-subj', '/CN=localhost');
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    caFile,
    '-CAkey',
    caKey,
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    extensions,
    '-out',
    certificate,
  );
  const file = directory.join('key-and-certificate.pem');
  writeFileSync(file, readFileSync(key));
  appendFileSync(file, readFileSync(certificate));
  return file;
}
