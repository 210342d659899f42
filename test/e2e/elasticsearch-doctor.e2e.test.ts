/** What a person does to a real engine, what Logboom says of it, and whether the remedy that it names is one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nodeFileSystem } from '../../src/base/node/node-file-system.ts';
import { nodeScheduler } from '../../src/base/node/node-scheduler.ts';
import type { ElasticsearchConfig } from '../../src/config/config.ts';
import { heartbeatRecord } from '../../src/record/heartbeat.ts';
import { CountKeeper } from '../../src/store/elasticsearch/counts/count-keeper.ts';
import { detectCapabilities } from '../../src/store/elasticsearch/engine/capabilities.ts';
import type { EngineClient } from '../../src/store/elasticsearch/engine/engine-client.ts';
import { openEngineClient } from '../../src/store/elasticsearch/engine/open-engine-client.ts';
import type { EngineFinding } from '../../src/store/elasticsearch/manage/engine-finding.ts';
import { IndexManagement } from '../../src/store/elasticsearch/manage/index-management.ts';
import { MemoryTelemetry } from '../../src/telemetry/memory-telemetry.ts';
import { ENGINE_KINDS } from '../services/engines.ts';
import type { JavaService } from '../services/java-service.ts';
import { javaSkipReason } from '../services/maven.ts';
import type { Json } from './engine-bench.ts';
import { EngineBench } from './engine-bench.ts';
import { engineConfig } from './engine-stores.ts';
import { waitFor } from './logboom-process.ts';

const SIGNAL = new AbortController().signal;
const SEEN_MS_MAX = 20_000;

type Changes = Partial<ElasticsearchConfig>;

for (const engine of ENGINE_KINDS) {
  void describe(`the doctor of ${engine.name}`, { skip: javaSkipReason() ?? false }, () => {
    let service: JavaService;
    before(async () => {
      service = await engine.start();
    });
    after(() => service.stop());
    const cases: Record<string, (bench: EngineBench) => Promise<void>> = {
      'an index of counts or of the ledger that is deleted comes again with its mapping': comesAgain,
      'a component that a person changed is got back by the request that is named': mendsTemplate,
      'a stronger template, a missing alias and an index without mapping are found': findsStrangers,
      'an index with the name of the alias is told, and records wait for its end': waitsForName,
      ...(engine.hasDataStreams
        ? { 'data streams are switched on beside daily indices, and not off beside streams': switchesStreams }
        : {}),
    };
    for (const [name, run] of Object.entries(cases)) {
      void test(name, () => run(new EngineBench(service)));
    }
  });
}

async function comesAgain(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  await opened.store.append([bench.lines(3)], SIGNAL);
  for (const kind of ['counts', 'ledger']) await bench.ask('DELETE', `/${bench.prefix}_${kind}-1`);
  const moment = { node: 'n1', sequence: 1, time: '2026-11-23T04:30:00.000000000Z' };
  const none = { files: 0, unreadBytes: 0, unacknowledgedBytes: 0 };
  const agent = {
    cluster: 'c',
    host: 'h',
    version: '1',
    state: 'running',
    intervalMs: 1_000,
    ...none,
  } as const;
  await opened.store.appendLedger([heartbeatRecord('a'.repeat(20), moment, agent)], SIGNAL);
  await withClient(bench, async (client, config) => {
    const telemetry = new MemoryTelemetry();
    const keeper = new CountKeeper({ client, config, scheduler: nodeScheduler, telemetry });
    await keeper.look(SIGNAL);
    await keeper.look(SIGNAL);
  });
  for (const kind of ['counts', 'ledger']) {
    const name = `${bench.prefix}_${kind}-1`;
    const { [name]: found } = (await bench.ask('GET', `/${name}/_mapping`)) as Record<
      string,
      { mappings: Json }
    >;
    assert.equal(found?.mappings['dynamic'], 'false', kind);
  }
  assert.deepEqual(await examine(bench), []);
}

async function mendsTemplate(bench: EngineBench): Promise<void> {
  await prepare(bench);
  const path = `/_component_template/${bench.prefix}-settings`;
  const { component_templates: found } = await bench.ask('GET', path);
  const _meta = (found as { component_template: Json }[])[0]?.component_template['_meta'];
  const template = { settings: { index: { refresh_interval: '30s' } } };
  await bench.ask('PUT', path, { template, _meta });
  const [finding] = await examine(bench);
  assert.match(`${finding?.object}: ${finding?.problem}`, /component template w\d+-settings: it was changed/);
  await mend(bench, finding);
  assert.deepEqual(await examine(bench), [
    {
      object: `component template ${bench.prefix}-settings`,
      problem: 'it is outdated',
      remedy: 'Start an indexer: it puts it in place.',
    },
  ]);
  await prepare(bench);
  assert.deepEqual(await examine(bench), []);
  assert.doesNotMatch(JSON.stringify(await bench.ask('GET', path)), /"refresh_interval":"30s"/);
}

async function findsStrangers(bench: EngineBench): Promise<void> {
  const { prefix } = bench;
  await prepare(bench);
  const stranger = `/_index_template/stranger-${prefix}`;
  await bench.ask('PUT', stranger, { index_patterns: [`${prefix}-*`], priority: 500, template: {} });
  await bench.ask('PUT', `/${prefix}-shop-2020.01.01`);
  const findings = await examine(bench);
  assert.deepEqual(
    findings.map(({ object }) => object),
    [`index ${prefix}-shop-2020.01.01`, `alias ${prefix}`, `index template ${prefix}`],
  );
  assert.match(findings[0]?.problem ?? '', /without Logboom's mapping/);
  assert.match(findings[2]?.problem ?? '', new RegExp(`one of: .*stranger-${prefix}`));
  assert.match(findings[2]?.remedy ?? '', new RegExp(`${prefix}-mappings, .*store\\.index`));
  // The remedies: composed of Logboom's mapping, without the index that lacks it, with the alias.
  await bench.ask('DELETE', `/${prefix}-shop-2020.01.01`);
  const composed_of = [`${prefix}-mappings`];
  await bench.ask('PUT', stranger, { index_patterns: [`${prefix}-*`], priority: 500, composed_of });
  await bench.ask('PUT', `/${prefix}-shop-2020.01.02`);
  const [alias, ...others] = await examine(bench);
  assert.deepEqual([alias?.object, others], [`alias ${prefix}`, []]);
  await mend(bench, alias);
  assert.deepEqual(await examine(bench), []);
  await bench.ask('DELETE', stranger);
}

async function waitsForName(bench: EngineBench): Promise<void> {
  await prepare(bench);
  for (const index of await bench.indices()) await bench.ask('DELETE', `/${index}`);
  await bench.ask('PUT', `/${bench.prefix}`, { mappings: { dynamic: 'false' } });
  const [finding] = await examine(bench);
  assert.equal(finding?.object, `index ${bench.prefix}`);
  assert.match(finding?.remedy ?? '', /DELETE \/w\d+\).*store\.index/);
  await using opened = bench.open();
  const appended = opened.store.append([bench.lines(2)], SIGNAL);
  await waitFor('a problem', SEEN_MS_MAX, () => Promise.resolve(opened.store.problem() !== undefined));
  assert.match(opened.store.problem() ?? '', /name of the alias.*store\.index/);
  await bench.ask('DELETE', `/${bench.prefix}`);
  assert.deepEqual(await appended, { appended: 2, duplicates: 0, rejected: [] });
}

async function switchesStreams(bench: EngineBench): Promise<void> {
  await prepare(bench);
  {
    await using opened = bench.open({ isDataStream: true });
    assert.equal((await opened.store.append([bench.lines(2)], SIGNAL)).appended, 2);
  }
  assert.deepEqual(await examine(bench, { isDataStream: true }), []);
  // Elasticsearch then lists the stream by its name, and no index behind it. OpenSearch gives streams no alias.
  const add = { index: `${bench.prefix}-shop`, alias: `mine-${bench.prefix}` };
  await bench.ask('POST', '/_aliases', { actions: [{ add }] });
  assert.deepEqual(await examine(bench, { isDataStream: true }), []);
  // The bare server of Elasticsearch has data streams, and nothing that lists them.
  if (Object.hasOwn(await bench.ask('GET', `/_data_stream/${bench.prefix}-*`), 'data_streams')) {
    const stream = (await examine(bench)).find(({ object }) => object === 'option store.isDataStream');
    assert.match(stream?.problem ?? '', /data stream w\d+-shop: the engine does not let/);
  }
  await using opened = bench.open();
  const stopping = new AbortController();
  const appended = opened.store.append([bench.lines(2)], stopping.signal);
  await waitFor('a problem', SEEN_MS_MAX, () => Promise.resolve(opened.store.problem() !== undefined));
  assert.match(opened.store.problem() ?? '', /Set store\.isDataStream to true/);
  stopping.abort();
  await assert.rejects(appended);
}

/** Lets an indexer prepare the engine, with an index of today. */
async function prepare(bench: EngineBench): Promise<void> {
  await using opened = bench.open();
  await opened.store.append([bench.lines(1)], SIGNAL);
}

function examine(bench: EngineBench, changes: Changes = {}): Promise<EngineFinding[]> {
  return withClient(
    bench,
    async (client, config) => {
      const engine = await detectCapabilities(client, SIGNAL);
      const telemetry = new MemoryTelemetry();
      return new IndexManagement({ client, config, telemetry }).inspect(engine, SIGNAL);
    },
    changes,
  );
}

async function withClient<T>(
  { service, prefix }: EngineBench,
  use: (client: EngineClient, config: ElasticsearchConfig) => Promise<T>,
  changes: Changes = {},
): Promise<T> {
  const config = { ...engineConfig(service.url, prefix), ...changes };
  const client = openEngineClient({ config, fileSystem: nodeFileSystem, scheduler: nodeScheduler });
  try {
    return await use(client, config);
  } finally {
    await client.close();
  }
}

/** Sends the request that a remedy names. */
async function mend(bench: EngineBench, finding: EngineFinding | undefined): Promise<void> {
  const [, method = '', path = '', body = '{}'] =
    /\b(PUT|POST) (\S+) (\{.*\})/.exec(finding?.remedy ?? '') ?? [];
  assert.notEqual(path, '', JSON.stringify(finding));
  const answer = await bench.ask(method, path, JSON.parse(body) as Json);
  assert.equal(answer['acknowledged'], true, JSON.stringify(answer));
}
