/** Who may talk to a real broker, and how the transport says why it may not: passwords, certificates, tokens. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { findProgram } from '../../tools/provision.ts';
import { KAFKA_USER } from '../services/kafka.ts';
import { letterOf, numberedBatch, TestTransport } from './kafka-client.ts';
import type { KafkaPlace, KafkaTest } from './kafka-place.ts';

const tlsSkip = findProgram('openssl') === undefined ? 'openssl is not installed' : false;

/** Every way to be let in, and to be refused. */
export const SECURITY_TESTS: readonly KafkaTest[] = [
  {
    name: 'SASL: the right password works with every mechanism, a wrong one is named',
    run: passwordsAreChecked,
  },
  {
    name: 'TLS: a known CA works, an unknown one and plain text are named',
    skip: tlsSkip,
    run: authorityIsChecked,
  },
  { name: 'mutual TLS: a certificate works, none is named', skip: tlsSkip, run: certificateIsShown },
  { name: 'OAUTHBEARER: a token from a file works', run: tokenWorks },
];

async function passwordsAreChecked({ broker }: KafkaPlace): Promise<void> {
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
    assert.match(await wrong.problem(/./), /^Kafka refuses the name or the password\. Check transport\.sasl/);
    assert.equal(wrong.telemetry.linesOf('kafka_waits').length, 1, 'it is said once');
  }
}

async function authorityIsChecked({ broker, caFile }: KafkaPlace): Promise<void> {
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
}

async function certificateIsShown({ broker, directory, caFile }: KafkaPlace): Promise<void> {
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
}

async function tokenWorks({ broker, directory }: KafkaPlace): Promise<void> {
  const tokenFile = directory.join('token');
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { sub: 'agent', iat: nowSeconds, exp: nowSeconds + 3_600 };
  writeFileSync(tokenFile, `${part({ alg: 'none' })}.${part(claims)}.\n`);
  const sasl = { mechanism: 'OAUTHBEARER', token: undefined, tokenFile } as const;
  await using own = new TestTransport({ brokers: [broker.saslAddress], topic: 'token', sasl });
  await own.transport.producer.send(numberedBatch({ file: 1, from: 0, count: 1 }));
  assert.equal(own.transport.problem(), undefined);
}
