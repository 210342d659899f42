import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capabilities } from '../engine/capabilities.ts';
import {
  IndexRouter,
  countsIndex,
  droppedIndex,
  droppedPattern,
  indexPattern,
  ledgerIndex,
} from '../write/index-router.ts';
import { managedTemplates } from './index-templates.ts';
import { ilmPolicy, ismPolicy, readIsmPolicy, writeIsmPolicy } from './lifecycle-policy.ts';
import { decideManaged, metaOf } from './managed-state.ts';

type Json = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;

const BARE: Capabilities = {
  engine: 'elasticsearch',
  version: '9.5.3',
  pointInTime: '_pit',
  hasPainless: false,
  hasDataStreams: true,
  lifecycle: 'none',
  flatType: 'none',
  hasMatchOnlyText: false,
  hasLogsdb: false,
  hasSourceMode: false,
  codec: 'best_compression',
  hasWildcard: false,
};

const CONFIG = {
  index: 'logboom-{namespace}-{date}',
  isDataStream: false,
  shards: 2,
  replicas: 1,
  lateMsMax: 30 * DAY_MS,
  futureMsMax: DAY_MS,
  lifecycle: {
    isManaged: true,
    rolloverBytes: 40 * 2 ** 30,
    rolloverAgeMs: DAY_MS,
    warmAgeMs: 36 * 3_600_000,
    deleteAgeMs: 30 * DAY_MS,
  },
};

/** Returns the value at a path of keys. */
function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>((object, key) => (object as Json | undefined)?.[key], value);
}

void test('templates use what the engine has, and do without what it lacks', () => {
  const [mappings, settings, index] = managedTemplates(CONFIG, BARE);
  const properties = at(mappings?.body, 'template', 'mappings', 'properties');
  assert.equal(at(mappings?.body, 'template', 'mappings', 'dynamic'), 'false');
  assert.equal(at(properties, 'message', 'type'), 'text');
  assert.equal(at(properties, 'labels'), undefined);
  assert.equal(at(properties, '@timestamp', 'type'), 'date_nanos');
  assert.equal(at(properties, 'fields'), undefined, 'applications have no fields of their own');
  assert.equal(at(settings?.body, 'template', 'settings', 'index', 'mode'), undefined);
  assert.deepEqual(at(index?.body, 'composed_of'), ['logboom-mappings', 'logboom-settings']);
  assert.deepEqual(at(index?.body, 'index_patterns'), ['logboom-*']);
  const whole: Capabilities = {
    ...BARE,
    lifecycle: 'ilm',
    flatType: 'flattened',
    hasMatchOnlyText: true,
    hasLogsdb: true,
    hasSourceMode: true,
    codec: 'zstd',
  };
  const [rich, rules, stream] = managedTemplates({ ...CONFIG, isDataStream: true }, whole);
  const known = at(rich?.body, 'template', 'mappings', 'properties');
  assert.equal(at(known, 'message', 'type'), 'match_only_text');
  assert.equal(at(known, 'kubernetes', 'properties', 'labels', 'type'), 'flattened');
  const set = at(rules?.body, 'template', 'settings', 'index');
  assert.deepEqual(
    [at(set, 'mode'), at(set, 'mapping', 'source', 'mode'), at(set, 'codec'), at(set, 'lifecycle', 'name')],
    ['logsdb', 'stored', 'zstd', 'logboom'],
  );
  assert.deepEqual(at(stream?.body, 'data_stream'), {});
  assert.equal(at(stream?.body, 'template'), undefined, 'indices of before have the alias');
  assert.deepEqual(at(index?.body, 'template', 'aliases'), { logboom: {} });
});

void test('indices are named after namespace and day; what is too far from now has one of its own', () => {
  const router = new IndexRouter(CONFIG);
  const time = '2026-11-23T04:30:00.000000000Z';
  assert.equal(router.nameOf(time, 'shop'), 'logboom-shop-2026.11.23');
  assert.equal(router.nameOf(time, undefined), 'logboom-_host-2026.11.23');
  assert.equal(router.nameOf(time, 'Größe/1,2'), 'logboom-gr__e_1_2-2026.11.23');
  assert.equal(router.timeliness(0, 30 * DAY_MS), 'usual');
  assert.equal(router.timeliness(0, 30 * DAY_MS + 1), 'late');
  assert.equal(router.timeliness(DAY_MS + 1, 0), 'future');
  assert.deepEqual(
    [router.overflowName('late'), router.overflowName('future')],
    ['logboom-_late', 'logboom-_future'],
  );
  const stream = new IndexRouter({ ...CONFIG, isDataStream: true });
  assert.equal(stream.nameOf(time, 'shop'), 'logboom-shop');
  assert.equal(stream.timeliness(0, 365 * DAY_MS), 'usual');
  const other = 'acme.logs-{date}';
  assert.deepEqual(
    [indexPattern(other), ledgerIndex(other), countsIndex(other), droppedPattern(other)],
    ['acme.logs-*', 'acme.logs_ledger-1', 'acme.logs_counts-1', 'acme.logs_dropped-*'],
  );
  const months = [time, '2026-13-01', '1970-01-01T00:00:00Z', undefined];
  assert.deepEqual(
    months.map((one) => droppedIndex(other, one)),
    ['2026.11', 'other', 'other', 'other'].map((month) => `acme.logs_dropped-${month}`),
  );
});

/** Names of the members of phases and actions in the API reference of index lifecycle management. */
const ILM_PHASES: Readonly<Record<string, readonly string[]>> = {
  hot: ['rollover', 'forcemerge', 'readonly', 'set_priority', 'shrink', 'unfollow', 'searchable_snapshot'],
  warm: ['allocate', 'downsample', 'forcemerge', 'migrate', 'readonly', 'set_priority', 'shrink', 'unfollow'],
  delete: ['delete', 'wait_for_snapshot'],
};

const AGE = /^\d+(?:d|h|m|s|ms)$/;

void test('the ILM policy has only phases, actions and ages of the reference', () => {
  for (const isDataStream of [false, true]) {
    const phases = at(ilmPolicy({ ...CONFIG, isDataStream }), 'phases') as Record<string, Json>;
    assert.deepEqual(Object.keys(phases), ['hot', 'warm', 'delete']);
    for (const [name, phase] of Object.entries(phases)) {
      assert.match(String(phase['min_age']), AGE);
      for (const action of Object.keys(phase['actions'] as Json))
        assert.ok(ILM_PHASES[name]?.includes(action));
    }
    assert.equal(at(phases, 'hot', 'actions', 'rollover') !== undefined, isDataStream);
    assert.deepEqual(at(phases, 'delete', 'min_age'), '30d');
    assert.deepEqual(at(phases, 'warm', 'min_age'), '36h');
  }
  const never = {
    ...CONFIG,
    lifecycle: { ...CONFIG.lifecycle, warmAgeMs: undefined, deleteAgeMs: undefined },
  };
  assert.deepEqual(Object.keys(at(ilmPolicy(never), 'phases') as Json), ['hot']);
});

void test('every state of the ISM policy is reached, and what is read back is what was written', () => {
  for (const warmAgeMs of [undefined, DAY_MS]) {
    for (const deleteAgeMs of [undefined, 2 * DAY_MS]) {
      const lifecycle = { ...CONFIG.lifecycle, warmAgeMs, deleteAgeMs };
      const policy = ismPolicy({ ...CONFIG, lifecycle }, 'logs-*');
      const states = policy['states'] as {
        name: string;
        transitions: { state_name: string; conditions: Json }[];
      }[];
      const reached = states.flatMap(({ transitions }) => transitions);
      assert.deepEqual(
        [policy['default_state'], ...reached.map(({ state_name: name }) => name)],
        states.map(({ name }) => name),
      );
      for (const { conditions } of reached) assert.match(String(conditions['min_index_age']), AGE);
      const written = writeIsmPolicy(policy, metaOf(policy));
      const stored = { policy: { ...(written['policy'] as Json), policy_id: 'logboom', schema_version: 21 } };
      assert.equal(decideManaged(readIsmPolicy(stored), policy).kind, 'seal');
    }
  }
  assert.equal(readIsmPolicy({ policy: { description: 'mine' } })?.['_meta'], undefined);
});

void test('what a person changed, or never was Logboom’s, is foreign; the rest is written once', () => {
  const wanted = { template: { settings: { index: { number_of_shards: '1' } } } };
  const normal = { template: { settings: { index: { number_of_shards: 1, added: true } } } };
  assert.equal(decideManaged(undefined, wanted).kind, 'write');
  assert.equal(decideManaged({ ...normal, _meta: metaOf(wanted) }, wanted).kind, 'seal');
  const sealed = { ...normal, _meta: metaOf(wanted, normal) };
  assert.equal(decideManaged(sealed, wanted).kind, 'keep');
  assert.equal(decideManaged({ ...sealed, created_date_millis: 7 }, wanted).kind, 'keep');
  assert.equal(decideManaged(sealed, { template: {} }).kind, 'write', 'a newer wish');
  const changed = { ...sealed, template: {} };
  assert.deepEqual(decideManaged(changed, wanted), {
    kind: 'foreign',
    reason: 'it was changed since Logboom wrote it',
  });
  assert.equal(decideManaged(normal, wanted).kind, 'foreign');
  const newer = { ...normal, _meta: { ...metaOf({}, normal), version: 99 } };
  assert.equal(decideManaged(newer, wanted).kind, 'foreign');
});
