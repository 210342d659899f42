import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, asLost, NEW_MEMBER, withAnswer, withOwned } from './group/group-state.ts';
import { KafkaError, problemOf } from './client/kafka-problem.ts';
import { truncateDocument } from './produce/oversized.ts';
import { murmur2, partitionOf } from './produce/partitioner.ts';
import { TopicTemplate } from './topic-template.ts';

void test("murmur2 gives the numbers of Kafka's own test (UtilsTest.testMurmur2)", () => {
  const cases: readonly (readonly [string, number])[] = [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ];
  for (const [text, expected] of cases) assert.equal(murmur2(Buffer.from(text)), expected, text);
  assert.equal(partitionOf(Buffer.from('21'), 7), (-973_932_308 & 0x7fff_ffff) % 7);
});

void test('a template names topics by the fields of a document, and its siblings by its literal part', () => {
  const document = Buffer.from(
    '{"kubernetes":{"namespace":"shop ü","pod":{"name":"p"}},"service":{"name":"cart"}}\n',
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ['logs', 'logs', 'logs.ledger'],
    ['logs-{kubernetes.namespace}', 'logs-shop__', 'logs.ledger'],
    ['{service.name}.logs', 'cart.logs', 'logs.ledger'],
    ['{service.name}', 'cart', 'logboom.ledger'],
    ['a-{kubernetes.missing}-b', 'a-_host-b', 'a--b.ledger'],
    ['a-{kubernetes}', 'a-_host', 'a.ledger'],
  ];
  for (const [template, topic, ledger] of cases) {
    const parsed = new TopicTemplate(template);
    assert.equal(parsed.topicOf(document), topic, template);
    assert.equal(parsed.ledgerTopic, ledger, template);
    assert.ok(parsed.isLogTopic(topic), template);
    assert.ok(!parsed.isLogTopic(parsed.ledgerTopic) && !parsed.isLogTopic(parsed.deadTopic), template);
  }
  assert.equal(
    new TopicTemplate('logs-{kubernetes.namespace}').topicOf(Buffer.from('no json')),
    'logs-_host',
  );
  assert.ok(!new TopicTemplate('logs.{service.name}').isLogTopic('logsxcart'));
  assert.ok(!new TopicTemplate('{service.name}').isLogTopic('__consumer_offsets'));
});

void test('a document is cut to its limit, keeps who it is, and says what was cut', () => {
  const document = {
    '@timestamp': '2026-11-23T04:30:00.000000000Z',
    message: '"ü\u{1f600}'.repeat(2_000),
    log: { offset: 7, flags: ['cr'] },
    event: { id: 'x' },
  };
  for (const limit of [400, 401, 402, 403, 1_000, 5_000]) {
    const cut = truncateDocument(Buffer.from(`${JSON.stringify(document)}\n`), limit);
    assert.ok(cut.length <= limit && cut.length > limit - 12, `${cut.length} of ${limit}`);
    const parsed = JSON.parse(cut.toString()) as typeof document & { log: { original_length: number } };
    assert.ok(document.message.startsWith(parsed.message.replace(/\ufffd$/, '')));
    const originalLength = Buffer.byteLength(document.message);
    assert.deepEqual(parsed.log, { offset: 7, flags: ['cr', 'truncated'], original_length: originalLength });
  }
  const wide = { message: 'm', event: { id: 'x' }, fields: { large: 'y'.repeat(10_000) } };
  const cut = JSON.parse(truncateDocument(Buffer.from(JSON.stringify(wide)), 500).toString()) as Record<
    string,
    unknown
  >;
  assert.deepEqual([cut['event'], cut['message'], cut['fields']], [{ id: 'x' }, 'm', undefined]);
  const text = JSON.parse(truncateDocument(Buffer.from('z'.repeat(9_000)), 300).toString()) as {
    message: string;
  };
  assert.match(text.message, /^z{100,}$/);
});

void test('what goes wrong is said in words, with what to do about it', () => {
  const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code });
  const network = new Error('Connection to a:1 failed.', {
    cause: withCode('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'),
  });
  const cases: readonly (readonly [unknown, RegExp, RegExp])[] = [
    [network, /^cannot write to logs: connect ECONNREFUSED 127\.0\.0\.1:1$/, /transport\.brokers/],
    [
      withCode('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'),
      /certificate of the broker is not trusted/,
      /transport\.tls\.caFile/,
    ],
    [
      withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'x'),
      /refuses the TLS connection/,
      /certificateFile/,
    ],
    [
      new KafkaError('TOPIC_AUTHORIZATION_FAILED', ''),
      /^may not write to logs$/,
      /rights Describe, Write and Read/,
    ],
    [new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND', ''), /too few replicas/, /min\.insync\.replicas/],
    [new KafkaError('KAFKA_STORAGE_ERROR', ''), /cannot write to its disk/, /Make room/],
    [new KafkaError('SOMETHING_NEW', 'odd'), /Kafka answers SOMETHING_NEW, odd/, /goes on trying/],
    [
      new Error('TLS handshake failed. Please verify the broker supports TLS.'),
      /does not speak TLS/,
      /transport\.tls/,
    ],
    [
      Object.assign(withCode('ENOENT', "ENOENT: no such file or directory, open '/ca.pem'"), {
        path: '/ca.pem',
      }),
      /a file cannot be read \(ENOENT: .*ca\.pem/,
      /Correct transport\.tls\.caFile/,
    ],
    [new Error('SASL authentication failed.'), /refuses the name or the password/, /transport\.sasl/],
    [
      new Error('Connection closed'),
      /has closed the connection/,
      /wants TLS \(transport\.tls\.isEnabled\) or a password/,
    ],
  ];
  for (const [error, reason, remedy] of cases) {
    const problem = problemOf(error, 'write to logs');
    assert.match(problem.reason, reason);
    assert.match(problem.remedy, remedy);
  }
});

void test('a member owns what it was given until it has let go, and nothing once it is lost', () => {
  const joined = withAnswer(NEW_MEMBER, {
    memberId: 'm',
    epoch: 3,
    heartbeatMs: 500,
    target: ['a:0', 'a:1'],
  });
  assert.deepEqual(changeOf(joined), { revoked: [], assigned: ['a:0', 'a:1'] });
  const owning = withOwned(joined, changeOf(joined));
  assert.ok(owning.isChanged, 'the coordinator has to hear of it');
  const same = withAnswer(owning, { memberId: undefined, epoch: 4, heartbeatMs: 0, target: undefined });
  assert.deepEqual(
    [changeOf(same), same.epoch, same.heartbeatMs, same.isChanged],
    [{ revoked: [], assigned: [] }, 4, 500, false],
  );
  const moved = withAnswer(same, { memberId: undefined, epoch: 5, heartbeatMs: 0, target: ['a:1', 'b:0'] });
  assert.deepEqual(changeOf(moved), { revoked: ['a:0'], assigned: ['b:0'] });
  const lost = asLost(moved);
  assert.deepEqual([lost.memberId, lost.epoch, lost.owned.size, lost.target.size], ['m', 0, 0, 0]);
});
