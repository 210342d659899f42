import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { AppError } from '../../../base/errors.ts';
import type { ElasticsearchConfig } from '../../../config/config.ts';
import { EngineClient } from './engine-client.ts';
import type { HttpAnswer, HttpRequest } from './http-connection.ts';

const SIGNAL = new AbortController().signal;
const ONE = 'http://one:9200';
const TWO = 'http://two:9200';

interface Sent extends HttpRequest {
  readonly origin: string;
}

type Answer = (request: Sent) => Partial<HttpAnswer> | Error;

function setUp(
  answer: Answer,
  changes: Partial<Pick<ElasticsearchConfig, 'urls' | 'auth'>> = {},
): { client: EngineClient; sent: Sent[]; clock: { ms: number } } {
  const sent: Sent[] = [];
  const clock = { ms: 0 };
  const client = new EngineClient({
    config: {
      urls: [ONE, TWO],
      auth: { kind: 'none' },
      bulk: { bytesMax: 1, inFlightMax: 1, compression: 'gzip' },
      ...changes,
    },
    connect: (origin) => ({
      send(request) {
        sent.push({ ...request, origin });
        const answered = answer({ ...request, origin });
        if (answered instanceof Error) return Promise.reject(answered);
        return Promise.resolve({ status: 200, headers: {}, text: '{}', ...answered });
      },
      close: () => Promise.resolve(),
    }),
    nowMs: () => clock.ms,
  });
  return { client, sent, clock };
}

const get = { method: 'GET', path: '/_cluster/health', signal: SIGNAL, purpose: 'ask' } as const;

function refused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}

async function errorOf(request: Promise<unknown>): Promise<AppError> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError, String(error));
  return error;
}

void test('nodes are asked in turn; one that fails is left out until its pause is over', async () => {
  let isDown = true;
  const { client, sent, clock } = setUp(({ origin }) => (isDown && origin === ONE ? refused() : {}));
  for (let index = 0; index < 4; index += 1) await client.request(get);
  assert.deepEqual(
    sent.map(({ origin }) => origin),
    [ONE, TWO, TWO, TWO, TWO],
  );
  isDown = false;
  clock.ms = 1_001;
  sent.length = 0;
  for (let index = 0; index < 4; index += 1) await client.request(get);
  assert.deepEqual(new Set(sent.map(({ origin }) => origin)), new Set([ONE, TWO]));
  await client.close();
});

void test('a node that is starting is passed over, and the last error is told when all are', async () => {
  const { client } = setUp(({ origin }) => ({ status: origin === ONE ? 503 : 200 }));
  assert.equal((await client.request(get)).status, 200);
  const { client: other } = setUp(() => ({ status: 502, text: '<html>' }));
  const error = await errorOf(other.request(get));
  assert.deepEqual([error.code, error.message, error.details['status']], ['unreachable', 'cannot ask', 502]);
});

void test('every failure of the network names what to correct', async () => {
  const cases: [string, RegExp][] = [
    ['ECONNREFUSED', /Look whether the engine runs/],
    ['ENOTFOUND', /Correct the host name in store\.urls/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /store\.tls\.caFile/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /store\.tls\.caFile/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /Use a name in store\.urls/],
    ['EPROTO', /Write http:\/\//],
    ['UND_ERR_SOCKET', /https:\/\//],
  ];
  for (const [code, hint] of cases) {
    const { client } = setUp(() => Object.assign(new Error('failed'), { code }));
    const error = await errorOf(client.request(get));
    assert.match(error.hint ?? '', hint, code);
    assert.equal(error.retryable, true);
  }
  const { client } = setUp(() => Object.assign(new Error('slow'), { code: 'UND_ERR_HEADERS_TIMEOUT' }));
  assert.equal((await errorOf(client.request(get))).code, 'timed_out');
});

void test('refused credentials and missing rights are errors with a remedy, and not asked of another node', async () => {
  for (const [status, code, hint] of [
    [401, 'unauthorized', /store\.auth\.password/],
    [403, 'permission_denied', /Grant/],
  ] as const) {
    const { client, sent } = setUp(() => ({
      status,
      text: '{"error":{"type":"security_exception","reason":"no"}}',
    }));
    const error = await errorOf(client.request(get));
    assert.equal(error.code, code);
    assert.match(error.hint ?? '', hint);
    assert.equal(error.details['reason'], 'no');
    assert.equal(sent.length, 1);
  }
});

void test('an answer that is no JSON is not taken for the engine', async () => {
  const { client } = setUp(() => ({ text: '<html>Welcome</html>' }));
  const error = await errorOf(client.json(get));
  assert.match(error.hint ?? '', /not another service or a proxy/);
});

void test('bodies are compressed when that pays, and say what they are', async () => {
  const { client, sent } = setUp(() => ({}));
  const body = 'x'.repeat(10_000);
  await client.request({ ...get, method: 'POST', body, contentType: 'application/x-ndjson' });
  await client.request({ ...get, method: 'POST', body: '{}' });
  const [large, small] = sent;
  assert.equal(large?.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(large?.body as Uint8Array).toString(), body);
  assert.deepEqual([small?.body, small?.headers], ['{}', { 'content-type': 'application/json' }]);
});

void test('credentials and paths of addresses are sent with every request', async () => {
  const headerOf = async (auth: ElasticsearchConfig['auth']): Promise<string | undefined> => {
    const { client, sent } = setUp(() => ({}), { auth, urls: ['https://proxy.example/engine'] });
    await client.request({ ...get, query: { q: 'a b', size: 1 } });
    assert.equal(sent[0]?.path, '/engine/_cluster/health?q=a%20b&size=1');
    assert.equal(sent[0]?.origin, 'https://proxy.example');
    return sent[0]?.headers['authorization'];
  };
  assert.equal(await headerOf({ kind: 'none' }), undefined);
  assert.equal(await headerOf({ kind: 'basic', username: 'a', password: 'b:c' }), 'Basic YTpiOmM=');
  assert.equal(await headerOf({ kind: 'api_key', apiKey: 'aWQ6a2V5' }), 'ApiKey aWQ6a2V5');
  assert.equal(await headerOf({ kind: 'api_key', apiKey: 'id:key' }), 'ApiKey aWQ6a2V5');
});

void test('an aborted request says so', async () => {
  const { client } = setUp(() => refused());
  const error = await errorOf(client.request({ ...get, signal: AbortSignal.abort() }));
  assert.equal(error.code, 'aborted');
});

void test('of what OpenSSL says the words are kept', async () => {
  const message =
    '4063EA3A707F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../a.c:78:\n';
  const { client } = setUp(() => Object.assign(new Error(message), { code: 'EPROTO' }));
  const error = await errorOf(client.request(get));
  assert.equal(error.details['reason'], 'wrong version number');
  assert.match(error.hint ?? '', /Write http:/);
});
