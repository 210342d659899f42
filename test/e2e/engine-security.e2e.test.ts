/** An OpenSearch that wants TLS and a password, with users who may do what the documentation says, or less. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppError } from '../../src/base/errors.ts';
import type { ElasticsearchConfig, TlsConfig } from '../../src/config/config.ts';
import type { Store } from '../../src/store/store.ts';
import { findProgram } from '../../tools/provision.ts';
import { javaSkipReason } from '../services/maven.ts';
import type { SecureOpenSearch } from '../services/secure-opensearch.ts';
import { startSecureOpenSearch } from '../services/secure-opensearch.ts';
import { makeCertificate } from './certificates.ts';
import type { OpenedStore } from './engine-bench.ts';
import { EngineBench } from './engine-bench.ts';
import { waitFor } from './logboom-process.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const SIGNAL = new AbortController().signal;
const WAIT_MS_MAX = 60_000;
const PASSWORD = 'log-b00m-of-many-words';

interface Privileges {
  readonly cluster: readonly string[];
  readonly indices: readonly string[];
}

/** As docs/formats/elasticsearch.md has them. */
const WRITER: Privileges = {
  cluster: [
    'cluster_monitor',
    'cluster_composite_ops',
    'indices:admin/index_template/*',
    'cluster:admin/component_template/*',
  ],
  indices: ['crud', 'create_index', 'manage_aliases', 'indices:admin/refresh*', 'indices:monitor/*'],
};

const READER: Privileges = {
  cluster: ['cluster_monitor', 'cluster_composite_ops_ro'],
  indices: ['read', 'indices:admin/refresh*', 'indices:monitor/*'],
};

const HOUR_NS = 3_600_000_000_000n;

const skip = javaSkipReason() ?? (findProgram('openssl') === undefined ? 'openssl is not installed' : false);

void describe('an OpenSearch with the security plugin', { skip }, () => {
  let engine: SecureOpenSearch;
  before(async () => {
    engine = await startSecureOpenSearch();
  });
  after(() => engine[Symbol.asyncDispose]());

  void test('the privileges of the documentation are enough to write, search and audit', () =>
    worksWithPrivileges(engine));
  void test('a wrong password and a wrong authority are told, each with its option', () =>
    tellsOfSecrets(engine));
  void test('documents of an index that a user may not write wait, the others are stored', () =>
    waitsForPrivilege(engine));
});

async function worksWithPrivileges(engine: SecureOpenSearch): Promise<void> {
  const bench = new EngineBench(engine.service);
  await makeUser(engine, bench.prefix, [`${bench.prefix}-*`, `${bench.prefix}_*`]);
  await using opened = bench.open(accessOf(engine, bench.prefix));
  assert.deepEqual(await opened.store.append([bench.lines(3)], SIGNAL), {
    appended: 3,
    duplicates: 0,
    rejected: [],
  });
  assert.deepEqual(opened.store.findings, []);
  assert.equal(opened.telemetry.linesOf('store_waiting').length, 0);
  await engine.ask('POST', `/${bench.prefix}-*/_refresh`);
  const reader = `${bench.prefix}-reader`;
  await makeUser(engine, reader, [`${bench.prefix}-*`, `${bench.prefix}_*`], READER);
  await using reading = bench.open(accessOf(engine, reader));
  await readsEverything(reading.store);
}

async function readsEverything(store: Store): Promise<void> {
  const query = { kind: 'all' } as const;
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const range = { startNs: nowNs - HOUR_NS, endNs: nowNs + HOUR_NS };
  const { documents } = await store.search(
    { query, range, order: 'asc', limit: 10, after: undefined },
    SIGNAL,
  );
  assert.equal(documents.length, 3);
  const lengths = [];
  for await (const block of store.export({ query, range }, SIGNAL)) lengths.push(block.length);
  assert.ok(lengths.length > 0);
  const buckets = await store.histogram({ query, range, bucketCount: 1, by: undefined }, SIGNAL);
  assert.equal(buckets[0]?.count, 3);
  assert.equal((await store.stats(SIGNAL)).records, 3);
  const found = [];
  for await (const audit of store.audit(SIGNAL)) found.push(audit.found);
  assert.deepEqual(found, [3]);
}

async function tellsOfSecrets(engine: SecureOpenSearch): Promise<void> {
  const bench = new EngineBench(engine.service);
  using directory = new TemporaryDirectory('stranger');
  const access = accessOf(engine, 'nobody');
  const { certificate } = makeCertificate(directory.path, 'stranger');
  const wrongAuthority = { ...access, tls: { ...access.tls, caFile: certificate } };
  for (const [changes, hint] of [
    [access, /store\.auth\.password/],
    [wrongAuthority, /store\.tls\.caFile/],
  ] as const) {
    await using opened = bench.open(changes);
    await isTold(opened, bench, hint);
  }
}

async function isTold(opened: OpenedStore, bench: EngineBench, hint: RegExp): Promise<void> {
  const controller = new AbortController();
  const appending = opened.store.append([bench.lines(1)], controller.signal);
  const failing = assert.rejects(appending, (error) => error instanceof AppError && error.code === 'aborted');
  await waitFor(`a message like ${hint.source}`, WAIT_MS_MAX, () => hint.test(opened.store.problem() ?? ''));
  controller.abort();
  await failing;
}

async function waitsForPrivilege(engine: SecureOpenSearch): Promise<void> {
  const bench = new EngineBench(engine.service);
  const { prefix } = bench;
  // The indices of late and future events are read before anything is written.
  await makeUser(engine, prefix, [`${prefix}-shop-*`, `${prefix}-_*`, `${prefix}_*`]);
  await using opened = bench.open(accessOf(engine, prefix));
  const batch = bench.batch([{ message: 'public' }, { kubernetes: { namespace: 'secret' } }]);
  const appending = opened.store.append([batch], SIGNAL);
  await waitFor('the missing privilege to be told', WAIT_MS_MAX, () =>
    /forbids.*privileges/.test(opened.store.problem() ?? ''),
  );
  await engine.ask('POST', `/${prefix}-*/_refresh`);
  const { body } = await engine.ask('GET', `/${prefix}-*/_count`);
  assert.match(body, /"count":1,/, 'the other document went through');
  await makeUser(engine, prefix, [`${prefix}-*`, `${prefix}_*`]);
  const { appended, duplicates, rejected } = await appending;
  assert.deepEqual([appended + duplicates, rejected], [2, []]);
  assert.equal(opened.store.problem(), undefined);
}

/** Makes a user, and the role with its name, for the indices of these patterns, or changes the role. */
async function makeUser(
  engine: SecureOpenSearch,
  name: string,
  patterns: readonly string[],
  { cluster, indices }: Privileges = WRITER,
): Promise<void> {
  const security = '/_plugins/_security/api';
  const role = {
    cluster_permissions: cluster,
    index_permissions: [{ index_patterns: patterns, allowed_actions: indices }],
  };
  const user = { password: PASSWORD, opendistro_security_roles: [name] };
  for (const [path, body] of [
    [`${security}/roles/${name}`, role],
    [`${security}/internalusers/${name}`, user],
  ] as const) {
    const answer = await engine.ask('PUT', path, body);
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.body}`);
  }
}

interface Access extends Pick<ElasticsearchConfig, 'auth'> {
  readonly tls: TlsConfig;
}

function accessOf({ caFile }: SecureOpenSearch, username: string): Access {
  return {
    auth: { kind: 'basic', username, password: PASSWORD },
    tls: { caFile, isVerified: true, certificateFile: undefined, keyFile: undefined },
  };
}
