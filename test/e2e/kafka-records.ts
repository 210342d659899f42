/** What stands in the records of a real broker, for us and for others: sizes, schemas, dead letters, the ledger. */
import assert from 'node:assert/strict';
import type { DeadLetter } from '../../src/record/dead-letter.ts';
import { findProgram } from '../../tools/provision.ts';
import {
  byText,
  createTopic,
  fileIdOf,
  kcat,
  letterOf,
  numberedBatch,
  receive,
  Received,
  TestTransport,
  withAdmin,
} from './kafka-client.ts';
import type { KafkaPlace, KafkaTest } from './kafka-place.ts';

const kcatSkip = findProgram('kcat') === undefined ? 'kcat is not installed (Debian package kcat)' : false;

/** What a broker has to take and to give, each as a test of its own topic. */
export const RECORD_TESTS: readonly KafkaTest[] = [
  {
    name: 'kcat reads plain JSON, and what kcat writes comes out as documents',
    skip: kcatSkip,
    run: kcatReadsAndWrites,
  },
  {
    name: 'a record that is too large is cut or goes to the dead letters, and the file goes on',
    run: oversizedIsCutOrKept,
  },
  {
    name: 'a topic whose limit is lowered while records are on the way gets smaller batches',
    run: loweredLimitIsMet,
  },
  { name: 'dead letters are kept, replaced by their id, and removed', run: lettersAreReplaced },
  { name: 'ledger records travel on a compacted topic of their own', run: ledgerIsCompacted },
  {
    name: 'records of a newer schema are refused, and the others are read',
    skip: kcatSkip,
    run: newerSchemaIsRefused,
  },
];

async function kcatReadsAndWrites({ broker }: KafkaPlace): Promise<void> {
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
  const given = [JSON.stringify(filebeat), 'no json', JSON.stringify(otlp), '[1]', '{"message":"no time"}'];
  await kcat(['-b', broker.address, '-P', '-t', 'plain', '-p', '0', '-z', 'gzip'], `${given.join('\n')}\n`);
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
}

async function oversizedIsCutOrKept({ broker }: KafkaPlace): Promise<void> {
  for (const oversized of ['truncate', 'dead_letter'] as const) {
    const topic = `oversized-${oversized}`;
    await createTopic(broker.address, topic, { 'max.message.bytes': '20000' });
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
}

async function loweredLimitIsMet({ broker }: KafkaPlace): Promise<void> {
  await createTopic(broker.address, 'lowered', { 'max.message.bytes': '30000' });
  const random = (record: number): string => `${record} ${pseudoRandomText(200, record)}`;
  await using own = new TestTransport({ brokers: [broker.address], topic: 'lowered', compression: 'none' });
  await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 10, message: random }));
  await setTopicLimit(broker.address, 'lowered', 5_000);
  await own.transport.producer.send(numberedBatch({ file: 1, from: 10, count: 500, message: random }));
  const received = new Received();
  await receive(await own.transport.openConsumer(), received, () => received.count >= 510);
  assert.deepEqual(
    received.records.get(fileIdOf(1)),
    Array.from({ length: 510 }, (_, record) => record),
  );
}

async function lettersAreReplaced({ broker }: KafkaPlace): Promise<void> {
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
}

async function ledgerIsCompacted({ broker }: KafkaPlace): Promise<void> {
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
}

async function newerSchemaIsRefused({ broker }: KafkaPlace): Promise<void> {
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
}

async function setTopicLimit(address: string, topic: string, bytes: number): Promise<void> {
  await withAdmin(address, (admin) =>
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

async function readLetters({ transport }: TestTransport): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of transport.deadLetters.read(new AbortController().signal)) letters.push(letter);
  return letters.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

/** Text that does not compress, the same for the same seed. */
function pseudoRandomText(length: number, seed: number): string {
  let state = seed + 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return String.fromCharCode(97 + ((state >> 16) % 26));
  }).join('');
}
