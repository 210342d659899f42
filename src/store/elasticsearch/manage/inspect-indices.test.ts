import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineClient } from '../engine/engine-client.ts';
import type { HttpAnswer } from '../engine/http-connection.ts';
import type { EngineFinding } from './engine-finding.ts';
import { inspectIndices } from './inspect-indices.ts';

const FORBIDDEN = {
  status: 403,
  text: '{"error":{"type":"security_exception","reason":"no permissions"},"status":403}',
};

/** Asks an engine that answers by path. */
function inspect(answer: (path: string) => Partial<HttpAnswer>): Promise<EngineFinding[]> {
  const auth = { kind: 'none' } as const;
  const lifecycle = {
    isManaged: true,
    rolloverBytes: 1,
    rolloverAgeMs: 1,
    warmAgeMs: undefined,
    deleteAgeMs: undefined,
  };
  const config = {
    kind: 'elasticsearch',
    urls: ['http://one:9200'],
    auth,
    tls: undefined,
    index: 'logboom-{namespace}-{date}',
    isDataStream: false,
    shards: 1,
    replicas: 0,
    lifecycle,
    lateMsMax: 1,
    futureMsMax: 1,
    bulk: { bytesMax: 1, inFlightMax: 1, compression: 'none' },
  } as const;
  const client = new EngineClient({
    config,
    connect: () => ({
      send: ({ path }) =>
        Promise.resolve({ status: 200, headers: {}, text: '{}', ...answer(decodeURIComponent(path)) }),
      close: () => Promise.resolve(),
    }),
    nowMs: () => 0,
  });
  const engine = {
    engine: 'opensearch',
    version: '3.8.0',
    pointInTime: '_search/point_in_time',
    hasPainless: false,
    hasDataStreams: true,
    lifecycle: 'none',
    flatType: 'none',
    hasMatchOnlyText: false,
    hasLogsdb: false,
    hasSourceMode: false,
    codec: 'best_compression',
    hasWildcard: false,
  } as const;
  return inspectIndices({ client, config, engine, signal: new AbortController().signal });
}

test('an engine without any index has nothing that a person must decide about', async () => {
  assert.deepEqual(await inspect(() => ({ status: 404 })), []);
});

test('of many indices without mapping or alias the first are named and the others counted', async () => {
  const names = [1, 2, 3, 4, 5].map((day) => `logboom-shop-2026.11.0${day}`);
  const findings = await inspect((path) => {
    if (path.includes('*,') && path.includes('/_alias'))
      return { text: JSON.stringify(Object.fromEntries(names.map((name) => [name, { aliases: {} }]))) };
    return path.includes('/_mapping') ? { text: '{}' } : { status: 404 };
  });
  const [mapping, alias] = findings;
  assert.equal(mapping?.object, `index ${names.slice(0, 3).join(', ')} and 2 more`);
  assert.equal(alias?.object, 'alias logboom');
  assert.match(alias?.remedy ?? '', /POST \/_aliases \{"actions":\[\{"add":\{"index":"logboom-\*"/);
});

test('a data stream that somebody gave an alias has the mapping of the indices behind it', async () => {
  const mapped = {
    mappings: { dynamic: 'false', properties: { _logboom: { properties: { file: { type: 'keyword' } } } } },
  };
  const ask = (mapping: unknown): Promise<EngineFinding[]> =>
    inspect((path) => {
      if (path.includes('*,') && path.includes('/_alias'))
        return { text: '{"logboom-shop":{"aliases":{"logboom":{}}}}' };
      return path.includes('/_mapping') ? { text: JSON.stringify(mapping) } : { status: 404 };
    });
  assert.deepEqual(await ask({ '.ds-logboom-shop-2026.11.23-000001': mapped }), []);
  const [finding] = await ask({ '.ds-logboom-shop2-2026.11.23-000001': mapped });
  assert.equal(finding?.object, 'index logboom-shop');
});

test('what a user may not look at is told, with the option, and the rest is looked at', async () => {
  const findings = await inspect((path) => {
    if (path.includes('/_data_stream')) return { text: '{"data_streams":[{"name":"logboom-shop"}]}' };
    return path.includes('/_mapping') || path.includes('_simulate') ? FORBIDDEN : {};
  });
  assert.deepEqual(
    findings.map(({ object }) => object),
    ['option store.isDataStream', 'option store.auth'],
  );
  assert.match(
    findings[1]?.problem ?? '',
    /may not look at the indices, and not ask which template new indices get/,
  );
});

test('an engine that is away is an error and no finding', async () => {
  await assert.rejects(
    inspect(() => ({ status: 503, text: '{}' })),
    /cannot look at the indices/,
  );
});
