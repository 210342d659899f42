import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../base/errors.ts';
import type { StoreConfig, TransportConfig } from './config.ts';
import { SCRUBBED, configAsJson, configAsYaml } from './effective-config.ts';
import { loadConfig } from './load-config.ts';
import type { ConfigInput, LoadedConfig } from './load-config.ts';

const fixtures = path.join(import.meta.dirname, '../../test/testdata/config');

function load(text: string | undefined, input: Partial<ConfigInput> = {}): LoadedConfig {
  return loadConfig({
    flags: [],
    environment: {},
    file: text === undefined ? undefined : { name: 'logboom.yaml', text },
    hostName: 'host-1',
    workingDirectory: '/srv/app',
    hasDirectory: () => false,
    ...input,
  });
}

/** Returns the messages of what `loadConfig` throws, one line each, hints indented below. */
function messagesOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    return errors
      .map((inner) => {
        assert.ok(inner instanceof ConfigError, String(inner));
        return `${inner.message}\n${inner.hint === undefined ? '' : `  ${inner.hint}\n`}`;
      })
      .join('');
  }
  return '';
}

function fixtureNames(ending: string): string[] {
  return readdirSync(fixtures).filter((name) => name.endsWith(ending));
}

/** What is printed has no secrets, so that they are taken from the original. */
function withSecretsOf(again: TransportConfig, original: TransportConfig): TransportConfig {
  if (again.kind === 'http' && original.kind === 'http') return { ...again, token: original.token };
  if (again.kind === 'kafka' && original.kind === 'kafka') return { ...again, sasl: original.sasl };
  return again;
}

function withAuthOf(again: StoreConfig, original: StoreConfig): StoreConfig {
  return again.kind === 'elasticsearch' && original.kind === 'elasticsearch'
    ? { ...again, auth: original.auth }
    : again;
}

for (const name of fixtureNames('.bad.yaml')) {
  void test(`${name} is refused with the expected message`, () => {
    const expectedFile = path.join(fixtures, name.replace('.yaml', '.txt'));
    const messages = messagesOf(() => load(readFileSync(path.join(fixtures, name), 'utf8')));
    assert.notEqual(messages, '', 'it is refused');
    if (process.env['LOGBOOM_UPDATE_GOLDEN'] === '1') writeFileSync(expectedFile, messages);
    assert.equal(messages, readFileSync(expectedFile, 'utf8'));
  });
}

for (const name of fixtureNames('.good.yaml')) {
  void test(`${name} loads, and what check prints of it loads to the same`, () => {
    const loaded = load(readFileSync(path.join(fixtures, name), 'utf8'));
    const printed = configAsYaml(loaded);
    const again = load(printed).config;
    const { token } = loaded.config.server;
    const server = { ...again.server, token };
    const transport = withSecretsOf(again.transport, loaded.config.transport);
    const store = withAuthOf(again.store, loaded.config.store);
    assert.deepEqual({ ...again, server, transport, store }, loaded.config);
    for (const secret of [token, 'hunter2'])
      assert.ok(secret === undefined || !printed.includes(secret), 'secrets are scrubbed');
  });
}

void test('without anything, every option has its default and the usual trees that exist are collected', () => {
  const { config, origins } = load(undefined, { hasDirectory: (directory) => directory === '/var/log/pods' });
  assert.deepEqual(
    config.sources.map(({ kind }) => kind),
    ['pods'],
  );
  assert.equal(config.data, '/srv/app/logboom-data');
  assert.equal(config.server.listen, '127.0.0.1:6410');
  assert.equal(config.drainMsMax, 20_000);
  assert.equal(config.agent.lineBytesMax, 1_048_576);
  assert.equal(config.node.name, 'host-1');
  assert.deepEqual(new Set(origins.values()), new Set(['default']));
});

void test('flags win over the environment, which wins over the file, and each origin is known', () => {
  const { config, origins } = load('data: /file\ncluster: { name: file }\nlog: { level: debug }\n', {
    environment: { LOGBOOM_DATA: '/environment', LOGBOOM_CLUSTER_NAME: 'environment' },
    flags: [{ flag: '--data', path: 'data', text: 'flag' }],
  });
  assert.equal(config.data, '/srv/app/flag');
  assert.equal(config.cluster.name, 'environment');
  assert.equal(config.log.level, 'debug');
  assert.equal(origins.get('data'), 'flag --data');
  assert.equal(origins.get('cluster.name'), 'environment LOGBOOM_CLUSTER_NAME');
  assert.equal(origins.get('log.level'), 'logboom.yaml:3:8');
});

void test('relative paths of a file begin at its directory, others at the working directory', () => {
  const text = 'data: ./data\nsources: [{ kind: files, paths: ["logs/*.log", "../x.log"] }]\n';
  const sourcesOf = ({ config: { sources } }: LoadedConfig): unknown =>
    sources.map((source) => (source.kind === 'files' ? source.paths : source.root));
  for (const name of ['/etc/boom/logboom.yaml', '../../etc/boom/logboom.yaml']) {
    const loaded = load(text, { file: { name, text } });
    assert.equal(loaded.config.data, '/etc/boom/data');
    assert.deepEqual(sourcesOf(loaded), [['/etc/boom/logs/*.log', '/etc/x.log']]);
  }
  const file = { name: '/logboom.yaml', text };
  const flags = [{ flag: '--data', path: 'data', text: 'mine' }];
  const environment = { LOGBOOM_SOURCES: '[{ kind: apps, root: apps }]' };
  const mixed = load(undefined, { file, flags, environment });
  assert.equal(mixed.config.data, '/srv/app/mine');
  assert.deepEqual(sourcesOf(mixed), ['/srv/app/apps']);
  assert.equal(load(undefined, { file }).config.data, '/data');
  assert.equal(
    load('log: { level: warn }').config.data,
    '/srv/app/logboom-data',
    "the default is nobody's file",
  );
});

void test('lists in flags and in the environment are YAML', () => {
  const { config } = load(undefined, {
    environment: { LOGBOOM_SOURCES: '[{ kind: files, paths: [a.log] }]' },
  });
  const [source] = config.sources;
  assert.deepEqual(source?.kind === 'files' && source.paths, ['/srv/app/a.log']);
});

void test('mistakes in flags and in the environment are told by the name that the person used', () => {
  const messages = messagesOf(() =>
    load(undefined, {
      environment: { LOGBOOM_STORE_THREADS: 'many', LOGBOOM_SOURCES: '[{ kind: files' },
      flags: [{ flag: '--listen', path: 'server.listen', text: '6410' }],
    }),
  );
  assert.match(messages, /^LOGBOOM_STORE_THREADS: got "many", expected a whole number/m);
  assert.match(messages, /^LOGBOOM_SOURCES: /m);
  assert.match(messages, /^--listen: got "6410", expected HOST:PORT/m);
});

void test('what policies contradict is told with the place of the member, or of what is nearest to it', () => {
  const tries: [string, RegExp][] = [
    [
      'data: d\nrotate:\n  - method: rename\n    schedule: x',
      /^logboom\.yaml:4:15: rotate\[0\]\.schedule: got "x"/,
    ],
    ['rotate:\n  - { method: punch, su: "a b" }', /^logboom\.yaml:2:26: rotate\[0\]\.su: counts only/],
    ['rotate:\n  - { method: rename, signal: HUP }', /^logboom\.yaml:2:5: rotate\[0\]\.pidFile: is missing/],
  ];
  for (const [text, expected] of tries)
    assert.match(
      messagesOf(() => load(text)),
      expected,
    );
});

void test('the name of the node comes from the configuration, then NODE_NAME, then the host', () => {
  assert.equal(
    load('node: { name: mine }', { environment: { NODE_NAME: 'theirs' } }).config.node.name,
    'mine',
  );
  assert.equal(load('', { environment: { NODE_NAME: 'theirs' } }).config.node.name, 'theirs');
});

void test('a variable that looks like a misspelt option is warned of, those of Kubernetes are not', () => {
  const { warnings } = load('', {
    environment: {
      LOGBOOM_SERVER_LITSEN: 'x',
      LOGBOOM_SERVER: 'http://x',
      LOGBOOM_SERVICE_HOST: '10.0.0.1',
      LOGBOOM_PORT_6410_TCP_ADDR: '10.0.0.1',
    },
  });
  assert.deepEqual(warnings, ['LOGBOOM_SERVER_LITSEN is no option: did you mean LOGBOOM_SERVER_LISTEN?']);
});

void test('numbers that are text keep their digits', () => {
  const { config } = load('cluster: { name: 007 }\nsources: [{ kind: apps, fields: { version: 1.10 } }]');
  assert.equal(config.cluster.name, '007');
  assert.deepEqual(config.sources[0]?.fields, { version: '1.10' });
});

void test('check as JSON scrubs secrets and names origins', () => {
  const json = configAsJson(load('server: { token: s3cret }'));
  const options = json['options'] as Record<string, { value: unknown; origin: string }>;
  assert.deepEqual(options['server.token'], { value: SCRUBBED, origin: 'logboom.yaml:1:11' });
  assert.ok(!JSON.stringify(json).includes('s3cret'));
});
