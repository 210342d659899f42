/** TLS to an engine: the right authority, the wrong one, and a server that wants a certificate itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import { AppError, ConfigError } from '../../src/base/errors.ts';
import type { TlsConfig } from '../../src/config/config.ts';
import type { EngineClient } from '../../src/store/elasticsearch/engine/engine-client.ts';
import { openEngineClient } from '../../src/store/elasticsearch/engine/open-engine-client.ts';
import { findProgram } from '../../tools/provision.ts';
import type { CertificateFiles } from './certificates.ts';
import { makeCertificate } from './certificates.ts';
import { engineConfig } from './engine-stores.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const skip = findProgram('openssl') === undefined ? 'openssl is not installed' : false;
const ask = { method: 'GET', path: '/', signal: new AbortController().signal, purpose: 'ask' } as const;

void test(
  'the certificate of an engine is checked, and shown one where the engine wants it',
  { skip },
  async () => {
    using directory = new TemporaryDirectory('engine-tls');
    const [server, stranger] = ['server', 'stranger'].map((name) => makeCertificate(directory.path, name));
    assert.ok(server !== undefined && stranger !== undefined);
    const listening = await listen(server);
    try {
      const url = `https://localhost:${(listening.address() as AddressInfo).port}`;
      const files = { certificateFile: server.certificate, keyFile: server.key };
      const right: TlsConfig = { caFile: server.certificate, isVerified: true, ...files };
      assert.equal((await requestWith(url, right)).status, 200);
      assert.equal((await requestWith(url, { ...right, caFile: undefined, isVerified: false })).status, 200);
      const wrong = await failureOf(requestWith(url, { ...right, caFile: stranger.certificate }));
      assert.match(wrong.hint ?? '', /store\.tls\.caFile/);
      const without = { ...right, certificateFile: undefined, keyFile: undefined };
      assert.match((await failureOf(requestWith(url, without))).hint ?? '', /store\./);
      const plain = await failureOf(requestWith(url.replace('https:', 'http:'), undefined));
      assert.match(plain.hint ?? '', /https:/);
      assert.throws(
        () => clientFor(url, { ...right, keyFile: directory.join('missing.pem') }),
        (error) => error instanceof ConfigError && error.option === 'store.tls.keyFile',
      );
    } finally {
      listening.closeAllConnections();
      listening.close();
    }
  },
);

async function listen({ certificate, key }: CertificateFiles): Promise<Server> {
  const [cert, secret] = [readFileSync(certificate), readFileSync(key)];
  const server = createServer({ cert, key: secret, ca: cert, requestCert: true }, (_, response) => {
    response.end('{}');
  });
  await new Promise<void>((resolve) => void server.listen(0, 'localhost', resolve));
  return server;
}

function clientFor(url: string, tls: TlsConfig | undefined): EngineClient {
  const config = { ...engineConfig(url, 'tls'), tls };
  return openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
}

async function requestWith(url: string, tls: TlsConfig | undefined): ReturnType<EngineClient['request']> {
  const client = clientFor(url, tls);
  try {
    return await client.request(ask);
  } finally {
    await client.close();
  }
}

async function failureOf(request: Promise<unknown>): Promise<AppError> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError, String(error));
  return error;
}
