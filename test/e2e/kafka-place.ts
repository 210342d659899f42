/** The broker that several files of tests share, and its certificates. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { findProgram } from '../../tools/provision.ts';
import { KafkaBroker } from '../services/kafka.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** One test of a broker; it keeps to topics, groups and clients of its own names. */
export interface KafkaTest {
  readonly name: string;
  /** Why it cannot run here. */
  readonly skip?: string | false;
  readonly run: (place: KafkaPlace) => Promise<void>;
}

/** A broker with a listener for every way to be let in. */
export class KafkaPlace implements AsyncDisposable {
  readonly broker: KafkaBroker;
  readonly directory: TemporaryDirectory;
  /** PEM file of the authority that signed the certificate of the broker. */
  readonly caFile: string;

  private constructor(broker: KafkaBroker, directory: TemporaryDirectory) {
    this.broker = broker;
    this.directory = directory;
    this.caFile = caFileIn(directory);
  }

  /** Starts the broker; ask `javaSkipReason` before. Without `openssl` it has no listeners with TLS. */
  static async start(): Promise<KafkaPlace> {
    const directory = new TemporaryDirectory('kafka-test');
    const caFile = caFileIn(directory);
    const keyAndCertificateFile = makeCertificates(directory, caFile);
    const tls = keyAndCertificateFile === undefined ? {} : { tls: { keyAndCertificateFile, caFile } };
    return new KafkaPlace(await KafkaBroker.start(tls), directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
    this.directory[Symbol.dispose]();
  }
}

function caFileIn(directory: TemporaryDirectory): string {
  return directory.join('ca.pem');
}

/** Makes a CA and a certificate of localhost that it signs; returns the PEM file with key and certificate. */
function makeCertificates(directory: TemporaryDirectory, caFile: string): string | undefined {
  const program = findProgram('openssl');
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
