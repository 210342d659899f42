import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../config/load-config.ts';
import { explain } from './explain.ts';
import { examine } from './doctor.ts';

function load(root: string): ReturnType<typeof loadConfig> {
  return loadConfig({
    flags: [
      { flag: '--data', path: 'data', text: path.join(root, 'data') },
      {
        flag: '--sources',
        path: 'sources',
        text: `[{ kind: apps, root: ${root}/apps }, { kind: pods, root: ${root}/pods }]`,
      },
    ],
    environment: {},
    file: undefined,
    hostName: 'host-1',
    workingDirectory: root,
    hasDirectory: () => false,
  });
}

void test('a file is explained by the source that takes it, its path and its first record', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-explain-'));
  try {
    const directory = path.join(root, 'pods/shop_cart-0_uid-1/web');
    mkdirSync(directory, { recursive: true });
    const file = path.join(directory, '0.log');
    writeFileSync(file, '2026-11-23T04:30:00.1Z stdout F {"level":"warn","msg":"slow"}\n');
    const { json } = explain({ loaded: load(root), subject: file, fields: {} });
    const { isCollected, members, line } = json as {
      isCollected: boolean;
      members: Record<string, string>;
      line: { index: string; document: { message: string } };
    };
    assert.equal(isCollected, true);
    assert.equal(members['kubernetes.namespace'], 'shop');
    assert.equal(members['kubernetes.pod.name'], 'cart-0');
    assert.equal(line.index, 'logboom-shop-2026.11.23');
    assert.equal(line.document.message, 'slow');
  } finally {
    rmSync(root, { recursive: true });
  }
});

void test('a file that no source takes is said to be so, whether it is there or not', () => {
  const { lines, json } = explain({
    loaded: load('/srv/nothing'),
    subject: '/var/nothing/x.log',
    fields: {},
  });
  assert.equal(json['isCollected'], false);
  assert.equal(lines.at(-1), 'the file is not collected');
});

void test('a line is explained with the members that are given', () => {
  const { json } = explain({
    loaded: load('/srv/nothing'),
    subject: 'ERROR no file of this name',
    fields: { 'kubernetes.namespace': 'shop' },
  });
  assert.match(String(json['index']), /^logboom-shop-\d{4}\.\d\d\.\d\d$/);
});

void test('the doctor tries the data directory, and leaves nothing behind', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'logboom-doctor-'));
  try {
    mkdirSync(path.join(root, 'pods'));
    const findings = examine(load(root));
    const statusOf = (check: string): string | undefined =>
      findings.find((one) => one.check === check)?.status;
    for (const check of ['node', 'data directory', 'sync', 'rename', 'inodes', 'clock', 'source pods']) {
      assert.equal(statusOf(check), 'ok', check);
    }
    assert.equal(statusOf('source apps'), 'warn');
    for (const { status, remedy } of findings) assert.equal(remedy === undefined, status === 'ok');
    writeFileSync(path.join(root, 'file'), '');
    const blocked = { ...load(root), config: { ...load(root).config, data: path.join(root, 'file') } };
    assert.equal(examine(blocked).find(({ check }) => check === 'data directory')?.status, 'fail');
  } finally {
    rmSync(root, { recursive: true });
  }
});
