import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from './match.ts';
import { compileMatcher } from './match.ts';
import { parseQuery } from './parser.ts';

function matches(query: string, document: JsonObject): boolean {
  return compileMatcher(parseQuery(query).query)(document);
}

function assertMatches(
  document: JsonObject,
  queries: { yes: readonly string[]; no: readonly string[] },
): void {
  for (const query of queries.yes) assert.equal(matches(query, document), true, query);
  for (const query of queries.no) assert.equal(matches(query, document), false, query);
}

const DOCUMENT: JsonObject = {
  '@timestamp': '2026-11-23T04:30:00.123456789Z',
  message: 'GET /cart/42 took 35ms\nfrom Zürich',
  stream: 'stdout',
  log: { level: 'error', offset: 77, file: { path: '/data/logs/secretplace.log' } },
  event: { id: 'abcdef0123456789abcd-00000000004d' },
  kubernetes: { namespace: 'shop', pod: { name: 'web-1' }, labels: { 'app.kubernetes.io/name': 'cart' } },
  fields: {
    status: 500,
    ratio: 0.5,
    ok: false,
    nothing: null,
    text: '503',
    user: { name: 'Ann', 'e.mail': 'ann@x.org' },
    tags: ['Red', 'blue', 7],
    items: [{ sku: 'A-1' }, { sku: 'B-2' }],
  },
};

test('bare text reads the message and the texts of fields, and neither ids nor paths nor names of places', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'cart',
      'GET took',
      '"took 35ms\nfrom"',
      'zÜRICH',
      'ann@x',
      'red',
      'a-1',
      'get*35',
      '500',
      '503',
      '50',
    ],
    no: ['secretplace', 'shop', 'web-1', 'abcdef', 'stdout', '"35ms took"', '35*get', 'false', 'error'],
  });
});

test('a field compares as a whole, without regard to case; the message contains', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'level:ERROR',
      'pod:WEB-1',
      'pod:web*',
      'pod:*b-*',
      'message:cart',
      'message:"35MS\nfrom"',
      'fields.ok:false',
    ],
    no: ['level:err', 'pod:web', 'pod:*b', 'fields.user:Ann', 'fields.ok:f'],
  });
});

test('dots in keys and nested objects are the same, and arrays match by any element', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'fields.user.e.mail:ann@x.org',
      'kubernetes.labels.app.kubernetes.io/name:cart',
      'fields.tags:red',
      'fields.tags:7',
    ],
    no: ['fields.user.mail:ann@x.org', 'fields.tags:purple'],
  });
  assertMatches(DOCUMENT, {
    yes: ['fields.items.sku:b-2', 'fields.items:*'],
    no: ['fields.items.sku:c-3', 'fields.items:x'],
  });
  assert.equal(matches('fields.a.b.c:1', { fields: { 'a.b': { c: 1 } } }), true);
  assert.equal(matches('fields.a.b.c:1', { fields: { a: { 'b.c': 1 } } }), true);
});

test('numbers compare by value, and by text with wildcards', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'fields.status:500',
      'fields.status:500.0',
      'fields.status:5e2',
      'fields.status:5*',
      'fields.status~00',
      'fields.ratio:0.5',
    ],
    no: ['fields.status:50', 'fields.text:503.0', 'fields.ratio:.5'],
  });
});

test('ranges see numbers, also those in texts, and compare other texts as text', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'fields.status>=500',
      'fields.status<1e3',
      'fields.text>502',
      'fields.ratio<1',
      'level>=error',
      'level<F',
      'fields.tags>6',
    ],
    no: [
      'fields.status>500',
      'fields.status<fatal',
      'level>5',
      'fields.ok>=0',
      'fields.absent>0',
      'fields.absent<0',
      'fields.nothing<1',
    ],
  });
});

test('times compare with all their digits, whatever their zone', () => {
  assertMatches(DOCUMENT, {
    yes: [
      '@timestamp>=2026-11-23T04:30:00.123456789Z',
      'time<2026-11-23T04:30:00.12345679Z',
      '@timestamp>"2026-11-23T05:30:00.123456788+01:00"',
      '@timestamp>2026-11-23',
    ],
    no: ['@timestamp>2026-11-23T04:30:00.123456789Z', '@timestamp<2026-11-23T04:30:00.123456789Z'],
  });
});

test('existence is to be there and not null, and a negation includes what lacks the field', () => {
  assertMatches(DOCUMENT, {
    yes: [
      'fields.user:*',
      'fields.ok:*',
      'level:*',
      '-fields.nothing:*',
      '-fields.absent:x',
      'not fields.absent>0',
      'message:*',
    ],
    no: ['fields.nothing:*', 'fields.absent:*', '-level:error'],
  });
});

test('regular expressions find a part, with regard to case, in the message or a field', () => {
  assertMatches(DOCUMENT, {
    yes: [
      '/cart\\/\\d+/',
      '/(?i)get/',
      '/^GET/',
      'level:/^err/',
      'fields.status:/^5\\d\\d$/',
      'fields.tags:/^bl/',
      '/Z.rich$/',
    ],
    no: ['/get/', 'level:/^rr/', '/ann@x/', 'fields.absent:/.*/'],
  });
});

test('a regular expression that makes other engines run for years answers at once', () => {
  assert.equal(matches('/(a+)+$/', { message: `${'a'.repeat(5_000)}b` }), false);
});

test('lines in the shape of the Elastic Common Schema are found by their own objects', () => {
  const document: JsonObject = {
    message: 'x',
    http: { response: { status_code: 404 } },
    error: { message: 'boom' },
  };
  assertMatches(document, {
    yes: ['http.response.status_code:404', 'error.message:boom', 'boom', '404'],
    no: ['error.message:boo'],
  });
});

test('documents of any shape are answered', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`) as JsonObject;
  for (const document of [{}, { message: null }, { message: 5 }, { log: 'x' }, { fields: [] }, deep]) {
    assert.equal(matches('level:error nothing -x', document), false);
    assert.equal(matches('*', document), true);
  }
});

test('bare text does not read which source, cloud or cluster a line came from', () => {
  assertMatches(
    { message: 'hello', input: { type: 'pods' }, cloud: { region: 'north' }, cluster: { name: 'dev' } },
    { yes: ['hello'], no: ['pods', 'north', 'dev'] },
  );
});
