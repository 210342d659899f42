/**
 * The transport over Kafka against a real broker: order, duplicates, rebalances and bad surroundings, and what
 * `kafka-records.ts` and `kafka-security.ts` ask of the same broker.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KAFKA_USER, KafkaBroker } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import {
  byText,
  createTopic,
  fileIdOf,
  numberedBatch,
  receive,
  Received,
  TestTransport,
  withAdmin,
} from './kafka-client.ts';
import { KafkaPlace } from './kafka-place.ts';
import { RECORD_TESTS } from './kafka-records.ts';
import { SECURITY_TESTS } from './kafka-security.ts';

const skip = javaSkipReason() ?? false;

void describe('Kafka', { skip }, () => {
  let place: KafkaPlace;
  let broker: KafkaBroker;

  before(async () => {
    place = await KafkaPlace.start();
    ({ broker } = place);
  });

  after(async () => {
    await place[Symbol.asyncDispose]();
  });

  for (const { name, skip: skipReason = false, run } of [...RECORD_TESTS, ...SECURITY_TESTS])
    void test(name, { skip: skipReason }, () => run(place));

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

  void test('a topic that may not be created is waited for', async () => {
    const create = { isAllowed: false, partitions: 1, replicas: 1 };
    await using own = new TestTransport({ brokers: [broker.address], topic: 'forbidden', create });
    const sent = own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
    assert.match(await own.problem(/forbidden/), /the topic does not exist\. .*transport\.create\.isAllowed/);
    await createTopic(broker.address, 'forbidden', {});
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
});
