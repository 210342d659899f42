import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf } from '../engine/engine-error.ts';
import { WAIT_TEXTS, verdictOf } from './item-verdict.ts';

const verdict = (status: number, type = '', reason = ''): string => {
  const found = verdictOf(status, { type, reason });
  return found.kind === 'wait' ? found.cause : found.kind;
};

void test('what stands in the store is done, whether it was there before or not', () => {
  assert.equal(verdict(201), 'created');
  assert.equal(verdict(200), 'created');
  assert.equal(verdict(409, 'version_conflict_engine_exception'), 'duplicate');
});

void test('what any other document would have met waits', () => {
  const flood = 'blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark]';
  const shards =
    'Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;';
  const cases: [number, string, string, string][] = [
    [429, 'es_rejected_execution_exception', 'rejected execution', 'overloaded'],
    [429, 'circuit_breaking_exception', 'Data too large, limit of [100/100b]', 'overloaded'],
    [429, 'cluster_block_exception', flood, 'disk_full'],
    [403, 'cluster_block_exception', 'blocked by: [FORBIDDEN/8/index write (api)];', 'read_only'],
    [403, 'cluster_block_exception', 'blocked by: [FORBIDDEN/5/index read-only (api)];', 'read_only'],
    [503, 'cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/2/no master];', 'unavailable'],
    [503, 'unavailable_shards_exception', 'primary shard is not active', 'unavailable'],
    [503, 'process_cluster_event_timeout_exception', '', 'unavailable'],
    [502, 'http_502', '', 'unavailable'],
    [401, 'security_exception', '', 'unauthorized'],
    [403, 'security_exception', '', 'forbidden'],
    [400, 'validation_exception', shards, 'shard_limit'],
    [400, 'index_closed_exception', 'closed', 'index_closed'],
    [400, 'invalid_alias_name_exception', 'Invalid alias name [logboom], an index exists', 'alias_taken'],
    [500, 'null_pointer_exception', '', 'failed'],
  ];
  for (const [status, type, reason, expected] of cases)
    assert.equal(verdict(status, type, reason), expected, `${status} ${type} ${reason}`);
  assert.equal(verdict(404, 'index_not_found_exception'), 'missing_index');
});

void test('errors of the document itself, and kinds that nobody knows, are rejections', () => {
  const error = { type: 'document_parsing_exception', reason: '[1:7] object mapping for [host]' };
  assert.deepEqual(verdictOf(400, error), { kind: 'rejected', error });
  for (const status of [400, 404, 405, 413, 302, 0]) assert.equal(verdict(status, 'strange'), 'rejected');
  assert.deepEqual(verdictOf(418, { type: '', reason: '' }), {
    kind: 'rejected',
    error: { type: 'http_418', reason: '' },
  });
});

void test('a document that is larger than all that the engine has room for is told from an overloaded engine', () => {
  const pressure = (bytes: number): string =>
    `rejected execution of primary operation [coordinating_and_primary_bytes=9, replica_bytes=0, all_bytes=9, primary_operation_bytes=${bytes}, max_primary_bytes=100]`;
  assert.equal(verdict(429, 'es_rejected_execution_exception', pressure(101)), 'oversized');
  assert.equal(verdict(429, 'es_rejected_execution_exception', pressure(100)), 'overloaded');
  const breaker = (bytes: number): string =>
    `[parent] Data too large, data for [<http_request>] would be [300/300b], which is larger than the limit of [200/200b], real usage: [100/100b], new bytes reserved: [${bytes}/x]`;
  assert.equal(verdict(429, 'circuit_breaking_exception', breaker(201)), 'oversized');
  assert.equal(verdict(429, 'circuit_breaking_exception', breaker(150)), 'overloaded');
});

void test('every wait says what a person can do, or that nobody need do anything', () => {
  for (const text of Object.values(WAIT_TEXTS)) assert.match(text, /[;:,] /);
});

void test('errors are read from every form that engines and proxies give them', () => {
  const nested = {
    error: {
      type: 'a',
      reason: 'outer',
      caused_by: { type: 'b', reason: 'inner', caused_by: { reason: 'inner' } },
    },
  };
  assert.deepEqual(faultOf({ status: 400, text: JSON.stringify(nested) }), {
    type: 'a',
    reason: 'outer: inner',
  });
  assert.deepEqual(faultOf({ status: 405, text: '{"error":"no handler found"}' }), {
    type: 'http_405',
    reason: 'no handler found',
  });
  assert.deepEqual(faultOf({ status: 502, text: '<html>Bad gateway</html>' }), {
    type: 'http_502',
    reason: '<html>Bad gateway</html>',
  });
  assert.equal(faultOf({ status: 500, text: 'x'.repeat(10_000) }).reason.length, 2_001);
});
