import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError, ConfigError } from '../base/errors.ts';
import { VirtualScheduler } from '../base/virtual-scheduler.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { MemoryTelemetry } from '../telemetry/memory-telemetry.ts';
import { createApiServer } from './server.ts';
import { TailHub } from './tail-hub.ts';
import { createTestApi, documentAt, testOptions } from './test-api.ts';

function idsOf(json: Record<string, unknown>): unknown[] {
  return (json['records'] as { event: { id: string } }[]).map(({ event }) =>
    Number.parseInt(event.id.slice(21), 16),
  );
}

function messageOf(json: Record<string, unknown>): { code: string; message: string; hint?: string } {
  return json['error'] as { code: string; message: string; hint?: string };
}

test('a search without parameters gives the last hour, newest first', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([documentAt(0, 4_000), documentAt(10, 3_599), documentAt(20, 5)]);
  const { status, json, headers } = await api.get('/api/v1/search');
  assert.equal(status, 200);
  assert.deepEqual(idsOf(json), [20, 10]);
  assert.equal(json['cursor'], null);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
});

test('the digits of big numbers reach the client as they were stored', async () => {
  const api = await createTestApi(new MemoryStore());
  const text = JSON.stringify(documentAt(0, 5, { fields: { id: 7 } })).replace(
    '"id":7',
    '"id":12345678901234567890.10',
  );
  await api.app.inject({
    method: 'POST',
    url: '/api/v1/import',
    headers: { 'content-type': 'application/x-ndjson' },
    payload: `${text}\n`,
  });
  assert.match((await api.get('/api/v1/search')).body, /"id":12345678901234567890\.10/);
});

test('cursors walk through ties in time without skipping or repeating, in both orders', async () => {
  const api = await createTestApi(new MemoryStore());
  const offsets = Array.from({ length: 25 }, (_, index) => index * 3);
  await api.put(offsets.map((offset) => documentAt(offset, 60)));
  for (const order of ['asc', 'desc']) {
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more = cursor === '' ? '' : `&cursor=${cursor}`;
      const { json } = await api.get(`/api/v1/search?limit=4&order=${order}${more}`);
      seen.push(...idsOf(json));
      cursor = json['cursor'] as string | null;
    }
    assert.deepEqual(seen, order === 'asc' ? offsets : offsets.toReversed());
  }
});

test('relative times mean the same moment on every page', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([documentAt(0, 899), documentAt(10, 600), documentAt(20, 5)]);
  const first = await api.get('/api/v1/search?start=now-15m&limit=1&order=asc');
  api.scheduler.wallSkewMs = 3_600_000;
  const second = await api.get(
    `/api/v1/search?start=now-15m&limit=5&order=asc&cursor=${String(first.json['cursor'])}`,
  );
  assert.deepEqual(idsOf(second.json), [10, 20]);
});

test('a cursor is refused with another query, range or order, and when it is garbage', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([documentAt(0, 60), documentAt(10, 50)]);
  const { json } = await api.get('/api/v1/search?limit=1');
  const cursor = String(json['cursor']);
  for (const change of ['&query=line', '&start=now-2h', '&end=now', '&order=asc']) {
    const answer = await api.get(`/api/v1/search?cursor=${cursor}${change}`);
    assert.equal(answer.status, 400, change);
    assert.match(messageOf(answer.json).message, /belongs to another/);
  }
  const forged = Buffer.from('[1,"x",{},null,-1]').toString('base64url');
  for (const garbage of ['x', forged, '%00', `${cursor}${cursor}`, 'bnVsbA']) {
    const answer = await api.get(`/api/v1/search?cursor=${garbage}`);
    assert.equal(answer.status, 400, garbage);
    assert.equal(messageOf(answer.json).code, 'bad_request');
  }
});

test('bad parameters are refused with a sentence that names them', async () => {
  const api = await createTestApi(new MemoryStore());
  const cases: readonly (readonly [url: string, expected: RegExp])[] = [
    ['/api/v1/search?limit=0', /limit/],
    ['/api/v1/search?limit=1001', /limit/],
    ['/api/v1/search?limit=ten', /limit/],
    ['/api/v1/search?limit=1&limit=2', /limit/],
    ['/api/v1/search?order=up', /order/],
    ['/api/v1/search?since=1h', /since/],
    ['/api/v1/search?start=yesterday', /start “yesterday”/],
    ['/api/v1/search?start=now&end=now-1h', /start is not before its end/],
    ['/api/v1/search?start=9999-01-01T00:00:00Z', /start/],
    ['/api/v1/search?query=/(/', /missing closing \).* at character 2/],
    [`/api/v1/search?query=${'x'.repeat(10_001)}`, /10000 characters/],
    ['/api/v1/histogram?buckets=501', /buckets/],
    ['/api/v1/histogram?start=1700-01-01&end=2026-01-01', /200 years/],
    ['/api/v1/export?format=xml', /format/],
    ['/api/v1/export?format=parquet', /parquet/],
  ];
  for (const [url, expected] of cases) {
    const { status, json } = await api.get(url);
    assert.equal(status, 400, url);
    assert.match(messageOf(json).message, expected, url);
  }
});

test('export streams every match of any time, oldest first, as NDJSON or CSV', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([documentAt(0, 9_000), documentAt(10, 60, { message: 'a "quoted", line\nof two' })]);
  const ndjson = await api.get('/api/v1/export');
  const offsets = ndjson.body
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { log: { offset: number } }).log.offset);
  assert.deepEqual(offsets, [0, 10]);
  const csv = await api.get('/api/v1/export?format=csv&query=quoted');
  const [header, row = ''] = csv.body.split('\r\n');
  assert.match(header ?? '', /^time,level,namespace/);
  assert.ok(row.includes('"a ""quoted"", line\nof two"'));
});

test('the histogram counts by time and by a field', async () => {
  const api = await createTestApi(new MemoryStore());
  const error = { log: { level: 'error', offset: 0, file: { path: '/x' } } };
  await api.put([documentAt(0, 3_599), documentAt(10, 10, error), documentAt(20, 5)]);
  const { json } = await api.get('/api/v1/histogram?buckets=2&by=level');
  assert.deepEqual(json['buckets'], [
    { time: '2026-11-22T23:00:00.000000000Z', count: 1, by: {} },
    { time: '2026-11-22T23:30:00.000000000Z', count: 2, by: { error: 1 } },
  ]);
});

test('the histogram finds the field that splits it where a query does: among parsed fields and at the top level', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([
    documentAt(0, 9, { fields: { log_type: 'own' } }),
    documentAt(10, 8, { log_type: 'foreign' }),
    documentAt(20, 7, { log_type: 'outer', fields: { log_type: 'inner' } }),
    documentAt(30, 6, { level: 'warn' }),
  ]);
  const splitBy = async (field: string): Promise<unknown> => {
    const { json } = await api.get(`/api/v1/histogram?buckets=1&by=${field}`);
    const [bucket] = json['buckets'] as { readonly by: unknown }[];
    return bucket?.by;
  };
  assert.deepEqual(await splitBy('log_type'), { own: 1, foreign: 1, inner: 1 });
  assert.deepEqual(await splitBy('level'), { warn: 1 });
});

test('an import is stored once, whatever is sent again, and refused as a whole when a line is wrong', async () => {
  const api = await createTestApi(new MemoryStore());
  const send = async (documents: readonly unknown[]) => {
    const payload = documents
      .map((document) => (typeof document === 'string' ? document : JSON.stringify(document)))
      .join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    return api.app.inject({ method: 'POST', url: '/api/v1/import', headers, payload });
  };
  const documents = [documentAt(10, 50), documentAt(0, 60)];
  assert.deepEqual((await send(documents)).json(), { accepted: 2 });
  assert.equal((await send(documents)).statusCode, 200);
  assert.deepEqual(idsOf((await api.get('/api/v1/search')).json), [10, 0]);
  const bad = [
    '{"message":"no id"}',
    'not json',
    '[]',
    documentAt(30, 1, { '@timestamp': 'today' }),
    documentAt(30, 1, { event: null }),
  ];
  for (const line of bad) {
    const answer = await send([documentAt(20, 5), line]);
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, /line 2/);
  }
  assert.deepEqual(idsOf((await api.get('/api/v1/search')).json), [10, 0]);
});

test('an audit names what is missing and says when it cannot tell', async () => {
  const failing = { refreshLedger: () => Promise.reject(new Error('the agent is away')) };
  const api = await createTestApi(new MemoryStore(), failing);
  const { json } = await api.get('/api/v1/audit');
  assert.equal(json['verdict'], 'unknown');
  assert.match(JSON.stringify(json['problems']), /the agent is away/);
});

test('stats tell the exact first and last time, and count records without a namespace', async () => {
  const store = new MemoryStore();
  const api = await createTestApi(store);
  const inShop = { kubernetes: { namespace: 'shop' } };
  await api.put([documentAt(0, 90), documentAt(10, 60), documentAt(20, 5, inShop)]);
  const { namespaces, newestNs, oldestNs, ...stats } = await store.stats(new AbortController().signal);
  assert.ok(newestNs !== undefined && oldestNs !== undefined);
  // As a store has it that knows the second of its times, and the namespaces that there are.
  const named = namespaces.filter(({ namespace }) => namespace !== '');
  const bounds = { newestNs: newestNs + 999_999_999n, oldestNs, namespaces: named };
  store.stats = () => Promise.resolve({ ...stats, ...bounds });
  const { json } = await api.get('/api/v1/stats');
  assert.equal(json['newest'], '2026-11-22T23:59:55.000000000Z');
  assert.equal(json['oldest'], '2026-11-22T23:58:30.000000000Z');
  const expected = [
    { namespace: '', records: 2 },
    { namespace: 'shop', records: 1 },
  ];
  assert.deepEqual(json['namespaces'], expected);
});

test('readiness answers 503 with reasons, health and metrics answer in text', async () => {
  const problems = [{ part: 'store', reason: 'the disk is full' }];
  const warnings = [{ part: 'store', reason: '1 file cannot be read' }];
  const api = await createTestApi(new MemoryStore(), {
    readiness: () => ({ ready: false, problems, warnings }),
  });
  const ready = await api.get('/readyz');
  assert.equal(ready.status, 503);
  assert.deepEqual(ready.json, { ready: false, problems, warnings });
  assert.equal((await api.get('/healthz')).body, 'ok\n');
  assert.equal((await api.get('/metrics')).body, 'logboom_up 1\n');
});

test('the generated description lists every route and parameter', async () => {
  const api = await createTestApi(new MemoryStore());
  const { json } = await api.get('/openapi.json');
  const paths = json['paths'] as Record<string, { get?: { parameters?: { name: string }[] } }>;
  assert.deepEqual(
    paths['/api/v1/search']?.get?.parameters?.map(({ name }) => name),
    ['query', 'start', 'end', 'limit', 'order', 'cursor'],
  );
  for (const path of ['export', 'tail', 'histogram', 'stats', 'audit', 'sources', 'import']) {
    assert.ok(paths[`/api/v1/${path}`] !== undefined, path);
  }
});

test('with a token, everything but health needs it, as a header or as the cookie of a login', async () => {
  const api = await createTestApi(new MemoryStore(), {
    config: { listen: '127.0.0.1:0', token: 's3cret', insecure: false },
  });
  for (const url of ['/api/v1/search', '/api/v1/tail', '/metrics', '/api/v1/nothing', '/api/v1/%73earch']) {
    assert.equal((await api.get(url)).status, 401, url);
    assert.equal((await api.get(url, { authorization: 'Bearer wrong' })).status, 401, url);
  }
  assert.equal((await api.get('/api/v1/search', { authorization: 'Bearer s3cret' })).status, 200);
  assert.equal((await api.get('/healthz')).status, 200);
  const login = async (token: string) =>
    api.app.inject({ method: 'POST', url: '/api/v1/login', payload: { token } });
  assert.equal((await login('wrong')).statusCode, 401);
  const cookie = String((await login('s3cret')).headers['set-cookie']);
  assert.ok(!cookie.includes('s3cret') && cookie.includes('HttpOnly'));
  assert.equal(
    (await api.get('/api/v1/search', { cookie: `a=b; ${cookie.split(';')[0] ?? ''}` })).status,
    200,
  );
  assert.equal((await api.get('/api/v1/search', { cookie: 'logboom_session=s3cret' })).status, 401);
});

test('pages of other sites reach nothing on a loopback server', async () => {
  const api = await createTestApi(new MemoryStore());
  assert.equal((await api.get('/api/v1/search', { host: 'evil.example:6410' })).status, 403);
  for (const host of ['127.0.0.1:6410', 'localhost', '[::1]:6410']) {
    assert.equal((await api.get('/api/v1/search', { host })).status, 200, host);
  }
  const crossSite = await api.app.inject({
    method: 'POST',
    url: '/api/v1/import',
    headers: { origin: 'https://evil.example', 'content-type': 'application/x-ndjson' },
    payload: JSON.stringify(documentAt(0, 1)),
  });
  assert.equal(crossSite.statusCode, 403);
  const { headers } = await api.get('/api/v1/search');
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(String(headers['content-security-policy']), /default-src 'self'/);
});

test('an address that others can reach needs a token or the word of its operator', () => {
  const create = (config: { listen: string; token: string | undefined; insecure: boolean }) =>
    createApiServer({
      ...testOptions(new MemoryStore(), new TailHub(), new MemoryTelemetry(), new VirtualScheduler()),
      config,
    });
  assert.throws(
    () => create({ listen: '0.0.0.0:0', token: undefined, insecure: false }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.hint ?? '', /server\.token/);
      return true;
    },
  );
  assert.throws(() => create({ listen: ':6410', token: '', insecure: false }), ConfigError);
  assert.throws(() => create({ listen: 'nonsense', token: 'x', insecure: false }), ConfigError);
  create({ listen: '0.0.0.0:0', token: 'x', insecure: false });
  create({ listen: '0.0.0.0:0', token: undefined, insecure: true });
  create({ listen: '[::1]:0', token: undefined, insecure: false });
});

test('a port in use names the option that changes it', async () => {
  const options = testOptions(
    new MemoryStore(),
    new TailHub(),
    new MemoryTelemetry(),
    new VirtualScheduler(),
  );
  const first = createApiServer(options);
  const address = await first.start();
  const listen = address.replace('http://', '');
  const second = createApiServer({ ...options, config: { ...options.config, listen } });
  await assert.rejects(second.start(), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'port_in_use');
    assert.match(error.hint ?? '', /--listen/);
    return true;
  });
  await first.stop();
});

test('what fails in a store reaches the client with its code, and a bug without its details', async () => {
  const store = new MemoryStore();
  const api = await createTestApi(store);
  store.search = () =>
    Promise.reject(new AppError('disk_full', 'cannot write the journal', { hint: 'Free some space.' }));
  const failed = await api.get('/api/v1/search');
  assert.equal(failed.status, 503);
  assert.deepEqual(failed.json, {
    error: { code: 'disk_full', message: 'cannot write the journal', hint: 'Free some space.' },
  });
  store.search = () => Promise.reject(new TypeError('secret internals'));
  const bug = await api.get('/api/v1/search');
  assert.equal(bug.status, 500);
  assert.ok(!bug.body.includes('secret'));
  assert.equal(api.telemetry.linesOf('request_failed').length, 1);
  store.search = () => Promise.reject(new DOMException('gone', 'AbortError'));
  assert.equal((await api.get('/api/v1/search')).status, 503);
  assert.equal(api.telemetry.linesOf('request_failed').length, 1);
});

test('nothing that a client sends makes the server fail', async () => {
  const api = await createTestApi(new MemoryStore());
  await api.put([documentAt(0, 60, { fields: { a: [1, { b: null }], 'c.d': 'x' } }), documentAt(10, 50)]);
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      '/((a+)+)+$/',
      'f:(',
      '@timestamp>=now-999999999w',
      '-',
      '\u0000',
      '%',
      '%ff',
      'now-',
      'a:*',
      '"\\',
    ),
    fc.integer().map(String),
  );
  const names = ['query', 'start', 'end', 'limit', 'order', 'cursor', 'buckets', 'by', 'format'];
  const route = fc.constantFrom(
    'search',
    'histogram',
    'export',
    'stats',
    'audit',
    'sources',
    'import',
    '..%2f',
    '%zz',
  );
  await fc.assert(
    fc.asyncProperty(
      route,
      fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 }),
      async (path, pairs) => {
        const search = pairs
          .map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`)
          .join('&');
        const { status, body } = await api.get(`/api/v1/${path}?${search}`);
        assert.ok(status < 500, `${status} ${path}?${search} ${body}`);
        if (status >= 400)
          assert.equal(typeof (JSON.parse(body) as { error: { message: string } }).error.message, 'string');
      },
    ),
    { numRuns: 300 },
  );
  for (const url of ['/%', '/api/v1/search?%', '/api/v1/search?query=%ff', '/api/v1//search', '/\u0000']) {
    assert.ok((await api.get(url)).status < 500, url);
  }
});
