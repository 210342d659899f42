import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineStep } from '../../config/pipeline-config.ts';
import { compileStep } from './compile-step.ts';
import type { JsonObject } from './document.ts';

type Draft = PipelineStep extends infer Step
  ? Step extends PipelineStep
    ? Omit<Step, 'if'> & { if?: string }
    : never
  : never;

const BASE = {
  '@timestamp': '2026-11-23T04:30:00.000000000Z',
  stream: 'stdout',
  log: { offset: 7, file: { path: '/x.log' } },
  event: { id: 'aaaaaaaaaaaaaaaaaaaa-000000000007' },
  kubernetes: { namespace: 'shop', pod: { name: 'checkout-1' } },
};

/** Runs steps on a line; returns what is different from the document before, or `drop`. */
function run(message: string, ...steps: Draft[]): unknown {
  const document: JsonObject = { ...structuredClone(BASE), message };
  for (const step of steps) {
    if (compileStep({ if: undefined, ...step } as PipelineStep, 'steps[0]')(document) === 'drop')
      return 'drop';
  }
  const { stream, kubernetes, ...rest } = document;
  assert.deepEqual({ stream, kubernetes }, { stream: BASE.stream, kubernetes: BASE.kubernetes });
  const log = { ...(rest['log'] as JsonObject) };
  const event = { ...(rest['event'] as JsonObject) };
  assert.deepEqual([log['offset'], log['file'], event['id']], [7, BASE.log.file, BASE.event.id]);
  for (const member of ['offset', 'file']) delete log[member];
  delete event['id'];
  if (rest['@timestamp'] === BASE['@timestamp']) delete rest['@timestamp'];
  delete rest['log'];
  delete rest['event'];
  return {
    ...rest,
    ...(Object.keys(log).length > 0 && { log }),
    ...(Object.keys(event).length > 0 && { event }),
  };
}

const json = { kind: 'json', field: 'message', keepOriginal: false } as const;

test('a JSON line gives its members to fields, its message and its level', () => {
  assert.deepEqual(run('{"level":"WARNING","msg":"slow","ms":12,"a":{"b":[1]}}', json), {
    message: 'slow',
    fields: { level: 'WARNING', ms: 12, a: { b: [1] } },
    log: { level: 'warn' },
  });
  assert.deepEqual(run('{"level":50,"log":"x"}', json), {
    message: 'x',
    fields: { level: 50 },
    log: { level: 'error' },
  });
  assert.deepEqual(run('{"a":1}', json), { message: '{"a":1}', fields: { a: 1 } });
  assert.deepEqual(run('{"msg":1}', json), { message: '{"msg":1}', fields: { msg: 1 } });
  assert.deepEqual(run('[1]', json), { message: '[1]' });
  assert.deepEqual(run('{broken', json), { message: '{broken' });
});

test('the raw line is kept when parsing says less than it, or by option', () => {
  const twice = '{"a":1,"a":2}';
  assert.deepEqual(run(twice, json), { message: twice, fields: { a: 2 }, event: { original: twice } });
  const big = '{"msg":"x","id":12345678901234567890,"d":0.12345678901234567}';
  const document = run(big, json) as JsonObject;
  assert.deepEqual(document['event'], { original: big });
  assert.equal(JSON.stringify(document['fields']), '{"id":12345678901234567890,"d":0.12345678901234567}');
  assert.deepEqual(run('{"msg":"x","n":1e3,"m":1.50}', json), { message: 'x', fields: { n: 1000, m: 1.5 } });
  const plain = '{"msg":"x"}';
  assert.deepEqual(run(plain, { ...json, keepOriginal: true }), { message: 'x', event: { original: plain } });
});

test('a line in ECS shape merges at the top level, and overwrites nothing that says where it stood', () => {
  const line = JSON.stringify({
    '@timestamp': '1999-01-01T00:00:00Z',
    'ecs.version': '1.2.0',
    'log.level': 'ERROR',
    'log.logger': 'app',
    'log.offset': 999,
    log: { file: { path: '/etc/passwd' }, origin: { function: 'f' } },
    event: { id: 'forged', dataset: 'app.log' },
    kubernetes: { namespace: 'forged' },
    'kubernetes.pod.name': 'forged',
    stream: 'forged',
    logboom: { index: 'forged' },
    host: 'forged',
    message: 'hello',
    trace: { id: 'abc' },
    tags: ['a'],
    level: 'warn',
    own: { x: 1 },
    'own.y': 2,
    'http.request.method': 'GET',
    fields: { x: 1 },
  });
  assert.deepEqual(run(line, json), {
    message: 'hello',
    ecs: { version: '1.2.0' },
    trace: { id: 'abc' },
    tags: ['a'],
    http: { request: { method: 'GET' } },
    log: { level: 'error', logger: 'app', origin: { function: 'f' } },
    event: { dataset: 'app.log' },
    fields: {
      '@timestamp': '1999-01-01T00:00:00Z',
      'log.offset': 999,
      log: { file: { path: '/etc/passwd' } },
      event: { id: 'forged' },
      kubernetes: { namespace: 'forged' },
      'kubernetes.pod.name': 'forged',
      stream: 'forged',
      logboom: { index: 'forged' },
      host: 'forged',
      fields: { x: 1 },
      level: 'warn',
      own: { x: 1 },
      'own.y': 2,
    },
  });
});

test('a line cannot reach the prototypes of objects', () => {
  for (const line of [
    '{"__proto__":{"polluted":1},"ecs.version":"1"}',
    '{"__proto__.polluted":1,"ecs.version":"1"}',
    '{"constructor":{"prototype":{"polluted":1}},"ecs.version":"1"}',
    '{"constructor.prototype.polluted":1,"ecs":{"version":"1"}}',
    '{"__proto__":{"polluted":1}}',
  ]) {
    run(line, json);
  }
  run('__proto__=x constructor.prototype.polluted=1', { kind: 'logfmt', field: 'message' });
  run('x', { kind: 'dissect', field: 'message', pattern: '%{__proto__.polluted}' });
  assert.equal(({} as JsonObject)['polluted'], undefined);
});

test('logfmt pairs become fields', () => {
  const logfmt = { kind: 'logfmt', field: 'message' } as const;
  assert.deepEqual(run('level=err msg="a \\"b\\" c" n=12 flag empty=', logfmt), {
    message: 'a "b" c',
    fields: { level: 'err', n: '12', flag: true, empty: '' },
    log: { level: 'error' },
  });
  for (const line of ['no pairs here', '', 'a="unclosed', 'a=b"c', '=x', `${'x'.repeat(100_000)}=`]) {
    if (line.startsWith('xx')) run(line, logfmt);
    else assert.deepEqual(run(line, logfmt), { message: line }, line);
  }
});

test('groups of a regular expression become fields, in linear time', () => {
  const regex = {
    kind: 'regex',
    field: 'message',
    pattern: '^(?<verb>[A-Z]+) (?P<path>\\S+) (?<level>\\w+)$',
  } as const;
  assert.deepEqual(run('GET /x warn', regex), {
    message: 'GET /x warn',
    fields: { verb: 'GET', path: '/x' },
    log: { level: 'warn' },
  });
  assert.deepEqual(run('nothing', regex), { message: 'nothing' });
  const evil = { kind: 'regex', field: 'message', pattern: '^(?<all>(a+)+)$' } as const;
  assert.deepEqual(run(`${'a'.repeat(5000)}b`, evil), { message: `${'a'.repeat(5000)}b` });
});

test('dissect takes fields from between fixed text', () => {
  const dissect = (pattern: string) => ({ kind: 'dissect', field: 'message', pattern }) as const;
  assert.deepEqual(run('10.0.0.1 [now] GET', dissect('%{client.ip} [%{time}] %{verb}')), {
    message: '10.0.0.1 [now] GET',
    client: { ip: '10.0.0.1' },
    fields: { time: 'now', verb: 'GET' },
  });
  assert.deepEqual(run('a   b c', dissect('%{x->} %{?skip} %{y}')), {
    message: 'a   b c',
    fields: { x: 'a', y: 'c' },
  });
  assert.deepEqual(run('1 2 3', dissect('%{+t} %{+t} %{t2}')), {
    message: '1 2 3',
    fields: { t: '1 2', t2: '3' },
  });
  assert.deepEqual(run('no bracket', dissect('%{a} [%{b}]')), { message: 'no bracket' });
});

test('grok takes fields by named patterns, own ones included', () => {
  const grok = (pattern: string, patterns = {}) =>
    ({ kind: 'grok', field: 'message', pattern, patterns }) as const;
  assert.deepEqual(run('10.0.0.1 GET 200', grok('%{IP:client.ip} %{WORD:verb} %{INT:status:int}')), {
    message: '10.0.0.1 GET 200',
    client: { ip: '10.0.0.1' },
    fields: { verb: 'GET', status: 200 },
  });
  assert.deepEqual(run('order-17', grok('%{ORDER:order}', { ORDER: 'order-%{INT}' })), {
    message: 'order-17',
    fields: { order: 'order-17' },
  });
  const access =
    '10.0.0.1 - bob [23/Nov/2026:04:00:00 +0000] "GET /x HTTP/1.1" 200 12 "https://a.example/" "curl/8.5.0"';
  assert.deepEqual(
    run(access, grok('%{COMBINEDAPACHELOG}'), {
      kind: 'timestamp',
      field: 'timestamp',
      formats: ['clf'],
      timeZone: undefined,
    }),
    {
      '@timestamp': '2026-11-23T04:00:00.000000000Z',
      message: access,
      client: { address: '10.0.0.1' },
      user: { name: 'bob' },
      fields: { timestamp: '23/Nov/2026:04:00:00 +0000' },
      http: {
        request: { method: 'GET', referrer: 'https://a.example/' },
        version: '1.1',
        response: { status_code: 200, body: { bytes: 12 } },
      },
      url: { original: '/x' },
      user_agent: { original: 'curl/8.5.0' },
    },
  );
});

test('the time is taken from a field, and a stamp that does not fit is told of', () => {
  const timestamp = {
    kind: 'timestamp',
    field: 't',
    formats: ['rfc3339', 'unix_ns'],
    timeZone: undefined,
  } as const;
  const result = run('{"t":1795406400123456789}', json, timestamp) as JsonObject;
  assert.equal(result['@timestamp'], '2026-11-23T04:00:00.123456789Z');
  assert.deepEqual(run('{"msg":"x","t":"soon"}', json, timestamp), {
    message: 'x',
    fields: { t: 'soon' },
    log: { parse_error: 'no time format fits "soon"' },
  });
  assert.deepEqual(run('x', timestamp), { message: 'x' });
});

test('fields are renamed, removed and set by the names that queries use', () => {
  assert.deepEqual(
    run(
      '{"a":{"b":1,"c":2},"d.e":3}',
      json,
      { kind: 'rename', from: 'a.b', to: 'labels.b' },
      { kind: 'remove', fields: ['a.c', 'd.e', 'absent'] },
    ),
    { message: '{"a":{"b":1,"c":2},"d.e":3}', labels: { b: 1 } },
  );
  assert.deepEqual(
    run(
      'x',
      { kind: 'set', field: 'team', value: 'blue' },
      { kind: 'set', field: 'service.version', value: 2 },
    ),
    {
      message: 'x',
      fields: { team: 'blue' },
      service: { version: 2 },
    },
  );
});

test('what other shippers put at the top level is read, renamed and removed where it stands', () => {
  const document: JsonObject = {
    ...structuredClone(BASE),
    message: 'x',
    log_type: 'nginx',
    prospector: {},
    app: 'a',
  };
  const steps: Draft[] = [
    { kind: 'set', field: 'seen', value: true, if: 'log_type:nginx app:a' },
    { kind: 'rename', from: 'log_type', to: 'event.dataset' },
    { kind: 'remove', fields: ['prospector', 'app'] },
  ];
  for (const step of steps) compileStep({ if: undefined, ...step } as PipelineStep, 'steps[0]')(document);
  const event = { ...BASE.event, dataset: 'nginx' };
  assert.deepEqual(document, { ...BASE, event, message: 'x', fields: { seen: true } });
});

test('levels, routes and drops', () => {
  assert.deepEqual(run('ERROR x', { kind: 'level', field: undefined }), {
    message: 'ERROR x',
    log: { level: 'error' },
  });
  assert.deepEqual(run('{"s":"Crit"}', json, { kind: 'level', field: 's' }), {
    message: '{"s":"Crit"}',
    fields: { s: 'Crit' },
    log: { level: 'fatal' },
  });
  assert.deepEqual(
    run(
      'sev=1 INFO',
      { kind: 'set', field: 'severity', value: 'EMERG' },
      { kind: 'level', field: undefined },
    ),
    { message: 'sev=1 INFO', fields: { severity: 'EMERG' }, log: { level: 'fatal' } },
  );
  assert.deepEqual(run('{"l":"WARNING"}', json, { kind: 'rename', from: 'l', to: 'level' }), {
    message: '{"l":"WARNING"}',
    log: { level: 'warn' },
  });
  assert.deepEqual(run('x', { kind: 'route', index: 'audit' }), {
    message: 'x',
    logboom: { index: 'audit' },
  });
  assert.equal(run('x', { kind: 'drop', reason: 'noise' }), 'drop');
});

test('a step with a condition runs only on documents that match it', () => {
  const drop = { kind: 'drop', reason: 'noise', if: 'namespace:shop and healthz' } as const;
  assert.equal(run('GET /healthz', drop), 'drop');
  assert.deepEqual(run('GET /', drop), { message: 'GET /' });
});

test('a step that cannot be is the mistake of an operator, and says where it stands', () => {
  const cases: [draft: Draft, option: string, message: RegExp][] = [
    [{ kind: 'regex', field: 'message', pattern: '(' }, 'steps[0].pattern', /RE2/],
    [{ kind: 'regex', field: 'message', pattern: 'a(?=b)' }, 'steps[0].pattern', /RE2/],
    [{ kind: 'regex', field: 'message', pattern: 'abc' }, 'steps[0].pattern', /no named group/],
    [
      { kind: 'grok', field: 'message', pattern: '%{NOPE:x}', patterns: {} },
      'steps[0].pattern',
      /no pattern named 'NOPE'/,
    ],
    [
      { kind: 'grok', field: 'message', pattern: '%{A}', patterns: { A: '%{B}', B: '%{A}' } },
      'steps[0].pattern',
      /circle/,
    ],
    [{ kind: 'dissect', field: 'message', pattern: 'plain' }, 'steps[0].pattern', /no field/],
    [
      { kind: 'dissect', field: 'message', pattern: '%{a}%{b}' },
      'steps[0].pattern',
      /nothing stands between/,
    ],
    [{ kind: 'set', field: '@timestamp', value: 'x' }, 'steps[0].field', /cannot be changed/],
    [{ kind: 'remove', fields: ['event.id'] }, 'steps[0].fields', /cannot be changed/],
    [{ kind: 'rename', from: 'x', to: 'log.offset' }, 'steps[0]', /cannot be changed/],
    [{ kind: 'route', index: 'A/B' }, 'steps[0].index', /no name of an index/],
    [{ kind: 'drop', reason: 'x', if: 'message:/(/' }, 'steps[0].if', /invalid/],
  ];
  for (const [draft, option, message] of cases) {
    assert.throws(
      () => compileStep({ if: undefined, ...draft } as PipelineStep, 'steps[0]'),
      (error: Error & { option?: string }) =>
        error.name === 'ConfigError' && error.option === option && message.test(error.message),
      JSON.stringify(draft),
    );
  }
});
