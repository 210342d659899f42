/** Brokers that take connections and bytes and answer nothing: behind a proxy that swallows what comes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KafkaBroker } from '../services/kafka.ts';
import { javaSkipReason } from '../services/maven.ts';
import { TcpProxy } from '../services/tcp-proxy.ts';
import { TestTransport, fileIdOf, numberedBatch, receive, Received } from './kafka-client.ts';

const skip = javaSkipReason() ?? false;

/** Shorter than by default, so that the test is. */
const REQUEST_MS = 2_000;

const HANGS = /a broker takes requests and does not answer them\. .*transport\.requestMsMax/;

void describe('a Kafka broker that hangs', { skip }, () => {
  let wire: TcpProxy;
  let broker: KafkaBroker;

  before(async () => {
    wire = await TcpProxy.start();
    broker = await KafkaBroker.start({ proxyPort: wire.port });
    wire.forwardTo(broker.proxiedPort);
  });

  after(async () => {
    await broker.stop();
    await wire[Symbol.asyncDispose]();
  });

  void test('is named with the option, and what was sent arrives in order and once when it answers again', async () => {
    const brokers = [`127.0.0.1:${wire.port}`];
    await using sending = new TestTransport({ brokers, topic: 'hanging', requestMsMax: REQUEST_MS });
    const { producer } = sending.transport;
    await producer.send(numberedBatch({ file: 1, from: 0, count: 100 }));
    wire.swallow();
    const sent = producer.send(numberedBatch({ file: 1, from: 100, count: 100 }));
    const startedMs = performance.now();
    await sending.problem(HANGS);
    assert.ok(performance.now() - startedMs < 30_000, 'it is said before a retry');
    wire.mend();
    await sent;
    const consumer = await sending.transport.openConsumer();
    const received = new Received();
    await receive(consumer, received, () => received.count >= 200);
    await receive(consumer, received, () => false, 500);
    const expected = Array.from({ length: 200 }, (_, record) => record);
    assert.deepEqual(received.records.get(fileIdOf(1)), expected);
  });

  void test('is passed over for the next broker of the list, from the first connection on', async () => {
    await using hanging = await TcpProxy.start();
    hanging.swallow();
    const brokers = [`127.0.0.1:${hanging.port}`, broker.address];
    await using sending = new TestTransport({ brokers, topic: 'passed-over', requestMsMax: REQUEST_MS });
    await sending.transport.producer.send(numberedBatch({ file: 2, from: 0, count: 10 }));
    assert.equal(sending.transport.problem(), undefined);
  });
});
