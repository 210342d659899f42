import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainMessageOf, ROW_CHARS_MAX, textAt, toRow } from './document.ts';

const DOCUMENT = {
  '@timestamp': '2026-11-23T04:30:00.123456789Z',
  message: 'java.io.IOException: broken\n\tat a.B.c(B.java:1)\n\tat a.D.e(D.java:2)\n',
  stream: 'stdout',
  log: { offset: 217, file: { path: '/var/log/pods/shop_cart_1/app/0.log' }, level: 'error' },
  event: { id: '0123456789abcdef0123-0000000000d9' },
  kubernetes: { namespace: 'shop', pod: { name: 'cart-5f6b8' }, container: { name: 'app' } },
};

void test('a record of several lines shows its first, and how many follow', () => {
  const row = toRow(DOCUMENT, 'x');
  assert.equal(row.firstLine, 'java.io.IOException: broken');
  assert.equal(row.moreLines, 2);
  assert.deepEqual(
    [row.id, row.level, row.namespace, row.name],
    ['0123456789abcdef0123-0000000000d9', 'error', 'shop', 'cart-5f6b8'],
  );
  assert.equal(row.timeMs, 1_795_408_200_123);
});

void test('outside Kubernetes the service, the container or the file names the source', () => {
  assert.equal(toRow({ service: { name: 'web' }, log: { file: { path: '/a/b.log' } } }, 'x').name, 'web');
  assert.equal(toRow({ container: { name: 'nginx' } }, 'x').name, 'nginx');
  assert.equal(toRow({ log: { file: { path: '/var/log/nginx/access.log' } } }, 'x').name, 'access.log');
  assert.equal(toRow({ host: { name: 'node-1' } }, 'x').name, 'node-1');
});

void test('documents of any shape become rows', () => {
  for (const document of [
    {},
    { message: null },
    { message: { a: 1 } },
    { log: 7, event: [], kubernetes: 'x' },
  ]) {
    const row = toRow(document, 'fallback');
    assert.equal(row.id, 'fallback');
    assert.equal(row.firstLine, '');
  }
  assert.equal(toRow({ message: 42 }, 'x').firstLine, '42');
  assert.equal(toRow({ '@timestamp': 'no time' }, 'x').timeMs, 0);
});

void test('a line of megabytes is cut for the list, and kept for copying', () => {
  const message = 'y'.repeat(3_000_000);
  const row = toRow({ message }, 'x');
  assert.equal(row.firstLine.length, ROW_CHARS_MAX);
  assert.equal(row.isCut, true);
  assert.equal(plainMessageOf(row.document).length, message.length);
});

void test('a gap among the logs stands out', () => {
  assert.equal(toRow({ event: { kind: 'gap' }, message: 'bytes 1 to 9 were lost' }, 'x').level, 'gap');
});

void test('the level of a record of another shipper is read where it put it', () => {
  assert.equal(toRow({ level: 'warn' }, 'x').level, 'warn');
  assert.equal(toRow({ level: 'warn', log: { level: 'info' } }, 'x').level, 'info');
});

void test('literal dotted keys are read like nested members', () => {
  assert.equal(textAt({ 'log.level': 'warn' }, ['log', 'level']), 'warn');
  assert.equal(textAt({ log: { level: 'info' }, 'log.level': 'warn' }, ['log', 'level']), 'info');
});
